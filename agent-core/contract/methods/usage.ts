import { z } from 'zod';
import { Day, SpendRow } from '../usage.ts';
import { method, type MethodSpec } from './method.ts';

/** Accounts of what was spent. */
export const usageMethods = {
  /** From one day to another, both included, oldest first. `today` is the core's own day. */
  'usage/read': method(z.object({ from: Day.optional(), to: Day.optional() }), z.object({ rows: z.array(SpendRow), today: Day })),
} as const satisfies Record<string, MethodSpec>;
