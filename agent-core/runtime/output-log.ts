import { createWriteStream, statSync, type WriteStream } from 'node:fs';
import { link, mkdir, open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ItemId, ThreadId } from '../contract/index.ts';

/** A command's full output on disk stops growing here; the head matters most, the tail is in the item. */
const LIMIT = 64 * 1024 * 1024;
/** A file that nothing was written to for this long is closed; it is opened again when more comes. */
const GRACE_MS = 30_000;

export interface OutputLimits {
  bytes: number;
  graceMs: number;
}

interface Open {
  /** Null once the file is as large as it may be. */
  stream: WriteStream | null;
  bytes: number;
  timer: NodeJS.Timeout;
  /** Set while the disk is slower than the command. */
  full: Promise<void> | null;
}

/** Full outputs of commands, a file each, under `output/<thread>/<item>.log`. Written as they come, bounded over their whole life. */
export class OutputLog {
  readonly #root: string;
  readonly #limits: OutputLimits;
  readonly #open = new Map<string, Open>();
  readonly #made = new Set<string>();

  constructor(home: string, limits: Partial<OutputLimits> = {}) {
    this.#root = join(home, 'output');
    this.#limits = { bytes: LIMIT, graceMs: GRACE_MS, ...limits };
  }

  #file(threadId: ThreadId, itemId: ItemId): string {
    return join(this.#root, threadId, `${itemId}.log`);
  }

  async prepare(threadId: ThreadId): Promise<void> {
    if (this.#made.has(threadId)) return;
    await mkdir(join(this.#root, threadId), { recursive: true, mode: 0o700 });
    this.#made.add(threadId);
  }

  /** The answer, where there is one, resolves when the disk has caught up: until then nothing more should be read from the command. */
  append(threadId: ThreadId, itemId: ItemId, chunk: Uint8Array): Promise<void> | undefined {
    const entry = this.#open.get(itemId) ?? this.#begin(threadId, itemId);
    entry.timer.refresh();
    const room = this.#limits.bytes - entry.bytes;
    if (room <= 0 || !entry.stream) return undefined;
    const part = chunk.byteLength > room ? chunk.subarray(0, room) : chunk;
    entry.bytes += part.byteLength;
    if (entry.stream.write(part)) return entry.full ?? undefined;
    return (entry.full ??= caughtUp(entry));
  }

  #begin(threadId: ThreadId, itemId: ItemId): Open {
    const file = this.#file(threadId, itemId);
    // What was written before a pause counts too.
    const bytes = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    const stream = bytes < this.#limits.bytes ? createWriteStream(file, { flags: 'a', mode: 0o600 }) : null;
    stream?.on('error', () => this.#close(itemId));
    const timer = setTimeout(() => this.#close(itemId), this.#limits.graceMs).unref();
    const entry: Open = { stream, bytes, timer, full: null };
    this.#open.set(itemId, entry);
    return entry;
  }

  #close(itemId: string): void {
    const entry = this.#open.get(itemId);
    if (!entry) return;
    clearTimeout(entry.timer);
    this.#open.delete(itemId);
    entry.stream?.end();
  }

  /** Bytes `offset`… of a command's output as text; `total` is what is on disk. */
  async read(threadId: ThreadId, itemId: ItemId, offset: number, limit: number): Promise<{ text: string; offset: number; total: number }> {
    const file = this.#file(threadId, itemId);
    const info = await stat(file).catch(() => null);
    if (!info) return { text: '', offset, total: 0 };
    const handle = await open(file, 'r');
    try {
      const buffer = Buffer.alloc(Math.min(limit, Math.max(0, info.size - offset)));
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, offset);
      return { text: buffer.subarray(0, bytesRead).toString('utf8'), offset, total: info.size };
    } finally {
      await handle.close();
    }
  }

  /** Another thread's items get the same outputs. What is not there (any more) is left out. */
  async link(from: ThreadId, to: ThreadId, items: readonly (readonly [ItemId, ItemId])[]): Promise<void> {
    await this.prepare(to);
    for (const [item, copy] of items) await link(this.#file(from, item), this.#file(to, copy)).catch(() => {});
  }

  async forget(threadId: ThreadId): Promise<void> {
    this.#made.delete(threadId);
    await rm(join(this.#root, threadId), { recursive: true, force: true });
  }

  dispose(): void {
    for (const id of [...this.#open.keys()]) this.#close(id);
  }
}

/** Resolves when what was written is on its way, or never will be. */
function caughtUp(entry: Open): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      entry.full = null;
      resolve();
    };
    for (const event of ['drain', 'error', 'close']) entry.stream?.once(event, done);
  });
}
