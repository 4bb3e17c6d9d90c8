import { afterEach, expect, test } from 'vitest';
import type { ItemOf, TaskId } from '../../agent-core/contract/index.ts';
import { toolWords } from '../../renderer/features/conversation/tool-words.ts';
import { Rig } from '../runtime/support.ts';
import { say, search, status } from '../model-server/index.ts';

let rig: Rig;
afterEach(() => rig.close());

const offered = (n: number) => rig.model.requests[n]!.body.tools!.some(({ type }) => type === 'web_search');
const again = async (id: TaskId, text: string) => {
  const number = rig.thread(id).turn!.number + 1;
  await rig.call('turn/start', { threadId: rig.thread(id).id, text });
  await rig.until(() => rig.thread(id).turn?.number === number && rig.status(id) === 'review', `turn ${number} is over`);
};

test('it is off until the project or the task allows it; the task has the last word', async () => {
  rig = await Rig.start(() => [say('ok')]);
  const { id } = await rig.create('Look it up');
  await rig.reaches(id, 'review');
  expect(offered(0)).toBe(false);
  await rig.call('project/search', { projectId: rig.project.id, allow: true });
  await again(id, 'Now');
  expect(offered(1)).toBe(true);
  expect(rig.model.requests[1]!.body.include).toContain('web_search_call.action.sources');
  await rig.call('task/search', { taskId: id, allow: false });
  await again(id, 'Not any more');
  expect(offered(2)).toBe(false);
  expect(rig.model.requests[2]!.body.include).toEqual(['reasoning.encrypted_content']);
  expect(rig.model.refused).toEqual([]);
});

test('a search stands in the conversation with its sources, before what was said after it, and goes back to the API', async () => {
  rig = await Rig.start((_request, n) =>
    n === 1 ? [search('sqlite wal2', ['https://sqlite.org/wal.html', 'https://sqlite.org/a']), say('Found.')] : [say('ok')],
  );
  await rig.call('project/search', { projectId: rig.project.id, allow: true });
  const { id } = await rig.create('Look it up');
  await rig.reaches(id, 'review');
  const { items } = await rig.call('thread/read', { threadId: rig.thread(id).id });
  const shown = items.filter(({ type }) => type !== 'userMessage');
  expect(shown.map(({ type }) => type)).toEqual(['toolCall', 'agentMessage']);
  const call = shown[0] as ItemOf<'toolCall'>;
  expect(call).toMatchObject({ name: 'web_search', status: 'completed', output: 'https://sqlite.org/wal.html\nhttps://sqlite.org/a' });
  expect(toolWords(call)).toMatchObject({ verb: 'Searched the web', subject: 'sqlite wal2', result: '2 sources' });
  await again(id, 'More');
  expect(rig.model.requests[1]!.body.input.some(({ type }) => type === 'web_search_call')).toBe(true);
  expect(rig.model.refused).toEqual([]);
});

test('a provider that has no search is asked without it', async () => {
  const message = "Hosted tool 'web_search' is not supported with this model.";
  rig = await Rig.start((request) =>
    request.tools?.some(({ type }) => type === 'web_search')
      ? [status(400, { body: { error: { message, type: 'invalid_request_error', param: 'tools', code: null } } })]
      : [say('Without.')],
  );
  await rig.call('project/search', { projectId: rig.project.id, allow: true });
  const { id } = await rig.create('Look it up');
  await rig.reaches(id, 'review');
  expect(rig.model.requests.map((_request, n) => offered(n))).toEqual([true, false]);
});
