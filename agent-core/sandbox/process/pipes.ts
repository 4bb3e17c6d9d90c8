import type { ChildProcess } from 'node:child_process';
import type { Exceeded } from '../limits/policy.ts';
import type { Exit, SandboxProcess } from '../types.ts';
import { OutputFan } from './output.ts';
import type { Pipes } from './pipe-pool.ts';
import { signalNumber } from './collect.ts';

/** How a driver ends the tree of a process that it started. Resolves when the tree is gone (interrupt: when it was sent). */
export type KillTree = (how: 'interrupt' | 'terminate' | 'kill') => Promise<void>;

export interface Ending {
  /** Ends the tree. */
  signal?: AbortSignal | undefined;
  /** Asked once, at the end: the limit that ended the command or that it failed at. */
  limit?: (code: number) => Exceeded | undefined;
}

/** How it ended, with the limit that did it, which is said in the output too. */
export function withLimit(exit: Exit, { limit }: Ending, tell: (text: string) => void): Exit {
  const why = limit?.(exit.code);
  if (!why) return exit;
  tell(`\n${why.message}\n`);
  return { ...exit, limit: why };
}

/** After the command ended, a daemon may hold its output open: this long without a byte means that the rest is the daemon's. */
const QUIET_MS = 120;

/** Settles when the process ended and its output is read, or is a daemon's that still holds the pipes. */
function whenDone(child: ChildProcess, pipes: Pipes, waiting: () => boolean, lastByte: () => number): Promise<Exit> {
  return new Promise((resolve) => {
    let exit: Exit | null = null;
    let exitedAt = 0;
    let open = 2;
    let settled = false;
    let timer: NodeJS.Timeout | undefined;
    const settle = () => {
      if (!exit || settled) return;
      settled = true;
      clearTimeout(timer);
      if (open === 0) pipes.recycle();
      resolve(exit);
    };
    const quietOrAgain = () => {
      if (!waiting() && performance.now() - Math.max(lastByte(), exitedAt) >= QUIET_MS) settle();
      else timer = setTimeout(watchQuiet, QUIET_MS);
    };
    // A busy core is late for its timers and its pipes alike: what lies in a pipe by now is read before it counts as quiet.
    const watchQuiet = () => {
      setImmediate(quietOrAgain);
    };
    for (const stream of [pipes.stdout, pipes.stderr])
      stream.once('close', () => {
        if (--open === 0) settle();
      });
    child.once('exit', (code, signal) => {
      exit = { code: code ?? 128 + (signal ? signalNumber(signal) : 0), signal };
      exitedAt = performance.now();
      pipes.stdin.destroy();
      if (open === 0) settle();
      else timer = setTimeout(watchQuiet, QUIET_MS);
    });
  });
}

/**
 * A {@link SandboxProcess} on three pipes. When the command ends while a daemon of it still holds the output, the
 * streams end for listeners but are read on into nothing, so that the daemon neither blocks nor gets SIGPIPE.
 */
export function pipeProcess(child: ChildProcess, pipes: Pipes, killTree: KillTree, more: Ending = {}): SandboxProcess {
  const { signal } = more;
  const { stdin, stdout, stderr } = pipes;
  let paused = false;
  let held = false;
  let detached = false;
  let lastByte = 0;
  const flow = () => {
    for (const stream of [stdout, stderr])
      if ((paused || held) && !detached) stream.pause();
      else stream.resume();
  };
  const fan = new OutputFan((on) => {
    held = on;
    flow();
  });
  for (const [stream, name] of [
    [stdout, 'stdout'],
    [stderr, 'stderr'],
  ] as const) {
    stream.on('data', (chunk: Buffer) => {
      lastByte = performance.now();
      if (!detached) fan.push(chunk, name);
    });
    stream.on('error', () => {});
  }
  stdin.on('error', () => {});
  const exited = whenDone(
    child,
    pipes,
    () => paused || held,
    () => lastByte,
  ).then((ended) => {
    const exit = withLimit(ended, more, (text) => fan.push(Buffer.from(text), 'stderr'));
    detached = true;
    flow();
    // What a daemon still writes must not keep a core running that has nothing else to do.
    stdout.unref();
    stderr.unref();
    return exit;
  });

  const abort = () => void killTree('terminate');
  signal?.addEventListener('abort', abort, { once: true });
  void exited.then(() => signal?.removeEventListener('abort', abort));
  // Not in this moment: whoever made the process has not got it yet.
  if (signal?.aborted) queueMicrotask(abort);

  return {
    pid: child.pid ?? -1,
    exited,
    onOutput: (listener) => fan.listen(listener),
    write: (data) => {
      if (stdin.writable) stdin.write(data);
    },
    endInput: () => {
      stdin.end();
    },
    pause: () => {
      paused = true;
      flow();
    },
    resume: () => {
      paused = false;
      flow();
    },
    resize: () => {},
    kill: (how) => killTree(how),
  };
}
