import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Exit, SandboxProcess } from '../types.ts';
import { OutputFan } from './output.ts';
import { signalNumber } from './collect.ts';

/** How a driver ends the tree of a process that it started. Resolves when the tree is gone (interrupt: when it was sent). */
export type KillTree = (how: 'interrupt' | 'terminate' | 'kill') => Promise<void>;

/** After the command ended, a daemon may hold its output open: this long without a byte means that the rest is the daemon's. */
const QUIET_MS = 120;

/**
 * A {@link SandboxProcess} on three pipes. When the command ends while a daemon of it still holds the output, the
 * streams end for listeners but are read on into nothing, so that the daemon neither blocks nor gets SIGPIPE.
 */
export function pipeProcess(child: ChildProcess, killTree: KillTree, signal?: AbortSignal): SandboxProcess {
  const streams = [child.stdout, child.stderr].filter((stream): stream is Readable => stream !== null);
  let paused = false;
  let held = false;
  let detached = false;
  let lastByte = 0;
  const flow = () => {
    for (const stream of streams) if ((paused || held) && !detached) stream.pause(); else stream.resume();
  };
  const fan = new OutputFan((on) => { held = on; flow(); });
  const forward = (stream: Readable | null, name: 'stdout' | 'stderr') => {
    stream?.on('data', (chunk: Buffer) => { lastByte = performance.now(); if (!detached) fan.push(chunk, name); });
    stream?.on('error', () => {});
  };
  forward(child.stdout, 'stdout');
  forward(child.stderr, 'stderr');
  child.stdin?.on('error', () => {});

  const exited = new Promise<Exit>((resolve) => {
    let exit: Exit | null = null;
    let timer: NodeJS.Timeout | undefined;
    const settle = () => {
      clearTimeout(timer);
      detached = true;
      flow();
      resolve(exit ?? { code: 127, signal: null });
    };
    const watchQuiet = () => {
      if (!paused && !held && performance.now() - lastByte >= QUIET_MS) settle();
      else timer = setTimeout(watchQuiet, QUIET_MS);
    };
    child.once('exit', (code, signalName) => {
      exit = { code: code ?? 128 + (signalName ? signalNumber(signalName) : 0), signal: signalName };
      child.stdin?.destroy();
      lastByte = performance.now();
      timer = setTimeout(watchQuiet, QUIET_MS);
    });
    child.once('close', settle);
    child.once('error', settle);
  });

  const abort = () => void killTree('terminate');
  signal?.addEventListener('abort', abort, { once: true });
  void exited.then(() => signal?.removeEventListener('abort', abort));
  if (signal?.aborted) abort();

  return {
    pid: child.pid ?? -1,
    exited,
    onOutput: (listener) => fan.listen(listener),
    write: (data) => { if (child.stdin?.writable) child.stdin.write(data); },
    endInput: () => { child.stdin?.end(); },
    pause: () => { paused = true; flow(); },
    resume: () => { paused = false; flow(); },
    resize: () => {},
    kill: (how) => killTree(how),
  };
}
