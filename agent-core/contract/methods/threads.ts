import { z } from 'zod';
import { ItemId, MessageId, ThreadId, TurnId } from '../ids.ts';
import { Thread, Turn } from '../values.ts';
import { Item } from '../items.ts';
import { TurnKind } from '../plan.ts';
import { method, nothing, Prompt, type MethodSpec } from './method.ts';

/** Conversations, turns and the queue. */
export const threadMethods = {
  /** Items of a thread, oldest first; `before` pages back from an item's id. */
  'thread/read': method(
    z.object({ threadId: ThreadId, before: ItemId.optional(), limit: z.number().int().min(1).max(500).default(200) }),
    z.object({ thread: Thread, items: z.array(Item), turns: z.array(Turn), more: z.boolean(), seq: z.number().int() }),
  ),
  /** From now on this client gets the thread's item events and deltas. Idempotent. */
  'thread/subscribe': method(z.object({ threadId: ThreadId }), nothing),
  'thread/unsubscribe': method(z.object({ threadId: ThreadId }), nothing),
  'item/output': method(
    z.object({
      itemId: ItemId,
      offset: z.number().int().min(0).default(0),
      limit: z.number().int().min(1).max(1_048_576).default(262_144),
    }),
    z.object({ text: z.string(), offset: z.number().int(), total: z.number().int() }),
  ),

  /** Begins a turn on an idle thread; on a busy one the message is queued. */
  'turn/start': method(
    z.object({ threadId: ThreadId, text: Prompt, kind: TurnKind.optional() }),
    z.object({ turnId: TurnId.nullable(), queued: MessageId.nullable() }),
    ['conflict', 'no-model', 'worktree-missing'],
  ),
  /** Joins the running turn at its next step. */
  'turn/steer': method(z.object({ threadId: ThreadId, turnId: TurnId, text: Prompt }), nothing, ['conflict']),
  'turn/interrupt': method(z.object({ threadId: ThreadId }), nothing),
  'queue/add': method(z.object({ threadId: ThreadId, text: Prompt, kind: TurnKind.optional() }), z.object({ messageId: MessageId })),
  'queue/remove': method(z.object({ threadId: ThreadId, messageId: MessageId }), nothing),
} as const satisfies Record<string, MethodSpec>;
