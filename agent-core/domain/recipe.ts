import type { Recipe, RecipeChange } from '../contract/index.ts';

const lines = (text: string): number => (text.trim() === '' ? 0 : text.trimEnd().split('\n').length);
const counted = (text: string): string => `${lines(text)} ${lines(text) === 1 ? 'line' : 'lines'}`;

function scriptChange(what: string, before: string, after: string): RecipeChange[] {
  if (before.trim() === after.trim()) return [];
  if (lines(before) === 0) return [{ words: `${what} is added, ${counted(after)}.`, before, after }];
  if (lines(after) === 0) return [{ words: `${what} is removed.`, before, after }];
  return [{ words: `${what} changes, from ${counted(before)} to ${counted(after)}.`, before, after }];
}

/** What taking over `next` would change, in words; nothing where both say the same. */
export function recipeChanges(now: Recipe, next: Recipe): RecipeChange[] {
  const known = new Map(now.actions.map((action) => [action.name, action.command]));
  const wanted = new Map(next.actions.map((action) => [action.name, action.command]));
  const limit =
    now.setupMinutes === next.setupMinutes || next.setup.trim() === ''
      ? []
      : [{ words: `Setup is stopped after ${next.setupMinutes} minutes instead of ${now.setupMinutes}.`, before: '', after: '' }];
  return [
    ...scriptChange('The setup script', now.setup, next.setup),
    ...limit,
    ...scriptChange('The teardown script', now.teardown, next.teardown),
    ...next.actions.flatMap(({ name, command }) => {
      const before = known.get(name);
      if (before === undefined) return [{ words: `The action “${name}” is added.`, before: '', after: command }];
      return before === command ? [] : [{ words: `The action “${name}” runs another command.`, before, after: command }];
    }),
    ...now.actions.flatMap(({ name, command }) =>
      wanted.has(name) ? [] : [{ words: `The action “${name}” is removed.`, before: command, after: '' }],
    ),
  ];
}
