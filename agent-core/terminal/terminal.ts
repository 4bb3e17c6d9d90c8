import type { TaskId, TerminalId, TerminalInfo } from '../contract/index.ts';
import type { Client } from '../runtime/api.ts';
import type { SandboxProcess } from '../sandbox/types.ts';
import { ClientGuard } from './guard.ts';
import { Mirror } from './mirror.ts';

/** Characters that the slowest attached client, or the mirror, may be behind before the program has to wait. */
const HIGH = 512 * 1024;
const LOW = 128 * 1024;

interface Viewer {
  client: Client;
  unacked: number;
  /** What came while its snapshot was made; null once it gets everything as it comes. */
  early: string[] | null;
}

export interface TerminalOptions {
  id: TerminalId;
  taskId: TaskId;
  title: string;
  size: { cols: number; rows: number };
  process: SandboxProcess;
  /** The action of the recipe that runs in it, instead of a shell. */
  action?: string;
  outside?: boolean;
}

/**
 * One shell in a PTY with its mirror and those who watch it. The mirror sees everything; clients what the guard
 * lets through. The program is paused while the slowest attached client or the mirror is far behind; with nobody
 * attached it runs on.
 */
export class Terminal {
  readonly id: TerminalId;
  readonly taskId: TaskId;
  readonly exited: Promise<void>;
  readonly #title: string;
  readonly #action: string | undefined;
  readonly #outside: boolean;
  readonly #process: SandboxProcess;
  readonly #mirror: Mirror;
  readonly #guard = new ClientGuard();
  readonly #decoder = new TextDecoder();
  readonly #viewers = new Map<string, Viewer>();
  #size: { cols: number; rows: number };
  #exit: { code: number } | null = null;
  #paused = false;

  constructor({ id, taskId, title, size, process, action, outside }: TerminalOptions) {
    this.#outside = outside ?? false;
    this.#action = action;
    this.id = id;
    this.taskId = taskId;
    this.#title = title;
    this.#size = size;
    this.#process = process;
    this.#mirror = new Mirror(size, (text) => {
      if (!this.#exit) process.write(text);
    });
    process.onOutput((chunk) => this.#take(this.#decoder.decode(chunk, { stream: true })));
    this.exited = process.exited.then(({ code }) => this.#ended(code));
  }

  get info(): TerminalInfo {
    return {
      id: this.id,
      taskId: this.taskId,
      title: this.#title,
      ...this.#size,
      running: !this.#exit,
      exitCode: this.#exit?.code ?? null,
      ...(this.#action === undefined ? {} : { action: this.#action }),
      ...(this.#outside ? { outside: true } : {}),
    };
  }
  get watched(): boolean {
    return this.#viewers.size > 0;
  }

  /** The screen now; what comes after it follows to the client as news. Attaching again starts afresh. */
  async attach(client: Client): Promise<{ info: TerminalInfo; screen: string }> {
    const viewer: Viewer = { client, unacked: 0, early: [] };
    this.#viewers.set(client.id, viewer);
    const screen = await this.#mirror.snapshot();
    // The answer leaves in this turn of the loop; what came meanwhile follows it.
    setImmediate(() => {
      const early = viewer.early?.join('') ?? '';
      viewer.early = null;
      if (early && this.#viewers.get(client.id) === viewer) this.#show(viewer, early);
    });
    return { info: this.info, screen };
  }

  detach(client: Client): void {
    this.#viewers.delete(client.id);
    this.#flow();
  }

  ack(client: Client, chars: number): void {
    const viewer = this.#viewers.get(client.id);
    if (!viewer) return;
    viewer.unacked = Math.max(0, viewer.unacked - Math.max(0, chars));
    this.#flow();
  }

  write(data: string): void {
    if (!this.#exit) this.#process.write(data);
  }

  resize(cols: number, rows: number): void {
    this.#size = { cols, rows };
    this.#mirror.resize(cols, rows);
    if (!this.#exit) this.#process.resize(cols, rows);
  }

  /** Ends what runs in it with its whole tree, SIGTERM first. */
  async stop(): Promise<void> {
    if (this.#exit) return;
    if (this.#paused) this.#process.resume();
    await this.#process.kill('terminate');
    await this.exited;
  }

  /** Ends the shell and all that it started. */
  async close(): Promise<void> {
    if (!this.#exit) {
      if (this.#paused) this.#process.resume();
      // A shell ignores SIGTERM when it is interactive.
      await this.#process.kill('kill');
      await this.exited;
    }
    this.#viewers.clear();
    this.#mirror.dispose();
  }

  #take(text: string): void {
    if (!text) return;
    this.#mirror.write(text, () => this.#flow());
    const seen = this.#guard.push(text);
    if (seen) for (const viewer of this.#viewers.values()) this.#show(viewer, seen);
    this.#flow();
  }

  #show(viewer: Viewer, data: string): void {
    if (viewer.early) {
      viewer.early.push(data);
      return;
    }
    viewer.unacked += data.length;
    viewer.client.send({ type: 'terminal.output', terminalId: this.id, data });
  }

  #flow(): void {
    let behind = this.#mirror.behind;
    for (const { unacked } of this.#viewers.values()) behind = Math.max(behind, unacked);
    if (!this.#paused && behind > HIGH) {
      this.#paused = true;
      this.#process.pause();
    }
    if (this.#paused && behind < LOW) {
      this.#paused = false;
      this.#process.resume();
    }
  }

  #ended(code: number): void {
    this.#take(this.#decoder.decode());
    this.#exit = { code };
    const viewers = [...this.#viewers.values()];
    // After what waits for a client that is just attaching.
    setImmediate(() => {
      for (const { client } of viewers) client.send({ type: 'terminal.exited', terminalId: this.id, exitCode: code });
    });
  }
}
