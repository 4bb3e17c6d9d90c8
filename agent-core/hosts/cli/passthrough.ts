import type { RunRequest, SandboxProcess } from '../../sandbox/types.ts';

/** Whether the command gets a terminal: only where ours is one at both ends, so that pipes carry bytes as they are. */
export const terminalSize = (): { cols: number; rows: number } | undefined =>
  process.stdin.isTTY && process.stdout.isTTY ? { cols: process.stdout.columns || 80, rows: process.stdout.rows || 24 } : undefined;

/** Our stdin to the command until it ends; keys as they are where it has a terminal. */
function feed(child: SandboxProcess, tty: boolean): () => void {
  if (tty) process.stdin.setRawMode(true);
  const resize = (): void => child.resize(process.stdout.columns || 80, process.stdout.rows || 24);
  if (tty) process.stdout.on('resize', resize);
  process.stdin.on('data', (chunk: Buffer) => child.write(chunk));
  process.stdin.on('end', () => child.endInput());
  process.stdin.on('error', () => child.endInput());
  return () => {
    if (tty) {
      process.stdin.setRawMode(false);
      process.stdout.off('resize', resize);
    }
    process.stdin.pause();
  };
}

/** What the command prints, as slowly as whoever reads us takes it. Nobody reads us any more: the command ends, as by a closed pipe. */
function drain(child: SandboxProcess): void {
  let gone = false;
  child.onOutput((chunk, stream) => {
    const target = stream === 'stdout' ? process.stdout : process.stderr;
    if (gone || target.write(chunk)) return;
    child.pause();
    target.once('drain', () => child.resume());
  });
  const leave = (): void => {
    if (gone) return;
    gone = true;
    // A closed pipe never drains: a command that waits for it would not end.
    child.resume();
    void child.kill('terminate');
  };
  process.stdout.on('error', leave);
  process.stderr.on('error', leave);
}

const signals = { SIGINT: 'interrupt', SIGTERM: 'terminate', SIGHUP: 'terminate' } as const;

/**
 * Runs a command with our own stdin, stdout and stderr, bytes untouched, and answers its exit code. Ctrl-C and the
 * like are passed on to it. Rejects, with nothing run, as `run` does.
 */
export async function passThrough(
  run: (request: RunRequest) => Promise<SandboxProcess>,
  request: Omit<RunRequest, 'tty'>,
): Promise<number> {
  const tty = terminalSize();
  const child = await run(tty ? { ...request, tty } : request);
  const handlers = Object.entries(signals).map(([signal, how]) => {
    const handle = (): void => {
      void child.kill(how);
    };
    process.on(signal as NodeJS.Signals, handle);
    return () => process.off(signal as NodeJS.Signals, handle);
  });
  const stop = feed(child, tty !== undefined);
  drain(child);
  const { code } = await child.exited;
  stop();
  for (const off of handlers) off();
  return code;
}
