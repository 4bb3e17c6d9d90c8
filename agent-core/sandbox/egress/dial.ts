import { lookup } from 'node:dns/promises';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { authority, type HostPort } from './patterns.ts';
import { readStart } from './streams.ts';
import type { Upstream } from './upstream.ts';

/** Looks a name up; rejects when it has no address. */
export type Resolver = (name: string) => Promise<string[]>;

/** Connects to an address (never a name) within `ms` milliseconds; rejects when that fails. */
export type Dialler = (address: string, port: number, ms: number) => Promise<Socket>;

/** The system's own way to look names up, /etc/hosts included. */
export const systemResolver: Resolver = async (name) => (await lookup(name, { all: true })).map(({ address }) => address);

function settled(socket: Socket, event: 'connect' | 'secureConnect', ms: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(() => fail(new Error('no answer in time')), ms);
    socket.once('error', fail);
    socket.once(event, () => {
      clearTimeout(timer);
      socket.off('error', fail);
      // Whoever gets it listens for errors a moment later: until then one must not end the core.
      socket.on('error', () => socket.destroy());
      resolve(socket);
    });
  });
}

/** Connects over TCP. Half-open, so that a client may end its side and still read the answer. */
export const systemDialler: Dialler = (address, port, ms) => {
  if (isIP(address) === 0) return Promise.reject(new Error('an address is needed'));
  return settled(connect({ host: address, port, allowHalfOpen: true, noDelay: true }), 'connect', ms);
};

const ANSWER = { bytes: 16 * 1024, ms: 30_000 };

async function askForTunnel(socket: Socket, upstream: Upstream, target: HostPort): Promise<void> {
  const name = authority(target);
  const authorization = upstream.authorization ? `Proxy-Authorization: ${upstream.authorization}\r\n` : '';
  socket.write(`CONNECT ${name} HTTP/1.1\r\nHost: ${name}\r\n${authorization}\r\n`);
  const status = await readStart(socket, ANSWER, (bytes) => {
    const end = bytes.indexOf('\r\n\r\n');
    return end === -1 ? null : { value: bytes.subarray(0, bytes.indexOf('\r\n')).toString('latin1'), used: end + 4 };
  });
  if (!/^HTTP\/1\.[01] 2\d\d(?: |$)/.test(status)) throw new Error(`it answered “${status.slice(0, 200)}”`);
}

/** Connects to the company's proxy and, with a target, through it. Rejects when either fails. */
export async function throughUpstream(dial: Dialler, upstream: Upstream, target: HostPort | null): Promise<Socket> {
  const address = isIP(upstream.host) ? upstream.host : (await systemResolver(upstream.host))[0];
  const plain = await dial(address ?? '', upstream.port, 15_000);
  const named = isIP(upstream.host) ? {} : { servername: upstream.host };
  const socket = upstream.secure ? await settled(connectTls({ socket: plain, ...named }), 'secureConnect', 15_000) : plain;
  try {
    if (target) await askForTunnel(socket, upstream, target);
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return socket;
}
