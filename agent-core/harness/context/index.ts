import { message } from '../history.ts';
import type { HistoryItem, TurnInput } from '../types.ts';
import { instructions } from './agents-md.ts';
import { BASE_PROMPT, environment, permissions, purpose } from './prompt.ts';

/** The start of every request of a thread: built once, then never touched, so that the provider's cache hits. */
export async function prefix(input: TurnInput, skills: string | null): Promise<HistoryItem[]> {
  const docs = await instructions(input.machine, input.cwd, input.home);
  return [
    message('developer', BASE_PROMPT),
    message('developer', permissions(input), ...(skills ? [skills] : [])),
    ...(working(input) ? [] : [message('developer', purpose(input))]),
    message('user', ...(docs ? [docs] : []), environment(input)),
  ];
}

const working = ({ kind = 'work' }: TurnInput): boolean => kind === 'work';

const NO_SKILLS = '<skills>\nThere are no skills any more.\n</skills>';

const holds = (item: HistoryItem, tag: string): string | undefined =>
  item.type === 'message' && Array.isArray(item.content)
    ? item.content.flatMap((part) => ('text' in part && part.text.startsWith(tag) ? [part.text] : []))[0]
    : undefined;

const newest = (history: HistoryItem[], tag: string): string | undefined => {
  for (let at = history.length - 1; at >= 0; at -= 1) {
    const text = holds(history[at]!, tag);
    if (text !== undefined) return text;
  }
  return undefined;
};

/** What has changed since the model was last told: other permissions or skills, another kind of turn, another folder or day. Appended, never edited. */
export function changes(history: HistoryItem[], input: TurnInput, skills: string | null): HistoryItem[] {
  const told: HistoryItem[] = [];
  const may = permissions(input);
  if (newest(history, '<permissions>') !== may) told.push(message('developer', may));
  const before = newest(history, '<skills>');
  const now = skills ?? (before ? NO_SKILLS : undefined);
  if (before !== now) told.push(message('developer', now!));
  const was = newest(history, '<turn_mode>');
  const is = purpose(input);
  if (was !== is && !(was === undefined && working(input))) told.push(message('developer', is));
  const place = environment(input);
  if (newest(history, '<environment_context>') !== place) told.push(message('user', place));
  return told;
}
