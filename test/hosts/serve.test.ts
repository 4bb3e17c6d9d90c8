import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WIRE_VERSION } from '../../agent-core/contract/index.ts';
import { obtainCore } from '../../agent-core/hosts/attach.ts';
import { webSocketChannel } from '../../agent-core/hosts/channels.ts';
import { connectClient } from '../../agent-core/hosts/client.ts';
import { serve } from '../../agent-core/hosts/serve.ts';
import { smallCore, until } from './support/core.ts';
import { temp } from './support/temp.ts';

/** A served core in a temporary home; `attached` puts the core behind its socket, as a second app finds it. */
async function start(attached = false) {
  const folder = temp();
  const renderer = join(folder, 'renderer');
  mkdirSync(join(renderer, 'assets'), { recursive: true });
  writeFileSync(join(renderer, 'index.html'), '<title>Signalbox</title>');
  writeFileSync(join(renderer, 'assets', 'app-1a2b.js'), 'export {}');
  writeFileSync(join(folder, 'secret.txt'), 'secret');
  symlinkSync(join(folder, 'secret.txt'), join(renderer, 'link.txt'));
  const home = join(folder, 'home');
  const options = { home, host: 'test' as const, createCore: async () => smallCore(home) };
  const first = await obtainCore(options);
  const obtained = attached ? await obtainCore(options) : first;
  const served = await serve({ renderer, port: 0, open: obtained.open });
  onTestFinished(async () => {
    await served.close();
    await obtained.close();
    await first.close();
  });
  const token = new URL(served.url).hash.replace('#token=', '');
  return { ...served, token, core: first.own! };
}
const wire = (port: number, headers: Record<string, string> = {}, path = '/wire') =>
  new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers });
const outcome = (socket: WebSocket) =>
  new Promise<string>((resolve) => {
    socket.on('open', () => resolve('open'));
    socket.on('unexpected-response', (_request, response) => {
      resolve(String(response.statusCode));
      socket.terminate();
    });
    socket.on('error', () => {});
  });
/** The path goes out as it is, not tidied as `fetch` would. */
const get = (port: number, path: string, headers: Record<string, string> = {}, method = 'GET') =>
  new Promise<{ status: number; headers: Record<string, unknown>; body: string }>((resolve, reject) => {
    request({ port, host: '127.0.0.1', path, headers, method }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    })
      .on('error', reject)
      .end();
  });

describe('the page', () => {
  test('comes with a strict policy and the right types', async () => {
    const { port } = await start();
    const page = await get(port, '/');
    expect(page).toMatchObject({
      status: 200,
      body: '<title>Signalbox</title>',
      headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' },
    });
    const policy = String(page.headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(await get(port, '/assets/app-1a2b.js?x=1')).toMatchObject({
      status: 200,
      headers: { 'content-type': 'text/javascript; charset=utf-8' },
    });
    expect(await get(port, '/', {}, 'HEAD')).toMatchObject({ status: 200, body: '' });
    expect(await get(port, '/', {}, 'POST')).toMatchObject({ status: 405 });
  });

  test.each([
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/assets/..%2f..%2fsecret.txt',
    '/link.txt',
    '/%00',
    '/..%5csecret.txt',
    '//etc/passwd',
    '/%',
    '/assets',
  ])('nothing outside: %s', async (path) => {
    const { port } = await start();
    const answer = await get(port, path);
    expect(answer.status).toBe(404);
    expect(answer.body).not.toContain('secret');
  });

  test('other names for this address are refused', async () => {
    const { port } = await start();
    expect((await get(port, '/', { host: 'evil.example' })).status).toBe(403);
    expect((await get(port, '/', { host: `evil.example:${port}` })).status).toBe(403);
    expect((await get(port, '/', { host: `localhost:${port}` })).status).toBe(200);
  });
});

describe.each([
  ['in this process', false],
  ['behind its socket', true],
])('the wire, core %s', (_name, attached) => {
  test('works with the token', async () => {
    const { port, token, core } = await start(attached);
    const socket = wire(port, { origin: `http://127.0.0.1:${port}` });
    await outcome(socket);
    const client = await connectClient(webSocketChannel(socket), { token });
    await client.call('settings/write', { change: { theme: 'dark' } });
    await until(() => client.board.settings.theme === 'dark', 'the event');
    await expect(client.call('project/open', {} as { path: string })).rejects.toMatchObject({ detail: { code: 'invalid-input' } });
    expect(core.snapshot().seq).toBe(1);
    client.close();
  });

  test('ends without it', async () => {
    const { port, token } = await start(attached);
    for (const wrong of [undefined, '', `${token}x`, token.slice(1)]) {
      const socket = wire(port);
      await outcome(socket);
      await expect(connectClient(webSocketChannel(socket), wrong === undefined ? {} : { token: wrong })).rejects.toMatchObject({
        detail: { code: 'unauthorized' },
      });
    }
    const socket = wire(port);
    await outcome(socket);
    let closed = false;
    socket.on('close', () => {
      closed = true;
    });
    socket.send(JSON.stringify({ id: 1, method: 'snapshot', params: { version: WIRE_VERSION, token } }));
    await until(() => closed, 'the end');
  });
});

describe('a socket', () => {
  test('from another page, by another name or path is refused', async () => {
    const { port } = await start();
    expect(await outcome(wire(port, { origin: 'http://evil.example' }))).toBe('403');
    expect(await outcome(wire(port, { origin: 'null' }))).toBe('403');
    expect(await outcome(wire(port, { origin: `http://127.0.0.1:${port + 1}` }))).toBe('403');
    expect(await outcome(wire(port, { host: `evil.example:${port}`, origin: `http://evil.example:${port}` }))).toBe('403');
    expect(await outcome(wire(port, {}, '/other'))).toBe('404');
  });

  test('closes when the core does', async () => {
    const folder = temp();
    const obtained = await obtainCore({ home: join(folder, 'h'), host: 'test', createCore: async () => smallCore(folder) });
    const served = await serve({ renderer: folder, port: 0, open: obtained.open });
    onTestFinished(() => served.close());
    const socket = wire(served.port);
    await outcome(socket);
    const client = await connectClient(webSocketChannel(socket), { token: new URL(served.url).hash.slice(7) });
    await obtained.close();
    await until(() => client.closed, 'the end');
  });

  test('a taken port is said', async () => {
    const { port } = await start();
    await expect(serve({ renderer: '/', port, open: () => Promise.reject(new Error('unused')) })).rejects.toMatchObject({
      detail: { code: 'conflict', message: `Port ${port} is taken.` },
    });
  });
});
