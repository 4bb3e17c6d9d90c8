import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { Blocked, type Gate } from './gate.ts';
import { printable, Watch, type ConnectionLog } from './log.ts';
import { authority, BadHost, readHostPort, type HostPort } from './patterns.ts';
import { endWhenIdle } from './streams.ts';

export interface HttpOptions {
  gate: Gate;
  log: ConnectionLog;
  /** Names the process at the other end of a connection from inside, or ''. */
  who: (client: Socket) => string;
  idleMs: number;
}

/** Belong to one connection, not to the message (RFC 9110, 7.6.1); none of the client's goes to a proxy or a host. */
const HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authorization',
  'proxy-authenticate',
  'proxy-authentication-info',
  'te',
  'trailer',
  'upgrade',
]);

/** A flat list of names and values without those that end here. */
export function endToEnd(raw: string[], ...more: string[]): string[] {
  const dropped = new Set([...HOP, ...more]);
  for (let n = 0; n < raw.length; n += 2) {
    if (raw[n]?.toLowerCase() === 'connection') for (const name of (raw[n + 1] ?? '').split(',')) dropped.add(name.trim().toLowerCase());
  }
  // How a message is framed is not for the client's Connection header to hide.
  for (const name of ['content-length', 'transfer-encoding']) dropped.delete(name);
  return raw.filter((_, n) => !dropped.has((raw[n - (n % 2)] ?? '').toLowerCase()));
}

/** What a request is for: its target, and the path there. */
interface Wanted {
  target: HostPort;
  path: string;
}

/** The values of its Host headers. */
export const hostsOf = ({ rawHeaders }: IncomingMessage): string[] =>
  rawHeaders.filter((_, n) => n % 2 === 1 && rawHeaders[n - 1]?.toLowerCase() === 'host');

const same = (a: HostPort, b: HostPort) => authority(a) === authority(b);

