import { z } from 'zod';
import { ItemId, MessageId, ThreadId, TurnId, UndoId } from '../ids.ts';
import { Task, Thread, Turn, TurnModel, Undone } from '../values.ts';
import { Item } from '../items.ts';
import { TurnKind } from '../plan.ts';
import { method, nothing, Prompt, type MethodSpec } from './method.ts';

/** What may stand in the way of going back in a conversation. */
const control = ['conflict', 'worktree-missing', 'git-failed', 'disk-full', 'cannot-confine'] as const;

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
    z.object({ threadId: ThreadId, text: Prompt, kind: TurnKind.optional(), ...TurnModel.shape }),
    z.object({ turnId: TurnId.nullable(), queued: MessageId.nullable() }),
    ['conflict', 'no-model', 'worktree-missing'],
  ),
  /** Joins the running turn at its next step. */
  'turn/steer': method(z.object({ threadId: ThreadId, turnId: TurnId, text: Prompt }), nothing, ['conflict']),
  'turn/interrupt': method(z.object({ threadId: ThreadId }), nothing),
  /**
   * Takes this turn and all later ones back: the conversation, and the worktree's files as they were before it. What
   * is there now is kept, and `thread/redo` brings it back. Ignored files, commits and terminals stay as they are.
   */
  'thread/undo': method(z.object({ threadId: ThreadId, turnId: TurnId }), z.object({ undone: Undone }), control),
  /** Brings back what an undo took. Turns that were made since are undone for it. */
  'thread/redo': method(z.object({ threadId: ThreadId, undoId: UndoId }), nothing, control),
  /** A new task that begins where this one stood after the turn: its own worktree with those files, and this history. */
  'thread/fork': method(z.object({ threadId: ThreadId, turnId: TurnId, text: Prompt.optional(), model: z.string().optional() }), Task, [
    ...control,
    'no-model',
  ]),
  /** Undoes to before the turn and says this instead of what opened it. */
  'turn/edit': method(z.object({ threadId: ThreadId, turnId: TurnId, text: Prompt }), z.object({ undone: Undone }), control),
  /** Undoes to before the turn and runs it again, with another model where one is named. */
  'turn/redo': method(z.object({ threadId: ThreadId, turnId: TurnId, model: z.string().optional() }), z.object({ undone: Undone }), [
    ...control,
    'no-model',
  ]),
  /** Shortens what the model is sent to a summary; `hint` is what to keep above all. Its conversation stays readable. */
  'thread/compact': method(z.object({ threadId: ThreadId, hint: z.string().max(4000).default('') }), nothing, [
    'conflict',
    'no-model',
    'worktree-missing',
  ]),
  'queue/add': method(
    z.object({ threadId: ThreadId, text: Prompt, kind: TurnKind.optional(), ...TurnModel.shape }),
    z.object({ messageId: MessageId }),
  ),
  'queue/remove': method(z.object({ threadId: ThreadId, messageId: MessageId }), nothing),
  'queue/edit': method(z.object({ threadId: ThreadId, messageId: MessageId, text: Prompt }), nothing, ['conflict']),
  'queue/move': method(z.object({ threadId: ThreadId, messageId: MessageId, before: MessageId.nullable() }), nothing, ['conflict']),
  /** Now: it steers a running turn at its next step, and opens a turn on an idle thread. */
  'queue/send': method(z.object({ threadId: ThreadId, messageId: MessageId }), nothing, ['conflict', 'no-model', 'worktree-missing']),
} as const satisfies Record<string, MethodSpec>;
