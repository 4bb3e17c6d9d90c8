import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import type { MessageId, TaskId } from '../../agent-core/contract/index.ts';
import { call, say, status, userTexts, type Script } from '../model-server/index.ts';
import { Rig } from '../runtime/support.ts';

let rig: Rig;
afterEach(() => rig.close());
// Several turns of a real core, on a machine that does other things too.
vi.setConfig({ testTimeout: 60_000 });

/** The first request of the first turn waits for a file `go`; all others are answered at once. */
const waits: Script = (request) =>
  request.input.some((item) => item.type === 'function_call_output')
    ? [say('ok')]
    : [call('exec_command', { cmd: 'until [ -e go ]; do sleep 0.05; done' })];
const running = (id: TaskId): Promise<void> => rig.until(() => rig.core.snapshot().activity[id]?.verb === 'running', 'the command runs');
const waiting = (id: TaskId): string[] => rig.thread(id).queue.map(({ text }) => text);
const add = async (id: TaskId, text: string): Promise<MessageId> =>
  (await rig.call('queue/add', { threadId: rig.thread(id).id, text })).messageId;
const heard = async (id: TaskId): Promise<[string, string][]> =>
  (await rig.call('thread/read', { threadId: rig.thread(id).id })).items.flatMap((item) =>
    item.type === 'userMessage' ? [[item.text, item.via] as [string, string]] : [],
  );

test('the queue is edited, moved and survives a restart; what is sent now joins the running turn', async () => {
  rig = await Rig.start(waits);
  const { id } = await rig.create('begin');
  await running(id);
  const threadId = rig.thread(id).id;
  const [a, b, c] = [await add(id, 'a'), await add(id, 'b'), await add(id, 'c')];
  await rig.call('queue/move', { threadId, messageId: c, before: a });
  await rig.call('queue/edit', { threadId, messageId: a, text: 'A' });
  expect(waiting(id)).toEqual(['c', 'A', 'b']);
  await rig.call('queue/move', { threadId, messageId: c, before: null });
  expect(waiting(id)).toEqual(['A', 'b', 'c']);
  await rig.call('queue/send', { threadId, messageId: b });
  writeFileSync(join(rig.worktree(id), 'go'), '');
  await rig.until(() => rig.thread(id).turn?.number === 3 && rig.status(id) === 'review', 'the queue is empty');
  expect(await heard(id)).toEqual([
    ['begin', 'prompt'],
    ['b', 'steer'],
    ['A', 'queue'],
    ['c', 'queue'],
  ]);
  await expect(rig.call('queue/edit', { threadId, messageId: a, text: 'late' })).rejects.toMatchObject({ detail: { code: 'conflict' } });
});

test('a message that waits behind a stopped turn is there after a restart, and is sent by hand', async () => {
  rig = await Rig.start(waits);
  const { id } = await rig.create('begin');
  await running(id);
  await add(id, 'a');
  const b = await add(id, 'b');
  await rig.call('turn/interrupt', { threadId: rig.thread(id).id });
  await rig.core.dispose();
  await rig.open();
  expect(waiting(id)).toEqual(['a', 'b']);
  await rig.call('queue/send', { threadId: rig.thread(id).id, messageId: b });
  await rig.until(() => rig.thread(id).turn?.number === 3 && rig.status(id) === 'review', 'both were sent');
  expect((await heard(id)).map(([text]) => text)).toEqual(['begin', 'b', 'a']);
});

test('what is steered too late for a turn opens the next, and shows once', async () => {
  const late: Promise<unknown>[] = [];
  rig = await Rig.start(() => [say('Done.')]);
  rig.core.onEvents((events) => {
    const ended = events.find(({ event }) => event.type === 'item.completed' && event.item.type === 'agentMessage');
    if (ended && late.length === 0 && ended.event.type === 'item.completed')
      late.push(rig.call('turn/steer', { threadId: ended.event.item.threadId, turnId: ended.event.item.turnId, text: 'one more' }));
  });
  const { id } = await rig.create('begin');
  await rig.until(() => rig.status(id) === 'review' && rig.thread(id).queue.length === 0 && late.length > 0, 'all is said');
  await Promise.all(late);
  await rig.until(() => rig.status(id) === 'review' && rig.thread(id).queue.length === 0, 'all is heard');
  expect((await heard(id)).map(([text]) => text)).toEqual(['begin', 'one more']);
});

test('the same words said in two turns are both heard, also when the second had to be said again', async () => {
  let broken = false;
  const counts: number[] = [];
  rig = await Rig.start((request) => {
    counts.push(userTexts(request).filter((text) => text === 'again').length);
    return broken ? [status(401)] : [say('ok')];
  });
  const { id } = await rig.create('again');
  await rig.reaches(id, 'review');
  broken = true;
  await rig.call('turn/start', { threadId: rig.thread(id).id, text: 'again' });
  await rig.reaches(id, 'failed');
  broken = false;
  await rig.call('task/retry', { taskId: id });
  await rig.reaches(id, 'review');
  expect([counts[0], counts.at(-1)]).toEqual([1, 2]);
});
