import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { Rig } from '../runtime/support.ts';
import { call, say, textOf, usage } from '../model-server/index.ts';

let rig: Rig;
afterEach(() => rig.close());

const some = usage({ input: 100_000, cached: 40_000, output: 10_000, reasoning: 6_000 });
const rows = async () => (await rig.call('usage/read', {})).rows;

test('each request is counted by turn, task, project and day, with its price; deleting the task leaves the day’s account', async () => {
  rig = await Rig.start((request) =>
    textOf(request.input.at(-1)!).includes('Twice') ? [call('exec_command', { cmd: 'true' }), some] : [say('ok'), some],
  );
  const { id } = await rig.create('Twice', { title: 'Spender' });
  await rig.reaches(id, 'review');
  // 60,000 × $5, 40,000 × $0.5 and 10,000 × $30 a million, two requests.
  const each = 0.3 + 0.02 + 0.3;
  expect(rig.task(id).usage).toMatchObject({
    inputTokens: 200_000,
    cachedTokens: 80_000,
    outputTokens: 20_000,
    reasoningTokens: 12_000,
  });
  expect(rig.task(id).usage.cost).toBeCloseTo(2 * each);
  expect(rig.thread(id).turn!.usage.cost).toBeCloseTo(2 * each);
  const [row, ...more] = await rows();
  expect(more).toEqual([]);
  expect(row).toMatchObject({ project: 'my repo', title: 'Spender', model: 'gpt-5.5', requests: 2, inputTokens: 200_000, unpriced: 0 });
  expect(row!.cost).toBeCloseTo(2 * each);
  const { today } = await rig.call('usage/read', {});
  expect(row!.day).toBe(today);
  await rig.call('task/delete', { taskId: id });
  await rig.call('task/purge', { taskId: id });
  expect(await rows()).toEqual([{ ...row, title: null }]);
  await rig.core.dispose();
  await rig.open();
  expect(await rows()).toEqual([{ ...row, title: null }]);
});

test('money is by the price of the moment: a price told later counts from then on, and what had none is kept apart', async () => {
  rig = await Rig.start(() => [say('ok'), usage({ input: 1000, cached: 0, output: 1000, reasoning: 0 })]);
  const { id } = await rig.create('First', { model: 'unheard-of' });
  await rig.reaches(id, 'review');
  expect(rig.task(id).usage.cost).toBeNull();
  await rig.call('model/save', { entry: { model: 'unheard-of', provider: 'main', edited: { price: { input: 1, cached: 1, output: 2 } } } });
  await rig.call('turn/start', { threadId: rig.thread(id).id, text: 'Again' });
  await rig.until(() => rig.thread(id).turn?.number === 2 && rig.status(id) === 'review', 'the second turn is over');
  await rig.call('turn/start', { threadId: rig.thread(id).id, text: 'With another', model: 'gpt-5-mini' });
  await rig.until(() => rig.thread(id).turn?.number === 3 && rig.status(id) === 'review', 'the third turn is over');
  const all = await rows();
  expect(all.map(({ model, requests, unpriced }) => [model, requests, unpriced])).toEqual([
    ['gpt-5-mini', 1, 0],
    ['unheard-of', 2, 2000],
  ]);
  expect(all[1]!.cost).toBeCloseTo(0.003);
});

test('what was spent before there were accounts is counted from the events, as far as the tasks are there', async () => {
  rig = await Rig.start(() => [say('ok'), some]);
  const { id } = await rig.create('Old');
  await rig.reaches(id, 'review');
  const before = await rows();
  await rig.core.dispose();
  const db = new DatabaseSync(join(rig.home, 'signalbox.db'));
  const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number };
  expect(version).toBeGreaterThan(3);
  db.exec('DROP TABLE spend');
  const { spend } = await import('../../agent-core/storage/schema.ts');
  db.exec(spend);
  db.close();
  await rig.open();
  expect(await rows()).toEqual(before);
});
