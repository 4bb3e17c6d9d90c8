import { Failure, type OutputOf, type ParsedInputOf, type TranscriptLine, type Turn } from '../contract/index.ts';
import { redactAll, redactor, secretsIn } from '../domain/redact.ts';
import { endMarkdown, headMarkdown, itemMarkdown, turnMarkdown } from '../domain/transcript.ts';
import { taskParts, type Context } from './context.ts';
import { headerOf } from './credentials.ts';

/** Rows of one answer: a few megabytes at most, however long the thread is. */
const PAGE = 400;

/** Takes out what we know to be secret (keys that we hold, those of the person's environment) and what looks like it. */
const cleaner = (context: Context): ((text: string) => string) =>
  redactor([
    ...secretsIn(context.options.env),
    ...context.models.secrets().flatMap(textsIn),
    ...[...context.endpoints.values()].map(({ key }) => key),
    ...headersOf(context),
  ]);

/** An account is kept as JSON: its tokens are secret one by one. */
function textsIn(secret: string): string[] {
  const texts = [secret];
  const look = (value: unknown, depth: number): void => {
    if (typeof value === 'string' && value.length >= 16) texts.push(value);
    else if (typeof value === 'object' && value !== null && depth < 5) for (const each of Object.values(value)) look(each, depth + 1);
  };
  try {
    look(JSON.parse(secret), 0);
  } catch {
    // As most are: no JSON.
  }
  return texts;
}

/** What the proxy adds to requests, as a server may have said it back: a user with a password is in it in another spelling. */
const headersOf = (context: Context): string[] =>
  Object.values(context.store.board.projects).flatMap(({ grants }) =>
    (grants?.credentials ?? []).flatMap(({ id }) => headerOf(context, id)?.value.replace(/^\w+ /, '') ?? []),
  );

/** A name for the file, from the task's title. */
const fileName = (title: string, ending: string): string =>
  `${
    title
      .replaceAll(/[^\p{L}\p{N}._ -]+/gu, ' ')
      .replaceAll(/\s+/g, ' ')
      .trim()
      .slice(0, 80) || 'transcript'
  }.${ending}`;

/**
 * A part of a thread's transcript. `from` is '' at first, then what the last part named: `i<row>` goes on with the items
 * after a row, `h<row>` with what the model was sent.
 */
export async function exportPart(
  context: Context,
  { threadId, format, from }: ParsedInputOf<'thread/export'>,
): Promise<OutputOf<'thread/export'>> {
  const thread = context.store.durable.board.threads[threadId];
  if (!thread) throw new Failure('not-found', 'This conversation does not exist any more.');
  const { task, project } = taskParts(context, thread.taskId);
  const clean = cleaner(context);
  const name = fileName(clean(task.title), format === 'markdown' ? 'md' : 'jsonl');
  const at = /^([ih])(\d{1,15})$/.exec(from);
  if (from && !at) throw new Failure('invalid-input', 'There is no such part of a transcript.');
  if (at?.[1] === 'h') return { name, ...historyPart(context, threadId, Number(at[2]), clean) };
  const page = context.store.rows(threadId, Number(at?.[2] ?? 0), PAGE);
  const turns = new Map(context.store.turns(threadId).map((turn) => [turn.id, turn]));
  // The last row of the part before tells whether its turn goes on here.
  let last = page.before;
  const parts: string[] = [];
  if (!at) parts.push(format === 'markdown' ? clean(headMarkdown(task, project.name)) : line(headLine(task), clean));
  for (const item of page.items) {
    const turn = turns.get(item.turnId);
    if (turn && item.turnId !== last) parts.push(...opening(turn, last ? turns.get(last) : undefined, format, clean));
    last = item.turnId;
    parts.push(format === 'markdown' ? clean(itemMarkdown(item)) : line({ type: 'item', item }, clean));
  }
  const end = page.next === null;
  const ended = end && last ? turns.get(last) : undefined;
  if (ended && format === 'markdown') parts.push(clean(endMarkdown(ended)));
  return { name, text: parts.join(''), next: page.next === null ? (format === 'jsonl' ? 'h0' : null) : `i${page.next}` };
}

/** Between two turns: how the one ended, and the other's head. */
function opening(turn: Turn, before: Turn | undefined, format: 'markdown' | 'jsonl', clean: (text: string) => string): string[] {
  if (format === 'jsonl') return [line({ type: 'turn', turn: { ...turn, treeBefore: null, treeAfter: null } }, clean)];
  return [...(before ? [clean(endMarkdown(before))] : []), turnMarkdown(turn)];
}

const headLine = (task: { title: string; prompt: string; base: { ref: string }; model: string; createdAt: number }): TranscriptLine => ({
  type: 'signalbox.transcript',
  version: 1,
  title: task.title,
  prompt: task.prompt,
  base: task.base.ref,
  model: task.model,
  at: task.createdAt,
});

const line = (value: TranscriptLine, clean: (text: string) => string): string => `${JSON.stringify(redactAll(value, clean))}\n`;

function historyPart(
  context: Context,
  threadId: ParsedInputOf<'thread/export'>['threadId'],
  after: number,
  clean: (text: string) => string,
): { text: string; next: string | null } {
  const { rows, next } = context.store.historyRows(threadId, after, PAGE);
  // What a provider alone can read of its own thoughts is of no use elsewhere.
  const lines = rows.flatMap(({ turn, item }) =>
    (item as { type?: string }).type === 'reasoning' ? [] : [line({ type: 'history', turn, item: item as never }, clean)],
  );
  return { text: lines.join(''), next: next === null ? null : `h${next}` };
}
