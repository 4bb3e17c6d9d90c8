import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { Blocked, Gate, type GateOptions, type Rules } from './gate.ts';
import { forbidden, hostsOf, HttpForwarder, refusal } from './http.ts';
import { credentialFor, Interceptor, type Credential, type InterceptOptions } from './intercept.ts';
import { Watch, type ConnectionLog } from './log.ts';
import { matchPattern, readHost, splitPort, type HostPort } from './patterns.ts';
import { answer as socksAnswer, BadSocks, readSocks, REPLY, socksTarget, type Asked } from './socks.ts';
import { endWhenIdle, readStart, splice } from './streams.ts';
import { lookInside, TLS_DENIED } from './tunnel.ts';

export interface ProxyOptions extends GateOptions {
  log: ConnectionLog;
  /** Names the process at the other end of a connection from inside, or ''. */
  who?: (client: Socket) => string;
  /** A connection without a byte in either direction for so long ends. */
  idleMs?: number;
  /** How requests get a credential added; none is without. */
  credentials?: Pick<InterceptOptions, 'header' | 'authority' | 'trust'>;
  /** More connections at a time than this are turned away. */
  most?: number;
}

/** Tells a client of one kind whether its tunnel stands. */
interface Asker {
  granted(): void;
  refused(reason: string, blocked: boolean): void;
}

const connectAsker = (client: Socket): Asker => ({
  granted: () => client.write('HTTP/1.1 200 Connection established\r\n\r\n'),
  refused: (reason, blocked) => {
    const { status, headers, body } = refusal(reason, blocked);
    const lines = headers.flatMap((text, n) => (n % 2 === 0 ? [`${text}: ${headers[n + 1]}`] : []));
    client.end(`HTTP/1.1 ${status} ${blocked ? 'Forbidden' : 'Bad Gateway'}\r\n${lines.join('\r\n')}\r\nconnection: close\r\n\r\n${body}`);
  },
});

const socksAsker = (client: Socket): Asker => ({
  granted: () => client.write(socksAnswer(REPLY.done)),
  refused: (_reason, blocked) => client.end(socksAnswer(blocked ? REPLY.forbidden : REPLY.unreachable)),
});

/**
 * The way out of one machine: HTTP CONNECT, plain HTTP with whole URLs, and SOCKS5 on the same connections. Whoever
 * listens hands connections in; nothing is reached that the rules of the moment don't grant.
 */
export class Proxy {
  #gate: Gate;
  #log: ConnectionLog;
  #who: (client: Socket) => string;
  #http: HttpForwarder;
  #idleMs: number;
  #most: number;
  #clients = new Set<Socket>();
  #credentials: readonly Credential[] = [];
  #interceptor: Interceptor | null;
  #tunnels = new Map<Socket, HostPort>();

