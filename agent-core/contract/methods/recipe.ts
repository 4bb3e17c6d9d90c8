import { z } from 'zod';
import { ProjectId, TaskId } from '../ids.ts';
import { Recipe, RecipeChange } from '../recipe.ts';
import { method, nothing, type MethodSpec } from './method.ts';

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
  /** Starts a task whose setup failed without it. */
  'setup/skip': method(z.object({ taskId: TaskId }), nothing, ['conflict']),
} as const satisfies Record<string, MethodSpec>;
