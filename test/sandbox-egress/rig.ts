import { once } from 'node:events';
import { createServer, connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { onTestFinished } from 'vitest';
import { parsePattern } from '../../agent-core/sandbox/egress/patterns.ts';
import { Proxy } from '../../agent-core/sandbox/egress/proxy.ts';
import { certificate, listening, type Outside } from './outside.ts';

export interface Rig {
  net: Outside;
  proxy: Proxy;
  port: number;
}

export async function proxyIn(
  net: Outside,
  allow: string[],
  more: { services?: string[]; env?: NodeJS.ProcessEnv; idleMs?: number; most?: number } = {},
): Promise<Rig> {
  const proxy = new Proxy({
    env: more.env ?? {},
    resolve: net.resolve,
    dial: net.dial,
    log: (entry) => net.log.push(entry),
    idleMs: more.idleMs,
    most: more.most,
  });
  proxy.setRules({ allow: allow.map(parsePattern), services: (more.services ?? []).map(parsePattern) });
  const port = await listening(createServer({ allowHalfOpen: true }, (client) => proxy.accept(client)));
  onTestFinished(() => proxy.close());
  return { net, proxy, port };
}

export interface Client {
  socket: Socket;
  text: () => string;
  until: (words: string) => Promise<string>;
  ended: Promise<string>;
}

export async function client({ port }: Rig): Promise<Client> {
  const socket = connect({ host: '127.0.0.1', port });
  await once(socket, 'connect');
  onTestFinished(() => {
    socket.destroy();
  });
  let text = '';
  let check = () => {};
  socket
    .on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      check();
    })
    .on('error', () => {});
  const ended = new Promise<string>((resolve) => {
    socket.once('close', () => resolve(text));
  });
  const until = (words: string) =>
    new Promise<string>((resolve, reject) => {
      check = () => {
        if (text.includes(words)) resolve(text);
      };
      void ended.then(() => reject(new Error(`never came: ${words}; ${JSON.stringify(text)}`)));
      check();
    });
  return { socket, text: () => text, until, ended };
}

/** Sends everything and gives what came until the other side ended. */
export async function say(rig: Rig, bytes: string | Buffer): Promise<string> {
  const one = await client(rig);
  one.socket.write(bytes);
  return one.ended;
}

export const get = (url: string, ...headers: string[]) =>
  `GET ${url} HTTP/1.1\r\n${headers.map((line) => `${line}\r\n`).join('')}Connection: close\r\n\r\n`;
export const last = (net: Outside) => net.log.at(-1);

export function socks(host: string | Buffer, port: number, type = 3): Buffer {
  const name = Buffer.from(host as string);
  const address = type === 3 ? Buffer.concat([Buffer.from([name.length]), name]) : name;
  return Buffer.concat([Buffer.from([5, 1, 0, 5, 1, 0, type]), address, Buffer.from([port >> 8, port & 255])]);
}

/** TLS through a tunnel that stands, for a server name; what the server said to a request. */
export async function secure({ socket }: Client, servername: string): Promise<string> {
  socket.removeAllListeners('data');
  const tls = connectTls({ socket, servername, ca: certificate().cert, checkServerIdentity: () => undefined });
  await once(tls, 'secureConnect');
  tls.write(get('/x', 'Host: allowed.example'));
  let text = '';
  for await (const chunk of tls) text += String(chunk);
  return text;
}