  constructor(options: ProxyOptions) {
    this.#gate = new Gate(options);
    this.#log = options.log;
    this.#who = options.who ?? (() => '');
    this.#idleMs = options.idleMs ?? 15 * 60_000;
    this.#most = options.most ?? 512;
    this.#http = new HttpForwarder({ gate: this.#gate, log: options.log, who: this.#who, idleMs: this.#idleMs });
    const shared = { gate: this.#gate, log: options.log, who: this.#who, idleMs: this.#idleMs };
    this.#interceptor = options.credentials ? new Interceptor({ ...shared, ...options.credentials }) : null;
    this.#http.server.on('connect', (message: IncomingMessage, client: Socket, head: Buffer) => {
      if (head.length > 0) client.unshift(head);
      void this.#connect(message, client);
    });
  }

  /** Takes other rules; tunnels that they no longer grant are cut. */
  setRules(rules: Rules, credentials: readonly Credential[] = []): void {
    this.#gate.rules = rules;
    this.#credentials = credentials;
    for (const [client, { host, port }] of this.#tunnels) {
      if (!matchPattern([...rules.allow, ...rules.services], host, port)) client.destroy();
    }
  }

  /** Serves a connection from inside the machine. */
  accept(client: Socket): void {
    if (!this.#admit(client)) return;
    void this.#greet(client).catch(() => client.destroy());
  }

  /** A connection from inside to a port that stands for one service outside. */
  acceptFor(client: Socket, target: HostPort): void {
    if (!this.#admit(client)) return;
    const asker: Asker = { granted: () => {}, refused: () => client.destroy() };
    void this.#tunnel(client, { host: target.host.text, port: target.port }, () => target, asker, false).catch(() => client.destroy());
  }

  /** Cuts all connections. */
  close(): void {
    for (const client of this.#clients) client.destroy();
    this.#http.server.close();
    this.#interceptor?.close();
  }

  #admit(client: Socket): boolean {
    if (this.#clients.size >= this.#most) {
      client.destroy();
      return false;
    }
    this.#clients.add(client);
    client.on('error', () => client.destroy());
    client.once('close', () => {
      this.#clients.delete(client);
      this.#tunnels.delete(client);
    });
    endWhenIdle(client, this.#idleMs);
    return true;
  }

  async #greet(client: Socket): Promise<void> {
    const first = await readStart(client, { bytes: 1 << 20, ms: 60_000 }, (bytes) => ({ value: bytes[0], used: 0 }));
    if (first === 5) await this.#socks(client);
    else this.#http.take(client);
  }

  async #socks(client: Socket): Promise<void> {
    let asked: Asked;
    try {
      asked = await readSocks(client);
    } catch (error) {
      if (error instanceof BadSocks) client.end(socksAnswer(error.reply));
      throw error;
    }
    await this.#tunnel(client, asked, () => socksTarget(asked), socksAsker(client));
  }

  async #connect(message: IncomingMessage, client: Socket): Promise<void> {
    // A CONNECT in a tunnel would be for the host at its end.
    if (this.#http.tunnelOf(client)) {
      client.destroy();
      return;
    }
    const url = message.url ?? '';
    const target = (): HostPort => {
      const { host, port } = splitPort(url);
      if (port === null) throw new Blocked('A CONNECT names a host and a port.');
      const wanted = { host: readHost(host), port };
      if (hostsOf(message).some((named) => readHost(splitPort(named).host).text !== wanted.host.text)) {
        throw new Blocked(`The CONNECT is for ${wanted.host.text}, and its Host header says something else.`);
      }
      return wanted;
    };
    const shown = /^(.*?)(?::(\d{1,5}))?$/s.exec(url);
    await this.#tunnel(client, { host: shown?.[1] ?? url, port: Number(shown?.[2] ?? 0) }, target, connectAsker(client)).catch(() =>
      client.destroy(),
    );
  }

  /** Makes a tunnel: decides, connects, and lets nothing through before its first bytes were looked at. */
  async #tunnel(client: Socket, asked: Asked, read: () => HostPort, asker: Asker, look = true): Promise<void> {
    const watch = new Watch(this.#log, asked.host, asked.port, () => this.#who(client));
    let target: HostPort;
    let outside: Socket | null = null;
    try {
      target = read();
      // HTTP is forwarded request by request, each with a connection of its own.
      if (look && target.port === 80) this.#gate.check(target);
      else outside = (await this.#gate.connect(target, false)).socket;
    } catch (error) {
      asker.refused(watch.failed(error), forbidden(error));
      return;
    }
    if (client.destroyed) {
      outside?.destroy();
      return;
    }
    if (outside) watch.began(outside);
    this.#tunnels.set(client, target);
    client.once('close', () => outside?.destroy());
    asker.granted();
    if (look) await this.#looked(client, outside, target, watch);
    else if (outside) await this.#join(client, outside, watch);
  }

  async #looked(client: Socket, outside: Socket | null, target: HostPort, watch: Watch): Promise<void> {
    // Where the server speaks first, its words must not wait for the client's; a TLS or HTTP server never does.
    const early = (chunk: Buffer) => {
      if (!client.write(chunk)) outside?.pause();
    };
    const go = () => outside?.resume();
    if (outside && target.port !== 443) {
      outside.on('data', early);
      client.on('drain', go);
    }
    try {
      const inside = await lookInside(client, target);
      outside?.off('data', early);
      client.off('drain', go);
      if (inside === 'http') {
        outside?.destroy();
        this.#http.take(client, target);
      } else if (outside) await this.#passed(client, outside, target, { inside, watch });
    } catch (error) {
      watch.failed(error, outside ?? undefined);
      outside?.destroy();
      if (error instanceof Blocked && !client.destroyed) client.end(TLS_DENIED);
      else client.destroy();
    }
  }

  /** To a host with a credential only what it can be added to goes; to all others bytes go as they are. */
  async #passed(client: Socket, outside: Socket, target: HostPort, { inside, watch }: { inside: string; watch: Watch }): Promise<void> {
    const credential = inside === 'tls' ? credentialFor(this.#credentials, target) : undefined;
    if (!credential || !this.#interceptor) await this.#join(client, outside, watch);
    else {
      // It tells of its own connections.
      await this.#interceptor.take(client, outside, target, credential);
    }
  }

  async #join(client: Socket, outside: Socket, watch: Watch): Promise<void> {
    await splice(client, outside, this.#idleMs);
    watch.ended(outside);
  }
}
