import { constants } from 'node:os';
import { spawn as spawnPty, type IPty } from 'node-pty';
import type { Exit, SandboxProcess } from '../types.ts';
import { withLimit, type Ending, type KillTree } from './pipes.ts';
import { OutputFan } from './output.ts';

export interface TerminalCommand {
  file: string;
  args: string[];
  env: Record<string, string>;
  cwd: string;
  size: { cols: number; rows: number };
}

const whole = (cells: number) => Math.min(10_000, Math.max(1, Math.trunc(cells) || 1));

/** Opens a PTY for a command; bytes in and out are never decoded. */
export function openTerminal(command: TerminalCommand): IPty {
  return spawnPty(command.file, command.args, {
    name: command.env['TERM'] ?? 'xterm-256color',
    cols: whole(command.size.cols),
    rows: whole(command.size.rows),
    cwd: command.cwd,
    env: command.env,
    encoding: null,
  });
}

const signalName = (number: number): NodeJS.Signals | null =>
  (Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? null) as NodeJS.Signals | null;

/** A {@link SandboxProcess} on a PTY. Its output is all 'stdout'; `endInput` types Ctrl-D. */
export function terminalProcess(pty: IPty, killTree: KillTree, more: Ending = {}): SandboxProcess {
  const { signal } = more;
  let paused = false;
  let held = false;
  let ended = false;
  const flow = () => {
    if (ended) return;
    if (paused || held) pty.pause();
    else pty.resume();
  };
  const fan = new OutputFan((on) => {
    held = on;
    flow();
  });
  // With `encoding: null` node-pty hands out Buffers, whatever its types say.
  pty.onData((data) => fan.push(data as unknown as Buffer, 'stdout'));
  const exited = new Promise<Exit>((resolve) => {
    pty.onExit(({ exitCode, signal: number }) => {
      ended = true;
      const exit = { code: number ? 128 + number : exitCode, signal: number ? signalName(number) : null };
      resolve(withLimit(exit, more, (text) => fan.push(Buffer.from(text.replaceAll('\n', '\r\n')), 'stdout')));
    });
  });
  const abort = () => void killTree('terminate');
  signal?.addEventListener('abort', abort, { once: true });
  void exited.then(() => signal?.removeEventListener('abort', abort));
  // Not in this moment: whoever made the process has not got it yet.
  if (signal?.aborted) queueMicrotask(abort);
  return {
    pid: pty.pid,
    exited,
    onOutput: (listener) => fan.listen(listener),
    write: (data) => {
      if (!ended) pty.write(typeof data === 'string' ? data : Buffer.from(data));
    },
    endInput: () => {
      if (!ended) pty.write('\x04');
    },
    pause: () => {
      paused = true;
      flow();
    },
    resume: () => {
      paused = false;
      flow();
    },
    resize: (cols, rows) => {
      if (!ended) pty.resize(whole(cols), whole(rows));
    },
    kill: (how) => killTree(how),
  };
}
