import OpenAI from 'openai';
import { afterEach, expect, test } from 'vitest';
import {
  brokenJsonArguments,
  call,
  customCall,
  cutAfter,
  delayMs,
  dialect,
  duplicateCallIds,
  endWithoutTerminal,
  errorEvent,
  failedByRateLimit,
  garbage,
  html200,
  incomplete,
  reasoning,
  reset,
  say,
  scriptByPrompt,
  stall,
  startModelServer,
  status,
  usage,
  type Dialect,
  type ModelServer,
  type ModelServerOptions,
  type Script,
  type Step,
} from './index.ts';

const open: ModelServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});
async function serve(script: Script | Step[], options?: ModelServerOptions) {
  const server = await startModelServer(typeof script === 'function' ? script : () => script, options);
  open.push(server);
  return { server, client: new OpenAI({ baseURL: server.url, apiKey: 'key', maxRetries: 0 }) };
}
const hello = { model: 'm', input: [{ role: 'user' as const, content: 'hi' }], stream: true as const, store: false };
async function collect(client: OpenAI, body = hello) {
  const events = [];
  for await (const event of await client.responses.create(body)) events.push(event);
  return events;
}
const post = (server: ModelServer, body: unknown, headers: Record<string, string> = {}) =>
  fetch(`${server.url}/responses`, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body), headers });

test("streams the API's own sequence, which the real client puts together", async () => {
  const { client } = await serve([
    reasoning('Looking around.'),
    say('Two words'),
    call('exec_command', { cmd: 'ls' }),
    customCall('apply_patch', '*** Begin Patch\n'),
    usage({ input: 900, cached: 800 }),
  ]);
  const events = await collect(client);
  expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, i) => i));
  expect(events.map((event) => event.type.replace('response.', ''))).toEqual([
    'created',
    'in_progress',
    'output_item.added',
    'reasoning_summary_part.added',
    'reasoning_summary_text.delta',
    'reasoning_summary_text.delta',
    'reasoning_summary_text.done',
    'reasoning_summary_part.done',
    'output_item.done',
    'output_item.added',
    'content_part.added',
    'output_text.delta',
    'output_text.delta',
    'output_text.done',
    'content_part.done',
    'output_item.done',
    'output_item.added',
    'function_call_arguments.delta',
    'function_call_arguments.done',
    'output_item.done',
    'output_item.added',
    'custom_tool_call_input.delta',
    'custom_tool_call_input.delta',
    'custom_tool_call_input.delta',
    'custom_tool_call_input.done',
    'output_item.done',
    'completed',
  ]);
  const last = events.at(-1);
  if (last?.type !== 'response.completed') throw new Error('no terminal event');
  expect(last.response.output.map((item) => item.type)).toEqual(['reasoning', 'message', 'function_call', 'custom_tool_call']);
  expect(last.response.usage).toMatchObject({ input_tokens: 900, input_tokens_details: { cached_tokens: 800 } });
});

test("answers errors in the API's own bodies, which the real client understands", async () => {
  const { client, server } = await serve([status(429, { headers: { 'retry-after': '7' } })], { models: ['m'], key: 'key' });
  await expect(collect(client)).rejects.toMatchObject({ status: 429, code: 'rate_limit_exceeded' });
  await expect(collect(client, { ...hello, model: 'other' })).rejects.toMatchObject({ status: 404, code: 'model_not_found' });
  const stranger = new OpenAI({ baseURL: server.url, apiKey: 'wrong', maxRetries: 0 });
  await expect(collect(stranger)).rejects.toMatchObject({ status: 401, code: 'invalid_api_key' });
  expect((await client.models.list()).data.map((model) => model.id)).toEqual(['m']);
  expect((await post(server, hello, { authorization: 'Bearer key' })).headers.get('retry-after')).toBe('7');
});

