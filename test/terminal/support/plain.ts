import { spawn } from 'node-pty';
import type { TaskId, TerminalId, Transient } from '../../../agent-core/contract/index.ts';
import type { Client } from '../../../agent-core/runtime/api.ts';
import type { Exit, Machine, SandboxProcess } from '../../../agent-core/sandbox/types.ts';
import { disposable } from '../../../agent-core/support/disposable.ts';
import { newId } from '../../../agent-core/support/ids.ts';

export interface PlainProcess extends SandboxProcess {
  /** How often it was made to wait. */
  pauses: number;
  paused: boolean;
}

/** A machine without a fence: PTYs of this very host, which is all that a terminal asks of one. */
export function plainMachine(): { machine: Machine; started: PlainProcess[] } {
  const started: PlainProcess[] = [];
  const run: Machine['run'] = async ({ argv, cwd, env, tty }) => {
    const clean = { PATH: process.env['PATH'] ?? '', HOME: cwd ?? '/', LANG: 'C.UTF-8', ...env };
    const pty = spawn(argv[0] ?? '', argv.slice(1), { cwd, env: clean, ...tty, encoding: null });
    const plain: PlainProcess = {
      pid: pty.pid,
      pauses: 0,
      paused: false,
      onOutput: (listener) => {
        const { dispose } = pty.onData((data) => listener(data as unknown as Uint8Array, 'stdout'));
        return disposable(dispose);
      },
      write: (data) => pty.write(Buffer.from(data)),
      endInput: () => {},
      pause: () => {
        plain.pauses += 1;
        plain.paused = true;
        pty.pause();
      },
      resume: () => {
        plain.paused = false;
        pty.resume();
      },
      resize: (cols, rows) => pty.resize(cols, rows),
      kill: async () => {
        pty.kill('SIGKILL');
        await plain.exited;
      },
      exited: new Promise<Exit>((resolve) => {
        pty.onExit(({ exitCode, signal }) => resolve({ code: signal ? 128 + signal : exitCode, signal: null }));
      }),
    };
    started.push(plain);
    return plain;
  };
  return { machine: { run } as unknown as Machine, started };
}

export interface Watcher extends Client {
  got: Transient[];
  text(id: TerminalId): string;
  close(): void;
}

/** A client that keeps what it is sent. */
export function watcher(): Watcher {
  const got: Transient[] = [];
  const closers: (() => void)[] = [];
  return {
    id: newId('msg'),
    threads: new Set(),
    got,
    send: (news) => {
      got.push(news);
    },
    onClose: (listener) => {
      closers.push(listener);
    },
    text: (id) => got.map((news) => (news.type === 'terminal.output' && news.terminalId === id ? news.data : '')).join(''),
    close: () => {
      for (const closer of closers) closer();
    },
  };
}

export const task = () => newId<TaskId>('task');
