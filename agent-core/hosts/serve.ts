import { randomBytes } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { Failure, Request, type Channel } from '../contract/index.ts';
import { REQUEST_LIMIT, webSocketChannel } from './channels.ts';
import { refuse, serveFile } from './static.ts';
import { sameToken, wrongToken } from './session.ts';

/** Where the page opens its WebSocket. */
export const WIRE_PATH = '/wire';

export interface ServeOptions {
  /** Folder of the built renderer. */
  renderer: string;
  /** 0 for any free port. */
  port: number;
  /** A fresh connection to the core, in this process or another. `pending` tells it how much waits for the page. */
  open(pending: () => number): Promise<Channel>;
}

export interface Served {
  /** What to open, the token in its fragment, which never travels in a request. */
  url: string;
  port: number;
  close(): Promise<void>;
}

/** The names under which a browser reaches our loopback port; a page that was rebound by DNS comes with another. */
const ownHosts = (port: number): Set<string> => new Set([`127.0.0.1:${port}`, `localhost:${port}`]);

const rightHost = (request: IncomingMessage, port: number): boolean => ownHosts(port).has(request.headers.host ?? '');

/** A browser always names the page that opens a socket; other programs name none and still need the token. */
function rightOrigin(request: IncomingMessage): boolean {
  const origin = request.headers.origin;
  return origin === undefined || origin === `http://${request.headers.host}`;
}

/** Passes messages both ways once the page has shown the token, which the core's own socket doesn't ask for. */
async function bridge(page: Channel, token: string, open: ServeOptions['open']): Promise<void> {
  let core: Channel | null = null;
  const early: unknown[] = [];
  let welcome = false;
  let over = false;
  page.onClose(() => {
    over = true;
    core?.close();
  });
  page.onMessage((message) => {
    if (over) return;
    if (!welcome) {
      const opened = admit(message, token);
      if ('error' in opened) {
        page.send(opened.error);
        over = true;
        page.close();
        return;
      }
      welcome = true;
      message = opened.message;
    }
    if (core) core.send(message);
    else early.push(message);
  });
  try {
    core = await open(() => page.pending);
  } catch {
    page.close();
    return;
  }
  core.onMessage((message) => page.send(message));
  core.onClose(() => page.close());
  for (const message of early.splice(0)) core.send(message);
  if (over) core.close();
}

function admit(message: unknown, token: string): { message: unknown } | { error: unknown } {
  const parsed = Request.safeParse(message);
  const id = parsed.success ? parsed.data.id : 0;
  const params = parsed.success && parsed.data.method === 'initialize' ? parsed.data.params : null;
  const given = typeof params === 'object' && params !== null && 'token' in params ? params.token : undefined;
  if (params && sameToken(typeof given === 'string' ? given : undefined, token)) {
    return { message: { ...parsed.data, params: { ...params, token: undefined } } };
  }
  return { error: { kind: 'error', id, error: wrongToken().detail } };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new Failure('conflict', `Port ${port} is taken.`, { fix: 'Name another with --port, or leave it out for any free one.' })
          : error.code === 'EACCES'
            ? new Failure('not-allowed', `Port ${port} is not allowed for you.`, { fix: 'Take one above 1023.' })
            : error,
      );
    });
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

/**
 * The renderer and the wire on loopback. Every request must come by our own host name, a socket also from our own
 * page, and its first message must hold the token. Rejects with `conflict` when the port is taken.
 */
export async function serve(options: ServeOptions): Promise<Served> {
  const { WebSocketServer } = await import('ws');
  const token = randomBytes(32).toString('base64url');
  let port = options.port;
  // Importing it would read all its exports, and one of them loads the whole of undici.
  const server = process.getBuiltinModule('node:http').createServer((request, response) => {
    if (!rightHost(request, port)) {
      refuse(response, 403, 'Open Signalbox by the address that it printed.');
      return;
    }
    serveFile(options.renderer, request, response).catch(() => refuse(response, 500, 'That did not work.'));
  });
  const sockets = new WebSocketServer({ noServer: true, maxPayload: REQUEST_LIMIT, perMessageDeflate: false });
  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    stream.on('error', () => stream.destroy());
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    const status = !rightHost(request, port) || !rightOrigin(request) ? '403 Forbidden' : path !== WIRE_PATH ? '404 Not Found' : null;
    if (status) {
      stream.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(request, stream, head, (socket: WebSocket) => {
      void bridge(webSocketChannel(socket), token, options.open);
    });
  });
  port = await listen(server, options.port);
  return {
    url: `http://127.0.0.1:${port}/#token=${token}`,
    port,
    close: async () => {
      for (const socket of sockets.clients) socket.terminate();
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      server.closeAllConnections();
      await closed;
    },
  };
}
