import { z } from 'zod';
import { TerminalId } from './ids.ts';

/** A script of the recipe, at most 32 KiB: it travels as one argument of a command. */
const SCRIPT_LIMIT = 32 * 1024;
const noNul = (text: string): boolean => !text.includes('\0');
const Script = z
  .string()
  .refine(
    (text) => new TextEncoder().encode(text).length <= SCRIPT_LIMIT,
    'A script has at most 32 KiB. Put longer ones in a file and call it.',
  )
  .refine(noNul, 'A script has no NUL in it.');

/** Something that a person starts by name in a task's sandbox: a dev server, the tests, a linter. */
export const RecipeAction = z.object({
  name: z.string().trim().min(1, 'An action needs a name.').max(60, 'A name has at most 60 characters.'),
  command: Script.refine((text) => text.trim() !== '', 'An action needs a command.'),
});
export type RecipeAction = z.infer<typeof RecipeAction>;

/** What every worktree of a project is given before its agent starts. Kept here, never read from a worktree. */
export const Recipe = z.object({
  /** Shell script that runs once in a new worktree, before the first turn; '' for none. */
  setup: Script.default(''),
  /** Shell script that runs before a worktree goes to the trash; '' for none. */
  teardown: Script.default(''),
  /** Minutes after which the setup script is stopped. */
  setupMinutes: z.number().int().min(1, 'At least one minute.').max(240, 'At most 240 minutes.').default(20),
  actions: z
    .array(RecipeAction)
    .max(20, 'A project has at most 20 actions.')
    .refine((actions) => new Set(actions.map(({ name }) => name)).size === actions.length, 'Two actions have the same name.')
    .default([]),
});
export type Recipe = z.infer<typeof Recipe>;

export const noRecipe: Recipe = { setup: '', teardown: '', setupMinutes: 20, actions: [] };

/** The file in a repository that a recipe can be taken over from. */
export const RECIPE_FILE = '.signalbox/recipe.json';
/** The file in a repository that names ignored files to copy into new worktrees. */
export const INCLUDE_FILE = '.worktreeinclude';

/** A host that a project's lockfiles name, with its port. */
export const Registry = z.object({
  /** `registry.npmjs.org:443`. */
  host: z.string(),
  /** It lies on this computer or in the private network, as far as its name tells. */
  near: z.boolean(),
  /** The files that name it. */
  files: z.array(z.string()),
});
export type Registry = z.infer<typeof Registry>;

/** What a person answered to “setup may reach …”, by host; one that is in neither has not been asked for yet. */
export const RegistryAnswers = z.object({ allowed: z.array(z.string()), refused: z.array(z.string()) });
export type RegistryAnswers = z.infer<typeof RegistryAnswers>;

/** One difference between two recipes, in words. `before` and `after` are scripts or commands, '' where there is none. */
export const RecipeChange = z.object({ words: z.string(), before: z.string(), after: z.string() });
export type RecipeChange = z.infer<typeof RecipeChange>;

/** An action that runs in a task, in a terminal tab of its own. */
export const RunningAction = z.object({ name: z.string(), terminalId: TerminalId });
export type RunningAction = z.infer<typeof RunningAction>;
