import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import type { StoredEvent, TaskId, TurnId } from '../../agent-core/contract/index.ts';
import { call, lastOutput, say, status, userTexts, type ResponsesRequest } from '../model-server/index.ts';
import { Rig } from './support.ts';

let rig: Rig;
afterEach(() => rig.close());

/** What the person said, without the facts that the harness puts before it. */
const said = (request: { body: unknown } | undefined): string[] =>
  userTexts(request!.body as ResponsesRequest).filter((text) => !text.startsWith('<'));
const conflict = (words: string): unknown => ({ detail: { code: 'conflict', message: expect.stringContaining(words) as string } });
/** Calls `then` in the moment in which an event is told, before whoever waits for it goes on. */
function at(is: (event: StoredEvent['event']) => boolean, then: () => void): void {
  const heard = rig.core.onEvents((events) => {
    if (!events.some(({ event }) => is(event))) return;
    heard.dispose();
    then();
  });
}
const steer = (id: TaskId, text: string): Promise<unknown> =>
  rig.call('turn/steer', { threadId: rig.thread(id).id, turnId: rig.thread(id).turn!.id, text });

test('what was steered into a turn that is just ending is not lost', async () => {
  rig = await Rig.start(() => [say('Done.')]);
  const acknowledged: string[] = [];
  const task = await rig.create('Be quick', { start: false });
  const talking = new Promise<void>((resolve) => {
    // From after the loop has ended until the turn has: what is heard within the turn begins this again, later.
    const talk = async (turnId: TurnId, wait: number): Promise<void> => {
      await delay(wait);
      for (const requests = rig.model.requests.length; requests === rig.model.requests.length && acknowledged.length < 300;) {
        const text = `also ${acknowledged.length}`;
        await rig.call('turn/steer', { threadId: rig.thread(task.id).id, turnId, text });
        acknowledged.push(text);
      }
      listen(wait * 2);
    };
    const listen = (wait: number): void =>
      at(
        (event) => event.type === 'item.completed' && event.item.type === 'agentMessage',
        () => void talk(rig.thread(task.id).turn!.id, wait).catch(() => resolve()),
      );
    listen(20);
  });
  await rig.call('task/start', { taskId: task.id });
  await talking;
  await rig.until(() => rig.events.some(({ event }) => event.type === 'turn.ended'), 'the turn has ended');
  expect(acknowledged.length).toBeGreaterThan(0);
  const heard = new Set(rig.model.requests.flatMap(said));
  const waiting = new Set(rig.events.flatMap(({ event }) => (event.type === 'queue.added' ? [event.message.text] : [])));
  expect(acknowledged.filter((text) => !heard.has(text) && !waiting.has(text))).toEqual([]);
});

test('a message for a turn that has only just begun joins it', async () => {
  rig = await Rig.start((request) => [say(userTexts(request).join(' | '))]);
  const task = await rig.create('First', { start: false });
  const steered = new Promise<unknown>((resolve, reject) => {
    at(
      (event) => event.type === 'turn.started',
      () => {
        steer(task.id, 'at once').then(resolve, reject);
      },
    );
  });
  await rig.call('task/start', { taskId: task.id });
  await steered;
  await rig.reaches(task.id, 'review');
  expect(said(rig.model.requests.at(-1))).toEqual(['First', 'at once']);
});

test('what was steered into a turn that then failed is heard once when it goes on', async () => {
  let steering: Promise<unknown> | null = null;
  rig = await Rig.start(async () => {
    if (steering) return [say('Heard.')];
    await (steering = steer(task.id, 'and this'));
    return [status(401)];
  });
  const task = await rig.create('Do it', { start: false });
  await rig.call('task/start', { taskId: task.id });
  await rig.reaches(task.id, 'failed');
  await rig.call('task/retry', { taskId: task.id });
  await rig.reaches(task.id, 'review');
  expect(rig.thread(task.id).queue).toEqual([]);
  expect(said(rig.model.requests.at(-1)).filter((text) => text === 'and this')).toHaveLength(1);
});

