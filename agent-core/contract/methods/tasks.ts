import { z } from 'zod';
import { ProjectId, TaskId } from '../ids.ts';
import { ApprovalPolicy, Base, Mode, Task } from '../values.ts';
import { Effort, ModelWire } from '../catalogue.ts';
import { TurnKind } from '../plan.ts';
import { method, nothing, Prompt, type MethodSpec } from './method.ts';

/** Cards on the board. */
export const taskMethods = {
  'task/create': method(
    z.object({
      projectId: ProjectId,
      prompt: Prompt,
      title: z.string().max(200).optional(),
      base: Base.omit({ commit: true }).optional(),
      mode: Mode.optional(),
      approval: ApprovalPolicy.optional(),
      kind: TurnKind.optional(),
      model: z.string().optional(),
      effort: Effort.optional(),
      start: z.boolean().default(true),
      dependsOn: z.array(TaskId).default([]),
      origin: Task.shape.origin.default('app'),
      inPlace: z.boolean().default(false),
      /** The caller's own endpoint (a command's OPENAI_BASE_URL): kept in memory for this task, never on disk. */
      endpoint: z.object({ baseUrl: z.string(), key: z.string(), wire: ModelWire.optional() }).optional(),
    }),
    Task,
    ['base-not-found', 'no-model', 'cannot-confine', 'conflict'],
  ),
  /** Starts a held or queued task now, ahead of the queue. */
  'task/start': method(z.object({ taskId: TaskId }), nothing, ['conflict']),
  'task/stop': method(z.object({ taskId: TaskId }), nothing),
  /** Goes on after a failure or a crash: prepares the workspace again, or continues the turn. */
  'task/retry': method(z.object({ taskId: TaskId }), nothing, ['conflict', 'no-model']),
  'task/rename': method(z.object({ taskId: TaskId, title: z.string().min(1).max(200) }), nothing),
  'task/reorder': method(z.object({ taskId: TaskId, before: TaskId.nullable() }), nothing),
  'task/archive': method(z.object({ taskId: TaskId }), nothing, ['conflict']),
  'task/unarchive': method(z.object({ taskId: TaskId }), nothing),
  /** To the trash: a checkpoint, then the worktree's folder itself, ignored files included. */
  'task/delete': method(z.object({ taskId: TaskId }), nothing, ['git-failed', 'disk-full']),
  'task/restore': method(z.object({ taskId: TaskId }), nothing, ['git-failed', 'conflict']),
  'task/purge': method(z.object({ taskId: TaskId }), nothing, ['conflict']),
} as const satisfies Record<string, MethodSpec>;
