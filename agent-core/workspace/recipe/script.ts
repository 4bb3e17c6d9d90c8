import { existsSync } from 'node:fs';
import { Failure } from '../../contract/errors.ts';
import type { Mode } from '../../contract/index.ts';
import type { Machine } from '../../sandbox/types.ts';

export interface ScriptRequest {
  what: 'setup' | 'teardown';
  script: string;
  /** Absolute, in the worktree. */
  cwd: string;
  env: Record<string, string>;
  limitMs: number;
  signal: AbortSignal;
  onOutput: (chunk: Uint8Array) => void;
  /** What the machine's mode is to be when the script has ended: the person may have changed it meanwhile. */
  modeAfter: () => Mode;
}

const minutes = (ms: number): string =>
  ms < 60_000 ? `${Math.round(ms / 1000)} seconds` : `${Math.round(ms / 60_000)} ${ms < 90_000 ? 'minute' : 'minutes'}`;

/** Stops at the first command that fails, as its author expects of a list of steps. */
const argvOf = (script: string): string[] => [existsSync('/bin/bash') ? '/bin/bash' : '/bin/sh', '-e', '-c', script];

/** Runs `work` while the machine may write its worktree, whatever the agent may do there later. */
async function writable<T>(machine: Machine, modeAfter: () => Mode, work: () => Promise<T>): Promise<T> {
  machine.setPolicy({ ...machine.spec.policy, mode: 'workspace' });
  try {
    return await work();
  } finally {
    machine.setPolicy({ ...machine.spec.policy, mode: modeAfter() });
  }
}

export interface ScriptEnd {
  exitCode: number | null;
  /** `setup-failed` with the reason; null where it went well. */
  failure: Failure | null;
}

/**
 * Runs a script of the recipe in the workspace's confined machine, to its end. Throws `cannot-confine`, or the signal's
 * reason when it is aborted; its whole tree has ended by then.
 */
export async function runScript(machine: Machine, request: ScriptRequest): Promise<ScriptEnd> {
  const { what, script, signal, limitMs } = request;
  const late = AbortSignal.timeout(limitMs);
  const stop = AbortSignal.any([signal, late]);
  signal.throwIfAborted();
  const exit = await writable(machine, request.modeAfter, async () => {
    const running = await machine.run({ argv: argvOf(script), cwd: request.cwd, env: request.env, signal: stop });
    running.onOutput((chunk) => request.onOutput(chunk));
    running.endInput();
    return running.exited;
  });
  signal.throwIfAborted();
  const failed = (message: string, fix: string): ScriptEnd => ({
    exitCode: late.aborted ? null : exit.code,
    failure: new Failure('setup-failed', message, { command: script, fix }),
  });
  if (late.aborted)
    return failed(
      `The ${what} script took longer than ${minutes(limitMs)} and was stopped.`,
      'Give it more time in the project’s settings, or leave out what takes long. Then retry.',
    );
  if (exit.code !== 0)
    return failed(
      `The ${what} script ended with code ${exit.code}.`,
      'Its output says why. Change the script in the project’s settings if need be, then retry.',
    );
  return { exitCode: 0, failure: null };
}
