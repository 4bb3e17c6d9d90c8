import {
  Failure,
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
  type MessageId,
} from '../contract/index.ts';
import { createTask, getTask } from '../domain/tasks.ts';
import { closeItem } from '../domain/turns.ts';
import { newId } from '../support/ids.ts';
import { taskParts, type Context } from './context.ts';

/**
 * Makes a task that begins where another stood after one of its turns: a worktree of its own from the same commit, with
 * the files of that turn's end, and a copy of the conversation up to there. All of it is one transaction; the worktree
 * is made like any other task's. With `text` its first own turn begins by itself.
 */
export async function fork(context: Context, input: ParsedInputOf<'thread/fork'>): Promise<Task> {
  const { store } = context;
  const source = store.board.threads[input.threadId];
  if (!source) throw new Failure('not-found', 'This conversation does not exist any more.');
  const { task, workspace } = taskParts(context, source.taskId);
  const turns = store.turns(source.id);
  const turn = turns.find(({ id }) => id === input.turnId);
  if (!turn) throw new Failure('not-found', 'This turn is not in the conversation any more.', { fix: 'It may have been undone.' });
  if (turn.status === 'running')
    throw new Failure('conflict', `Turn ${turn.number} is still running.`, {
      fix: 'Fork from the turn before it, or wait until it has ended.',
    });
  const tree = turn.treeAfter ?? turn.treeBefore;
  if (!tree) throw new Failure('conflict', `There is no checkpoint of turn ${turn.number}.`, { fix: 'Fork from another turn.' });
  if (turn.number !== turns.at(-1)!.number && turn.number + 1 < store.firstNumbered(source.id))
    throw new Failure('conflict', `Turn ${turn.number} was made by an older Signalbox, which did not write down where it ended.`, {
      fix: 'Fork from the newest turn.',
    });
  const ids = {
    task: newId<TaskId>('task'),
    attempt: newId<AttemptId>('att'),
    thread: newId<ThreadId>('thr'),
    workspace: newId<WorkspaceId>('ws'),
  };
  const copied = copyOf(
    context,
    turns.filter(({ number }) => number <= turn.number),
    ids.thread,
  );
  const model = input.model === undefined ? task.model : context.models.choose(input.model, 'app', context.endpoints.get(task.id));
  const asked: ParsedInputOf<'task/create'> = {
    projectId: task.projectId,
    prompt: task.prompt,
    title: `${task.title.slice(0, 190)} (fork)`,
    mode: task.mode,
    approval: task.approval,
    start: true,
    dependsOn: [],
    origin: 'app',
    inPlace: false,
  };
  const base = { ...task.base, ...(workspace?.baseCommit ? { commit: workspace.baseCommit } : {}) };
  const now = context.now();
  const events = createTask(store.board, asked, { base, model }, ids, now).map((event) => {
    if (event.type === 'task.created') return { ...event, task: { ...event.task, startTree: tree } };
    if (event.type !== 'attempt.created') return event;
    const queue = input.text === undefined ? [] : [{ id: newId<MessageId>('msg'), text: input.text, at: now }];
    return { ...event, thread: { ...event.thread, parent: source.id, turn: [...copied.turns.values()].at(-1) ?? null, queue } };
  });
  // Beside the items, and before them: an output that is never named costs nothing.
  await copied.linkOutputs(source.id);
  await store.commit({ events, copy: { from: source.id, to: ids.thread, turns: copied.turns, items: copied.items, through: turn.number } });
  return getTask(store.board, ids.task);
}

/** What a message cites stands before it: its copy links to their copies. */
function withEvidence(item: Item, ids: ReadonlyMap<ItemId, ItemId>): Item {
  if (item.type !== 'agentMessage' || !item.evidence) return item;
  return { ...item, evidence: item.evidence.map((mark) => ({ ...mark, itemId: mark.itemId && (ids.get(mark.itemId) ?? null) })) };
}

/** Turns and items under new ids. What they cost was spent in the other task. */
function copyOf(
  context: Context,
  turns: readonly Turn[],
  threadId: ThreadId,
): { turns: ReadonlyMap<TurnId, Turn>; items: Item[]; linkOutputs: (from: ThreadId) => Promise<void> } {
  const mapped = new Map(turns.map((turn) => [turn.id, { ...turn, id: newId<TurnId>('turn'), threadId, usage: noUsage }]));
  const outputs: [ItemId, ItemId][] = [];
  const ids = new Map<ItemId, ItemId>();
  const items = turns.flatMap(({ id }) =>
    context.store.itemsOfTurn(id).map((item): Item => {
      const copy = { ...closeItem(item, context.now()), id: newId<ItemId>('item'), threadId, turnId: mapped.get(id)!.id };
      ids.set(item.id, copy.id);
      if (item.type === 'command') outputs.push([item.id, copy.id]);
      return withEvidence(copy, ids);
    }),
  );
  return { turns: mapped, items, linkOutputs: (from) => context.outputs.link(from, threadId, outputs) };
}
