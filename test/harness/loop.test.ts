import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { call, customCall, lastOutput, outputOf, reasoning, say, textOf, usage } from '../model-server/index.ts';
import { rig, runs, until } from './support/rig.ts';

test('a turn talks, runs a command, changes a file, plans and ends', async () => {
  const t = await rig([
    [reasoning('Looking first.'), say('I will look.'), call('exec_command', { cmd: 'cat a.txt; exit 3' })],
    [
      call('update_plan', {
        plan: [
          { step: 'look', status: 'completed' },
          { step: 'change', status: 'in_progress' },
        ],
      }),
      customCall('apply_patch', '*** Begin Patch\n*** Update File: a.txt\n-one\n+two\n*** End Patch\n'),
    ],
    [say('Changed a.txt.'), usage({ input: 100, cached: 80, output: 7 })],
  ]);
  await writeFile(join(t.worktree, 'a.txt'), 'one\n');
  expect(await t.turn('Change one to two')).toEqual({ status: 'completed', message: 'Changed a.txt.' });
  expect(await readFile(join(t.worktree, 'a.txt'), 'utf8')).toBe('two\n');
  expect(t.server.refused).toEqual([]);

  const first = t.server.requests[0]!.body;
  expect(first).toMatchObject({
    model: 'gpt-5.5',
    stream: true,
    store: false,
    include: ['reasoning.encrypted_content'],
    prompt_cache_key: t.threadId,
    parallel_tool_calls: true,
    tool_choice: 'auto',
  });
  expect(first.input.map((item) => item.role)).toEqual(['developer', 'developer', 'user', 'user']);
  expect(textOf(first.input[3]!)).toBe('Change one to two');
  expect(first.tools?.map((tool) => `${tool.type} ${tool.name}`)).toEqual([
    'function exec_command',
    'function write_stdin',
    'custom apply_patch',
    'function update_plan',
    'function view_image',
    'function request_user_input',
  ]);
  expect(lastOutput(t.server.requests[1]!.body)).toMatch(
    /^Chunk ID: [0-9a-f]{6}\nWall time: \d+\.\d{4} seconds\nProcess exited with code 3\nOriginal token count: 1\nOutput:\none\n$/,
  );
  expect(lastOutput(t.server.requests[2]!.body)).toMatch(
    /^Exit code: 0\nWall time: \d+\.\d seconds\nOutput:\nSuccess\. Updated the following files:\nM a\.txt\n$/,
  );

  expect(t.log.map(({ kind, item }) => `${item.type} ${kind}`)).toEqual([
    'reasoning started',
    'agentMessage started',
    'reasoning completed',
    'agentMessage completed',
    'command started',
    'command completed',
    'plan started',
    'plan completed',
    'fileChange started',
    'fileChange completed',
    'agentMessage started',
    'agentMessage completed',
  ]);
  expect(t.items('command')).toMatchObject([
    { command: 'cat a.txt; exit 3', status: 'failed', exitCode: 3, output: 'one\n', outputBytes: 4, outside: false },
  ]);
  expect(t.items('fileChange')).toMatchObject([
    { status: 'completed', changes: [{ path: 'a.txt', kind: 'update', added: 1, removed: 1 }] },
  ]);
  expect(t.items('plan')[0]!.steps).toHaveLength(2);
  expect(t.deltas.get(t.items('agentMessage')[0]!.id)).toBe('I will look.');
  expect(t.spent).toHaveLength(3);
  expect(t.spent[2]).toMatchObject({ inputTokens: 100, cachedTokens: 80, outputTokens: 7 });
});

test('each request begins with the very bytes of the one before, across steps and turns', async () => {
  const steps = Array.from({ length: 6 }, (_, i) => [call('exec_command', { cmd: `echo ${i}` })]);
  const t = await rig([...steps, [say('first')], [call('exec_command', { cmd: 'echo again' })], [say('second')]]);
  await t.turn('One');
  await t.turn('Two');
  const bodies = t.server.requests.map(({ body }) => body);
  for (const [at, body] of bodies.entries()) {
    if (at === 0) continue;
    const before = bodies[at - 1]!;
    const { input: previous, ...fixed } = before;
    const { input, ...same } = body;
    expect(JSON.stringify(same)).toBe(JSON.stringify(fixed));
    expect(JSON.stringify(input).startsWith(JSON.stringify(previous).slice(0, -1))).toBe(true);
  }
  // What the host stored is what was sent.
  const last = bodies.at(-1)!.input;
  expect(t.history.slice(0, last.length)).toMatchObject(last);
});

test('calls that allow it run at once, a patch between them runs alone, and outputs come in the order of the calls', async () => {
  const t = await rig([
    [
      call('exec_command', { cmd: 'until [ -e b ]; do sleep 0.01; done; echo saw-b' }),
      call('exec_command', { cmd: 'touch b; echo made-b' }),
      customCall('apply_patch', '*** Begin Patch\n*** Add File: c\n+c\n*** End Patch\n'),
      call('exec_command', { cmd: 'cat c' }),
    ],
  ]);
  await t.turn('go');
  const outputs = t.server.requests[1]!.body.input.filter((item) => item.type?.endsWith('_output')).map(
    (item) => String(item.output).split('Output:\n')[1],
  );
  expect(outputs).toEqual(['saw-b\n', 'made-b\n', 'Success. Updated the following files:\nA c\n', 'c\n']);
});

