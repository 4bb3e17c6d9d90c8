import { Failure } from '../../contract/errors.ts';
import type { Policy } from '../types.ts';

export type Limits = Policy['limits'];

/** What a limit counts: `limits` has the same names, in full. */
export type LimitKind = 'processes' | 'memory' | 'disk' | 'seconds' | 'stalled';

/** Why a command was ended, or what was refused to it. */
export interface Exceeded {
  what: LimitKind;
  /** The limit, in processes, bytes or seconds. */
  allowed: number;
  /** For the person and the agent: what was too much, and what the limit is. */
  message: string;
}

/** The least that a command can be put up with: a policy with less contradicts itself. */
const LEAST = { processes: 1, memoryBytes: 16 * 1024 ** 2, diskBytes: 1024 ** 2, fileBytes: 512, seconds: 0.001 } as const;

/** 0 and absent are no limit. */
export const limited = (value: number | undefined): value is number => value !== undefined && value !== 0;

/** Throws `cannot-confine` for a limit that is no number or under which nothing could run. */
export function checkLimits(limits: Limits): void {
  for (const [name, least] of Object.entries(LEAST)) {
    const value = limits[name as keyof typeof LEAST];
    if (!limited(value)) continue;
    if (Number.isFinite(value) && value >= least && value <= Number.MAX_SAFE_INTEGER) continue;
    throw new Failure('cannot-confine', `The limit ${name} = ${String(value)} can’t be held, so nothing was run.`, {
      fix: `Give a number from ${least} up, or 0 for no limit.`,
    });
  }
}

/** Bytes as people write them: `512 MiB`, `1.5 GiB`. */
export function inBytes(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit += 1) value /= 1024;
  return `${value >= 100 || Number.isInteger(value) ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

const inSeconds = (seconds: number): string =>
  seconds >= 120 ? `${Math.round(seconds / 6) / 10} minutes` : `${seconds} second${seconds === 1 ? '' : 's'}`;

/** {@link Exceeded} in words. */
export function exceeded(what: LimitKind, allowed: number, used: number): Exceeded {
  const words: Record<LimitKind, string> = {
    processes: `the workspace had ${used} processes; its limit is ${allowed}`,
    memory: `the workspace held ${inBytes(used)} of memory; its limit is ${inBytes(allowed)}`,
    disk: `the workspace wrote ${inBytes(used)} to disk; its limit is ${inBytes(allowed)}`,
    seconds: `the command ran for ${inSeconds(allowed)}, which is its limit`,
    stalled: `the command did nothing for ${inSeconds(allowed)}: it waits for what doesn’t come, such as a pipe in a file’s place`,
  };
  return { what, allowed, message: `Ended by a limit: ${words[what]}.` };
}

/** What to say of a command that failed while the kernel let the machine have no more processes. */
export const refusedProcess = (allowed: number): Exceeded => ({
  what: 'processes',
  allowed,
  message: `Refused by a limit: the workspace had all the ${allowed} processes that it may have, so no more could be started.`,
});
