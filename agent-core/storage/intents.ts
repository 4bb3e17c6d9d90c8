import { z } from 'zod';
import { ItemId, Landing, Scope, TaskId, ThreadId, TurnId, TurnKind, Undone, UndoId, WorkspaceId } from '../contract/index.ts';

/**
 * Side effects that are on disk before they run and are crossed out when their outcome is.
 * What is still here at start was cut off: each kind has a reconciler in `runtime/recovery`.
 */
export const Intent = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('prepare'), taskId: TaskId, workspaceId: WorkspaceId }),
  z.object({ kind: z.literal('turn'), taskId: TaskId, turnId: TurnId }),
  z.object({ kind: z.literal('trash'), taskId: TaskId, workspaceId: WorkspaceId }),
  z.object({ kind: z.literal('restore'), taskId: TaskId, workspaceId: WorkspaceId }),
  z.object({ kind: z.literal('purge'), taskId: TaskId, workspaceId: WorkspaceId.nullable() }),
  z.object({
    kind: z.literal('rewind'),
    taskId: TaskId,
    threadId: ThreadId,
    workspaceId: WorkspaceId,
    from: z.number().int(),
    hidden: Undone.nullable(),
    shown: UndoId.nullable(),
    /** The worktree gets these files. */
    tree: z.string(),
    /** What is said next, and to whom; a turn begins with it. */
    say: z.object({ text: z.string(), kind: TurnKind.optional(), model: z.string().nullable() }).nullable(),
  }),
  // A person's answer that its call hasn't taken yet.
  z.object({
    kind: z.literal('answered'),
    taskId: TaskId,
    threadId: ThreadId,
    callId: z.string(),
    gateId: z.string(),
    itemId: ItemId,
    approval: z.object({ decision: z.enum(['approved', 'declined']), scope: Scope, note: z.string() }).nullable(),
    answers: z.record(z.string(), z.string()).nullable(),
  }),
  z.object({ kind: z.literal('land'), taskId: TaskId, method: Landing.shape.method, into: z.string() }),
]);
export type Intent = z.infer<typeof Intent>;
/** An intent as it stands on disk. */
export type OpenIntent = Intent & { id: number };
