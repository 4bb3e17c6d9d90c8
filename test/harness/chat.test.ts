import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { testModel, type ModelConfig } from '../../agent-core/harness/index.ts';
import type { HistoryItem } from '../../agent-core/harness/types.ts';
import { messagesOf } from '../../agent-core/harness/model/chat-items.ts';
import {
  call,
  chatDialect,
  contextOverflow400,
  cutAfter,
  endWithoutTerminal,
  errorEvent,
  garbage,
  incomplete,
  lastOutput,
  reasoning,
  say,
  stall,
  status,
  usage,
  type ChatDialect,
  type Script,
  type Step,
} from '../model-server/index.ts';
import { rig } from './support/rig.ts';

const chatRig = async (script: Script | Step[][], more: Partial<ModelConfig> = {}, server = {}) => {
  const t = await rig(script, { server: { wires: ['chat'], ...server } });
  const model: ModelConfig = { model: 'some-model', baseUrl: t.server.url, key: 'key', wire: 'chat', contextWindow: 100_000, ...more };
  return { ...t, turn: (text: string | null, with_ = {}) => t.turn(text, { model, ...with_ }), model };
};
const patch = '*** Begin Patch\n*** Update File: a.txt\n@@\n-one\n+two\n*** End Patch';
const badParameter = (message: string, param: string | null = null): Step =>
  status(400, { body: { error: { message, type: 'invalid_request_error', param, code: 'unsupported_parameter' } } });

