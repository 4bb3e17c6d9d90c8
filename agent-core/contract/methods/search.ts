import { z } from 'zod';
import { ItemId, TaskId, ThreadId, TurnId } from '../ids.ts';
import { Time } from '../values.ts';
import { method, type MethodSpec } from './method.ts';

/** A place in a conversation where all the words are; `before`, `match` and `after` are its line. */
export const Hit = z.object({
  itemId: ItemId,
  threadId: ThreadId,
  taskId: TaskId,
  turnId: TurnId,
  type: z.string(),
  at: Time,
  before: z.string(),
  match: z.string(),
  after: z.string(),
});
export type Hit = z.infer<typeof Hit>;

export const searchMethods = {
  /** Looks through one conversation, or through all; the newest hit first. */
  'search/items': method(
    z.object({ query: z.string().max(200), threadId: ThreadId.optional(), limit: z.number().int().min(1).max(200).default(50) }),
    z.object({ hits: z.array(Hit) }),
  ),
} as const satisfies Record<string, MethodSpec>;
