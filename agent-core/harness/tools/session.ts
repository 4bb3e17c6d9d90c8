import { randomInt } from 'node:crypto';
import { ITEM_OUTPUT_LIMIT, type ItemOf } from '../../contract/index.ts';
import type { SandboxProcess } from '../../sandbox/types.ts';
import type { ThreadSessions, TurnHost } from '../types.ts';
import { HeadTail } from './output.ts';

const MAX_SESSIONS = 64;
/** What is kept of unread output for the model, head and tail. */
const UNREAD_BYTES = 1024 * 1024;
/** Live text sent to whoever watches one command; the rest is in its log and in the item's head and tail. */
const LIVE_BYTES = 256 * 1024;
const DELTA_BYTES = 8192;
/** Of a command that is looked at again and again, the newest looks can be cited. */
const MAX_CHUNKS = 64;

/** A command that runs or has just ended: its process, its item, and what the model hasn't read yet. */
export class Session {
  id: number | null = null;
  readonly tty: boolean;
  readonly process: SandboxProcess;
  readonly turnId: string;
  exitCode: number | null = null;
  lastUsed = 0;
  /** It was started with a worktree that it can't change. */
  looks = false;
  #item: ItemOf<'command'>;
  #completed = false;
  #stopped = false;
  #limit: string | undefined;
  readonly #unread = new HeadTail(UNREAD_BYTES);
  readonly #shown = new HeadTail(ITEM_OUTPUT_LIMIT - 64);
  readonly #decoder = new TextDecoder();
  #live = LIVE_BYTES;
  #chunks: string[] = [];

  constructor(process: SandboxProcess, item: ItemOf<'command'>, tty: boolean, host: TurnHost) {
    this.process = process;
    this.tty = tty;
    this.turnId = item.turnId;
    this.#item = item;
    process.onOutput((chunk) => this.#take(chunk, host));
    void process.exited.then((exit) => {
      this.exitCode = exit.code;
      this.#limit = exit.limit?.message;
    });
  }

  #take(chunk: Uint8Array, host: TurnHost): void {
    this.#unread.add(chunk);
    this.#shown.add(chunk);
    const full = host.logOutput(this.#item.id, chunk);
    if (full) {
      // The disk is slower than the command: it waits at its full pipe, not in our memory.
      this.process.pause();
      void full.then(() => this.process.resume());
    }
    if (this.#live <= 0) return;
    const part = chunk.subarray(0, this.#live);
    this.#live -= part.length;
    for (let at = 0; at < part.length; at += DELTA_BYTES) {
      host.itemDelta(this.#item.id, this.#decoder.decode(part.subarray(at, at + DELTA_BYTES), { stream: true }));
    }
  }

  /** What was printed since the model last looked. */
  read(): { text: string; total: number } {
    return this.#unread.drain();
  }

  /** Waits until the command ends, `ms` pass or the turn is aborted; true when it has ended. */
  async ended(ms: number, signal: AbortSignal): Promise<boolean> {
    if (this.exitCode !== null) return true;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    const done = () => resolve();
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) resolve();
    void this.process.exited.then(done);
    await promise;
    clearTimeout(timer);
    signal.removeEventListener('abort', done);
    return this.exitCode !== null;
  }

  /** Ends the whole tree. Resolves when it is gone. */
  async stop(): Promise<void> {
    this.#stopped = this.exitCode === null;
    await this.process.kill('terminate');
    await this.process.exited;
  }

  /** Remembers that the model got output under this number. */
  addChunk(chunk: string): string {
    this.#chunks = [...this.#chunks, chunk].slice(-MAX_CHUNKS);
    return chunk;
  }

  /** The item as it stands now; completed once the command has ended. */
  item(): ItemOf<'command'> {
    const ended = this.exitCode !== null;
    return {
      ...this.#item,
      output: this.#shown.text((bytes) => `\n… ${bytes} bytes …\n`),
      outputBytes: this.#shown.total,
      ...(this.#chunks.length ? { chunks: this.#chunks } : {}),
      sessionId: ended ? null : this.id,
      exitCode: this.exitCode,
      ...(this.#limit === undefined ? {} : { limit: this.#limit }),
      endedAt: ended ? Date.now() : null,
      status: !ended ? 'running' : this.#stopped ? 'interrupted' : this.exitCode === 0 ? 'completed' : 'failed',
    };
  }

  /** Whether it runs outside the sandbox, and as what. */
  get outside(): { command: string; cwd: string; itemId: ItemOf<'command'>['id'] } | null {
    const { outside, command, cwd, id } = this.#item;
    return outside ? { command, cwd, itemId: id } : null;
  }

  /** True for the one caller that may complete the item. */
  claim(): boolean {
    const first = !this.#completed;
    this.#completed = true;
    return first;
  }
}

/** The commands of one thread that went on in the background, by the number that the model knows them by. */
export class Sessions implements ThreadSessions {
  readonly #byId = new Map<number, Session>();

  get(id: number): Session | undefined {
    return this.#byId.get(id);
  }

  /** Gives a running command a number. When 64 are kept already, one that has ended makes room, else the least used is ended. */
  async keep(session: Session, host: TurnHost): Promise<number> {
    while (this.#byId.size >= MAX_SESSIONS) await this.#makeRoom();
    let id: number;
    do id = randomInt(10_000, 100_000);
    while (this.#byId.has(id));
    session.id = id;
    session.lastUsed = performance.now();
    this.#byId.set(id, session);
    void session.process.exited
      .then(() => (session.claim() ? host.itemCompleted(session.item()) : undefined))
      .catch(() => {
        /* The thread's store is closed: its next start completes what was running. */
      });
    return id;
  }

  async #makeRoom(): Promise<void> {
    const byAge = [...this.#byId.values()].toSorted((a, b) => a.lastUsed - b.lastUsed);
    const victim = byAge.find((session) => session.exitCode !== null) ?? byAge[0]!;
    this.forget(victim);
    if (victim.exitCode === null) await victim.stop();
  }

  forget(session: Session): void {
    if (session.id !== null) this.#byId.delete(session.id);
  }

  /** Ends what this turn has started; servers of earlier turns go on. */
  async stopTurn(turnId: string): Promise<void> {
    const ours = [...this.#byId.values()].filter((session) => session.turnId === turnId);
    ours.forEach((session) => this.forget(session));
    await Promise.all(ours.map((session) => session.stop()));
  }

  async dispose(): Promise<void> {
    const all = [...this.#byId.values()];
    this.#byId.clear();
    await Promise.all(all.map((session) => session.stop()));
  }
}