describe('chat completions', () => {
  test('commands, a patch by function call, a streamed answer and the count of tokens', async () => {
    const t = await chatRig([
      [say('I look first.'), call('exec_command', { cmd: 'cat a.txt' }), call('exec_command', { cmd: 'echo second' })],
      [call('apply_patch', { input: patch })],
      [say('All done, in a few words.'), usage({ input: 1200, cached: 1000, output: 40, reasoning: 7 })],
    ]);
    await writeFile(join(t.worktree, 'a.txt'), 'one\n');
    expect(await t.turn('Change one to two')).toEqual({ status: 'completed', message: 'All done, in a few words.' });
    expect(await readFile(join(t.worktree, 'a.txt'), 'utf8')).toBe('two\n');
    expect(t.spent.at(-1)).toEqual({ inputTokens: 1200, cachedTokens: 1000, outputTokens: 40, reasoningTokens: 7, cost: null });
    expect([...t.deltas.values()]).toContain('All done, in a few words.');
    expect(t.items('agentMessage').map(({ text }) => text)).toEqual(['I look first.', 'All done, in a few words.']);
    const [first, second, third] = t.server.requests.map(({ chat }) => chat!);
    expect(first!.tools!.map((tool) => tool.function.name)).toContain('apply_patch');
    expect(first!.messages.map(({ role }) => role)).toEqual(['system', 'user']);
    expect(second!.messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'tool', 'tool']);
    expect(second!.messages.at(-1)!.content).toContain('second');
    // The cache hits what stays the same: each request begins with the one before it.
    expect(JSON.stringify(third!.messages)).toContain(JSON.stringify(second!.messages).slice(0, -1));
    expect(t.server.refused).toEqual([]);
  });

  test.each<[string, ChatDialect]>([
    ['calls without ids', { noIds: true }],
    ['calls without an index', { noIndex: true }],
    ['calls without ids and index', { noIds: true, noIndex: true }],
    ['all calls with the index 0', { sameIndex: true }],
    ['arguments as an object', { objectArguments: true }],
    ['no count of tokens', { usage: 'none' }],
    ['the count in the chunk that finishes', { usage: 'with finish' }],
    ['no end mark', { noDone: true }],
  ])('%s', async (_name, dialect) => {
    const t = await chatRig([
      [call('exec_command', { cmd: 'echo one' }), call('exec_command', { cmd: 'echo two' }), chatDialect(dialect)],
      [say('ok'), chatDialect(dialect)],
    ]);
    expect(await t.turn('hi')).toEqual({ status: 'completed', message: 'ok' });
    expect(t.items('command').map(({ output }) => output)).toEqual(['one\n', 'two\n']);
    expect(t.server.requests).toHaveLength(2);
    expect(t.server.refused).toEqual([]);
  });

  test.each(['reasoning_content', 'reasoning'] as const)('reasoning told as %s is shown, and handed back between calls', async (field) => {
    const t = await chatRig([
      [reasoning('Let me think.'), call('exec_command', { cmd: 'true' }), chatDialect({ reasoning: field })],
      [say('ok')],
    ]);
    await t.turn('hi');
    expect(t.items('reasoning')).toMatchObject([{ text: 'Let me think.' }]);
    expect(t.server.requests[1]!.chat!.messages[2]).toMatchObject({ role: 'assistant', [field]: 'Let me think.' });
  });

  test('an image is sent after the outputs of its step', async () => {
    const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
    const t = await chatRig([[call('view_image', { path: 'a.png' }), call('exec_command', { cmd: 'echo hi' })], [say('ok')]]);
    await writeFile(join(t.worktree, 'a.png'), png);
    await t.turn('look');
    const messages = t.server.requests[1]!.chat!.messages;
    expect(messages.slice(-3).map(({ role }) => role)).toEqual(['tool', 'tool', 'user']);
    expect(messages.at(-1)!.content).toMatchObject([{ type: 'image_url', image_url: { url: expect.stringMatching(/^data:image\/png/) } }]);
    expect(t.server.refused).toEqual([]);
  });

  test('broken arguments are told to the model, and the next request is one that strict servers take', async () => {
    const t = await chatRig([[call('exec_command', '{"cmd": "ec')], [say('ok')]]);
    expect(await t.turn('hi')).toMatchObject({ status: 'completed' });
    expect(lastOutput(t.server.requests[1]!.body)).toContain('not valid JSON');
    expect(t.server.requests[1]!.chat!.messages[2]).toMatchObject({ tool_calls: [{ function: { arguments: '{}' } }] });
  });

  test('a thread goes on over the other wire, and back', async () => {
    const t = await rig([
      [reasoning('Hm.'), call('exec_command', { cmd: 'echo a' }), chatDialect({ reasoning: 'reasoning' })],
      [say('first')],
      [reasoning('Hm.'), { type: 'custom', name: 'apply_patch', input: patch.replace('Update', 'Add').replace('@@\n-one\n', '') }],
      [say('second')],
      [say('third')],
    ]);
    const chat = { model: { model: 'some-model', baseUrl: t.server.url, key: 'key', wire: 'chat' as const, contextWindow: 100_000 } };
    expect(await t.turn('one', chat)).toMatchObject({ message: 'first' });
    expect(await t.turn('two')).toMatchObject({ message: 'second' });
    expect(await t.turn('three', chat)).toMatchObject({ message: 'third' });
    expect(t.server.refused).toEqual([]);
    expect(await readFile(join(t.worktree, 'a.txt'), 'utf8')).toBe('two\n');
  });
});

