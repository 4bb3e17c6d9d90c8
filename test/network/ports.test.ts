import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createHash } from 'node:crypto';
import { connect, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { Machine } from '../../agent-core/sandbox/types.ts';
import { machineIn, shell } from '../sandbox-egress/machine.ts';
import { listening, outside } from '../sandbox-egress/outside.ts';

const until = async (machine: Machine, port: number) =>
  expect.poll(() => machine.ports!.list().some((one) => one.port === port), { timeout: 20_000 }).toBe(true);

async function serve(machine: Machine, text: string, port: number): Promise<void> {
  await machine.run({ argv: ['node', '-e', text, String(port)] });
  await until(machine, port);
}

const HTTP = `require('http').createServer((q, s) => s.end('inside ' + q.url)).listen(+process.argv[1], process.argv[2])`;
/** A WebSocket server in a few lines: it takes the handshake and sends each small frame back. */
const WS = `require('http').createServer().on('upgrade', (q, socket) => {
  const key = require('crypto').createHash('sha1').update(q.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: ' + key + '\\r\\n\\r\\n');
  socket.on('data', (f) => { const n = f[1] & 127, mask = f.subarray(2, 6), text = Buffer.from(f.subarray(6, 6 + n).map((b, i) => b ^ mask[i % 4]));
    socket.write(Buffer.concat([Buffer.from([0x81, n + 5]), Buffer.from('echo '), text])); });
}).listen(+process.argv[1])`;

test('what a workspace listens on is listed with its command, and nobody outside reaches it until it is opened', async () => {
  const machine = await machineIn(outside(), { allow: ['allowed.example'] });
  expect(machine.ports!.list()).toEqual([]);
  await serve(machine, HTTP, 45_173);
  // The proxy's own port is no server of the person's.
  expect(machine.ports!.list()).toEqual([{ port: 45_173, command: expect.stringContaining('createServer') as string, open: null }]);
  await expect(fetch('http://127.0.0.1:45173/')).rejects.toThrow();
  const at = await machine.ports!.open(45_173);
  expect(at).toBe(45_173);
  expect(await (await fetch(`http://127.0.0.1:${at}/hello`)).text()).toBe('inside /hello');
  const many = await Promise.all(Array.from({ length: 30 }, async (_, n) => (await fetch(`http://127.0.0.1:${at}/${n}`)).text()));
  expect(many).toEqual(many.map((_, n) => `inside /${n}`));
  expect(machine.ports!.list()).toMatchObject([{ port: 45_173, open: 45_173 }]);
  // It opens no way out.
  expect((await shell(machine, 'exec 3<>/dev/tcp/1.1.1.1/443')).code).not.toBe(0);
  machine.ports!.close(45_173);
  await expect(fetch('http://127.0.0.1:45173/')).rejects.toThrow();
});

test('a taken number leads over another one; the same port of two workspaces stands side by side', async () => {
  const taken = await listening(createServer());
  const [one, two] = [await machineIn(outside(), { allow: [] }), await machineIn(outside(), { allow: [] })];
  await Promise.all([serve(one, HTTP.replace('inside', 'one'), taken), serve(two, HTTP.replace('inside', 'two'), taken)]);
  const [first, second] = [await one.ports!.open(taken), await two.ports!.open(taken)];
  expect(new Set([taken, first, second]).size).toBe(3);
  expect(await (await fetch(`http://127.0.0.1:${first}/`)).text()).toBe('one /');
  expect(await (await fetch(`http://127.0.0.1:${second}/`)).text()).toBe('two /');
});

test('a WebSocket goes through, and a server that speaks first', async () => {
  const machine = await machineIn(outside(), { allow: [] });
  await serve(machine, WS, 45_174);
  await serve(machine, `require('net').createServer((s) => s.end('hello from inside')).listen(+process.argv[1], '::')`, 45_175);
  const socket = new WebSocket(`ws://127.0.0.1:${await machine.ports!.open(45_174)}/`);
  await once(socket, 'open');
  socket.send('ping');
  const [{ data }] = (await once(socket, 'message')) as [MessageEvent];
  expect(data).toBe('echo ping');
  socket.close();
  const plain = connect(await machine.ports!.open(45_175), '127.0.0.1');
  let text = '';
  for await (const chunk of plain) text += String(chunk);
  expect(text).toBe('hello from inside');
});

test('a large answer arrives whole', async () => {
  const machine = await machineIn(outside(), { allow: [] });
  await serve(machine, `require('http').createServer((q, s) => s.end(Buffer.alloc(50_000_000, 'x'))).listen(+process.argv[1])`, 45_176);
  const body = Buffer.from(await (await fetch(`http://127.0.0.1:${await machine.ports!.open(45_176)}/`)).arrayBuffer());
  expect([body.length, createHash('sha1').update(body).digest('hex')]).toEqual([
    50_000_000,
    createHash('sha1').update(Buffer.alloc(50_000_000, 'x')).digest('hex'),
  ]);
});

test('what nobody listens on, and the proxy’s own port, can’t be opened', async () => {
  const machine = await machineIn(outside(), { allow: ['allowed.example'] });
  const { out } = await shell(machine, 'echo "${http_proxy##*:}"');
  for (const port of [45_177, Number(out)])
    await expect(machine.ports!.open(port)).rejects.toMatchObject({
      detail: { code: 'conflict', message: expect.stringContaining(String(port)) as string },
    });
});

test('an open port closes with its workspace and leaves no process behind; the helper is not seen inside', async () => {
  const machine = await machineIn(outside(), { allow: [] });
  await serve(machine, HTTP, 45_178);
  const at = await machine.ports!.open(45_178);
  expect(await (await fetch(`http://127.0.0.1:${at}/`)).text()).toBe('inside /');
  const helpers = () =>
    execFileSync('ps', ['-eo', 'pid,ppid,args'], { encoding: 'utf8' })
      .split('\n')
      .filter((line) => line.includes('net.connect({ host, port })') && Number(line.trim().split(/\s+/)[1]) === process.pid);
  expect(helpers()).toHaveLength(1);
  expect((await shell(machine, 'cat /proc/[0-9]*/cmdline | tr "\\0" " "')).out).not.toContain('net.connect({ host, port })');
  await machine.dispose();
  await expect(fetch(`http://127.0.0.1:${at}/`)).rejects.toThrow();
  await expect.poll(helpers).toEqual([]);
});

test('a dev server in the worktree answers the person’s browser', async () => {
  const machine = await machineIn(outside(), { allow: [] });
  await machine.files.write('index.html', '<h1>Made inside</h1>');
  const running = await machine.run({ argv: ['python3', '-m', 'http.server', '45179'] });
  onTestFinished(() => running.kill('kill'));
  await until(machine, 45_179);
  const at = await machine.ports!.open(45_179);
  const browser = spawn('curl', ['-sS', `http://127.0.0.1:${at}/index.html`], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  for await (const chunk of browser.stdout) text += String(chunk);
  expect(text).toContain('Made inside');
});

test('thousands of ports and a command line without end hold nobody up', async () => {
  const machine = await machineIn(outside(), { allow: [] });
  const text = `for (let n = 0; n < 900; n++) require('net').createServer().listen(20000 + n, '127.0.0.1')`;
  await machine.run({ argv: ['node', '-e', text, 'x'.repeat(100_000)] });
  await expect.poll(() => machine.ports!.list().length, { timeout: 20_000 }).toBe(200);
  const before = performance.now();
  const listed = machine.ports!.list();
  expect(performance.now() - before).toBeLessThan(3000);
  expect(listed[0]!.command).toContain('createServer');
  expect(listed.every(({ command }) => command.length <= 2000)).toBe(true);
});
