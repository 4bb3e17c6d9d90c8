import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { toolName } from '../../agent-core/mcp/tools.ts';
import { onEnd, rig, until } from '../harness/support/rig.ts';
import { call, say } from '../model-server/index.ts';
import { aServer, odd, published, world } from './rig.ts';

/** A turn in which the model calls these tools one after the other; what each of them answered. */
async function turn(w: Awaited<ReturnType<typeof world>>, calls: [name: string, args?: object][], options: Parameters<typeof rig>[1] = {}) {
  const { tools: serverTools, missing } = await w.toolsFor();
  const script = [...calls.map(([name, args = {}]) => [call(name, args)]), [say('done')]];
  const r = await rig(script, { machine: w.machine, ...options, input: { serverTools, ...options.input } });
  const outcome = await r.turn('go');
  const outputs = r.history.flatMap((item) => (item.type === 'function_call_output' ? [item.output] : []));
  return { ...r, outcome, outputs, missing, offered: serverTools.map(({ name }) => name) };
}

test('public servers from npm: tools, pictures, resources, each in a sandbox of its own', async () => {
  const w = await world([
    aServer('everything', published('server-everything')),
    aServer('memory', { ...published('server-memory'), env: { MEMORY_FILE_PATH: '/tmp/memory.json' } }),
    aServer('nothing', published('server-everything'), { enabled: false }),
  ]);
  const { outputs, offered, outcome, missing, items } = await turn(
    w,
    [
      ['mcp__everything__echo', { message: 'hello' }],
      ['mcp__everything__get-tiny-image'],
      ['mcp__memory__create_entities', { entities: [{ name: 'Ada', entityType: 'person', observations: ['writes'] }] }],
      ['mcp__memory__search_nodes', { query: 'Ada' }],
      ['list_mcp_resources', { server: 'everything' }],
      ['read_mcp_resource', { server: 'everything', uri: 'demo://resource/static/document/architecture.md' }],
      ['read_mcp_resource', { server: 'nobody', uri: 'x' }],
    ],
    { host: { approve: async () => ({ decision: 'approved', scope: 'once', note: '' }) } },
  );
  expect(missing).toEqual([]);
  expect(outcome).toEqual({ status: 'completed', message: 'done' });
  expect(offered).toEqual(offered.toSorted((a, b) => Number(!a.startsWith('mcp__')) - Number(!b.startsWith('mcp__')) || 0));
  expect(offered.filter((name) => name.startsWith('mcp__nothing'))).toEqual([]);
  expect(outputs[0]).toContain('hello');
  expect(outputs[1]).toContainEqual(
    expect.objectContaining({ type: 'input_image', image_url: expect.stringMatching(/^data:image\/png;base64,/) as string }),
  );
  expect(outputs[3]).toContain('writes');
  expect(outputs[4]).toContain('demo://');
  expect(outputs[5]).toContain('#');
  expect(outputs[6]).toContain('there is no server “nobody”');
  expect(items('toolCall').map(({ name, status }) => [name, status])).toEqual([
    ['mcp__everything__echo', 'completed'],
    ['mcp__everything__get-tiny-image', 'completed'],
    ['mcp__memory__create_entities', 'completed'],
    ['mcp__memory__search_nodes', 'completed'],
    ['list_mcp_resources', 'completed'],
    ['read_mcp_resource', 'completed'],
    ['read_mcp_resource', 'failed'],
  ]);
});

test('a server sees the worktree only as far as the person said', async () => {
  for (const worktree of ['none', 'read', 'write'] as const) {
    const w = await world([]);
    const server = aServer('files', { ...published('server-filesystem', w.worktree), worktree }, { tools: { write_file: 'allow' } });
    const { mcp } = w;
    const tools = await mcpWith(mcp, server, w);
    if (worktree === 'none') {
      expect(tools.missing.join()).toContain('did not start');
      continue;
    }
    const r = await rig(
      [
        [call('mcp__files__read_text_file', { path: join(w.worktree, 'a.txt') })],
        [call('mcp__files__write_file', { path: join(w.worktree, 'b.txt'), content: 'two' })],
        [call('mcp__files__read_text_file', { path: '/etc/hostname' })],
        [say('done')],
      ],
      { machine: w.machine, input: { serverTools: tools.tools } },
    );
    await r.turn('go');
    const outputs = r.history.flatMap((item) => (item.type === 'function_call_output' ? [String(item.output)] : []));
    expect(outputs[0]).toContain('one');
    expect(readdirSync(w.worktree).includes('b.txt')).toBe(worktree === 'write');
    expect(outputs[2]).toMatch(/outside|denied/i);
  }
});