describe('what goes wrong is told alike', () => {
  test.each<[string, Step[], string, number]>([
    ['a wrong key', [status(401)], 'model-unauthorized', 1],
    ['an unknown model', [status(404)], 'model-unknown', 1],
    ['too long', [contextOverflow400()], 'context-overflow', 1],
    ['cut short by the limit', [say('one two'), incomplete()], 'model-interrupted', 1],
    ['stopped by a filter', [say('one two'), incomplete('content_filter')], 'model-refused', 1],
    ['no tools', [badParameter('registry.ollama.ai/library/gemma does not support tools')], 'model-refused', 1],
    ['cut off', [say('one two three'), cutAfter(2)], 'model-interrupted', 6],
    ['ended early', [say('one two three'), endWithoutTerminal()], 'model-interrupted', 6],
    ['garbage', [say('one two three'), garbage(1)], 'model-bad-reply', 6],
    ['an error in the stream', [say('one'), errorEvent('server_error', 'The server is on fire.')], 'model-unreachable', 5],
    ['an empty reply', [], 'model-bad-reply', 3],
  ])('%s', async (_name, steps, code, requests) => {
    const t = await chatRig(() => steps);
    expect(await t.turn('hi')).toMatchObject({ status: 'failed', error: { code } });
    expect(t.server.requests).toHaveLength(requests);
  });

  test('silence', async () => {
    const t = await chatRig([[say('one two three'), stall(2)], [say('back')]]);
    expect(await t.turn('hi', { patience: { pause: 5, maxPause: 20, idle: 150, tellAfter: 30 } })).toEqual({
      status: 'completed',
      message: 'back',
    });
    expect(t.items('agentMessage').map(({ text }) => text)).toEqual(['back']);
  });

  test('a rate limit is waited for', async () => {
    const t = await chatRig([[status(429, { headers: { 'retry-after-ms': '20' } })], [say('ok')]]);
    expect(await t.turn('hi')).toEqual({ status: 'completed', message: 'ok' });
  });

  test('a rate limit that a gateway tells in the stream', async () => {
    const t = await chatRig([[say('one'), errorEvent('429', 'Rate limited. Please try again in 10ms')], [say('ok')]]);
    expect(await t.turn('hi')).toEqual({ status: 'completed', message: 'ok' });
  });
});

describe('an address with only the other API', () => {
  test.each([
    ['chat', 'responses', 'Set “API” to Chat Completions in Settings, or SIGNALBOX_WIRE=chat in the environment.'],
    ['responses', 'chat', 'Set “API” to Responses in Settings, or SIGNALBOX_WIRE=responses in the environment.'],
  ] as const)('that has %s only', async (there, asked, fix) => {
    const t = await rig([], { server: { wires: [there] } });
    const model: ModelConfig = { model: 'some-model', baseUrl: t.server.url, key: 'key', wire: asked, contextWindow: 100_000 };
    expect(await t.turn('hi', { model })).toMatchObject({ status: 'failed', error: { code: 'model-unreachable', fix } });
    await expect(testModel(model)).rejects.toMatchObject({ detail: { fix } });
    expect(await testModel({ ...model, wire: there })).toMatchObject({ model: 'some-model' });
    expect(t.server.requests).toHaveLength(1);
  });
  test('a model that is unknown at an address that has both is no reason to change the API', async () => {
    for (const body of [{ error: { message: "model 'x' not found", type: 'api_error' } }, { detail: 'The model `x` does not exist.' }]) {
      const t = await rig([[status(404, { body })]]);
      const { error } = (await t.turn('hi')) as { error?: { fix?: string } };
      expect(error?.fix).not.toContain('API');
    }
  });
  test('that has neither', async () => {
    const t = await rig([], { server: { wires: [] } });
    expect(await t.turn('hi')).toMatchObject({ error: { code: 'model-unreachable', fix: expect.stringContaining('/v1') } });
  });
});