test('stopped in the moment in which its worktree is ready, a task does not begin; it starts on a click, or on a word', async () => {
  rig = await Rig.start((request) => [say(userTexts(request).join(' | '))]);
  const stopAtReady = async (): Promise<TaskId> => {
    const task = await rig.create('Do it', { start: false });
    const stopped = new Promise<unknown>((resolve, reject) => {
      at(
        (event) => event.type === 'workspace.changed' && event.workspace.phase === 'ready',
        () => {
          rig.call('task/stop', { taskId: task.id }).then(resolve, reject);
        },
      );
    });
    await rig.call('task/start', { taskId: task.id });
    await stopped;
    expect([rig.task(task.id).phase, rig.status(task.id), rig.thread(task.id).turn]).toEqual(['held', 'queued', null]);
    return task.id;
  };
  const first = await stopAtReady();
  expect(rig.core.snapshot().activity[first]).toBeUndefined();
  expect(rig.model.requests).toHaveLength(0);
  await rig.call('task/start', { taskId: first });
  await rig.reaches(first, 'review');

  const second = await stopAtReady();
  await rig.call('turn/start', { threadId: rig.thread(second).id, text: 'carefully' });
  await rig.until(() => rig.thread(second).turn?.number === 2 && rig.status(second) === 'review', 'the message after the prompt');
  expect(said(rig.model.requests.at(-1))).toEqual(['Do it', 'carefully']);
});

test('while a task is being deleted nothing begins in it, and it comes back whole', async () => {
  rig = await Rig.start((request) =>
    lastOutput(request) ? [say('ok')] : [call('exec_command', { cmd: 'mkdir ignored; echo kept > ignored/x; echo new > new.txt' })],
  );
  const task = await rig.create('Write');
  await rig.reaches(task.id, 'review');
  const threadId = rig.thread(task.id).id;
  const deleting = rig.call('task/delete', { taskId: task.id });
  await expect(rig.call('turn/start', { threadId, text: 'go on' })).rejects.toMatchObject(conflict('being deleted') as object);
  await expect(rig.call('task/retry', { taskId: task.id })).rejects.toMatchObject(conflict('being deleted') as object);
  await deleting;
  expect([rig.task(task.id).phase, rig.thread(task.id).turn?.number, rig.thread(task.id).queue]).toEqual(['trashed', 1, []]);
  await expect(rig.call('task/retry', { taskId: task.id })).rejects.toMatchObject(conflict('trash') as object);
  expect(rig.task(task.id).phase).toBe('trashed');
  await rig.call('task/restore', { taskId: task.id });
  expect(readFileSync(join(rig.worktree(task.id), 'ignored/x'), 'utf8')).toBe('kept\n');
});

test('two windows that ask for different things at once get them one after the other', async () => {
  rig = await Rig.start((request) => (lastOutput(request) ? [say('ok')] : [call('exec_command', { cmd: 'echo new > new.txt' })]));
  const task = await rig.create('Write');
  await rig.reaches(task.id, 'review');
  const ask = { taskId: task.id };
  await Promise.all([rig.call('task/delete', ask), rig.call('task/delete', ask), rig.call('task/restore', ask)]);
  expect([rig.task(task.id).phase, existsSync(join(rig.worktree(task.id), 'new.txt'))]).toEqual(['active', true]);

  const both = await Promise.allSettled([
    rig.call('land/merge', { ...ask, method: 'squash' }),
    rig.call('turn/start', { threadId: rig.thread(task.id).id, text: 'more' }),
    rig.call('task/delete', ask),
    rig.call('task/purge', ask),
    rig.call('task/restore', ask),
  ]);
  expect(both.map(({ status: how }) => how)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'rejected']);
  expect(rig.board.tasks).toEqual({});
  expect(readFileSync(join(rig.repo, 'new.txt'), 'utf8')).toBe('new\n');
});

test('a command that goes on after its turn says nothing of what the task does when it ends', async () => {
  rig = await Rig.start((request) =>
    lastOutput(request) ? [say('It runs.')] : [call('exec_command', { cmd: 'until [ -e go ]; do sleep 0.05; done', yield_time_ms: 250 })],
  );
  const task = await rig.create('Serve');
  await rig.reaches(task.id, 'review');
  const ended = rig.until(
    () => rig.events.some(({ event }) => event.type === 'item.completed' && event.item.type === 'command'),
    'the command has ended',
  );
  writeFileSync(join(rig.worktree(task.id), 'go'), '');
  await ended;
  expect(rig.core.snapshot().activity[task.id]).toBeUndefined();
});
