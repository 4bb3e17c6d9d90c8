import type { Server, Socket } from 'node:net';
import type { Policy } from '../types.ts';
import { systemDialler, systemResolver, type Dialler, type Resolver } from './dial.ts';
import { proxyEnvironment } from './environment.ts';
import { listenInside, type Namespace } from './listener.ts';
import type { ConnectionLog } from './log.ts';
import { authority, parsePattern, type HostPort, type Pattern } from './patterns.ts';
import { Services, type ServicePort } from './services.ts';
import type { Credential } from './intercept.ts';
import { Proxy, type ProxyOptions } from './proxy.ts';
import { Askers } from './who.ts';

export type { Grantable } from './gate.ts';
export type { ConnectionEntry, ConnectionLog } from './log.ts';
export type { Dialler, Resolver } from './dial.ts';
export { parsePattern, parseService, spelt } from './patterns.ts';

export interface WayOutOptions {
  /** The environment that Signalbox was started with: it names the company's proxy. */
  env: NodeJS.ProcessEnv;
  log?: ConnectionLog;
  /** Listens also where nothing is allowed, so that what is refused can be told. */
  watch?: boolean;
  /** How a credential of the policy is had. */
  credentials?: ProxyOptions['credentials'];
  /** In place of the system's own, for tests. */
  resolve?: Resolver;
  dial?: Dialler;
}

type Network = Policy['network'];

/** Where the proxy listens in a machine, if nothing else does there. Above the ports that people give to servers. */
const PROXY_PORT = 47_831;

/** What a port inside stands for: a service, or null for the proxy. */
const nameOf = (target: HostPort | null): string => (target ? authority(target) : 'proxy');

/**
 * A machine's way out to the network: a proxy in the core that listens on the machine's own loopback. Where its policy
 * allows no host it is there only if asked to `watch`: then it refuses everything, and tells.
 */
export class WayOut {
  #options: WayOutOptions;
  #allow: Pattern[] = [];
  #services: Pattern[] = [];
  #credentials: Credential[] = [];
  #places = new Services();
  #proxy: Proxy | null = null;
  #inside: { pid: number; listening: Map<string, { port: number; server: Server }>; tried: Set<string> } | null = null;
  #opening: Promise<unknown> = Promise.resolve();
  #askers = new Askers();
  #namespace: Namespace | null = null;

  constructor(options: WayOutOptions, network: Network) {
    this.#options = options;
    this.set(network);
  }

