import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { providersOf, type Provider, type TaskId } from '../../agent-core/contract/index.ts';
import { Rig } from '../runtime/support.ts';
import { say, startModelServer, type ModelServer, type ModelServerOptions } from '../model-server/index.ts';

let rig: Rig;
const servers: ModelServer[] = [];
afterEach(async () => {
  await rig.close();
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function serve(words: string, options: ModelServerOptions): Promise<ModelServer> {
  const server = await startModelServer(() => [say(words)], options);
  servers.push(server);
  return server;
}
const ollama = (url: string): Provider => ({ id: 'home', kind: 'ollama', name: 'At home', baseUrl: url, wire: 'chat' });

test('several providers work at once, each with its own key and API; a saved one has a model on the list at once', async () => {
  rig = await Rig.start(() => [say('from the main one')]);
  const second = await serve('from home', { key: 'sk-home', wires: ['chat'], models: ['nomic-embed-text', 'qwen3-coder:30b'] });
  const saved = await rig.call('provider/save', { provider: ollama(second.url), key: 'sk-home' });
  expect(saved.keys).toEqual({ main: 'environment', home: 'settings' });
  expect(saved.models.map(({ id }) => id)).toEqual(['gpt-5.5', 'qwen3-coder:30b@home', 'demo']);
  const there = await rig.create('Work at home', { model: 'qwen3-coder:30b@home' });
  const here = await rig.create('Work with the main one');
  await Promise.all([rig.reaches(there.id, 'review'), rig.reaches(here.id, 'review')]);
  expect(second.requests.map(({ body, headers }) => [body.model, headers.authorization])).toEqual([['qwen3-coder:30b', 'Bearer sk-home']]);
  expect(rig.model.requests.map(({ body, headers }) => [body.model, headers.authorization])).toEqual([['gpt-5.5', 'Bearer sk-test']]);
  expect(await rig.call('model/test', { provider: 'home' })).toMatchObject({ model: 'qwen3-coder:30b' });
  expect((await rig.call('provider/offers', { provider: 'home' })).models.map(({ model }) => model)).toEqual([
    'nomic-embed-text',
    'qwen3-coder:30b',
  ]);
  // Keys stand in the key store alone.
  expect(readFileSync(join(rig.home, 'secrets.json'), 'utf8')).toContain('sk-home');
  expect(JSON.stringify(rig.board)).not.toContain('sk-home');
  await expect(rig.call('provider/remove', { provider: 'home' })).rejects.toMatchObject({ detail: { code: 'conflict' } });
  await rig.call('task/archive', { taskId: there.id });
  const left = await rig.call('provider/remove', { provider: 'home' });
  expect(left.models.map(({ id }) => id)).toEqual(['gpt-5.5', 'demo']);
  expect(readFileSync(join(rig.home, 'secrets.json'), { encoding: 'utf8', flag: 'a+' })).not.toContain('sk-home');
  expect([...rig.model.refused, ...second.refused]).toEqual([]);
});

test('what was set up is there again after a restart, the main key among others too', async () => {
  rig = await Rig.start(() => [say('ok')]);
  const second = await serve('ok', { models: ['m'] });
  await rig.call('settings/write', { change: {}, key: 'sk-main' });
  await rig.call('provider/save', { provider: ollama(second.url), key: 'sk-home' });
  await rig.core.dispose();
  await rig.open();
  const { settings } = rig.board;
  expect(settings.keys).toEqual({ main: 'settings', home: 'settings' });
  expect(providersOf(settings).map(({ name }) => name)).toEqual(['Another server', 'At home']);
  await rig.call('model/test', {});
  expect(rig.model.requests.at(-1)!.headers.authorization).toBe('Bearer sk-main');
});

test('Azure gets its api-version and its own header for the key, on both wires', async () => {
  rig = await Rig.start(() => [say('ok')]);
  const azure = await serve('ok', { key: 'az' });
  const provider: Provider = { id: 'az', kind: 'azure', name: 'Azure', baseUrl: azure.url, wire: 'responses', apiVersion: '2026-01-01' };
  for (const wire of ['responses', 'chat'] as const) {
    await rig.call('provider/save', { provider: { ...provider, wire }, key: 'az' });
    await rig.call('model/test', { provider: 'az', model: 'my-deployment' });
  }
  expect(azure.requests.map(({ url }) => url)).toEqual([
    '/v1/responses?api-version=2026-01-01',
    '/v1/chat/completions?api-version=2026-01-01',
  ]);
  for (const { headers } of azure.requests) expect([headers['api-key'], headers.authorization]).toEqual(['az', undefined]);
});

test('effort is the task’s, a turn’s own model and effort hold for that turn alone, and a level a model lacks is left out', async () => {
  rig = await Rig.start(() => [say('ok')]);
  await rig.call('model/save', { entry: { model: 'plain', provider: 'main', edited: { efforts: [] } } });
  const { id } = await rig.create('Think', { effort: 'high' });
  const turn = async (text: string, on: { model?: string; effort?: 'low' }): Promise<void> => {
    const number = rig.thread(id as TaskId).turn!.number + 1;
    await rig.call('turn/start', { threadId: rig.thread(id).id, text, ...on });
    await rig.until(() => rig.thread(id).turn?.number === number && rig.status(id) === 'review', `turn ${number} is over`);
  };
  await rig.reaches(id, 'review');
  await turn('Once with another', { model: 'gpt-5.1', effort: 'low' });
  await turn('And again as before', {});
  await turn('With one that does not reason', { model: 'plain' });
  expect(rig.model.requests.map(({ body }) => [body.model, body.reasoning?.['effort']])).toEqual([
    ['gpt-5.5', 'high'],
    ['gpt-5.1', 'low'],
    ['gpt-5.5', 'high'],
    ['plain', undefined],
  ]);
  const { turns } = await rig.call('thread/read', { threadId: rig.thread(id).id });
  expect(turns.map(({ model, effort }) => [model, effort])).toEqual([
    ['gpt-5.5', 'high'],
    ['gpt-5.1', 'low'],
    ['gpt-5.5', 'high'],
    ['plain', 'high'],
  ]);
  expect(rig.model.refused).toEqual([]);
});

test('what a person corrects wins over what the provider and the name tell', async () => {
  rig = await Rig.start(() => [say('ok')]);
  const named = (ref: string) => rig.board.settings.models.find(({ id }) => id === ref)!.facts;
  expect(named('gpt-5.5')).toMatchObject({ contextWindow: 272_000, patchTool: 'freeform', images: true, price: { input: 5, output: 30 } });
  await rig.call('model/save', {
    entry: {
      model: 'gpt-5.5',
      provider: 'main',
      found: { contextWindow: 400_000, images: true },
      edited: { contextWindow: 64_000, patchTool: 'function' },
    },
  });
  expect(named('gpt-5.5')).toMatchObject({ contextWindow: 64_000, patchTool: 'function', images: true });
  const task = await rig.create('Patch');
  await rig.reaches(task.id, 'review');
  expect(rig.model.requests[0]!.body.tools!.find(({ name }) => name === 'apply_patch')!.type).toBe('function');
});
