import { statSync } from 'node:fs';
import { totalmem } from 'node:os';
import { Failure } from '../../../contract/errors.ts';
import type { Bind, MachineSpec, RunRequest } from '../../types.ts';
import { findAnchors, type Anchors } from './anchors.ts';
import { procArguments } from './root.ts';

/** What is the same for every command of a machine. */
export interface Frame {
  spec: MachineSpec;
  /** {@link systemRoots}. */
  roots: string[];
  /** Our copy of the parts of /etc that programs need. */
  etc: string;
  /** Where the person's HOME is; inside it is `stateDir/home`. */
  home: string;
  /** The person's toolchains, read-only at their own paths. */
  toolchains: string[];
}

/** Descriptor numbers in the launcher, closed again before the command begins. */
export const DESCRIPTORS = { seccomp: 3, pidNamespace: 4, userNamespace: 5 } as const;

/** Names that change what a dynamically linked program or a shell does before `main`: they must not reach the launcher. */
const LOADER = /^(LD_|GLIBC_|GCONV_PATH|LOCPATH|NLSPATH|MALLOC_|HOSTALIASES|RES_OPTIONS|BASH_|ENV$|SHELLOPTS|PS4|IFS$)/;

/** Splits an environment in what the launcher may have too, and what is set only for the command. */
export function splitEnvironment(env: Record<string, string>): { shared: Record<string, string>; args: string[] } {
  const shared: Record<string, string> = {};
  const args: string[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (name === '' || name.includes('=') || name.includes('\0') || value.includes('\0')) {
      throw new Failure('invalid-input', `"${name}" can't be an environment variable: a name without "=" and text without NUL are needed.`);
    }
    if (LOADER.test(name)) args.push('--setenv', name, value);
    else shared[name] = value;
  }
  return { shared, args };
}

/** Throws `cannot-confine` for a folder or file that should be shown inside and isn't there. */
export function mustExist(path: string, what: string): void {
  if (statSync(path, { throwIfNoEntry: false })) return;
  throw new Failure('cannot-confine', `The sandbox can't show ${what} ${path}: there is no such file or folder.`, {
    fix: 'Put it back, or restore the workspace from the trash.',
  });
}

const bindArguments = (bind: Bind, readOnly: boolean): string[] => {
  mustExist(bind.source, 'the bound path');
  return [bind.access === 'write' && !readOnly ? '--bind' : '--ro-bind', bind.source, bind.target];
};

/** Bytes that a command may hold in /dev/shm. */
const sharedMemory = (spec: MachineSpec): number =>
  Math.max(64 * 1024 ** 2, Math.floor(Math.min(spec.policy.limits.memoryBytes || Infinity, totalmem() / 8)));

const anchored = new WeakMap<Frame, Anchors>();

/** {@link findAnchors} of a machine, at its first command. */
function anchorsOf(frame: Frame): Anchors {
  const { spec, home, toolchains } = frame;
  const known = anchored.get(frame);
  if (known) return known;
  const found = findAnchors({ stateDir: spec.stateDir, home, worktree: spec.worktree }, [
    ...toolchains,
    ...spec.binds.map((bind) => bind.target),
  ]);
  anchored.set(frame, found);
  return found;
}

/**
 * The file system of one command, from nothing: the system read-only, a private HOME and /tmp, the toolchains, the
 * worktree, the binds. A request's own binds keep the access they ask for, since the core itself asks for them.
 */
export function fileSystemArguments(frame: Frame, request: Pick<RunRequest, 'access' | 'binds'>): string[] {
  const { spec } = frame;
  const readOnly = spec.policy.mode === 'read-only' || request.access === 'read';
  mustExist(spec.worktree, 'the worktree');
  const anchors = anchorsOf(frame);
  const worktreeBind = readOnly ? '--ro-bind' : '--bind';
  return [
    ...frame.roots,
    '--ro-bind',
    frame.etc,
    '/etc',
    ...procArguments(),
    // How many processors there are and what they can: run times and `lscpu` look there. Nothing else of /sys is shown.
    '--ro-bind-try',
    '/sys/devices/system/cpu',
    '/sys/devices/system/cpu',
    // What is written there is memory that no process is charged for: bounded in one folder, and nowhere else.
    '--dev',
    '/dev',
    '--perms',
    '1777',
    '--size',
    String(sharedMemory(spec)),
    '--tmpfs',
    '/dev/shm',
    '--remount-ro',
    '/dev',
    '--bind',
    `${spec.stateDir}/tmp`,
    '/tmp',
    '--symlink',
    '../tmp',
    '/var/tmp',
    '--bind',
    `${spec.stateDir}/home`,
    frame.home,
    ...anchors.own.flatMap(({ source, target }) => ['--bind', source, target]),
    ...frame.toolchains.flatMap((path) => ['--ro-bind-try', path, path]),
    worktreeBind,
    spec.worktree,
    spec.worktree,
    ...anchors.worktree.flatMap(({ source, target }) => [worktreeBind, source, target]),
    ...spec.binds.flatMap((bind) => bindArguments(bind, readOnly)),
    ...(request.binds ?? []).flatMap((bind) => bindArguments(bind, false)),
    '--remount-ro',
    '/',
  ];
}