  /**
   * Takes a policy's hosts from now on; connections that it no longer grants are cut. Throws `Failure('invalid-input')`
   * for a pattern that is none, and has changed nothing then.
   */
  set(network: Network): void {
    const allow = network.allow.map(parsePattern);
    const services = (network.services ?? []).map(parsePattern);
    [this.#allow, this.#services] = [allow, services];
    this.#credentials = (network.credentials ?? []).map(({ id, host }) => ({ id, pattern: parsePattern(host) }));
    this.#proxy?.setRules({ allow, services }, this.#credentials);
    if (!this.#wanted && !this.#options.watch) {
      this.dispose();
      return;
    }
    // A port for a service that is granted no longer.
    const names = new Set(['proxy', ...this.#here.map(authority)]);
    for (const [name, { server }] of this.#inside?.listening ?? []) {
      if (names.has(name)) continue;
      server.close();
      this.#inside?.listening.delete(name);
      this.#inside?.tried.delete(name);
    }
    // What runs already gets the port of a service that was just granted.
    if (this.#namespace && this.#here.some((target) => !this.#inside?.tried.has(nameOf(target)))) {
      void this.#begin(this.#namespace).catch(() => {});
    }
  }

  get #wanted(): boolean {
    return this.#allow.length > 0 || this.#services.length > 0;
  }

  get #here(): ServicePort[] {
    return this.#places.at(this.#services, this.#allow);
  }

  /** What the machine's hosts file says beside the usual, for services that have a name; '' where there are none. */
  get hosts(): string {
    return this.#places.hosts(this.#here);
  }

  /**
   * What a command's environment needs for the way out, which is open when this resolves; empty without allowed hosts.
   * One that only watches opens beside the command, which doesn't wait for it: nobody else can have taken its port in a
   * namespace so young. Throws `Failure('cannot-confine')`.
   */
  async environment(namespace: Namespace): Promise<Record<string, string>> {
    if (!this.#wanted && !this.#options.watch) return {};
    const known = this.#inside?.pid === namespace.pid ? this.#inside : null;
    const opened = this.#begin(namespace);
    if (this.#wanted || known?.tried.has('proxy')) await opened;
    else {
      opened.catch(() => {});
      return proxyEnvironment(PROXY_PORT);
    }
    const port = this.#inside?.listening.get('proxy')?.port;
    return port === undefined ? {} : proxyEnvironment(port);
  }

  /** Whether some requests are read on the way, so that what runs inside has to trust our certificates. */
  get intercepts(): boolean {
    return this.#credentials.length > 0;
  }

  /** Ports of the machine that are ours: no server of the person's. */
  get ports(): number[] {
    return [...(this.#inside?.listening.values() ?? [])].map(({ port }) => port);
  }

  #begin(namespace: Namespace): Promise<void> {
    this.#namespace = namespace;
    const opened = this.#opening.then(() => this.#open(namespace));
    this.#opening = opened.catch(() => {});
    return opened;
  }

  /** Closes everything; a later command opens it again if the policy says so. */
  dispose(): void {
    this.#namespace = null;
    for (const { server } of this.#inside?.listening.values() ?? []) server.close();
    this.#proxy?.close();
    this.#inside = null;
    this.#proxy = null;
  }

  async #open(namespace: Namespace): Promise<void> {
    // A machine that lost its holder has other namespaces now.
    if (this.#inside && this.#inside.pid !== namespace.pid) this.dispose();
    this.#namespace = namespace;
    const inside = (this.#inside ??= { pid: namespace.pid, listening: new Map(), tried: new Set() });
    const missing = [null, ...this.#here].filter((target) => !inside.tried.has(nameOf(target)));
    if (missing.length === 0) return;
    const found = await listenInside(
      namespace,
      missing.map((target) => (target ? { want: target.port, any: false, address: target.address } : { want: PROXY_PORT, any: true })),
    );
    found.forEach((one, index) => {
      const target = missing[index] ?? null;
      const name = nameOf(target);
      // A port that a server inside has is the server's: it is not asked for again with each command.
      inside.tried.add(name);
      if (one.port === null) return;
      // The policy may have changed while it was opened.
      if (this.#inside !== inside || (target && !this.#here.some((here) => authority(here) === name))) {
        one.server.close();
        return;
      }
      this.#serve(one.server, target);
      inside.listening.set(name, one);
    });
  }

  #serve(server: Server, target: HostPort | null): void {
    (server as Server & { allowHalfOpen: boolean }).allowHalfOpen = true;
    server.on('connection', (client: Socket) => {
      // Made for the first connection: most machines never ask for one.
      const proxy = (this.#proxy ??= this.#makeProxy());
      if (target) proxy.acceptFor(client, target);
      else proxy.accept(client);
    });
    server.on('error', () => {});
    // The way out alone must not keep a core running that has nothing else to do.
    server.unref();
  }

  #makeProxy(): Proxy {
    const { env, resolve = systemResolver, dial = systemDialler, log = () => {} } = this.#options;
    const who = ({ remotePort }: Socket) => (this.#namespace ? this.#askers.commandOf(this.#namespace.pid, remotePort) : '');
    const { credentials } = this.#options;
    const proxy = new Proxy({ env, resolve, dial, log, who, ...(credentials ? { credentials } : {}) });
    proxy.setRules({ allow: this.#allow, services: this.#services }, this.#credentials);
    return proxy;
  }
}
