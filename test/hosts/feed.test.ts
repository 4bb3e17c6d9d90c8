import { expect, test } from 'vitest';
import {
  noUsage,
  type AttemptId,
  type Item,
  type ItemId,
  type ProjectId,
  type Task,
  type ThreadId,
  type Turn,
  type TurnId,
  type WorkspaceId,
} from '../../agent-core/contract/index.ts';
import { channelPair } from '../../agent-core/hosts/channels.ts';
import { TaskFeed, type Line } from '../../agent-core/hosts/cli/feed.ts';
import { connectClient } from '../../agent-core/hosts/client.ts';
import { serveClient } from '../../agent-core/hosts/session.ts';
import { newId } from '../../agent-core/support/ids.ts';
import { settings, smallCore, taskId, threadId, until } from './support/core.ts';

const ids = {
  task: taskId(),
  thread: threadId(),
  attempt: newId<AttemptId>('att'),
  workspace: newId<WorkspaceId>('ws'),
  turn: newId<TurnId>('turn'),
};
const task: Task = {
  id: ids.task,
  projectId: newId<ProjectId>('proj'),
  title: 'Do it',
  prompt: 'Do it',
  base: { ref: 'main', kind: 'local' },
  mode: 'workspace',
  approval: 'never',
  model: 'm',
  phase: 'held',
  phaseBefore: null,
  order: 1,
  dependsOn: [],
  origin: 'exec',
  inPlace: false,
  attempt: null,
  createdAt: 0,
  updatedAt: 0,
  waitingSince: null,
  diff: null,
  usage: noUsage,
  check: null,
  landing: null,
  seen: null,
};
const turn = (status: Turn['status']): Turn => ({
  id: ids.turn,
  threadId: ids.thread,
  number: 1,
  status,
  startedAt: 0,
  endedAt: status === 'running' ? null : 1,
  usage: { ...noUsage, inputTokens: 7 },
  error: null,
  interruptedBy: null,
  treeBefore: null,
  treeAfter: null,
});
const message = (id: ItemId, text: string): Item => ({
  type: 'agentMessage',
  id,
  threadId: ids.thread,
  turnId: ids.turn,
  startedAt: 0,
  endedAt: 1,
  text,
});

async function begin(stored: Item[]) {
  const pending = { bytes: 0 };
  const core = smallCore('', {
    'task/start': async () => ({}),
    'task/stop': async () => ({}),
    'thread/read': async ({ threadId: id }) => ({
      thread: core.snapshot().board.threads[id]!,
      items: stored,
      turns: [],
      more: false,
      seq: 0,
    }),
  });
  core.commit(
    { type: 'task.created', task },
    {
      type: 'attempt.created',
      attempt: { id: ids.attempt, taskId: ids.task, number: 1, threadId: ids.thread as ThreadId, workspaceId: ids.workspace },
      thread: { id: ids.thread, taskId: ids.task, attemptId: ids.attempt, parent: null, turn: null, queue: [], limitedUntil: null },
    },
  );
  const [near, far] = channelPair(() => pending.bytes);
  const session = serveClient(core, far);
  const lines: Line[] = [];
  const client = await connectClient(near);
  const feed = new TaskFeed(client, client.board.tasks[ids.task]!, (line) => lines.push(line));
  await feed.start();
  const ready = (): void =>
    core.commit({
      type: 'workspace.changed',
      workspace: {
        id: ids.workspace,
        taskId: ids.task,
        attemptId: ids.attempt,
        phase: 'ready',
        slug: 'do-it',
        branch: 'signalbox/do-it',
        path: '/w',
        baseCommit: 'c',
        error: null,
        trashedAt: null,
      },
    });
  return { core, feed, lines, pending, ready, session };
}
const types = (lines: Line[]) => lines.map((line) => line.type);

test('each stage once, in order, the ending last and whole', async () => {
  const { core, feed, lines, ready } = await begin([]);
  ready();
  ready();
  const id = newId<ItemId>('item');
  core.commit({ type: 'turn.started', taskId: ids.task, turn: turn('running') });
  core.commit(
    { type: 'item.completed', taskId: ids.task, item: message(id, 'Hello.') },
    { type: 'turn.ended', taskId: ids.task, turn: turn('completed') },
  );
  expect(await feed.ended).toEqual({
    type: 'turn.completed',
    task: ids.task,
    branch: 'signalbox/do-it',
    worktree: '/w',
    usage: { ...noUsage, inputTokens: 7 },
    message: 'Hello.',
  });
  core.commit({ type: 'turn.ended', taskId: ids.task, turn: turn('failed') });
  expect(types(lines)).toEqual(['task.created', 'workspace.ready', 'turn.started', 'item.completed', 'turn.completed']);
});

test('what a gap swallowed is told from what is on disk, once', async () => {
  const [one, two] = [newId<ItemId>('item'), newId<ItemId>('item')];
  const { core, feed, lines, pending, ready } = await begin([message(one, 'One.'), message(two, 'Two.')]);
  ready();
  core.commit(
    { type: 'turn.started', taskId: ids.task, turn: turn('running') },
    { type: 'item.completed', taskId: ids.task, item: message(one, 'One.') },
  );
  await until(() => lines.length === 4, 'the first item');
  pending.bytes = 1e9;
  core.commit({ type: 'item.completed', taskId: ids.task, item: message(two, 'Two.') });
  for (let n = 0; n < 5000; n += 1) core.commit({ type: 'settings.changed', settings });
  core.commit({ type: 'turn.ended', taskId: ids.task, turn: turn('completed') });
  pending.bytes = 0;
  expect(await feed.ended).toMatchObject({ type: 'turn.completed', message: 'Two.' });
  expect(types(lines)).toEqual(['task.created', 'workspace.ready', 'turn.started', 'item.completed', 'item.completed', 'turn.completed']);
});

test('a core that goes, a task that is deleted, a stop before the turn: each is an interruption', async () => {
  const gone = await begin([]);
  gone.session.dispose();
  expect(await gone.feed.ended).toMatchObject({ type: 'turn.interrupted', message: expect.stringContaining('core ended') });
  const deleted = await begin([]);
  deleted.core.commit({ type: 'task.trashed', taskId: ids.task });
  expect(await deleted.feed.ended).toMatchObject({ type: 'turn.interrupted', message: expect.stringContaining('deleted') });
  const stopped = await begin([]);
  await stopped.feed.interrupt();
  expect(await stopped.feed.ended).toMatchObject({ type: 'turn.interrupted', branch: null });
});