test('misbehaves on request', async () => {
  const scripts: Step[][] = [
    [say('one two three'), cutAfter(5)],
    [say('one'), endWithoutTerminal()],
    [html200()],
    [say('one'), garbage(2)],
    [say('x'), failedByRateLimit(3)],
    [say('x'), incomplete()],
    [say('x'), errorEvent('server_error', 'oops')],
    [brokenJsonArguments('exec_command')],
    [call('a', {}), call('b', {}), duplicateCallIds()],
  ];
  const { server } = await serve((_request, n) => scripts[n - 1] ?? []);
  const text = async () => (await post(server, hello)).text();
  await expect(text()).rejects.toThrow();
  expect(await text()).not.toContain('response.completed');
  expect((await post(server, hello)).headers.get('content-type')).toBe('text/html');
  expect(await text()).toContain('data: {"type": "response.output_text.del\n');
  expect(await text()).toMatch(/event: response\.failed\n.*"code":"rate_limit_exceeded"/);
  expect(await text()).toMatch(/event: response\.incomplete\n.*"reason":"max_output_tokens"/);
  expect(await text()).toMatch(/event: error\n.*"message":"oops"/);
  expect(await text()).toContain('\\"cmd\\": \\"echo one"');
  expect((await text()).match(/"call_id":"call_the_same"/g)?.length).toBeGreaterThan(4);
});

test('stalls, and knows when the client has left', async () => {
  const { server } = await serve([say('one two three'), stall(4)]);
  const controller = new AbortController();
  const response = await fetch(`${server.url}/responses`, { method: 'POST', body: JSON.stringify(hello), signal: controller.signal });
  const reader = response.body?.getReader();
  await reader?.read();
  controller.abort();
  await reader?.read().catch(() => undefined);
  await expect.poll(() => server.requests[0]?.aborted).toBe(true);
});

test('waits where it is told to, and nowhere else', async () => {
  const { client } = await serve([say('first'), delayMs(120), say('second')]);
  const times: number[] = [];
  for await (const event of await client.responses.create(hello))
    if (event.type === 'response.output_item.added') times.push(performance.now());
  expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(80);
});

const user = { role: 'user', content: 'hi' };
const madeCall = { type: 'function_call', call_id: 'c1', name: 'exec_command', arguments: '{}' };
const made = { type: 'function_call_output', call_id: 'c1', output: 'ok' };
const bad: [string, unknown, number, RegExp][] = [
  ['no JSON', '{', 400, /could not parse the JSON/],
  ['no model', { input: [user] }, 400, /Missing required parameter: 'model'/],
  ['an unknown key', { ...hello, top_k: 1 }, 400, /Unknown parameter: 'top_k'/],
  ['an unknown key in an item', { ...hello, input: [{ ...madeCall, extra: 1 }, made] }, 400, /Unknown parameter: 'input\[0\]\.extra'/],
  ['an empty input', { ...hello, input: [] }, 400, /'input'/],
  ['a call without output', { ...hello, input: [user, madeCall] }, 400, /No tool output found for function call c1/],
  ['an output without call', { ...hello, input: [user, made] }, 400, /No tool call found for function call output with call_id c1/],
  ['two outputs of one call', { ...hello, input: [madeCall, made, made] }, 400, /No tool call found/],
  [
    'the wrong kind of output',
    { ...hello, input: [madeCall, { ...made, type: 'custom_tool_call_output' }] },
    400,
    /No tool call found for custom tool call/,
  ],
  ['the same call twice', { ...hello, input: [madeCall, made, madeCall, made] }, 400, /Duplicate call_id/],
  ['arguments that are no text', { ...hello, input: [{ ...madeCall, arguments: {} }, made] }, 400, /input\[0\]\.arguments/],
  ['an id of the wrong kind', { ...hello, input: [{ ...madeCall, id: 'msg_1' }, made] }, 400, /begins with 'fc'/],
  [
    'input text said by the assistant',
    { ...hello, input: [{ role: 'assistant', content: [{ type: 'input_text', text: 'x' }] }] },
    400,
    /'input_text'/,
  ],
  ['reasoning that nobody stored', { ...hello, input: [user, { type: 'reasoning', id: 'rs_1', summary: [] }] }, 404, /not found/],
  [
    'two tools of one name',
    { ...hello, tools: ['function', 'function'].map((type) => ({ type, name: 'a', parameters: { type: 'object', properties: {} } })) },
    400,
    /unique/,
  ],
  [
    'a strict tool with an optional key',
    {
      ...hello,
      tools: [{ type: 'function', name: 'a', strict: true, parameters: { type: 'object', properties: { x: {} }, required: [] } }],
    },
    400,
    /Missing 'x'/,
  ],
  [
    'a remote image as a file path',
    { ...hello, input: [{ role: 'user', content: [{ type: 'input_image', image_url: '/etc/passwd' }] }] },
    400,
    /input\[0\]/,
  ],
];
test.each(bad)('refuses %s as the API does', async (_what, body, code, message) => {
  const { server } = await serve([say('never')]);
  const response = await post(server, body);
  expect(response.status).toBe(code);
  expect(await response.json()).toMatchObject({
    error: { message: expect.stringMatching(message) as string, type: 'invalid_request_error' },
  });
  expect(server.requests).toEqual([]);
  expect(server.refused).toHaveLength(1);
});

