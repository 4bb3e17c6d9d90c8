import { afterEach, expect, test } from 'vitest';
import { createCore } from '../../agent-core/core.ts';
import { say, startModelServer } from '../model-server/index.ts';
import { Rig } from './support.ts';

let rig: Rig;
afterEach(() => rig.close());

/** A core whose model server has chat completions only, in this environment. */
async function start(env: (server: { url: string }) => Record<string, string>): Promise<void> {
  rig = new Rig();
  rig.model = await startModelServer(() => [say('Hello over chat.')], { wires: ['chat'] });
  rig.core = await createCore({
    home: rig.home,
    host: 'test',
    openOn: null,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env(rig.model) },
  });
  rig.core.onEvents((events) => rig.events.push(...events));
  rig.project = await rig.call('project/open', { path: rig.repo });
}

test('the API is chosen in Settings; a wrong choice is told with the name of the setting', async () => {
  await start(() => ({}));
  await rig.call('settings/write', { change: { baseUrl: rig.model.url, model: 'small' }, key: 'k' });
  expect(rig.board.settings.wire).toBe('responses');
  const task = await rig.create('Say hello');
  await rig.reaches(task.id, 'failed');
  expect(rig.thread(task.id).turn?.error).toMatchObject({ code: 'model-unreachable', fix: expect.stringContaining('“API”') as string });
  await expect(rig.call('model/test', {})).rejects.toMatchObject({ detail: { fix: expect.stringContaining('“API”') as string } });
  expect(await rig.call('model/test', { wire: 'chat' })).toMatchObject({ model: 'small' });
  expect(await rig.call('settings/write', { change: { wire: 'chat' } })).toMatchObject({ wire: 'chat', baseUrl: rig.model.url });
  await rig.call('task/retry', { taskId: task.id });
  await rig.reaches(task.id, 'review');
  expect(rig.model.requests.at(-1)!.chat!.messages.at(-1)!.content).toContain('Say hello');
  expect(await rig.call('settings/write', { change: { theme: 'dark' } })).toMatchObject({ wire: 'chat', theme: 'dark' });
});

test('the environment names the API of its own address, and a task that brings its address names its own', async () => {
  const own = { SIGNALBOX_WIRE: 'chat', SIGNALBOX_MODEL: 'small' };
  await start(({ url }) => ({ ...own, OPENAI_BASE_URL: url }));
  for (const wire of [undefined, 'responses'] as const) expect(await rig.call('model/test', { wire })).toMatchObject({ model: 'small' });
  const task = await rig.create('Say hello', { endpoint: { baseUrl: rig.model.url, key: 'k', wire: 'responses' } });
  await rig.reaches(task.id, 'failed');
});
