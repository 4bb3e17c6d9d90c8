import { readFile, stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { z } from 'zod';
import {
  Failure,
  TranscriptLine,
  noUsage,
  type AttemptId,
  type Item,
  type ItemId,
  type ParsedInputOf,
  type Task,
  type TaskId,
  type ThreadId,
  type Turn,
  type TurnId,
  type WorkspaceId,
} from '../contract/index.ts';
import { createTask, getTask } from '../domain/tasks.ts';
import { closeItem } from '../domain/turns.ts';
import { inspectFolder, resolveBase } from '../git/repository.ts';
import { newId } from '../support/ids.ts';
import { getProject, type Context } from './context.ts';

const LIMIT = 256 * 1024 * 1024;
/** The head and the turns go onto the board, which every page has whole. */
const BOARD_LINE = 256 * 1024;

interface Read {
  head: Extract<TranscriptLine, { type: 'signalbox.transcript' }>;
  turns: Turn[];
  items: Item[];
  history: { turn: number | null; item: unknown }[];
}

/**
 * A new task with the conversation of a transcript. Its worktree begins at the project's base: a transcript has no files.
 * Nothing is taken over unless every line is right. Throws `invalid-input` with the line and what is wrong with it.
 */
export async function importTranscript(context: Context, { projectId, text, path }: ParsedInputOf<'thread/import'>): Promise<Task> {
  const project = getProject(context, projectId);
  const read = parseTranscript(text ?? (await textOf(path)));
  const ids = {
    task: newId<TaskId>('task'),
    attempt: newId<AttemptId>('att'),
    thread: newId<ThreadId>('thr'),
    workspace: newId<WorkspaceId>('ws'),
  };
  const turns = new Map(read.turns.map((turn, at): [TurnId, Turn] => [turn.id, settled(turn, ids.thread, at + 1, context.now())]));
  const items = read.items.map((item): Item => ({
    ...closeItem(item, context.now()),
    id: newId<ItemId>('item'),
    threadId: ids.thread,
    turnId: turns.get(item.turnId)!.id,
  }));
  const branch = { ref: (await inspectFolder(project.root)).branch ?? 'HEAD', kind: 'local' as const };
  const base = { ...branch, commit: await resolveBase(project, branch) };
  const known = context.store.board.settings.models.some(({ id }) => id === read.head.model);
  const model = context.models.choose(known ? read.head.model : undefined, 'app', undefined);
  const input: ParsedInputOf<'task/create'> = {
    projectId,
    prompt: read.head.prompt,
    title: `${read.head.title.slice(0, 180)} (imported)`,
    start: true,
    dependsOn: [],
    origin: 'app',
    inPlace: false,
  };
  const events = createTask(context.store.board, input, { base, model }, ids, context.now()).map((event) =>
    event.type === 'attempt.created' ? { ...event, thread: { ...event.thread, turn: [...turns.values()].at(-1) ?? null } } : event,
  );
  // The turns of the history are counted like those of the conversation.
  const numbers = new Map(read.turns.map((turn, at) => [turn.number, at + 1]));
  const history = read.history.map(({ turn, item }) => ({ turn: turn === null ? null : (numbers.get(turn) ?? null), item }));
  await context.store.commit({ events, copy: { from: null, to: ids.thread, turns, items, through: 0, history } });
  return getTask(context.store.board, ids.task);
}

const settled = (turn: Turn, threadId: ThreadId, number: number, now: number): Turn => ({
  ...turn,
  id: newId<TurnId>('turn'),
  threadId,
  number,
  // What was spent was spent elsewhere, and its trees are not here.
  usage: noUsage,
  treeBefore: null,
  treeAfter: null,
  heard: true,
  ...(turn.status === 'running' ? { status: 'interrupted', interruptedBy: 'person', endedAt: now } : {}),
});

async function textOf(path: string | undefined): Promise<string> {
  if (!path || !isAbsolute(path)) throw new Failure('invalid-input', 'Give the transcript’s text, or the absolute path of its file.');
  const info = await stat(path).catch(() => null);
  if (!info?.isFile()) throw new Failure('invalid-input', `There is no file ${path}.`);
  if (info.size > LIMIT) throw new Failure('invalid-input', `${path} is larger than 256 MiB.`);
  return readFile(path, 'utf8');
}

const wrong = (number: number, what: string): Failure =>
  new Failure('invalid-input', `Line ${number} of the transcript ${what}`, {
    fix: 'Only a whole JSONL transcript that Signalbox exported can be imported.',
  });

/** Reads and checks every line: the head first, each item in a turn that came before it, each id once. */
export function parseTranscript(text: string): Read {
  const read: Omit<Read, 'head'> & { head: Read['head'] | null } = { head: null, turns: [], items: [], history: [] };
  const seen = new Set<string>();
  let number = 0;
  for (const source of text.split('\n')) {
    number += 1;
    if (!source.trim()) continue;
    const parsed = lineOf(source, number);
    if ((parsed.type === 'signalbox.transcript') !== (read.head === null))
      throw wrong(number, read.head ? 'begins another transcript.' : 'is not the head of a transcript.');
    if ((parsed.type === 'signalbox.transcript' || parsed.type === 'turn') && source.length > BOARD_LINE)
      throw wrong(number, `has ${source.length} characters; at most ${BOARD_LINE} are taken.`);
    const id = parsed.type === 'turn' ? parsed.turn.id : parsed.type === 'item' ? parsed.item.id : null;
    if (id !== null && seen.has(id)) throw wrong(number, `has an id that was there before: ${id}.`);
    if (id !== null) seen.add(id);
    if (parsed.type === 'signalbox.transcript') read.head = parsed;
    else if (parsed.type === 'turn') read.turns.push(parsed.turn);
    else if (parsed.type === 'history') read.history.push({ turn: parsed.turn, item: parsed.item });
    else if (seen.has(parsed.item.turnId)) read.items.push(parsed.item);
    else throw wrong(number, 'is of a turn that is not in the transcript.');
  }
  if (!read.head) throw new Failure('invalid-input', 'The transcript is empty.');
  if (read.turns.length === 0) throw new Failure('invalid-input', 'The transcript has no turns.');
  return { ...read, head: read.head };
}

function lineOf(source: string, number: number): TranscriptLine {
  let value: unknown;
  try {
    value = JSON.parse(source);
  } catch {
    throw wrong(number, 'is not JSON.');
  }
  const parsed = TranscriptLine.safeParse(value);
  if (parsed.success) return parsed.data;
  const head = value as { type?: unknown; version?: unknown } | null;
  if (head?.type === 'signalbox.transcript' && head.version !== 1)
    throw wrong(number, `is of version ${String(head.version)}; this one reads 1.`);
  throw wrong(number, `is not as it should be: ${z.prettifyError(parsed.error).split('\n').slice(0, 2).join(' ')}`);
}
