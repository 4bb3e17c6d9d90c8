import { accessSync, constants, existsSync, mkdirSync, writeFileSync, renameSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Failure } from '../contract/errors.ts';
import type { Probe, SandboxStatus } from '../contract/settings.ts';
import { createBubblewrapDriver, type Person } from './drivers/bubblewrap/index.ts';
import type { Programs } from './drivers/bubblewrap/holder.ts';
import type { ConnectionEntry, Dialler, Resolver } from './egress/index.ts';
import { elsewhere } from './drivers/elsewhere.ts';
import { createLandlockDriver } from './drivers/landlock/index.ts';
import { Authority } from './egress/authority.ts';
import { createNoneDriver } from './drivers/none/index.ts';
import { QUIET, loginEnvironment } from './person/environment.ts';
import { copyEtc } from './person/etc.ts';
import { Trust } from './person/trust.ts';
import { misePlaces } from './person/mise.ts';
import { findToolchains, visiblePath } from './person/toolchains.ts';
import { compileFilter } from './seccomp/filter.ts';
import { doctorProbes, selfTest } from './selftest/index.ts';
import { installCommand } from './selftest/obstacle.ts';
import type { Policy, SandboxDriver } from './types.ts';

export type { ConnectionEntry, Grantable } from './egress/index.ts';
export { parsePattern, parseService, spelt } from './egress/index.ts';

export interface Sandbox {
  /** The driver for a policy: `none` for `full`, the weaker one where the policy names it, else what confines on this machine. Its `open` throws `cannot-confine`. */
  driver(policy: Policy): SandboxDriver;
  /** Proves denial and function in a throwaway machine; cached for this boot. */
  selfTest(): Promise<SandboxStatus>;
  /** The same as lines for `signalbox doctor`, never from the cache. */
  probes(): Promise<Probe[]>;
}

const executable = (path: string) => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/** The system's own first: AppArmor profiles name `/usr/bin/bwrap`. */
export function findProgram(name: string, env: NodeJS.ProcessEnv): string | null {
  const folders = [
    '/usr/bin',
    '/bin',
    '/usr/local/bin',
    ...(env['PATH'] ?? '').split(delimiter).filter((folder) => folder.startsWith('/')),
  ];
  return folders.map((folder) => join(folder, name)).find(executable) ?? null;
}

function findPrograms(env: NodeJS.ProcessEnv): Programs {
  const bwrap = findProgram('bwrap', env);
  if (!bwrap)
    throw new Failure('cannot-confine', 'bubblewrap is not installed, so nothing can be run in a sandbox.', {
      fix: installCommand('bubblewrap'),
    });
  const nsenter = findProgram('nsenter', env);
  if (!nsenter)
    throw new Failure('cannot-confine', 'nsenter (util-linux) is not installed, so nothing can be run in a sandbox.', {
      fix: installCommand('util-linux'),
    });
  return { bwrap, nsenter };
}

/** Writes the compiled filter where each command's launcher can open it. */
function writeFilter(folder: string): string {
  const architecture = process.arch;
  if (architecture !== 'x64' && architecture !== 'arm64') {
    throw new Failure('cannot-confine', `There is no system call filter for ${architecture} processors.`);
  }
  const path = join(folder, `seccomp-${architecture}.bpf`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(`${path}.${process.pid}`, compileFilter(architecture), { mode: 0o600 });
  renameSync(`${path}.${process.pid}`, path);
  return path;
}

export interface NetworkOptions {
  /** Told of every connection that a machine asked for. */
  log?: (machine: string, entry: ConnectionEntry) => void;
  /** Whether a machine's proxy is there, and tells what it refuses, also where nothing is allowed. */
  watch?: (machine: string) => boolean;
  /** The header of a credential that a policy names, its value the secret; null when it is gone. */
  credential?: (id: string) => Promise<{ name: string; value: string } | null>;
  /** In place of the system's own, for tests. */
  resolve?: Resolver;
  dial?: Dialler;
}

/** The person's HOME; null where the environment names none that is one. */
export const personHome = (env: NodeJS.ProcessEnv): string | null =>
  env['HOME'] && existsSync(env['HOME']) && env['HOME'] !== '/' ? env['HOME'] : null;

export interface SandboxOptions {
  /** A folder of the sandbox's own under SIGNALBOX_HOME. */
  stateDir: string;
  /** The environment that Signalbox was started with. */
  env: NodeJS.ProcessEnv;
  network?: NetworkOptions;
  /** False leaves the limit on processes to the watchdog, as on a kernel before 6.14. */
  kernelLimits?: boolean;
  /** The control group in which machines get groups of their own; looked for unless said, null for none. */
  groups?: string | null;
}

export function createSandbox(options: SandboxOptions): Sandbox {
  const { env, stateDir } = options;
  const { log, watch, credential, ...ways } = options.network ?? {};
  /** Who is started from a desktop has the names of the company's proxy and certificates from the login shell alone. */
  const wayEnv: NodeJS.ProcessEnv = { ...env };
  const trust = new Trust(wayEnv, join(stateDir, 'trust'));
  let authority: Promise<Authority> | undefined;
  const ours = () =>
    (authority ??= Authority.open(join(stateDir, 'authority')).catch((error: unknown) => {
      authority = undefined;
      throw error;
    }));
  const credentials = credential ? { header: credential, authority: ours, trust: () => trust.context() } : undefined;
  const home = personHome(env) ?? '/home/agent';
  let login: Promise<Record<string, string>> | undefined;
  const environment = () =>
    (login ??= loginEnvironment(env).then((found) => {
      const known = (name: string) => Object.entries(env).some(([one, value]) => value && one.toLowerCase() === name.toLowerCase());
      for (const [name, value] of Object.entries(found.network)) if (!known(name)) wayEnv[name] = value;
      return found.env;
    }));
  let found: Promise<Person> | undefined;
  const person = () =>
    (found ??= (async () => {
      const clean = await environment();
      const toolchains = findToolchains(clean, home, stateDir);
      const path = visiblePath(clean['PATH'] ?? '', toolchains, misePlaces(clean, home));
      return { env: { ...QUIET, ...clean, PATH: path }, home, toolchains, etc: await copyEtc(stateDir, home) };
    })().catch((error: unknown) => {
      found = undefined;
      throw error;
    }));
  const confined: SandboxDriver = {
    name: 'bubblewrap',
    async open(spec) {
      return createBubblewrapDriver({
        programs: findPrograms(env),
        person,
        seccomp: writeFilter(stateDir),
        ...(options.kernelLimits === undefined ? {} : { kernelLimits: options.kernelLimits }),
        ...(options.groups === undefined ? {} : { groups: options.groups }),
        network: ({ id }) => ({
          ...ways,
          env: wayEnv,
          log: (entry) => log?.(id, entry),
          watch: watch?.(id) ?? false,
          ...(credentials ? { credentials } : {}),
        }),
        trust: async (intercepts) => trust.bundle(intercepts ? [(await ours()).certificate] : []),
      }).open(spec);
    },
  };
  const fenced = process.platform === 'linux' ? confined : elsewhere(process.platform, person);
  const weaker = createLandlockDriver({ find: (name) => findProgram(name, env), person });
  const none = createNoneDriver(async () => ({ ...(await environment()), HOME: home }));
  const tested = { driver: fenced, prepare: person, stateDir, env, find: (name: string) => findProgram(name, env) };
  return {
    driver: (policy) => (policy.mode === 'full' ? none : policy.fence === 'landlock' ? weaker : fenced),
    selfTest: () => selfTest(tested),
    probes: () => doctorProbes(tested),
  };
}
