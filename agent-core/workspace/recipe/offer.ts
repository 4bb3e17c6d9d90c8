import { z } from 'zod';
import { RECIPE_FILE, Recipe, noRecipe, type OutputOf, type Project } from '../../contract/index.ts';
import { recipeChanges } from '../../domain/recipe.ts';
import { newestCommit, ownFileAt } from './base-file.ts';

const FILE_LIMIT = 256 * 1024;

function parse(text: string): { recipe: Recipe } | { problem: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { problem: `${RECIPE_FILE} is not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
  const parsed = Recipe.strict().safeParse(value);
  return parsed.success ? { recipe: parsed.data } : { problem: `${RECIPE_FILE} can’t be used. ${z.prettifyError(parsed.error)}` };
}

/** What the repository's own recipe file says, held against the recipe in use. Only reads. */
export async function readOffer(project: Project): Promise<OutputOf<'recipe/offer'>> {
  const commit = await newestCommit(project);
  const bytes = await ownFileAt(project, commit, RECIPE_FILE, FILE_LIMIT);
  if (bytes === null) return { offer: null, problem: null };
  const got = parse(bytes.toString('utf8'));
  if ('problem' in got) return { offer: null, problem: got.problem };
  const changes = recipeChanges(project.recipe ?? noRecipe, got.recipe);
  return { offer: changes.length === 0 ? null : { recipe: got.recipe, commit, changes }, problem: null };
}
