import { Agent, createServer, request, type ClientRequest, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isIP, type Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { connect as connectTls, TLSSocket, type SecureContext } from 'node:tls';
import type { Authority } from './authority.ts';
import { Blocked, Unreachable, type Gate } from './gate.ts';
import { endToEnd, forbidden, refusal, wantedBy } from './http.ts';
import { Watch, type ConnectionLog } from './log.ts';
import { authority as nameOf, matchPattern, type HostPort, type Pattern } from './patterns.ts';
import { endWhenIdle } from './streams.ts';

/** A header that the proxy adds to the requests for some hosts. What it says is asked for at each request, and kept nowhere. */
export interface Credential {
  id: string;
  pattern: Pattern;
}

export interface InterceptOptions {
  gate: Gate;
  log: ConnectionLog;
  who: (client: Socket) => string;
  idleMs: number;
  /** The header of a credential, its value the secret; null when it is gone. */
  header: (id: string) => Promise<{ name: string; value: string } | null>;
  authority: () => Promise<Authority>;
  /** Whom the core believes about servers outside. */
  trust: () => SecureContext;
}

/** One connection from inside, to a host that has a credential. */
interface Visit {
  target: HostPort;
  credential: Credential;
  agent: Agent;
}

const HANDSHAKE_MS = 20_000;

export const credentialFor = (credentials: readonly Credential[], { host, port }: HostPort): Credential | undefined =>
  credentials.find(({ pattern }) => matchPattern([pattern], host, port) !== null);

function secured(socket: TLSSocket, event: 'secure' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the TLS handshake took too long')), HANDSHAKE_MS);
    const settle = (done: () => void) => () => {
      clearTimeout(timer);
      done();
    };
    socket.once(event, settle(resolve));
    socket.once('error', (error) => settle(() => reject(error))());
    socket.once(
      'close',
      settle(() => reject(new Error('it was closed'))),
    );
  });
}

/**
 * Reads the requests for hosts that have a credential, and adds it: with certificates of the home's own authority on the
 * inside, and TLS checked as usual on the outside. What the inside itself puts in the place of the credential is dropped.
 */
export class Interceptor {
  #options: InterceptOptions;
  #server: Server;
  #visits = new WeakMap<Socket, Visit>();

  constructor(options: InterceptOptions) {
    this.#options = options;
    this.#server = createServer({ requireHostHeader: true, maxHeaderSize: 64 * 1024, headersTimeout: 30_000, requestTimeout: 0 });
    this.#server.on('request', (message: IncomingMessage, answer: ServerResponse) => void this.#serve(message, answer));
    this.#server.on('upgrade', (_message, socket) => socket.end('HTTP/1.1 501 Not Implemented\r\nconnection: close\r\n\r\n'));
    this.#server.on('clientError', (_error, socket) => socket.destroy());
  }

  /** Takes a tunnel whose greeting names its host. `outside` leads there and has carried nothing; it is taken over. */
  async take(client: Socket, outside: Socket, target: HostPort, credential: Credential): Promise<void> {
    const context = await (await this.#options.authority()).contextFor(target.host);
    const inner = new TLSSocket(client, { isServer: true, secureContext: context, ALPNProtocols: ['http/1.1'] });
    inner.on('error', () => client.destroy());
    let first: Socket | null = outside;
    const agent = new Agent({ keepAlive: true, maxSockets: 1, timeout: this.#options.idleMs });
    // Node lets a connection be made by callback, and its types say so of no agent.
    (agent as { createConnection: unknown }).createConnection = (
      _options: unknown,
      done: (error: Error | null, socket?: Socket) => void,
    ) => {
      const ready = first;
      first = null;
      this.#connect(ready, target, client).then(
        (socket) => done(null, socket),
        (error: unknown) => done(error as Error),
      );
    };
    client.once('close', () => {
      agent.destroy();
      first?.destroy();
    });
    endWhenIdle(inner, this.#options.idleMs);
    await secured(inner, 'secure');
    this.#visits.set(inner, { target, credential, agent });
    this.#server.emit('connection', inner);
  }

  close(): void {
    this.#server.close();
  }

  /** A TLS connection to the host, logged when it ends. */
  async #connect(ready: Socket | null, target: HostPort, client: Socket): Promise<Socket> {
    const watch = Watch.for(this.#options.log, target, () => this.#options.who(client));
    let plain: Socket | null = null;
    try {
      plain = ready && !ready.destroyed ? ready : (await this.#options.gate.connect(target, false)).socket;
      watch.began(plain);
      const named = isIP(target.host.text) ? { host: target.host.text } : { servername: target.host.text, host: target.host.text };
      const socket = connectTls({ socket: plain, secureContext: this.#options.trust(), ALPNProtocols: ['http/1.1'], ...named });
      await secured(socket, 'secureConnect').catch((error: unknown) => {
        throw new Unreachable(`No TLS connection to ${target.host.text} came about: ${(error as Error).message}`);
      });
      const under = plain;
      socket.on('error', () => socket.destroy());
      socket.once('close', () => watch.ended(under));
      return socket;
    } catch (error) {
      watch.failed(error, plain ?? undefined);
      plain?.destroy();
      throw error;
    }
  }

  async #serve(message: IncomingMessage, answer: ServerResponse): Promise<void> {
    try {
      const visit = this.#visits.get(message.socket);
      if (!visit) throw new Blocked('This connection leads nowhere.');
      await this.#forward(message, answer, visit);
    } catch (error) {
      if (answer.headersSent || answer.destroyed) {
        answer.destroy();
        return;
      }
      const { status, headers, body } = refusal(error instanceof Error ? error.message : String(error), forbidden(error));
      answer.writeHead(status, [...headers, 'connection', 'close']).end(body);
    }
  }

  async #forward(message: IncomingMessage, answer: ServerResponse, { target, credential, agent }: Visit): Promise<void> {
    const { path } = wantedBy(message, target);
    // TRACE would tell the inside what was sent.
    if (message.method === 'TRACE' || message.method === 'CONNECT') throw new Blocked(`${message.method} is not taken here.`);
    // What was granted may have been taken back since the connection was made.
    this.#options.gate.check(target);
    const header = await this.#options.header(credential.id);
    const name = target.port === 443 ? nameOf(target).replace(/:443$/, '') : nameOf(target);
    const own = header ? [header.name, header.value] : [];
    const out = request({
      agent,
      method: message.method,
      path,
      setDefaultHeaders: false,
      headers: [
        'Host',
        name,
        ...endToEnd(message.rawHeaders, 'host', 'expect', ...(header ? [header.name.toLowerCase()] : [])),
        ...own,
        'Connection',
        'keep-alive',
      ],
    });
    const sent = pipeline(message, out);
    sent.catch(() => {});
    const reply = await answered(out, answer);
    answer.writeHead(reply.statusCode ?? 502, reply.statusMessage, endToEnd(reply.rawHeaders));
    await pipeline(reply, answer);
  }
}

function answered(out: ClientRequest, answer: ServerResponse): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    out.once('response', resolve).once('error', reject);
    out.once('upgrade', (_reply, socket: Socket) => {
      socket.destroy();
      reject(new Unreachable('It switched to another protocol.'));
    });
    answer.once('close', () => {
      if (!answer.writableFinished) out.destroy();
      reject(new Error('the client went away'));
    });
  });
}