/** Reads a request line, whole URL or path. Throws {@link BadHost} and {@link Blocked}. */
export function wantedBy(message: IncomingMessage, tunnel: HostPort | undefined): Wanted {
  const url = message.url ?? '';
  const whole = /^([a-z][a-z0-9+.-]*):\/\/([^/?#\\]*)([/?][^#]*)?$/i.exec(url);
  if (whole && whole[1]?.toLowerCase() !== 'http') throw new Blocked('Only http:// goes this way: use CONNECT for anything else.');
  if (!whole && (!tunnel || !/^[/*]/.test(url))) throw new Blocked('This is a proxy: a whole URL is needed.');
  const standard = tunnel ? tunnel.port : 80;
  const target = whole ? readHostPort(whole[2] ?? '', 80) : (tunnel as HostPort);
  if (tunnel && !same(target, tunnel))
    throw new Blocked(`The connection leads to ${tunnel.host.text}, and a request in it to ${target.host.text}.`);
  const path = whole ? (whole[3] ?? '/') : url;
  const hosts = hostsOf(message);
  if (hosts.length > 1) throw new Blocked('A request has one Host header.');
  const named = hosts[0] === undefined ? target : readHostPort(hosts[0], standard === 443 ? 443 : 80);
  // A client may leave the port out of the header, as to a tunnel of its own.
  if (named.host.text !== target.host.text || (named.port !== target.port && /:\d+$/.test(hosts[0] ?? ''))) {
    throw new Blocked(`The request is for ${target.host.text}, and its Host header says ${named.host.text}.`);
  }
  return { target, path: path.startsWith('?') ? `/${path}` : path };
}

/** The answer to what is forbidden (403) or could not be reached (502); the same for CONNECT. */
export function refusal(reason: string, blocked: boolean): { status: number; headers: string[]; body: string } {
  const body = `${blocked ? 'Blocked by Signalbox' : 'Signalbox could not connect'}: ${reason}\n`;
  const headers = [
    'content-type',
    'text/plain; charset=utf-8',
    'content-length',
    String(Buffer.byteLength(body)),
    'cache-control',
    'no-store',
    ...(blocked ? ['x-signalbox-blocked', reason] : []),
  ];
  return { status: blocked ? 403 : 502, headers, body };
}

export const forbidden = (error: unknown): boolean => error instanceof Blocked || error instanceof BadHost;

/** Forwards plain HTTP, a connection of its own for each request: every one is decided by itself. */
export class HttpForwarder {
  readonly server: Server;
  #options: HttpOptions;
  #tunnels = new WeakMap<Socket, HostPort>();

  constructor(options: HttpOptions) {
    this.#options = options;
    this.server = createServer({
      requireHostHeader: false,
      maxHeaderSize: 64 * 1024,
      headersTimeout: 30_000,
      requestTimeout: 0,
      keepAliveTimeout: 30_000,
    });
    this.server.on('request', (message: IncomingMessage, answer: ServerResponse) => void this.#serve(message, answer));
    this.server.on('clientError', (_error, socket) =>
      socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n', () => socket.destroy()),
    );
  }

  /** Serves requests on a connection; with a tunnel's target, requests for that alone. */
  take(socket: Socket, tunnel?: HostPort): void {
    if (tunnel) this.#tunnels.set(socket, tunnel);
    this.server.emit('connection', socket);
    socket.resume();
  }

  /** The target of the tunnel that a connection is, if it is one. */
  tunnelOf(socket: Socket): HostPort | undefined {
    return this.#tunnels.get(socket);
  }

  async #serve(message: IncomingMessage, answer: ServerResponse): Promise<void> {
    const asked = hostsOf(message)[0] ?? printable(message.url ?? '');
    const who = () => this.#options.who(message.socket);
    let watch = new Watch(this.#options.log, asked, 80, who);
    try {
      const wanted = wantedBy(message, this.#tunnels.get(message.socket));
      watch = Watch.for(this.#options.log, wanted.target, who);
      await this.#forward(message, answer, wanted, watch);
    } catch (error) {
      const reason = watch.failed(error);
      if (answer.headersSent || answer.destroyed) answer.destroy();
      else {
        const { status, headers, body } = refusal(reason, forbidden(error));
        answer.writeHead(status, [...headers, 'connection', 'close']).end(body);
      }
    }
  }

  async #forward(message: IncomingMessage, answer: ServerResponse, { target, path }: Wanted, watch: Watch): Promise<void> {
    const { socket, upstream } = await this.#options.gate.connect(target, true);
    if (answer.destroyed) {
      socket.destroy();
      return;
    }
    watch.began(socket);
    answer.once('close', () => {
      socket.destroy();
    });
    endWhenIdle(socket, this.#options.idleMs);
    const name = target.port === 80 ? authority(target).replace(/:80$/, '') : authority(target);
    const out = request({
      createConnection: () => socket,
      method: message.method,
      path: upstream ? `http://${name}${path}` : path,
      setDefaultHeaders: false,
      headers: [
        'Host',
        name,
        ...endToEnd(message.rawHeaders, 'host', 'expect'),
        'Connection',
        'close',
        ...(upstream?.authorization ? ['Proxy-Authorization', upstream.authorization] : []),
      ],
    });
    const sent = pipeline(message, out);
    // The answer may come, and be all, before the whole request was taken.
    sent.catch(() => {});
    try {
      const reply = await new Promise<IncomingMessage>((resolve, reject) => {
        out
          .once('response', resolve)
          .once('error', reject)
          .once('upgrade', () => reject(new Error('it switched to another protocol')));
        answer.once('close', () => reject(new Error('the client went away')));
      });
      answer.writeHead(reply.statusCode ?? 502, reply.statusMessage, endToEnd(reply.rawHeaders));
      await pipeline(reply, answer);
      watch.ended(socket);
    } catch (error) {
      watch.failed(error, socket);
      throw error;
    } finally {
      socket.destroy();
    }
  }
}
