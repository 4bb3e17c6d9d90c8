import { z } from 'zod';
import { MessageId, ProjectId, ReviewId, TaskId, TurnId } from '../ids.ts';
import { AutoReview, ReviewTarget } from '../findings.ts';
import { method, nothing, type MethodSpec } from './method.ts';

/** Reviews by a model, and what they found. */
export const findingMethods = {
  /** Begins a review; one at a time for a task. It goes on after the answer and shows on the board. */
  'review/start': method(
    z.object({ taskId: TaskId, target: ReviewTarget.default({ kind: 'task' }), model: z.string().min(1).optional() }),
    z.object({ reviewId: ReviewId }),
    ['conflict', 'worktree-missing', 'nothing-to-land'],
  ),
  'review/stop': method(z.object({ reviewId: ReviewId }), nothing),
  /** Sends chosen findings to the agent as one message: the next turn, in work mode. */
  'findings/fix': method(
    z.object({ reviewId: ReviewId, findingIds: z.array(z.string()).min(1), note: z.string().max(20_000).default('') }),
    z.object({ turnId: TurnId.nullable(), queued: MessageId.nullable() }),
    ['conflict', 'no-model', 'worktree-missing'],
  ),
  /** Keeps findings out, of later reviews too; `dismissed: false` brings them back. */
  'findings/dismiss': method(
    z.object({ reviewId: ReviewId, findingIds: z.array(z.string()).min(1), dismissed: z.boolean().default(true) }),
    nothing,
  ),
  'project/reviewing': method(z.object({ projectId: ProjectId, review: AutoReview }), nothing),
  /** A file of the task's worktree as it is now, for reading. `not-allowed` where it is larger than 1 MiB or leads out. */
  'file/read': method(z.object({ taskId: TaskId, path: z.string().min(1) }), z.object({ text: z.string(), binary: z.boolean() }), [
    'worktree-missing',
    'cannot-confine',
    'not-allowed',
  ]),
} as const satisfies Record<string, MethodSpec>;
