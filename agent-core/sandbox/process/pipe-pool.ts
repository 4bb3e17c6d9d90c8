import { spawn } from 'node:child_process';
import { closeSync, constants, mkdirSync, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { Failure } from '../../contract/errors.ts';

const { O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } = constants;
const BATCH = 12;
const PER_COMMAND = 3;

/** Both ends of a command's three pipes: the core's as streams, the command's as descriptors to close after the start. */
export interface Pipes {
  stdin: Socket;
  stdout: Socket;
  stderr: Socket;
  ends: [number, number, number];
}

/**
 * Real pipes for commands. What Node calls a pipe is a socket, and `echo … > /dev/stderr` or `cat /dev/stdin` fail on
 * one. So these are named pipes in a private folder, each used again once nobody holds it.
 */
export class PipePool {
  #folder: string;
  #free: string[] = [];
  #count = 0;
  #growing: Promise<void> | null = null;

  constructor(folder: string) {
    this.#folder = folder;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  /** Opens three pipes, making more where too few are free. */
  async take(): Promise<Pipes> {
    while (this.#free.length < PER_COMMAND) await (this.#growing ??= this.#grow().finally(() => { this.#growing = null; }));
    const input = this.#takeInput();
    const output = this.#takeOutput();
    const errors = this.#takeOutput();
    return { stdin: input.ours, stdout: output.ours, stderr: errors.ours, ends: [input.theirs, output.theirs, errors.theirs] };
  }

  dispose(): void {
    this.#free = [];
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #grow(): Promise<void> {
    const paths = Array.from({ length: BATCH }, () => join(this.#folder, String(this.#count++)));
    const child = spawn('/usr/bin/mkfifo', ['-m', '600', ...paths], { env: {}, cwd: '/', stdio: 'ignore' });
    const code = await new Promise((resolve) => child.once('close', resolve).once('error', resolve));
    if (code !== 0) throw new Failure('cannot-confine', `Pipes for commands could not be made in ${this.#folder}.`, { fix: 'Check that the disk is not full.' });
    this.#free.push(...paths);
  }

  #take(): string {
    const path = this.#free.shift();
    if (path === undefined) throw new Failure('internal', 'No pipe is left.');
    return path;
  }

  #back(socket: Socket, path: string): void {
    socket.once('close', () => this.#free.push(path));
  }

  #takeOutput(): { ours: Socket; theirs: number } {
    const path = this.#take();
    const read = openSync(path, O_RDONLY | O_NONBLOCK);
    const theirs = openSync(path, O_WRONLY);
    const ours = new Socket({ fd: read, readable: true, writable: false });
    // Its end means that the last writer is gone, so nobody is left who could write into the next command's output.
    this.#back(ours, path);
    return { ours, theirs };
  }

  #takeInput(): { ours: Socket; theirs: number } {
    const path = this.#take();
    const both = openSync(path, O_RDWR | O_NONBLOCK);
    const theirs = openSync(path, O_RDONLY);
    const write = openSync(path, O_WRONLY | O_NONBLOCK);
    closeSync(both);
    const ours = new Socket({ fd: write, readable: false, writable: true });
    // A daemon may still read it: then it is not used again.
    ours.once('close', () => {
      try { closeSync(openSync(path, O_WRONLY | O_NONBLOCK)); } catch { this.#free.push(path); }
    });
    return { ours, theirs };
  }
}
