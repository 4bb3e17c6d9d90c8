import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import type { ItemId, ItemOf, TaskId } from '../../agent-core/contract/index.ts';
import { defaultSettings } from '../../agent-core/runtime/settings.ts';
import { Store, type Batch } from '../../agent-core/storage/store.ts';
import { newId } from '../../agent-core/support/ids.ts';
import { call, lastOutput, say } from '../model-server/index.ts';
import { Rig } from './support.ts';

let rig: Rig;
afterEach(async () => {
  vi.restoreAllMocks();
  await rig.close();
});

/** Ends the core, leaves on disk what one that died in that very moment would have left, and starts the next. */
async function nextCore(left: (store: Store) => Batch): Promise<void> {
  await rig.core.dispose();
  const store = new Store(join(rig.home, 'signalbox.db'), defaultSettings());
  await store.commit(left(store));
  store.close();
  await rig.open();
}
const workspaceIdOf = (id: TaskId) => rig.board.attempts[rig.task(id).attempt!]!.workspaceId;
const reviewed = async (prompt = 'Write'): Promise<TaskId> => {
  const task = await rig.create(prompt);
  await rig.reaches(task.id, 'review');
  return task.id;
};
const writes = (request: Parameters<Parameters<typeof Rig.start>[0]>[0]) =>
  lastOutput(request) ? [say('ok')] : [call('exec_command', { cmd: 'echo new > new.txt' })];

test('killed after its worktree was ready and before its first turn, a task goes on by itself', async () => {
  rig = await Rig.start(writes);
  const task = await rig.create('Write', { start: false });
  const stopped = new Promise<unknown>((resolve, reject) => {
    const heard = rig.core.onEvents((events) => {
      if (!events.some(({ event }) => event.type === 'workspace.changed' && event.workspace.phase === 'ready')) return;
      heard.dispose();
      rig.call('task/stop', { taskId: task.id }).then(resolve, reject);
    });
  });
  await rig.call('task/start', { taskId: task.id });
  await stopped;
  await nextCore(() => ({ events: [{ type: 'task.phased', taskId: task.id, phase: 'active' }] }));
  await rig.reaches(task.id, 'review');
  expect(existsSync(join(rig.worktree(task.id), 'new.txt'))).toBe(true);
});

test('killed right after the intent to make a worktree, a task goes on by itself', async () => {
  rig = await Rig.start(writes);
  const { id } = await rig.create('Write', { start: false });
  const { workspaceId, id: attemptId } = rig.board.attempts[rig.task(id).attempt!]!;
  await nextCore(() => ({
    events: [
      { type: 'task.phased', taskId: id, phase: 'active' },
      {
        type: 'workspace.changed',
        workspace: {
          id: workspaceId,
          taskId: id,
          attemptId,
          phase: 'preparing',
          slug: '',
          branch: '',
          path: '',
          baseCommit: null,
          error: null,
          trashedAt: null,
        },
      },
    ],
    intents: [{ kind: 'prepare', taskId: id, workspaceId }],
  }));
  await rig.reaches(id, 'review');
  expect(existsSync(join(rig.worktree(id), 'new.txt'))).toBe(true);
});

test('a command that went on after its turn shows as ended when its core is gone', async () => {
  rig = await Rig.start(writes);
  const id = await reviewed();
  const { id: threadId, turn } = rig.thread(id);
  const item: ItemOf<'command'> = {
    id: newId<ItemId>('item'),
    threadId,
    turnId: turn!.id,
    startedAt: 1,
    endedAt: null,
    type: 'command',
    command: 'npm run dev',
    cwd: '/',
    status: 'running',
    exitCode: null,
    output: 'ready',
    outputBytes: 5,
    sessionId: 12_345,
    outside: false,
  };
  await nextCore(() => ({ events: [{ type: 'item.started', taskId: id, item }] }));
  const { items } = await rig.call('thread/read', { threadId });
  expect(items.at(-1)).toMatchObject({ id: item.id, status: 'interrupted', sessionId: null, endedAt: expect.any(Number) as number });
});

test.each(['intent', 'deed'] as const)(
  'killed right after the %s of a deletion, the next core finishes it, and it can be restored',
  async (moment) => {
    rig = await Rig.start(writes);
    const id = await reviewed();
    const workspaceId = workspaceIdOf(id);
    const worktree = rig.worktree(id);
    if (moment === 'deed') await rig.call('task/delete', { taskId: id });
    await nextCore((store) => ({
      ...(moment === 'deed'
        ? {
            events: [
              { type: 'task.restored', taskId: id },
              { type: 'workspace.changed', workspace: { ...store.board.workspaces[workspaceId]!, phase: 'ready', trashedAt: null } },
            ],
          }
        : {}),
      intents: [{ kind: 'trash', taskId: id, workspaceId }],
    }));
    expect([rig.task(id).phase, existsSync(worktree)]).toEqual(['trashed', false]);
    await rig.call('task/restore', { taskId: id });
    expect(existsSync(join(worktree, 'new.txt'))).toBe(true);
  },
);

test('an old intent to delete for good does nothing to a task that was brought back', async () => {
  rig = await Rig.start(writes);
  const id = await reviewed();
  await nextCore(() => ({ intents: [{ kind: 'purge', taskId: id, workspaceId: workspaceIdOf(id) }] }));
  expect(existsSync(join(rig.worktree(id), 'new.txt'))).toBe(true);
  expect(rig.status(id)).toBe('review');
});

test('a restore that can’t be done is given up, and does not happen by itself at a later start', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
  rig = await Rig.start(writes);
  const id = await reviewed();
  const workspaceId = workspaceIdOf(id);
  const worktree = rig.worktree(id);
  await rig.call('task/delete', { taskId: id });
  const { mkdirSync, rmSync } = await import('node:fs');
  mkdirSync(worktree, { recursive: true });
  await nextCore(() => ({ intents: [{ kind: 'restore', taskId: id, workspaceId }] }));
  expect(rig.task(id).phase).toBe('trashed');
  rmSync(worktree, { recursive: true });
  await nextCore(() => ({}));
  expect(rig.task(id).phase).toBe('trashed');
});

test('killed before a second landing began, the first one does not stand for it', async () => {
  rig = await Rig.start(writes);
  const id = await reviewed();
  await rig.call('land/merge', { taskId: id, method: 'squash' });
  await rig.call('task/unarchive', { taskId: id });
  await nextCore(() => ({ intents: [{ kind: 'land', taskId: id, method: 'squash', into: 'main' }] }));
  expect(rig.status(id)).toBe('review');
});
