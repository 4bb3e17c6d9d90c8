import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttp, type RequestListener } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ConnectionEntry } from '../../agent-core/sandbox/egress/index.ts';

/** Public addresses as the tests' resolver gives them; nothing is ever sent there. */
export const PUBLIC = '93.184.215.14';
export const OTHER_PUBLIC = '93.184.215.15';

/** A network of the test's own: names, and where each address and port truly leads on the loopback. */
export interface Outside {
  names: Record<string, string[]>;
  /** `address:port` → a port of the loopback. */
  routes: Map<string, number>;
  looked: string[];
  dialled: string[];
  log: ConnectionEntry[];
  resolve: (name: string) => Promise<string[]>;
  dial: (address: string, port: number) => Promise<Socket>;
}

export function outside(names: Record<string, string[]> = {}): Outside {
  const self: Outside = {
    names,
    routes: new Map(),
    looked: [],
    dialled: [],
    log: [],
    resolve: async (name) => {
      self.looked.push(name);
      const found = self.names[name];
      if (!found) throw new Error('ENOTFOUND');
      return found;
    },
    // Only the loopback is ever dialled: what leads nowhere in the test is noted, no more.
    dial: (address, port) =>
      new Promise((resolve, reject) => {
        self.dialled.push(`${address}:${port}`);
        const at = self.routes.get(`${address}:${port}`);
        if (at === undefined) {
          reject(new Error('no route in this test'));
          return;
        }
        const socket = connect({ host: '127.0.0.1', port: at, allowHalfOpen: true });
        socket.once('error', reject).once('connect', () => {
          socket.off('error', reject).on('error', () => socket.destroy());
          resolve(socket);
        });
      }),
  };
  return self;
}

/** Listens on a free port of the loopback until the test is over. */
export async function listening(server: Server): Promise<number> {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.on('error', () => {}).once('close', () => open.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

export const httpServer = (serve: RequestListener): Promise<number> => listening(createHttp(serve));

let made: { key: string; cert: string } | undefined;
/** A certificate for the names of the tests, made once a run. */
export function certificate(): { key: string; cert: string } {
  if (made) return made;
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-cert-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-keyout',
      key,
      '-out',
      cert,
      '-subj',
      '/CN=allowed.example',
      '-addext',
      'subjectAltName=DNS:allowed.example,DNS:*.allowed.example,DNS:other.example',
    ],
    { stdio: 'ignore' },
  );
  made = { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  rmSync(folder, { recursive: true });
  return made;
}

export const tlsServer = (serve: RequestListener): Promise<number> => listening(createHttps(certificate(), serve));

/** A server that says which host it was asked for, over HTTP at port 80 and TLS at 443 of `allowed.example`. */
export async function ordinary(): Promise<Outside> {
  const net = outside({ 'allowed.example': [PUBLIC], 'sub.allowed.example': [PUBLIC], 'other.example': [OTHER_PUBLIC] });
  const say: RequestListener = (request, response) => {
    let size = 0;
    request
      .on('data', (chunk: Buffer) => {
        size += chunk.length;
      })
      .on('end', () => response.end(`host=${request.headers.host} path=${request.url} method=${request.method} body=${size}\n`));
  };
  const [plain, secure] = [await httpServer(say), await tlsServer(say)];
  for (const address of [PUBLIC, OTHER_PUBLIC]) {
    net.routes.set(`${address}:80`, plain);
    net.routes.set(`${address}:443`, secure);
  }
  return net;
}
