import { z } from 'zod';
import { ItemId, MessageId, TaskId, TurnId } from '../ids.ts';
import { MAX_STEPS, ProposalStep } from '../plan.ts';
import { method, type MethodSpec } from './method.ts';

const edition = { itemId: ItemId, revision: z.number().int() };

/** A plan that a plan turn ended with. `conflict` when it was changed, started or replaced meanwhile. */
export const planMethods = {
  /** Puts these steps in the place of those that are there. */
  'plan/edit': method(
    z.object({ ...edition, steps: z.array(ProposalStep.omit({ taskId: true })).max(MAX_STEPS) }),
    z.object({ revision: z.number().int() }),
    ['conflict'],
  ),
  /** Carries the plan out here: the next turn, in work mode. On a busy thread it waits in the queue. */
  'plan/start': method(z.object(edition), z.object({ turnId: TurnId.nullable(), queued: MessageId.nullable() }), [
    'conflict',
    'no-model',
    'worktree-missing',
  ]),
  /**
   * Makes a task of each of these steps. `sequence`: each waits for the one before it; `marked`: only for the steps that
   * it says it needs.
   */
  'plan/split': method(
    z.object({ ...edition, stepIds: z.array(z.string()).min(1), order: z.enum(['sequence', 'marked']), start: z.boolean().default(true) }),
    z.object({ taskIds: z.array(TaskId) }),
    ['conflict', 'base-not-found', 'no-model'],
  ),
} as const satisfies Record<string, MethodSpec>;
