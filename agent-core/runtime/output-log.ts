import { createWriteStream, type WriteStream } from 'node:fs';
import { link, mkdir, open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ItemId, ThreadId } from '../contract/index.ts';

/** A command's full output on disk stops growing here; the head matters most, the tail is in the item. */
const LIMIT = 64 * 1024 * 1024;
const GRACE_MS = 30_000;

interface Open {
  stream: WriteStream;
  bytes: number;
  timer: NodeJS.Timeout;
}

/** Full outputs of commands, a file each, under `output/<thread>/<item>.log`. Written as they come, bounded. */
export class OutputLog {
  readonly #root: string;
  readonly #open = new Map<string, Open>();
  readonly #made = new Set<string>();

  constructor(home: string) {
    this.#root = join(home, 'output');
  }

  async prepare(threadId: ThreadId): Promise<void> {
    if (this.#made.has(threadId)) return;
    await mkdir(join(this.#root, threadId), { recursive: true, mode: 0o700 });
    this.#made.add(threadId);
  }

  append(threadId: ThreadId, itemId: ItemId, chunk: Uint8Array): void {
    let entry = this.#open.get(itemId);
    if (!entry) {
      const stream = createWriteStream(join(this.#root, threadId, `${itemId}.log`), { flags: 'a', mode: 0o600 });
      stream.on('error', () => this.#close(itemId));
      entry = { stream, bytes: 0, timer: setTimeout(() => this.#close(itemId), GRACE_MS).unref() };
      this.#open.set(itemId, entry);
    }
    entry.timer.refresh();
    const room = LIMIT - entry.bytes;
    if (room <= 0) return;
    const part = chunk.byteLength > room ? chunk.subarray(0, room) : chunk;
    entry.bytes += part.byteLength;
    entry.stream.write(part);
  }

  #close(itemId: string): void {
    const entry = this.#open.get(itemId);
    if (!entry) return;
    clearTimeout(entry.timer);
    this.#open.delete(itemId);
    entry.stream.end();
  }

  /** Bytes `offset`… of a command's output as text; `total` is what is on disk. */
  async read(threadId: ThreadId, itemId: ItemId, offset: number, limit: number): Promise<{ text: string; offset: number; total: number }> {
    const file = join(this.#root, threadId, `${itemId}.log`);
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
    for (const [item, copy] of items)
      await link(join(this.#root, from, `${item}.log`), join(this.#root, to, `${copy}.log`)).catch(() => {});
  }

  async forget(threadId: ThreadId): Promise<void> {
    this.#made.delete(threadId);
    await rm(join(this.#root, threadId), { recursive: true, force: true });
  }

  dispose(): void {
    for (const id of [...this.#open.keys()]) this.#close(id);
  }
}
