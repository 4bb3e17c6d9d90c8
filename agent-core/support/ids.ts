import { randomBytes } from 'node:crypto';
import type { IdPrefix } from '../contract/ids.ts';

let last = 0;

/** A fresh id: prefix, milliseconds (rising within a process) and 60 random bits, in base 36. */
export function newId<T extends string>(prefix: IdPrefix): T {
  last = Math.max(Date.now(), last + 1);
  const random = BigInt(`0x${randomBytes(8).toString('hex')}`) >> 4n;
  return `${prefix}_${last.toString(36).padStart(9, '0')}${random.toString(36).padStart(12, '0')}` as T;
}
