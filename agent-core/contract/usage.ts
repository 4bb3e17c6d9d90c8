import { z } from 'zod';
import { ProjectId, TaskId } from './ids.ts';

/** A day of the core's own calendar, such as 2026-11-20. */
export const Day = z.string().regex(/^\d{4}-\d\d-\d\d$/, 'A day such as 2026-11-20.');

/** What one task spent on one model in one day. It stays when the task is deleted for good. */
export const SpendRow = z.object({
  day: Day,
  projectId: ProjectId,
  /** As it was called when it last spent. */
  project: z.string(),
  taskId: TaskId,
  /** Null once the task is deleted for good. */
  title: z.string().nullable(),
  model: z.string(),
  requests: z.number(),
  inputTokens: z.number(),
  cachedTokens: z.number(),
  outputTokens: z.number(),
  reasoningTokens: z.number(),
  /** US dollars, by the prices of that moment. */
  cost: z.number(),
  /** Tokens, in and out, of models whose price was not known: not in `cost`. */
  unpriced: z.number(),
});
export type SpendRow = z.infer<typeof SpendRow>;
