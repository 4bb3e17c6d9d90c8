import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { testModel } from '../../agent-core/harness/index.ts';
import { offers } from '../../agent-core/harness/model/index.ts';
import { retryAfter } from '../../agent-core/harness/model/fault.ts';
import { leanFetch } from '../../agent-core/harness/model/http.ts';
import {
  call,
  contextOverflow400,
  cutAfter,
  endWithoutTerminal,
  errorEvent,
  failedByContext,
  failedByRateLimit,
  garbage,
  html200,
  incomplete,
  quotaExhausted,
  say,
  stall,
  status,
  textOf,
  type Step,
} from '../model-server/index.ts';
import { onEnd, rig } from './support/rig.ts';

afterEach(() => vi.useRealTimers());

const config = (baseUrl: string, more = {}) => ({ model: 'gpt-5.5', baseUrl, key: 'key', contextWindow: 272_000, ...more });
const repeat = (steps: Step[], times: number) => Array.from({ length: times }, () => steps);

/** A server that answers everything with this. */
async function answers(code: number, type: string, body: string): Promise<string> {
  const server = createServer((_request, response) => response.writeHead(code, { 'content-type': type }).end(body)).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onEnd(
    () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}

describe("what can't be helped ends the turn with an exact reason", () => {
  test('a wrong key', async () => {
    const t = await rig([], { server: { key: 'right' } });
    expect(await t.turn('hi')).toMatchObject({
      status: 'failed',
      error: { code: 'model-unauthorized', fix: 'Check the key in Settings.' },
    });
  });
  test('an unknown model', async () => {
    const t = await rig([], { server: { models: ['other'] } });
    expect(await t.turn('hi')).toMatchObject({
      status: 'failed',
      error: { code: 'model-unknown', message: expect.stringContaining('"gpt-5.5"') },
    });
  });
  test('nobody at the address, then somebody', async () => {
    const t = await rig([[say('back')]]);
    const failed = await t.turn('hi', { model: config('http://127.0.0.1:9/v1') });
    expect(failed).toMatchObject({
      status: 'failed',
      error: { code: 'model-unreachable', message: expect.stringMatching(/127\.0\.0\.1:9.*ECONNREFUSED.*5 tries/) },
    });
    expect(await t.turn(null)).toEqual({ status: 'completed', message: 'back' });
  });
  test('a name that does not resolve', async () => {
    const t = await rig([]);
    expect(await t.turn('hi', { model: config('http://no-such-host.invalid/v1') })).toMatchObject({
      error: { code: 'model-unreachable', message: expect.stringMatching(/ENOTFOUND|EAI_AGAIN/) },
    });
  });
  test('a page instead of a stream', async () => {
    const t = await rig(repeat([html200()], 9));
    expect(await t.turn('hi')).toMatchObject({
      error: { code: 'model-bad-reply', message: expect.stringContaining('text/html'), output: expect.stringContaining('Sign in') },
    });
    expect(t.server.requests).toHaveLength(3);
  });
  test('a 404 that is no model service, and JSON that is no stream', async () => {
    const t = await rig([]);
    expect(await t.turn('hi', { model: config(await answers(404, 'text/html', '<h1>Not Found</h1>')) })).toMatchObject({
      error: { code: 'model-unreachable', fix: expect.stringContaining('/v1') },
    });
    expect(await t.turn(null, { model: config(await answers(200, 'application/json', '{"ok":true}')) })).toMatchObject({
      error: { code: 'model-bad-reply' },
    });
    expect(await t.turn(null, { model: config(await answers(500, 'application/json', 'not json at all')) })).toMatchObject({
      error: { code: 'model-unreachable' },
    });
  });
  test('events that are not JSON, again and again', async () => {
    const t = await rig(repeat([say('one'), garbage(2)], 9));
    expect(await t.turn('hi')).toMatchObject({ error: { code: 'model-bad-reply' } });
    expect(t.server.requests).toHaveLength(6);
  });
  test("refused with the provider's words", async () => {
    const t = await rig([
      [
        status(400, {
          body: { error: { message: 'Unsupported value: x', type: 'invalid_request_error', param: null, code: 'unsupported_value' } },
        }),
      ],
    ]);
    expect(await t.turn('hi')).toMatchObject({
      error: { code: 'model-refused', message: expect.stringContaining('Unsupported value: x') },
    });
    expect(t.server.requests).toHaveLength(1);
  });
  test('an account without money is not asked again', async () => {
    const t = await rig(repeat([quotaExhausted()], 9));
    expect(await t.turn('hi')).toMatchObject({ error: { code: 'model-limited', message: expect.stringContaining('quota') } });
    expect(t.server.requests).toHaveLength(1);
  });
  test('a conversation that is too long, told before and in the stream', async () => {
    for (const overflow of [contextOverflow400(), failedByContext()]) {
      const t = await rig([[overflow]]);
      expect(await t.turn('hi')).toMatchObject({ error: { code: 'context-overflow' } });
    }
  });
  test('a reply cut by its own limits', async () => {
    const t = await rig([
      [say('so far'), incomplete()],
      [say('x'), incomplete('content_filter')],
    ]);
    expect(await t.turn('hi')).toMatchObject({ status: 'failed', error: { code: 'model-interrupted' }, message: 'so far' });
    expect(await t.turn('hi')).toMatchObject({ error: { code: 'model-refused' } });
  });
  test('nothing at all, again and again', async () => {
    const t = await rig(repeat([], 9));
    expect(await t.turn('hi')).toMatchObject({ error: { code: 'model-bad-reply' } });
  });
});

describe('what passes is tried again, and shows once', () => {
  const broken: Record<string, Step[]> = {
    'a cut connection': [say('one two three'), cutAfter(6)],
    'a stream that ends without saying so': [say('one two three'), endWithoutTerminal()],
    'garbage between events': [say('one two three'), garbage(5)],
    'an error event': [say('one two three'), errorEvent('server_error', 'oops')],
    'a rate limit in the stream': [say('one two three'), failedByRateLimit(0.05)],
    'a call that was announced and never finished': [
      say('one two three'),
      call('exec_command', { cmd: 'touch should-not-be' }),
      cutAfter(12),
    ],
  };
  for (const [name, steps] of Object.entries(broken)) {
    test(name, async () => {
      const t = await rig([steps, [say('one two four')]]);
      expect(await t.turn('hi')).toEqual({ status: 'completed', message: 'one two four' });
      const messages = t.items('agentMessage').filter((item) => item.text);
      expect(messages).toMatchObject([{ text: 'one two four' }]);
      expect(t.history.filter((item) => item.type === 'message' && item.role === 'assistant')).toHaveLength(1);
      expect(t.items('command')).toEqual([]);
      expect(t.server.requests[1]!.body).toEqual(t.server.requests[0]!.body);
    });
  }
  test('a stalled stream', async () => {
    const t = await rig([[say('one two'), stall(4)], [say('done')]], { input: { patience: { pause: 5, idle: 150 } } });
    expect(await t.turn('hi')).toEqual({ status: 'completed', message: 'done' });
    expect(t.items('agentMessage')).toMatchObject([{ text: 'done' }]);
  });
  test('statuses that pass', async () => {
    for (const code of [408, 409, 429, 500, 503]) {
      const t = await rig([[status(code)], [say('ok')]]);
      expect(await t.turn('hi'), String(code)).toEqual({ status: 'completed', message: 'ok' });
    }
  });
  test('at most four more requests and five more streams', async () => {
    const t = await rig(repeat([status(500)], 20));
    expect(await t.turn('hi')).toMatchObject({ error: { code: 'model-unreachable', message: expect.stringContaining('500') } });
    expect(t.server.requests).toHaveLength(5);
    const u = await rig(repeat([say('x y'), endWithoutTerminal()], 20));
    expect(await u.turn('hi')).toMatchObject({ status: 'failed', error: { code: 'model-interrupted' } });
    expect(u.server.requests).toHaveLength(6);
  });
});

describe('rate limits', () => {
  test('Retry-After is waited for and told', async () => {
    const t = await rig([[status(429, { headers: { 'retry-after': '0.2' } })], [say('ok')]]);
    expect(await t.turn('hi')).toMatchObject({ status: 'completed' });
    const [first, second] = t.server.requests;
    expect(second!.at - first!.at).toBeGreaterThanOrEqual(200);
    expect(t.limits).toEqual([expect.any(Number), null]);
  });
  test('without it the pauses grow, and in the end the turn fails', async () => {
    const t = await rig(repeat([status(429)], 20));
    expect(await t.turn('hi')).toMatchObject({ error: { code: 'model-limited', fix: expect.any(String) } });
    expect(t.server.requests).toHaveLength(5);
  });
  test('an absurd Retry-After is not waited for', async () => {
    const t = await rig([[status(429, { headers: { 'retry-after': '90000' } })]]);
    expect(await t.turn('hi')).toMatchObject({ error: { code: 'model-limited' } });
  });
  test('many threads of one key wait together instead of hammering', async () => {
    let limitedUntil = 0;
    let early = 0;
    const t = await rig(() => {
      if (!limitedUntil) limitedUntil = Date.now() + 300;
      if (Date.now() < limitedUntil) {
        early += 1;
        return [status(429, { headers: { 'retry-after-ms': String(limitedUntil - Date.now() + 20) } })];
      }
      return [say('ok')];
    });
    expect(await t.turn('first', { history: [] })).toMatchObject({ status: 'completed' });
    limitedUntil = 0;
    const first = t.turn('one', { history: [] });
    await vi.waitFor(
      () => {
        if (early < 2) throw new Error('not yet');
      },
      { interval: 5 },
    );
    const others = Array.from({ length: 20 }, (_, at) => t.turn(`other ${at}`, { history: [] }));
    expect((await Promise.all([first, ...others])).every((outcome) => outcome.status === 'completed')).toBe(true);
    expect(early).toBe(2);
  });
  test('a thread that gives up lets the others try', async () => {
    const t = await rig((request) => (request.input.some((item) => textOf(item) === 'lucky') ? [say('ok')] : [status(429)]));
    const unlucky = t.turn('unlucky', { history: [] });
    await vi.waitFor(() => {
      if (t.server.requests.length < 2) throw new Error('not yet');
    });
    const lucky = t.turn('lucky', { history: [] });
    expect((await Promise.all([unlucky, lucky])).map(({ status }) => status)).toContain('completed');
  });
  test('a stop ends the wait at once', async () => {
    const t = await rig([[status(429, { headers: { 'retry-after': '600' } })]]);
    const stop = new AbortController();
    const turn = t.turn('hi', { signal: stop.signal });
    await vi.waitFor(() => {
      if (!t.limits.length) throw new Error('not yet');
    });
    stop.abort();
    expect((await turn).status).toBe('interrupted');
    expect(t.limits.at(-1)).toBeNull();
  });
  test('the header is read as seconds, milliseconds or a date', () => {
    const now = Date.parse('2026-01-01T00:00:00Z');
    const read = (name: string, value: string) => retryAfter(new Headers({ [name]: value }), now);
    expect(read('retry-after', '7')).toBe(7000);
    expect(read('retry-after-ms', '30')).toBe(30);
    expect(read('retry-after', 'Thu, 01 Jan 2026 00:00:05 GMT')).toBe(5000);
    expect(read('retry-after', 'Wed, 31 Dec 2025 00:00:00 GMT')).toBe(0);
    expect(read('retry-after', 'soon')).toBeNull();
    expect(retryAfter(undefined)).toBeNull();
  });
});

test('Settings can test a model and list models', async () => {
  const t = await rig([[say('ready')]], { server: { key: 'key', models: ['gpt-5.5', 'a-model'] } });
  expect(await testModel(config(t.server.url))).toMatchObject({ model: 'gpt-5.5', ms: expect.any(Number) });
  expect((await offers(config(t.server.url), 'other')).map(({ model }) => model)).toEqual(['a-model', 'gpt-5.5']);
  await expect(testModel(config(t.server.url, { key: 'wrong' }))).rejects.toMatchObject({ detail: { code: 'model-unauthorized' } });
  await expect(testModel(config(t.server.url, { model: 'nope' }))).rejects.toMatchObject({ detail: { code: 'model-unknown' } });
  await expect(offers(config('http://127.0.0.1:9/v1'), 'other')).rejects.toMatchObject({ detail: { code: 'model-unreachable' } });
  await expect(offers(config(await answers(200, 'text/html', '<p>hello')), 'other')).rejects.toMatchObject({
    detail: { code: 'model-bad-reply' },
  });
});

test('a full window is summarized, with what the person said kept, and the turn goes on', async () => {
  const t = await rig(
    (request) => {
      const text = textOf(request.input.at(-1)!);
      if (/Write the notes/.test(text)) return request.tools?.length ? [status(400)] : [say('NOTES: half done')];
      if (/NOTES/.test(text)) return [say('finished')];
      return [call('exec_command', { cmd: 'echo big' }), { type: 'usage', usage: { input: 950, output: 10 } }];
    },
    { input: { model: config('', { contextWindow: 1000 }) } },
  );
  const outcome = await t.turn('do the long thing', {
    model: config(t.server.url, { contextWindow: 1000 }),
    history: [{ type: 'message', role: 'user', content: 'hi' }],
  });
  expect(outcome).toEqual({ status: 'completed', message: 'finished' });
  const last = t.server.requests.at(-1)!.body.input.map(textOf);
  expect(last.some((text) => text === 'do the long thing')).toBe(true);
  expect(last.at(-1)).toContain('NOTES: half done');
  expect(last.join()).not.toContain('echo big');
  expect(t.history.at(-2)).toMatchObject({ content: [{ text: expect.stringContaining('NOTES') }] });
  expect(t.items('notice')).toHaveLength(1);
});

test('where no summary can be had, that is said and the turn goes on', async () => {
  const t = await rig((request) => {
    if (!request.tools?.length) return [status(400)];
    return request.input.some((item) => item.type === 'function_call')
      ? [say('finished')]
      : [call('exec_command', { cmd: 'true' }), { type: 'usage', usage: { input: 950, output: 10 } }];
  });
  expect(await t.turn('hi', { model: config(t.server.url, { contextWindow: 1000 }) })).toEqual({
    status: 'completed',
    message: 'finished',
  });
  expect(t.items('notice')).toMatchObject([{ level: 'warn', error: { code: 'model-refused' } }]);
});

test('the steps of a turn share their connections', async () => {
  const sockets = new Set<unknown>();
  let requests = 0;
  const { promise: listening, resolve } = Promise.withResolvers<void>();
  const server = createServer((request, response) => {
    sockets.add(request.socket);
    requests += 1;
    request.resume().on('end', () => {
      const item =
        requests < 5
          ? { type: 'function_call', id: 'fc_1', call_id: `call_${requests}`, name: 'update_plan', arguments: '{"plan":[]}' }
          : { type: 'message', id: 'msg_1', role: 'assistant', content: [{ type: 'output_text', text: 'ok', annotations: [] }] };
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const event of [
        { type: 'response.output_item.done', output_index: 0, item },
        { type: 'response.completed', response: { output: [item] } },
      ])
        response.write(`data: ${JSON.stringify(event)}\n\n`);
      response.end();
    });
  }).listen(0, '127.0.0.1', () => resolve());
  await listening;
  onEnd(
    () =>
      new Promise((done) => {
        server.close(done);
        server.closeAllConnections();
      }),
  );
  const t = await rig([]);
  expect(await t.turn('hi', { model: config(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`) })).toMatchObject({
    status: 'completed',
  });
  expect(requests).toBe(5);
  // The next request may go out while the last answer's end is still on its way.
  expect(sockets.size).toBeLessThanOrEqual(2);
});

test('the lean fetch answers like the built-in one as far as the client looks', async () => {
  const url = await answers(200, 'application/json', '{"a":1}');
  const [lean, builtIn] = await Promise.all([leanFetch(url), fetch(url)]);
  expect([lean.status, lean.ok, lean.headers.get('content-type')]).toEqual([
    builtIn.status,
    builtIn.ok,
    builtIn.headers.get('content-type'),
  ]);
  expect(await lean.json()).toEqual(await builtIn.json());
});