describe('what a provider refuses by name is left out from then on', () => {
  const refusing =
    (names: string[], message: (name: string) => string): Script =>
    (request) => {
      const raw = request as unknown as Record<string, unknown>;
      const name = names.find(
        (each) => each.split('.').reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], raw) !== undefined,
      );
      return name ? [badParameter(message(name))] : [say('ok')];
    };
  test.each<[string, (name: string) => string]>([
    ['as OpenAI says it', (name) => `Unsupported parameter: '${name}' is not supported with this model.`],
    ['as older servers say it', (name) => `Unrecognized request argument supplied: ${name}`],
    ['as pydantic says it', (name) => `[{'type': 'extra_forbidden', 'loc': ('body', '${name}'), 'msg': 'Extra inputs are not permitted'}]`],
  ])('%s', async (_name, message) => {
    const names = ['include', 'parallel_tool_calls', 'prompt_cache_key', 'reasoning'];
    const t = await rig(refusing(names, message));
    expect(await t.turn('hi')).toEqual({ status: 'completed', message: 'ok' });
    expect(t.server.requests).toHaveLength(5);
    expect(await t.turn('again')).toEqual({ status: 'completed', message: 'ok' });
    expect(t.server.requests).toHaveLength(6);
    expect(t.server.refused).toEqual([]);
  });
  test('a part of it, where only that is refused', async () => {
    const t = await rig(refusing(['reasoning.summary'], (name) => `Your organization must be verified to use '${name}'.`));
    expect(
      await t.turn('hi', { model: { model: 'gpt-5.5', baseUrl: t.server.url, key: 'key', effort: 'high', contextWindow: 1e5 } }),
    ).toMatchObject({ message: 'ok' });
    expect(t.server.requests.at(-1)!.body.reasoning).toEqual({ effort: 'high' });
  });
  test('images, for a model that takes none', async () => {
    const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
    const t = await chatRig((request, n) => {
      if (n === 1) return [call('view_image', { path: 'a.png' })];
      return JSON.stringify(request).includes('data:image') ? [badParameter('This model does not support image input')] : [say('ok')];
    });
    await writeFile(join(t.worktree, 'a.png'), png);
    expect(await t.turn('look')).toEqual({ status: 'completed', message: 'ok' });
  });
  test('stream_options over chat completions', async () => {
    const t = await chatRig((_request, n) =>
      n === 1 ? [badParameter("Unknown parameter: 'stream_options'.", 'stream_options')] : [say('ok')],
    );
    expect(await t.turn('hi')).toEqual({ status: 'completed', message: 'ok' });
    expect(t.server.requests[1]!.chat!.stream_options).toBeUndefined();
  });
  test('a refusal that leaving it out does not mend is told, and nothing is remembered', async () => {
    let mended = false;
    const t = await rig(() => (mended ? [say('ok')] : [badParameter("Invalid value for 'include'")]));
    expect(await t.turn('hi')).toMatchObject({
      status: 'failed',
      error: { code: 'model-refused', message: expect.stringContaining('include') },
    });
    expect(t.server.requests).toHaveLength(2);
    mended = true;
    await t.turn(null);
    expect(t.server.requests.at(-1)!.body.include).toEqual(['reasoning.encrypted_content']);
  });
});

test('a history in the shape that all servers take', () => {
  const text = (role: 'user' | 'developer', ...texts: string[]): HistoryItem => ({
    type: 'message',
    role,
    content: texts.map((each) => ({ type: 'input_text', text: each })),
  });
  const history: HistoryItem[] = [
    text('developer', 'who you are'),
    text('developer', 'what you may'),
    text('user', 'AGENTS', 'place'),
    text('user', 'do it'),
    { type: 'message', role: 'assistant', content: 'I will.' },
    { type: 'function_call', call_id: 'c1', name: 'exec_command', arguments: '{"cmd":"x"}' },
    { type: 'custom_tool_call', call_id: 'c2', name: 'apply_patch', input: 'patch' },
    { type: 'function_call_output', call_id: 'c1', output: 'out' },
    { type: 'custom_tool_call_output', call_id: 'c2', output: 'Done' },
    text('developer', 'now read-only'),
    text('user', 'go on'),
  ];
  expect(messagesOf(history, true)).toEqual([
    { role: 'system', content: 'who you are\n\nwhat you may' },
    { role: 'user', content: 'AGENTS\n\nplace\n\ndo it' },
    {
      role: 'assistant',
      content: 'I will.',
      tool_calls: [
        { id: 'c1', type: 'function', function: { name: 'exec_command', arguments: '{"cmd":"x"}' } },
        { id: 'c2', type: 'function', function: { name: 'apply_patch', arguments: '{"input":"patch"}' } },
      ],
    },
    { role: 'tool', tool_call_id: 'c1', content: 'out' },
    { role: 'tool', tool_call_id: 'c2', content: 'Done' },
    { role: 'user', content: 'now read-only\n\ngo on' },
  ]);
});
