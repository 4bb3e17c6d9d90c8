import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { Failure } from '../../../contract/errors.ts';
import { openPlainMachine } from '../none/index.ts';
import type { MachineSpec, RunRequest, SandboxDriver } from '../../types.ts';

/**
 * Linux where user namespaces are refused: Landlock, put up by `setpriv` of util-linux 2.40 and later. A weaker fence, and
 * said to be one: files only. A command sees the machine's processes, its network and its sockets. Never chosen by the app.
 */

/** What is not kept out, in words for the person who chooses it. */
export const WEAKER = 'Weaker: only files are confined. Commands can reach the network and see your other processes.';

const SYSTEM = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32', '/etc', '/proc'];
const LOOK = 'execute,read-file,read-dir';
const ALL = `${LOOK},write-file,remove-dir,remove-file,make-dir,make-reg,make-sock,make-fifo,make-sym,refer,truncate`;
const DEVICES = ['/dev/null', '/dev/zero', '/dev/full', '/dev/random', '/dev/urandom', '/dev/tty', '/dev/ptmx'];

/** What `setpriv` can do here: the program where it knows Landlock and the kernel has it, else why not and what to do. */
export function findLandlock(
  find: (name: string) => string | null,
  help = setprivHelp,
): { program: string } | { reason: string; fix: string } {
  const program = find('setpriv');
  if (program === null) return { reason: 'setpriv (util-linux) is not installed.', fix: 'Install util-linux 2.40 or newer.' };
  if (!/--landlock-access/.test(help(program)))
    return { reason: `${program} is older than util-linux 2.40 and knows nothing of Landlock.`, fix: 'Install util-linux 2.40 or newer.' };
  if (
    spawnSync(program, ['--no-new-privs', '--landlock-access', 'fs', '--landlock-rule', `path-beneath:${LOOK}:/`, '--', '/bin/true'], {
      env: {},
    }).status !== 0
  )
    return {
      reason: 'This kernel has no Landlock, or it is switched off.',
      fix: 'Start the kernel with landlock in its lsm= list (Linux 5.13 or newer).',
    };
  return { program };
}

const setprivHelp = (program: string): string => spawnSync(program, ['--help'], { env: { LC_ALL: 'C' }, encoding: 'utf8' }).stdout ?? '';

/** The argument list before a command. Rules only add: what may not be written inside a writable folder needs mounts. */
export function landlockArguments(
  program: string,
  spec: MachineSpec,
  request: Pick<RunRequest, 'access' | 'binds'>,
  toolchains: readonly string[],
): string[] {
  if (spec.policy.mode === 'full') throw new Failure('cannot-confine', 'Full access has no sandbox.');
  const readOnly = spec.policy.mode === 'read-only' || request.access === 'read';
  const rules: [string, string][] = [
    ...[...SYSTEM, ...toolchains].filter((path) => existsSync(path)).map((path): [string, string] => [LOOK, path]),
    ...DEVICES.filter((path) => existsSync(path)).map((path): [string, string] => ['read-file,write-file', path]),
    [ALL, `${spec.stateDir}/home`],
    [ALL, `${spec.stateDir}/tmp`],
    [readOnly ? LOOK : ALL, spec.worktree],
  ];
  const binds = [...spec.binds.map((bind) => ({ ...bind, access: readOnly ? ('read' as const) : bind.access })), ...(request.binds ?? [])];
  for (const { source, target, access } of binds) {
    if (source !== target) throw new Failure('cannot-confine', `Landlock can't show ${source} at ${target}: it has no mounts.`);
    rules.push([access === 'write' ? ALL : LOOK, source]);
  }
  return [
    program,
    '--no-new-privs',
    '--landlock-access',
    'fs',
    ...rules.flatMap(([access, path]) => ['--landlock-rule', `path-beneath:${access}:${path}`]),
    '--',
  ];
}

export interface LandlockOptions {
  find: (name: string) => string | null;
  person: () => Promise<{ env: Record<string, string>; toolchains: string[] }>;
}

/** For a task whose person chose the weaker fence by name. `open` throws `cannot-confine` where it is not there. */
export function createLandlockDriver({ find, person }: LandlockOptions): SandboxDriver {
  return {
    name: 'landlock (weaker)',
    mounts: false,
    async open(spec) {
      const found = findLandlock(find);
      if ('reason' in found)
        throw new Failure('cannot-confine', `The weaker fence can't be put up either: ${found.reason}`, { fix: found.fix });
      if (spec.policy.network.allow.length > 0)
        throw new Failure('cannot-confine', 'The weaker fence can’t hold commands to a list of hosts.', {
          fix: 'Take the hosts out of the task’s network, or use bubblewrap.',
        });
      for (const name of ['home', 'tmp']) mkdirSync(`${spec.stateDir}/${name}`, { recursive: true, mode: 0o700 });
      const { env, toolchains } = await person();
      const base = { ...env, HOME: `${spec.stateDir}/home`, TMPDIR: `${spec.stateDir}/tmp` };
      return openPlainMachine(spec, base, (request, current) => [
        ...landlockArguments(found.program, { ...spec, policy: current.policy }, request, toolchains),
        ...request.argv,
      ]);
    },
  };
}
