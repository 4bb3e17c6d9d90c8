import { once } from 'node:events';
import { createServer, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import type { Channel } from '../../agent-core/contract/index.ts';
import { Lines, portChannel, socketChannel } from '../../agent-core/hosts/channels.ts';
import { until } from './support/core.ts';
import { temp } from './support/temp.ts';

async function sockets(): Promise<[Socket, Socket]> {
  const server = createServer();
  const path = join(temp(), 's');
  await new Promise<void>((resolve) => {
    server.listen(path, resolve);
  });
  onTestFinished(() => {
    server.close();
  });
  const near = connect(path);
  const [far] = (await once(server, 'connection')) as [Socket];
  return [near, far];
}
const gather = (channel: Channel) => {
  const state = { got: [] as unknown[], closed: false };
  channel.onMessage((message) => state.got.push(message));
  channel.onClose(() => {
    state.closed = true;
  });
  return state;
};

test('lines come out whole wherever the chunks are cut', () => {
  const text = Buffer.from('{"a":"é√🙂"}\n\n[1]\nrest');
  for (let size = 1; size <= text.length; size += 1) {
    const lines = new Lines(100);
    const got: string[] = [];
    for (let at = 0; at < text.length; at += size) lines.push(text.subarray(at, at + size), (line) => got.push(line));
    expect(got).toEqual(['{"a":"é√🙂"}', '[1]']);
  }
});

test('a socket carries JSON both ways in order, big ones too', async () => {
  const [a, b] = (await sockets()).map((socket) => socketChannel(socket, 10_000_000)) as [Channel, Channel];
  const [atA, atB] = [gather(a), gather(b)];
  const big = { text: 'x\n🙂'.repeat(500_000) };
  a.send(big);
  a.send(2);
  b.send('back');
  await until(() => atB.got.length === 2 && atA.got.length === 1, 'all');
  expect(atB.got).toEqual([big, 2]);
  a.send('last');
  a.close();
  await until(() => atB.closed && atA.closed, 'the end');
  expect(atB.got[2]).toBe('last');
});

test.each(['{broken\n', `"${'x'.repeat(2000)}`])('a socket that sends %.10s… is cut off', async (text) => {
  const [near, far] = await sockets();
  near.on('error', () => {});
  const state = gather(socketChannel(far, 1000));
  near.write(text);
  await until(() => state.closed, 'the end');
  expect(state.got).toEqual([]);
});

test('a MessagePort carries values, and Electron’s event form too', async () => {
  const { port1, port2 } = new MessageChannel();
  const [a, b] = [portChannel(port1), portChannel(port2)];
  const state = gather(b);
  a.send({ id: 1 });
  port1.postMessage({ data: { id: 2 }, ports: [] });
  await until(() => state.got.length === 2, 'both');
  expect(state.got).toEqual([{ id: 1 }, { id: 2 }]);
  a.close();
  await until(() => state.closed, 'the end');
});