async function mcpWith(
  mcp: Awaited<ReturnType<typeof world>>['mcp'],
  server: ReturnType<typeof aServer>,
  w: Awaited<ReturnType<typeof world>>,
) {
  w.servers.push(server);
  return mcp.toolsFor({ projectId: 'proj_x', spec: w.machine.spec, signal: new AbortController().signal });
}

test('its secret reaches the server, and nothing of it the task’s commands, the model or the settings', async () => {
  const server = aServer('odd', odd('misbehaves.mjs', 'fine'), { secrets: ['MY_TOKEN'], tools: { 'do it/now!': 'allow' } });
  const w = await world([server]);
  await w.mcp.keep(server, undefined, { MY_TOKEN: 'hunter2-token' });
  const name = toolName('odd', 'do it/now!');
  const seen = await turn(w, [[name], ['exec_command', { cmd: 'cat /proc/*/environ | tr "\\0" "\\n"; ls -R ~ /tmp | head -50; ps aux' }]]);
  expect(seen.outputs[0]).toContain('hunter2-token');
  expect(seen.outputs[1]).not.toContain('hunter2');
  expect(seen.outputs[1]).not.toContain('misbehaves');
  expect(JSON.stringify(w.told)).not.toContain('hunter2');
  expect(JSON.stringify(server)).not.toContain('hunter2');
  await w.mcp.forget(server);
  expect([...w.kept]).toEqual([]);
});

test.each([
  ['auto', 'on-request', 'look', 'runs'],
  ['auto', 'on-request', 'do it/now!', 'asks'],
  ['auto', 'never', 'do it/now!', 'declines'],
  ['allow', 'never', 'do it/now!', 'runs'],
  ['ask', 'on-request', 'look', 'asks'],
  ['auto', 'untrusted', 'look', 'asks'],
  ['off', 'on-request', 'look', 'unknown'],
] as const)('a tool that is “%s” under the policy %s: %s %s', async (choice, approval, tool, what) => {
  const w = await world([aServer('odd', odd('misbehaves.mjs', 'fine'), { tools: { [tool]: choice } })]);
  const name = toolName('odd', tool);
  const seen = await turn(w, [[name]], { input: { approval } });
  expect(seen.asked.length).toBe(what === 'asks' ? 1 : 0);
  if (what === 'asks') expect(seen.asked[0]).toMatchObject({ kind: 'mcp', subject: `odd: ${tool} {}`, prefix: [name] });
  const expected = { runs: /secret is none/, asks: /rejected by user/, declines: /nobody is there to ask/, unknown: /unsupported call/ };
  expect(seen.outputs[0]).toMatch(expected[what]);
});

test('a saved rule answers for the person, and a turn that only reads calls only what reads', async () => {
  const w = await world([aServer('odd', odd('misbehaves.mjs', 'fine'))]);
  const name = toolName('odd', 'do it/now!');
  const ruled = await turn(w, [[name]], { host: { toolAllowed: (asked) => asked === name } });
  expect(ruled.outputs[0]).toContain('secret is none');
  const reading = await turn(w, [[name], [toolName('odd', 'look')]], { input: { mode: 'read-only' } });
  expect(reading.outputs[0]).toContain('only reads');
  expect(reading.outputs[1]).toContain('secret is none');
});

test('names that APIs don’t take are made to fit, and none takes the place of a tool of ours', async () => {
  const w = await world([aServer('odd', odd('misbehaves.mjs', 'fine'))]);
  const { offered, server } = await turn(w, []);
  expect(offered.every((name) => /^[A-Za-z0-9_-]{1,64}$/.test(name))).toBe(true);
  expect(new Set(offered).size).toBe(4);
  expect(offered).toContain('mcp__odd__exec_command');
  expect(server.requests.length).toBe(1);
});

