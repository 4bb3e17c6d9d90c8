import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { McpServer } from '../../agent-core/contract/index.ts';
import { call, say, type Script, type Step } from '../model-server/index.ts';
import { Rig } from '../runtime/support.ts';
import { aServer, odd } from './rig.ts';

/** What the model says, request by request. */
const rounds =
  (...steps: Step[][]): Script =>
  (_request, n) =>
    steps[n - 1] ?? [say('ok')];

let rig: Rig;
afterEach(() => rig.close());

const fresh = (server: McpServer): Omit<McpServer, 'id'> => {
  const { id: _id, ...rest } = server;
  return rest;
};

test('a server is added once, its tool asks, “for this project” is remembered, and its secret is only in the key store', async () => {
  rig = await Rig.start(rounds([call('mcp__odd__look', {})], [say('ok')], [call('mcp__odd__look', {})], [say('again')]));
  const given = fresh(
    aServer('odd', odd('misbehaves.mjs', 'fine'), { secrets: ['MY_TOKEN'], tools: { look: 'ask' }, projectId: rig.project.id }),
  );
  const server = await rig.call('mcp/save', { server: given, values: { MY_TOKEN: 'hunter2-token' } });
  await expect(rig.call('mcp/save', { server: { ...given, projectId: null } })).rejects.toMatchObject({ detail: { code: 'conflict' } });
  expect(JSON.stringify(rig.board)).not.toContain('hunter2');
  expect(readFileSync(join(rig.home, 'secrets.json'), 'utf8')).toContain('hunter2-token');

  const task = await rig.create('Look');
  await rig.until(() => Object.keys(rig.board.approvals).length === 1, 'an approval');
  const [approval] = Object.values(rig.board.approvals);
  expect(approval).toMatchObject({ kind: 'mcp', prefix: ['mcp__odd__look'] });
  await rig.call('approval/decide', { approvalIds: [approval!.id], decision: 'approve', scope: 'project' });
  await rig.reaches(task.id, 'review');
  const other = await rig.create('Look again');
  await rig.reaches(other.id, 'review');
  const outputs = rig.model.requests.flatMap(({ body }) => JSON.stringify(body.input).match(/secret is [a-z0-9-]+/g) ?? []);
  expect(new Set(outputs)).toEqual(new Set(['secret is hunter2-token']));

  expect((await rig.call('mcp/health', {})).servers).toMatchObject([{ serverId: server.id, state: 'ready' }]);
  await rig.call('mcp/remove', { serverId: server.id });
  expect(rig.board.mcpServers).toEqual({});
  expect(existsSync(join(rig.home, 'secrets.json'))).toBe(false);
});

test('a server that does not start is named in the conversation, and the turn goes on without it', async () => {
  rig = await Rig.start(rounds([say('ok')]));
  await rig.call('mcp/save', { server: fresh(aServer('odd', odd('misbehaves.mjs', 'dies'))) });
  const task = await rig.create('Do it');
  await rig.reaches(task.id, 'review');
  const { items } = await rig.call('thread/read', { threadId: rig.thread(task.id).id });
  expect(items).toContainEqual(
    expect.objectContaining({ type: 'notice', level: 'warn', text: expect.stringContaining('“odd”') as string }),
  );
});

test.each([
  ['a pattern that opens all hosts', { hosts: ['*'] }, 'no host pattern'],
  ['a folder that is none', { read: ['relative'] }, 'absolute'],
])('%s is refused and nothing is saved', async (_what, change, words) => {
  rig = await Rig.start(rounds([say('ok')]));
  const server = fresh(aServer('odd', odd('misbehaves.mjs')));
  const saving = async () => rig.call('mcp/save', { server: { ...server, transport: { ...odd('misbehaves.mjs'), ...change } } });
  await expect(saving()).rejects.toThrow(words);
  expect(rig.board.mcpServers).toEqual({});
});
