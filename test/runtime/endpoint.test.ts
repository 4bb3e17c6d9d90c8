import { afterEach, expect, test } from 'vitest';
import { createCore } from '../../agent-core/core.ts';
import { say, startModelServer, type ModelServer } from '../model-server/index.ts';
import { Rig } from './support.ts';

let rig: Rig;
let other: ModelServer;
afterEach(async () => {
  await rig.close();
  await other.close();
});

/** An app set up for one server, and a command that brings the address of another. */
async function attach(): Promise<void> {
  rig = new Rig();
  rig.model = await startModelServer(() => [say('The app’s.')]);
  other = await startModelServer(() => [say('The command’s.')]);
  rig.core = await createCore({
    home: rig.home,
    host: 'test',
    openOn: null,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'] },
  });
  rig.core.onEvents((events) => rig.events.push(...events));
  rig.project = await rig.call('project/open', { path: rig.repo });
}

test('the address of a command wins for its task over the app’s settings: model, API and key stay with their own address', async () => {
  await attach();
  await rig.call('settings/write', { change: { baseUrl: rig.model.url, model: 'demo', wire: 'chat' }, key: 'sk-the-persons' });
  const task = await rig.create('Say hello', { origin: 'exec', endpoint: { baseUrl: other.url, key: '' } });
  await rig.reaches(task.id, 'review');
  expect(task.model).not.toBe('demo');
  expect(rig.model.requests).toEqual([]);
  expect(other.requests).toHaveLength(1);
  expect(JSON.stringify(other.requests[0]!.headers)).not.toContain('sk-the-persons');
});

test('a command that names the app’s own address goes by the app’s key', async () => {
  await attach();
  await rig.call('settings/write', { change: { baseUrl: rig.model.url, model: 'small' }, key: 'sk-the-persons' });
  const task = await rig.create('Say hello', { origin: 'exec', endpoint: { baseUrl: rig.model.url, key: '' } });
  await rig.reaches(task.id, 'review');
  expect(rig.model.requests[0]!.headers.authorization).toBe('Bearer sk-the-persons');
});