test.each([
  ['garbage', 'runs'],
  ['huge', 'truncated output'],
  ['wrong', 'failed'],
  ['slow', 'timed out'],
  ['quits', 'failed'],
])('a server that is %s: the turn goes on', async (how, what) => {
  const w = await world([aServer('odd', odd('misbehaves.mjs', how), { callSeconds: 1 })]);
  const seen = await turn(w, [[toolName('odd', 'look')]]);
  expect(seen.outcome.status).toBe('completed');
  const text = String(seen.outputs[0]);
  if (what === 'runs') expect(text).toContain('secret is none');
  else expect(text).toMatch(new RegExp(what, 'i'));
  expect(text.length).toBeLessThan(45_000);
});

test.each([
  ['hangs', 'did not start: Request timed out', ''],
  ['endless', 'did not start: Request timed out', ''],
  ['dies', 'did not start', 'no token in MY_TOKEN'],
])('a server that %s at its start is left out, with the reason', async (how, why, output) => {
  const w = await world([aServer('odd', odd('misbehaves.mjs', how), { startSeconds: 2 })]);
  const { tools, missing } = await w.toolsFor();
  expect(tools).toEqual([]);
  expect(missing.join()).toContain(why);
  expect(w.told.at(-1)).toMatchObject({ state: 'failed' });
  expect(w.told.at(-1)!.error?.output ?? '').toContain(output);
});

test('one that ended is started again by the next turn; closing the workspace ends it', async () => {
  const server = aServer('odd', odd('misbehaves.mjs', 'quits'));
  const w = await world([server]);
  await turn(w, [[toolName('odd', 'look')]]);
  const again = await w.toolsFor();
  expect(again.tools.length).toBe(4);
  expect(w.told.filter(({ state }) => state === 'ready').length).toBe(2);
  const mine = () => execFileSync('sh', ['-c', 'pgrep -f "[m]isbehaves.mjs quits" || true'], { encoding: 'utf8' }).trim();
  expect(mine()).not.toBe('');
  await w.mcp.close(w.machine.spec.id);
  await until(() => mine() === '');
});

test('stopping a turn stops a call that hangs', async () => {
  const w = await world([aServer('odd', odd('misbehaves.mjs', 'slow'))]);
  const { tools: serverTools } = await w.toolsFor();
  const stop = new AbortController();
  const r = await rig([[call(toolName('odd', 'look'), {})], [say('done')]], {
    machine: w.machine,
    input: { serverTools, signal: stop.signal },
  });
  const done = r.turn('go');
  await until(() => r.items('toolCall').length === 1);
  stop.abort(new Error('stop'));
  expect((await done).status).toBe('interrupted');
});

test('a trial tells what a server offers and leaves nothing running', async () => {
  const server = aServer('odd', odd('misbehaves.mjs', 'fine'));
  const w = await world([server]);
  expect(await w.mcp.test(server)).toMatchObject({ state: 'ready', title: 'odd 1', error: null });
  const health = await w.mcp.test(aServer('none', { ...odd('misbehaves.mjs'), command: 'no-such-program' }));
  expect(health).toMatchObject({ state: 'failed' });
  expect(`${health.error?.message} ${health.error?.output}`).toContain('no-such-program');
  onEnd(async () => {});
  expect(readFileSync(join(w.worktree, 'a.txt'), 'utf8')).toBe('one\n');
});

test('a server that never ends its list, scolds at length, or gives a pattern that takes for ever keeps nobody busy', async () => {
  const pages = await world([aServer('odd', odd('misbehaves.mjs', 'pages'))]);
  expect((await pages.toolsFor()).tools).toEqual([]);
  const pattern = await turn(await world([aServer('odd', odd('misbehaves.mjs', 'pattern'))]), [['mcp__odd__look']]);
  expect(pattern.offered).toEqual(['mcp__odd__look']);
  expect(pattern.outputs[0]).toContain('aaa!');
  const scolds = await turn(await world([aServer('odd', odd('misbehaves.mjs', 'scolds'))]), [['mcp__odd__look']]);
  expect(scolds.outputs[0]).toContain('failed: www');
  expect(scolds.outputs[0]!.length).toBeLessThan(5000);
});
