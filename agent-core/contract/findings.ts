import { z } from 'zod';
import { ReviewId, TaskId } from './ids.ts';
import { AppError } from './errors.ts';

/** What a review looks at: the last turn's changes, the whole task's, one commit's, or the task's against a branch. */
export const ReviewTarget = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('turn') }),
  z.object({ kind: z.literal('task') }),
  z.object({ kind: z.literal('commit'), ref: z.string().trim().min(1, 'Name a commit.') }),
  z.object({ kind: z.literal('branch'), ref: z.string().trim().min(1, 'Name a branch.') }),
]);
export type ReviewTarget = z.infer<typeof ReviewTarget>;

export const MAX_FINDING_TITLE = 80;

/** Something that a review found. */
export const Finding = z.object({
  /** Unique in its review. */
  id: z.string(),
  title: z.string(),
  body: z.string(),
  /** 0 must be mended at once, 3 is a nicety. */
  priority: z.number().int().min(0).max(3),
  /** 0–1, the model's own word. */
  confidence: z.number().min(0).max(1),
  /** From the top of the worktree. */
  path: z.string(),
  line: z.number().int(),
  endLine: z.number().int(),
  /** Whether its lines are in the reviewed diff, only in a file, or nowhere. */
  place: z.enum(['diff', 'file', 'nowhere']),
  state: z.enum(['open', 'sent', 'dismissed']),
});
export type Finding = z.infer<typeof Finding>;

/** A second model pass over a diff. */
export const Review = z.object({
  id: ReviewId,
  taskId: TaskId,
  target: ReviewTarget,
  by: z.enum(['person', 'auto']),
  model: z.string(),
  state: z.enum(['running', 'done', 'failed', 'stopped']),
  /** The trees that were compared; null until they are known. */
  from: z.string().nullable(),
  to: z.string().nullable(),
  findings: z.array(Finding),
  /** The model's words about the whole. */
  summary: z.string(),
  startedAt: z.number().int(),
  endedAt: z.number().int().nullable(),
  error: AppError.nullable(),
});
export type Review = z.infer<typeof Review>;

/** Whether a project's tasks are reviewed by themselves when they reach Review, and by which model (null: the task's own). */
export const AutoReview = z.object({ on: z.boolean(), model: z.string().nullable() });
export type AutoReview = z.infer<typeof AutoReview>;