test('plays by prompt and by the rounds of tool calls since it', async () => {
  const script = scriptByPrompt({ 'fix the bug': [[call('a', {}), call('b', {})], () => [say('looked'), call('c', {})], say('fixed')] });
  const { client } = await serve(script);
  const input: OpenAI.Responses.ResponseInputItem[] = [{ role: 'user', content: 'please fix the bug' }];
  const round = async () => {
    const response = await client.responses.create({ model: 'm', input, store: false });
    for (const item of response.output) {
      if (item.type === 'function_call') input.push(item, { type: 'function_call_output', call_id: item.call_id, output: 'ok' });
    }
    return response.output.map((item) =>
      item.type === 'function_call' ? item.name : item.type === 'message' ? item.content[0] : item.type,
    );
  };
  expect(await round()).toEqual(['a', 'b']);
  expect(await round()).toEqual([expect.objectContaining({ text: 'looked' }), 'c']);
  expect(await round()).toEqual([expect.objectContaining({ text: 'fixed' })]);
  input.push({ role: 'user', content: 'fix the bug again' });
  expect(await round()).toEqual(['a', 'b']);
});

test('without latency for benchmarks', async () => {
  const { client } = await serve([say('three little words')], { fast: true });
  expect((await collect(client)).filter((event) => event.type === 'response.output_text.delta')).toHaveLength(1);
});

test.each<[string, Dialect]>([
  ['CRLF, pings and single bytes', { crlf: true, pings: true, pieces: 1 }],
  ['no event names, and [DONE]', { noEventNames: true, done: true }],
  ['no sequence numbers, deltas or usage', { noSequenceNumbers: true, noDeltas: true, noUsage: true }],
  ['things of the future', { future: true, emptyFinal: true }],
])('speaks as other servers do: %s', async (_what, how) => {
  const { client } = await serve([say('h\u00e9llo \u{1f980}'), dialect(how)]);
  const events = await collect(client);
  expect(events.at(-1)?.type).toBe('response.completed');
  expect(events.find((event) => event.type === 'response.output_text.done')).toMatchObject({ text: 'h\u00e9llo \u{1f980}' });
  expect(events.some((event) => event.type.endsWith('.delta'))).toBe(!how.noDeltas);
});

test('speaks only at the end, or not at all', async () => {
  const { client } = await serve((_request, n) => (n === 1 ? [say('one'), dialect({ onlyFinal: true })] : [reset()]));
  expect((await collect(client)).map((event) => event.type)).toEqual(['response.completed']);
  await expect(collect(client)).rejects.toThrow('Connection error');
});
