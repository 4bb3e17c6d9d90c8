import { execFile } from 'node:child_process';
import { accessSync, constants, mkdirSync, realpathSync } from 'node:fs';
import { promisify } from 'node:util';
import { Failure } from '../../../contract/errors.ts';
import { openPlainMachine } from '../none/index.ts';
import type { MachineSpec, RunRequest, SandboxDriver } from '../../types.ts';
import { seatbeltEnvironment, seatbeltProfile, type SeatbeltFrame } from './profile.ts';

const PROGRAM = '/usr/bin/sandbox-exec';

/** What the driver needs to know of the person and the machine. */
export interface SeatbeltOptions {
  person: () => Promise<{ env: Record<string, string>; toolchains: string[] }>;
  /** Starts the proxy of a machine and says its loopback port; null where the policy allows no network. */
  proxy?: (spec: MachineSpec) => Promise<{ port: number; env: Record<string, string> } | null>;
}

export function hasSeatbelt(): boolean {
  try {
    accessSync(PROGRAM, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Xcode's or the command line tools' folder. */
async function developerFolder(): Promise<string | null> {
  const found = await promisify(execFile)('/usr/bin/xcode-select', ['-p'], { env: {} }).catch(() => null);
  const path = found?.stdout.trim();
  try {
    return path ? realpathSync.native(path) : null;
  } catch {
    return null;
  }
}

/**
 * macOS: each command under `sandbox-exec` with a profile of its own. There are no mounts: files keep their places, HOME
 * and TMPDIR are private by name, and a bind must have the same source and target (the git form without mounts has).
 */
export function createSeatbeltDriver(options: SeatbeltOptions): SandboxDriver {
  return {
    name: 'seatbelt',
    mounts: false,
    async open(spec) {
      if (!hasSeatbelt())
        throw new Failure('cannot-confine', `${PROGRAM} is not on this machine, so nothing can be run in a sandbox.`, {
          fix: 'It is a part of macOS; update the system.',
        });
      for (const name of ['home', 'tmp']) mkdirSync(`${spec.stateDir}/${name}`, { recursive: true, mode: 0o700 });
      const { env, toolchains } = await options.person();
      const proxy = (await options.proxy?.(spec)) ?? null;
      const frame: SeatbeltFrame = {
        spec: { ...spec, worktree: realpathSync.native(spec.worktree), stateDir: realpathSync.native(spec.stateDir) },
        toolchains: toolchains.map((path) => realpathSync.native(path)),
        developer: await developerFolder(),
        proxyPort: proxy?.port ?? null,
      };
      const base = { ...env, ...proxy?.env, ...seatbeltEnvironment(frame) };
      return openPlainMachine(spec, base, (request, current) =>
        confined({ ...frame, spec: { ...frame.spec, policy: current.policy } }, request),
      );
    },
  };
}

const confined = (frame: SeatbeltFrame, request: RunRequest): string[] => [
  PROGRAM,
  '-p',
  seatbeltProfile(frame, request),
  '--',
  ...request.argv,
];