test('what the model does wrong is told to it, and the turn goes on', async () => {
  const t = await rig([
    [
      call('exec_command', '{"cmd": "echo one'),
      call('fly', { to: 'the moon' }),
      call('exec_command', { command: 'ls' }),
      call('write_stdin', { session_id: 12 }),
      call('exec_command', { cmd: 'ls', workdir: '../..' }),
    ],
    [say('Sorry.')],
  ]);
  expect(await t.turn('go')).toEqual({ status: 'completed', message: 'Sorry.' });
  const outputs = t.server.requests[1]!.body.input.filter((item) => item.type === 'function_call_output').map((item) => item.output);
  expect(outputs[0]).toMatch(/^failed to parse arguments of exec_command: they are not valid JSON/);
  expect(outputs[1]).toBe('unsupported call: fly');
  expect(outputs[2]).toMatch(/^failed to parse arguments of exec_command: cmd:/);
  expect(outputs[3]).toBe('write_stdin failed: Unknown process id 12');
  expect(outputs[4]).toMatch(/outside the worktree/);
});

test('call ids that are missing or taken are replaced, so that each call has its own output', async () => {
  const t = await rig([
    [call('exec_command', { cmd: 'echo 1' }, 'call_x'), call('exec_command', { cmd: 'echo 2' }, 'call_x')],
    [call('exec_command', { cmd: 'echo 3' }, 'call_x')],
    [say('ok')],
  ]);
  await t.turn('go');
  const { input } = t.server.requests[2]!.body;
  const ids = input.filter((item) => item.type === 'function_call').map((item) => item.call_id!);
  expect(new Set(ids).size).toBe(3);
  expect(ids.map((id) => outputOf(t.server.requests[2]!.body, id)?.split('Output:\n')[1])).toEqual(['1\n', '2\n', '3\n']);
  expect(t.server.refused).toEqual([]);
});

test('steering joins at the next step, also when it comes with the last word', async () => {
  const t = await rig(() => {
    const { length } = t.server.requests;
    if (length === 1) t.steering.push('also b');
    if (length === 2) t.steering.push('and c');
    return length === 1 ? [call('exec_command', { cmd: 'true' })] : [say(`reply ${length}`)];
  });
  expect(await t.turn('do a')).toEqual({ status: 'completed', message: 'reply 3' });
  expect(textOf(t.server.requests[1]!.body.input.at(-1)!)).toBe('also b');
  expect(textOf(t.server.requests[2]!.body.input.at(-1)!)).toBe('and c');
});

test('an interrupt ends the command and its children, keeps what was done, and the next turn works', async () => {
  const t = await rig([
    [
      say('Waiting.'),
      call('exec_command', { cmd: 'echo begun; trap "" TERM; (trap "" TERM; sleep 300 & echo $! > child; wait); sleep 300' }),
      call('update_plan', { plan: [] }),
    ],
    [say('Going on.')],
  ]);
  const stop = new AbortController();
  const turn = t.turn('go', { signal: stop.signal });
  const child = Number(await until(() => readFile(join(t.worktree, 'child'), 'utf8').catch(() => '')));
  stop.abort();
  expect(await turn).toEqual({ status: 'interrupted', message: 'Waiting.' });
  expect(await runs(child)).toBe(false);
  expect(t.items('command')).toMatchObject([{ status: 'interrupted', output: 'begun\n' }]);
  expect(await t.turn('go on')).toEqual({ status: 'completed', message: 'Going on.' });
  const { input } = t.server.requests[1]!.body;
  expect(input.filter((item) => item.type?.endsWith('_output')).map((item) => item.output)).toEqual([
    expect.stringMatching(/^aborted by user after .*\nOutput:\nbegun\n$/),
    'aborted by user',
  ]);
  expect(t.server.refused).toEqual([]);
});

test('an interrupt while the model speaks keeps the words', async () => {
  const t = await rig([[say('one two three four five six'), { type: 'stall', after: 7 }], [say('ok')]]);
  const stop = new AbortController();
  const turn = t.turn('go', { signal: stop.signal });
  await until(() => [...t.deltas.values()].join('').includes('two'));
  stop.abort();
  const outcome = await turn;
  expect(outcome.status).toBe('interrupted');
  expect(outcome.message).toMatch(/^one two/);
  expect(t.items('agentMessage')).toMatchObject([{ text: outcome.message }]);
  await t.turn('go on');
  expect(t.server.requests[1]!.body.input.some((item) => item.role === 'assistant' && textOf(item) === outcome.message)).toBe(true);
});

test('a history that a crash cut off between a call and its output is mended', async () => {
  const t = await rig([[say('ok')]]);
  t.history.push(
    { type: 'message', role: 'user', content: 'go' },
    { type: 'function_call', call_id: 'call_1', name: 'exec_command', arguments: '{"cmd":"a"}' },
    { type: 'function_call', call_id: 'call_2', name: 'exec_command', arguments: '{"cmd":"b"}' },
    { type: 'function_call_output', call_id: 'call_2', output: 'b' },
    { type: 'function_call_output', call_id: 'call_9', output: 'of nobody' },
  );
  expect(await t.turn(null)).toMatchObject({ status: 'completed' });
  const calls = t.server.requests[0]!.body.input.filter((item) => item.call_id);
  expect(calls.map((item) => `${item.type} ${item.call_id}`)).toEqual([
    'function_call call_1',
    'function_call call_2',
    'function_call_output call_2',
    'function_call_output call_1',
  ]);
});

test('changed permissions are told once, without touching what was sent before', async () => {
  const t = await rig([[say('a')], [say('b')], [say('c')]]);
  await t.turn('one');
  await t.turn('two', { mode: 'read-only' });
  await t.turn('three', { mode: 'read-only' });
  const told = t.server.requests.map(({ body }) => body.input.filter((item) => textOf(item).startsWith('<permissions>')).length);
  expect(told).toEqual([1, 2, 2]);
});
