import { request } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { DEMO_MODEL_ID, startDemoModel, type DemoModel } from '../../agent-core/demo/index.ts';

let server: DemoModel | undefined;
afterEach(() => server?.close());

const hello = JSON.stringify({ model: DEMO_MODEL_ID, input: [{ role: 'user', content: 'hi' }], stream: true });
const post = (body: string, headers: Record<string, string> = {}) =>
  fetch(`${server?.url}/responses`, { method: 'POST', body, headers: { authorization: `Bearer ${server?.key}`, ...headers } });

test('answers nobody without its key, from a page, or under another host', async () => {
  server = await startDemoModel({ pace: 0 });
  expect((await fetch(`${server.url}/models`)).status).toBe(401);
  expect((await post(hello, { authorization: 'Bearer wrong' })).status).toBe(401);
  expect((await post(hello, { origin: 'http://evil.example' })).status).toBe(401);
  const { port } = new URL(server.url);
  const rebound = await new Promise<number>((resolve) => {
    request(
      { port, host: '127.0.0.1', path: '/v1/models', headers: { host: 'evil.example', authorization: `Bearer ${server?.key}` } },
      (response) => resolve(response.statusCode ?? 0),
    ).end();
  });
  expect(rebound).toBe(401);
  expect((await post(hello)).status).toBe(200);
});

test('listens on loopback only, with a new key each time', async () => {
  server = await startDemoModel({ pace: 0 });
  expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v1$/);
  const other = await startDemoModel({ pace: 0 });
  expect(other.key).not.toBe(server.key);
  await other.close();
});

test.each([
  ['{', 400],
  ['{}', 400],
  ['null', 400],
  ['{"model":"demo","input":"hi"}', 400],
  ['{"model":"gpt","input":[]}', 404],
  ['{"model":"demo","input":[]}', 200],
])('takes %s as it is', async (body, status) => {
  server = await startDemoModel({ pace: 0 });
  expect((await post(body)).status).toBe(status);
});

test('streams word by word at a pace that can be read', async () => {
  server = await startDemoModel({ pace: 5 });
  const started = performance.now();
  const response = await post(hello);
  const seen: string[] = [];
  for await (const chunk of response.body ?? []) seen.push(Buffer.from(chunk as Uint8Array).toString());
  expect(seen.length).toBeGreaterThan(20);
  expect(performance.now() - started).toBeGreaterThan(300);
  expect(seen.join('')).toMatch(/event: response\.completed\n/);
});

test('closing cuts what is being streamed', async () => {
  server = await startDemoModel();
  const response = await post(hello);
  const reader = response.body?.getReader();
  await reader?.read();
  await server.close();
  await expect(
    (async () => {
      for (;;) if ((await reader?.read())?.done) throw new Error('ended without a word');
    })(),
  ).rejects.toThrow(/terminated/);
});
