import { z } from 'zod';
import { Budgets } from '../budget.ts';
import { ProjectId, TaskId } from '../ids.ts';
import { Day, SpendRow } from '../usage.ts';
import { method, nothing, type MethodSpec } from './method.ts';

/** Accounts of what was spent. */
export const usageMethods = {
  /** From one day to another, both included, oldest first. `today` is the core's own day. */
  'usage/read': method(z.object({ from: Day.optional(), to: Day.optional() }), z.object({ rows: z.array(SpendRow), today: Day })),
  /** What tasks of a project, or one task, may spend before a person is asked. */
  'project/budget': method(z.object({ projectId: ProjectId, budgets: Budgets }), nothing),
  'task/budget': method(z.object({ taskId: TaskId, budgets: Budgets }), nothing),
} as const satisfies Record<string, MethodSpec>;
