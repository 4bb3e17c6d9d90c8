import { z } from 'zod';
import { ProjectId, TaskId } from '../ids.ts';
import { Recipe, RecipeAction, RecipeChange, Registry } from '../recipe.ts';
import { method, nothing, type MethodSpec } from './method.ts';
import { TerminalInfo } from './terminals.ts';

const actionName = RecipeAction.shape.name;

/** A project's recipe, and what it does in a task. */
export const recipeMethods = {
  /** From now on new worktrees get this one. What the repository offers is written by it too, as the person saw it. */
  'recipe/write': method(z.object({ projectId: ProjectId, recipe: Recipe }), nothing),
  /** The recipe file of the project's newest commit, and how it differs from the recipe in use. Nothing takes effect. */
  'recipe/offer': method(
    z.object({ projectId: ProjectId }),
    z.object({
      offer: z.object({ recipe: Recipe, commit: z.string(), changes: z.array(RecipeChange) }).nullable(),
      /** Why a file that is there can't be taken over. */
      problem: z.string().nullable(),
    }),
    ['git-failed'],
  ),
  /** The hosts that the lockfiles of the project's newest commit name. */
  'recipe/registries': method(z.object({ projectId: ProjectId }), z.object({ registries: z.array(Registry) }), ['git-failed']),
  /** Answers for these hosts, whatever was answered before; setup that waits for them goes on. */
  'recipe/answer': method(
    z.object({ projectId: ProjectId, hosts: z.array(z.string()).max(100), answer: z.enum(['allow', 'refuse', 'forget']) }),
    nothing,
    ['invalid-input'],
  ),
  /** What `.worktreeinclude` of the newest commit would copy into a worktree now. */
  'recipe/include': method(
    z.object({ projectId: ProjectId }),
    z.object({
      /** False where the commit has no such file. */
      there: z.boolean(),
      files: z.array(z.object({ path: z.string(), bytes: z.number() })),
      skipped: z.array(z.object({ path: z.string(), why: z.string() })),
      bytes: z.number(),
      /** Why nothing would be copied, in words; null where it would be. */
      problem: z.string().nullable(),
    }),
    ['git-failed'],
  ),
  /** Starts a task whose setup failed without it. */
  'setup/skip': method(z.object({ taskId: TaskId }), nothing, ['conflict']),
  /** Runs setup once more in a task that is not at work: after a restore, which finds what teardown left, or on a whim. */
  'setup/run': method(z.object({ taskId: TaskId }), nothing, ['conflict', 'worktree-missing']),
  /** Runs an action of the project's recipe in the task's sandbox, in a terminal tab; the one that runs already is answered. */
  'action/start': method(
    z.object({
      taskId: TaskId,
      name: actionName,
      cols: z.number().int().min(2).max(1000).default(100),
      rows: z.number().int().min(1).max(500).default(24),
    }),
    TerminalInfo,
    ['cannot-confine', 'worktree-missing'],
  ),
  'action/stop': method(z.object({ taskId: TaskId, name: actionName }), nothing),
} as const satisfies Record<string, MethodSpec>;
