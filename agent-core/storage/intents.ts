import { z } from 'zod';
import { Landing, TaskId, TurnId, WorkspaceId } from '../contract/index.ts';

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
  z.object({ kind: z.literal('land'), taskId: TaskId, method: Landing.shape.method, into: z.string() }),
]);
export type Intent = z.infer<typeof Intent>;
/** An intent as it stands on disk. */
export type OpenIntent = Intent & { id: number };
