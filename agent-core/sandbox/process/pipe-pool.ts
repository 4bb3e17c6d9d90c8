import { spawn } from 'node:child_process';
import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { Failure } from '../../contract/errors.ts';

const { O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;
/** Linux: a descriptor that only keeps a thing alive; Node has no constant for it. */
const O_PATH = 0o10000000;
/** A shell can name the descriptors 3 to 9. */
const BATCH = [3, 4, 5, 6, 7, 8, 9];
const PER_COMMAND = 3;
/** Each empty here-document is a pipe; the shell holds them until its input ends. */
const MAKE_PIPES = `exec ${BATCH.map((n) => `${n}<<E`).join(' ')}\n${'E\n'.repeat(BATCH.length)}echo ready; read -r line`;

/** Both ends of a command's three pipes: the core's as streams, the command's as descriptors to close after the start. */
export interface Pipes {
  stdin: Socket;
  stdout: Socket;
  stderr: Socket;
  ends: [number, number, number];
  /** To be called when the command and all that held its output have ended: its input may be used again. */
  recycle(): void;
}

/**
 * Real pipes for commands. What Node calls a pipe is a socket, and `echo … > /dev/stderr` or `cat /dev/stdin` fail on
 * one; a named pipe would block them. Node can't make a pipe, so a shell makes some in advance, and a descriptor that
 * is neither end keeps each until it is opened again by way of `/proc/self/fd`.
 */
export class PipePool {
  #free: number[] = [];
  /** Inputs of commands that have not ended. */
  #inputs = new Set<number>();
  #growing: Promise<void> | null = null;
  #disposed = false;

  constructor() {
    this.#growing = this.#grow()
      .catch(() => {})
      .finally(() => {
        this.#growing = null;
      });
  }

  /** Opens three pipes, making more where too few are free. */
  async take(): Promise<Pipes> {
    while (this.#free.length < PER_COMMAND)
      await (this.#growing ??= this.#grow().finally(() => {
        this.#growing = null;
      }));
    const input = this.#takeInput();
    const output = this.#takeOutput();
    const errors = this.#takeOutput();
    if (this.#free.length < PER_COMMAND)
      this.#growing ??= this.#grow()
        .catch(() => {})
        .finally(() => {
          this.#growing = null;
        });
    return {
      stdin: input.ours,
      stdout: output.ours,
      stderr: errors.ours,
      ends: [input.theirs, output.theirs, errors.theirs],
      recycle: () => {
        // Only when both ends are shut does the kernel forget what nobody read.
        if (input.ours.closed) this.#keepIfUnread(input.keeper);
        else input.ours.once('close', () => this.#keepIfUnread(input.keeper));
      },
    };
  }

  dispose(): void {
    this.#disposed = true;
    for (const keeper of [...this.#free.splice(0), ...this.#inputs]) closeSync(keeper);
    this.#inputs.clear();
  }

  async #grow(): Promise<void> {
    const child = spawn('/bin/sh', ['-c', MAKE_PIPES], { env: {}, cwd: '/', stdio: ['pipe', 'pipe', 'ignore'] });
    child.stdin.on('error', () => {});
    try {
      const ready = await new Promise<boolean>((resolve) => {
        child.stdout.once('data', () => resolve(true));
        child.once('error', () => resolve(false)).once('exit', () => resolve(false));
      });
      if (!ready) throw new Failure('cannot-confine', 'Pipes for commands could not be made.', { command: '/bin/sh' });
      for (const descriptor of BATCH) this.#keep(openSync(`/proc/${child.pid}/fd/${descriptor}`, O_PATH));
    } finally {
      child.stdin.destroy();
      child.stdout.destroy();
    }
  }

  #keep(keeper: number): void {
    if (this.#disposed || !fstatSync(keeper).isFIFO()) closeSync(keeper);
    else this.#free.push(keeper);
  }

  #take(): number {
    const keeper = this.#free.shift();
    if (keeper === undefined) throw new Failure('internal', 'No pipe is left.');
    return keeper;
  }

  #takeOutput(): { ours: Socket; theirs: number } {
    const keeper = this.#take();
    const read = openSync(`/proc/self/fd/${keeper}`, O_RDONLY | O_NONBLOCK);
    const theirs = openSync(`/proc/self/fd/${keeper}`, O_WRONLY);
    const ours = new Socket({ fd: read, readable: true, writable: false });
    // Its end means that the last writer is gone, so nobody is left who could write into the next command's output.
    ours.once('close', () => {
      if (ours.readableEnded) this.#keep(keeper);
      else closeSync(keeper);
    });
    return { ours, theirs };
  }

  #takeInput(): { ours: Socket; theirs: number; keeper: number } {
    const keeper = this.#take();
    const theirs = openSync(`/proc/self/fd/${keeper}`, O_RDONLY);
    const write = openSync(`/proc/self/fd/${keeper}`, O_WRONLY | O_NONBLOCK);
    this.#inputs.add(keeper);
    return { ours: new Socket({ fd: write, readable: false, writable: true }), theirs, keeper };
  }

  /** A daemon that redirected its output may still read the input: a byte that nobody could read (EPIPE) proves that none does. */
  #keepIfUnread(keeper: number): void {
    if (!this.#inputs.delete(keeper)) return;
    const write = openSync(`/proc/self/fd/${keeper}`, O_WRONLY | O_NONBLOCK);
    try {
      writeSync(write, '\n');
      closeSync(keeper);
    } catch {
      this.#keep(keeper);
    } finally {
      closeSync(write);
    }
  }
}
