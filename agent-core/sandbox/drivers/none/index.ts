import { readdirSync, readFileSync } from 'node:fs';
import { Failure } from '../../../contract/errors.ts';
import { openDoor } from '../../door.ts';
import { collectFrom } from '../../process/collect.ts';
import { treeKiller, type Tree } from '../../process/kill.ts';
import { PipePool } from '../../process/pipe-pool.ts';
import { pipeProcess } from '../../process/pipes.ts';
import { spawnPiped } from '../../process/spawn-piped.ts';
import type { Machine, MachineSpec, RunRequest, SandboxDriver, SandboxProcess } from '../../types.ts';

/** Marks the processes of one command in their environment, so that daemons among them are found again. */
const MARK = 'SIGNALBOX_COMMAND';
let count = 0;

const groupAlive = (group: number): boolean => {
  try {
    process.kill(-group, 0);
    return true;
  } catch {
    return false;
  }
};

/** Processes that carry the mark. Linux only: elsewhere the process group is all that is known. */
function marked(mark: string): number[] {
  let names: string[] = [];
  try {
    names = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
  return names
    .filter((name) => {
      try {
        return readFileSync(`/proc/${name}/environ`, 'latin1').split('\0').includes(mark);
      } catch {
        return false;
      }
    })
    .map(Number);
}

function treeOf(group: number, mark: string, exited: () => Promise<unknown>): Tree {
  // Once the command has ended, the number of its group may be another's: then only the mark tells what is its own.
  let over = false;
  void Promise.resolve()
    .then(exited)
    .then(() => {
      over = true;
    });
  return {
    exited,
    begun: () => true,
    hold: () => {},
    release: () => {},
    pids: () => [...(!over && groupAlive(group) ? [-group] : []), ...marked(mark)],
    signal: (pids, signal) => {
      for (const pid of pids)
        try {
          process.kill(pid, signal);
        } catch {
          /* gone */
        }
    },
    endLauncher: () => {
      if (!over)
        try {
          process.kill(group, 'SIGKILL');
        } catch {
          /* gone */
        }
    },
  };
}

/** The argument list that puts a command behind a fence; called for each, so that a change of policy counts at once. */
export type Wrap = (request: RunRequest, spec: MachineSpec) => string[];

class OpenMachine implements Machine {
  readonly spec: MachineSpec;
  readonly files;
  #base: Record<string, string>;
  #pool = new PipePool();
  #running = new Set<SandboxProcess>();
  #marks = new Set<string>();
  #disposed = false;
  readonly #wrap: Wrap;

  constructor(spec: MachineSpec, base: Record<string, string>, wrap: Wrap) {
    this.#wrap = wrap;
    this.spec = { ...spec };
    this.files = openDoor(spec.worktree);
    this.#base = base;
  }

  setPolicy(policy: MachineSpec['policy']): void {
    this.spec.policy = policy;
  }

  async run(request: RunRequest): Promise<SandboxProcess> {
    const [file, ...args] = request.argv.length === 0 ? [] : this.#wrap(request, this.spec);
    if (file === undefined) throw new Failure('invalid-input', 'There is no command to run.');
    if (this.#disposed) throw new Failure('cannot-confine', 'This workspace has been closed, so nothing was run.');
    const mark = `${process.pid}-${this.spec.id}-${++count}`;
    this.#marks.add(`${MARK}=${mark}`);
    const env = { ...this.#base, ...this.spec.env, ...request.env, [MARK]: mark };
    const cwd = request.cwd ?? this.spec.worktree;
    const { tty } = request;
    if (tty) {
      const { openTerminal, terminalProcess } = await import('../../process/terminal.ts');
      const pty = openTerminal({ file, args, env: { TERM: 'xterm-256color', ...env }, cwd, size: tty });
      const tree = treeOf(pty.pid, `${MARK}=${mark}`, () => inTerminal.exited);
      const inTerminal: SandboxProcess = terminalProcess(pty, treeKiller(tree), { signal: request.signal });
      return this.#track(inTerminal);
    }
    const { child, pipes } = await spawnPiped(this.#pool, { file, args, env, cwd }).catch((error: unknown) => {
      throw error instanceof Failure ? error : new Failure('invalid-input', `${file} could not be started in ${cwd}: ${String(error)}`);
    });
    const tree = treeOf(child.pid, `${MARK}=${mark}`, () => running.exited);
    const running: SandboxProcess = pipeProcess(child, pipes, treeKiller(tree), { signal: request.signal });
    return this.#track(running);
  }

  collect(request: Parameters<Machine['collect']>[0]) {
    return collectFrom((inner) => this.run(inner), request);
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    await Promise.all([...this.#running].map((child) => child.kill('kill')));
    for (const mark of this.#marks)
      for (const pid of marked(mark))
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          /* gone */
        }
    this.#pool.dispose();
  }

  #track(child: SandboxProcess): SandboxProcess {
    this.#running.add(child);
    void child.exited.then(() => this.#running.delete(child));
    return child;
  }
}

/**
 * No fence at all: commands run as the person, in the person's environment. Only for a task whose person chose Full
 * access, and for one command that a person let outside; never what the app falls back to.
 */
export function createNoneDriver(environment: () => Promise<Record<string, string>>): SandboxDriver {
  return { name: 'none', open: async (spec) => new OpenMachine(spec, await environment(), (request) => request.argv) };
}

/** A machine whose commands are processes of ours, each started through `wrap`: for systems whose fence is a program that starts another. */
export const openPlainMachine = (spec: MachineSpec, base: Record<string, string>, wrap: Wrap): Machine => new OpenMachine(spec, base, wrap);
