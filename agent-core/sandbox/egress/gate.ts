import type { Socket } from 'node:net';
import { SPECIAL_WORDS, specialAddress, type Special } from './addresses.ts';
import type { Dialler, Resolver } from './dial.ts';
import { throughUpstream } from './dial.ts';
import { authority, matchPattern, type HostPort, type Pattern } from './patterns.ts';
import { UnknownUpstream, upstreamFor, type Upstream } from './upstream.ts';

/** What a machine may reach. */
export interface Rules {
  allow: Pattern[];
  /** Single hosts that may lie at a private address, the loopback and metadata included. */
  services: Pattern[];
}

/** What a person can grant: a host by name, or a service of this computer or the private network. */
export interface Grantable {
  kind: 'host' | 'service';
  /** The pattern to add, such as `registry.npmjs.org:443`. */
  pattern: string;
}

/** A connection that the rules forbid. The message tells a person why. */
export class Blocked extends Error {
  readonly grant: Grantable | undefined;
  constructor(message: string, grant?: Grantable) {
    super(message);
    this.grant = grant;
  }
}

/** A connection that was allowed and could not be made. */
export class Unreachable extends Error {}

export interface GateOptions {
  /** How to find the company's own proxy. */
  env: NodeJS.ProcessEnv;
  resolve: Resolver;
  dial: Dialler;
}

/** A connection to the target, or for plain HTTP to the company's proxy, which then wants whole URLs. */
export interface Route {
  socket: Socket;
  upstream: Upstream | null;
}

const isLocalName = (text: string) => text === 'localhost' || text.endsWith('.localhost');

/** A private address may be granted as a service by a click; metadata and what is no real place only by hand, if at all. */
function asService(target: HostPort, special: Special): Grantable | undefined {
  const usual = special === 'loopback' || special === 'private' || special === 'carrier' || special === 'link-local';
  return usual ? { kind: 'service', pattern: authority(target) } : undefined;
}

/** One who names this computer or an address, and the port, means the service there. Metadata takes a grant as a service. */
function meant(pattern: Pattern, { host }: HostPort, special: Special): boolean {
  if (pattern.below || pattern.port === null || special === 'metadata') return false;
  return host.kind === 'address' || (isLocalName(host.text) && special === 'loopback');
}

/** Decides about a machine's connections, and makes those that may be. */
export class Gate {
  rules: Rules = { allow: [], services: [] };
  #options: GateOptions;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** Decides by name and port alone, before anything is looked up. Throws {@link Blocked}. */
  check(target: HostPort): Pattern {
    const { host, port } = target;
    const pattern = matchPattern(this.rules.services, host, port) ?? matchPattern(this.rules.allow, host, port);
    if (pattern) return pattern;
    const elsewhere = this.rules.allow.some((one) => matchPattern([{ ...one, port: null }], host, port));
    const why = elsewhere ? `Port ${port} of ${host.text} is not allowed.` : `${host.text} is not among the allowed hosts.`;
    const special = host.kind === 'address' ? specialAddress(host.text) : isLocalName(host.text) ? 'loopback' : null;
    throw new Blocked(why, special === null ? { kind: 'host', pattern: authority(target) } : asService(target, special));
  }

  /**
   * Connects: decided by name, looked up once, and one of the very addresses that were checked is dialled. `plain` is
   * for HTTP without TLS. Throws {@link Blocked}, or {@link Unreachable}.
   */
  async connect(target: HostPort, plain: boolean): Promise<Route> {
    const pattern = this.check(target);
    const upstream = this.#upstream(target, plain);
    if (upstream && target.host.kind === 'name' && !isLocalName(target.host.text)) return this.#through(upstream, target, pattern, plain);
    const addresses = this.#permitted(target, pattern, await this.#lookUp(target));
    return { socket: await this.#dialFirst(addresses, target), upstream: null };
  }

  /** The company's proxy looks the name up itself; what it means here, if anything, must be permitted all the same. */
  async #through(upstream: Upstream, target: HostPort, pattern: Pattern, plain: boolean): Promise<Route> {
    const found = await this.#options.resolve(target.host.text).catch(() => []);
    if (found.length > 0) this.#permitted(target, pattern, found);
    const name = `${upstream.host}:${upstream.port}`;
    try {
      return { socket: await throughUpstream(this.#options.dial, upstream, plain ? null : target), upstream: plain ? upstream : null };
    } catch (error) {
      throw new Unreachable(`The proxy ${name} did not lead to ${target.host.text}: ${(error as Error).message}`);
    }
  }

  #upstream({ host, port }: HostPort, plain: boolean): Upstream | null {
    try {
      return upstreamFor(this.#options.env, plain, host.text, port);
    } catch (error) {
      if (error instanceof UnknownUpstream) throw new Unreachable(error.message);
      throw error;
    }
  }

  async #lookUp({ host }: HostPort): Promise<string[]> {
    if (host.kind === 'address') return [host.text];
    if (isLocalName(host.text)) return ['127.0.0.1', '::1'];
    const found = await this.#options.resolve(host.text).catch((error: unknown) => {
      throw new Unreachable(`${host.text} could not be looked up: ${(error as Error).message}`);
    });
    if (found.length === 0) throw new Unreachable(`${host.text} has no address.`);
    return found;
  }

  /** Those of the addresses that may be dialled. Throws {@link Blocked} when none is left. */
  #permitted(target: HostPort, pattern: Pattern, addresses: string[]): string[] {
    const service = this.rules.services.includes(pattern);
    let why: Special = 'unknown';
    const kept = addresses.filter((address) => {
      const special = specialAddress(address);
      if (special === null || service || meant(pattern, target, special)) return true;
      why = special;
      return false;
    });
    if (kept.length === 0) {
      const words = `${target.host.text} leads to ${SPECIAL_WORDS[why]} (${addresses[0]}), which is not allowed.`;
      throw new Blocked(words, asService(target, why));
    }
    return kept;
  }

  async #dialFirst(addresses: string[], { host, port }: HostPort): Promise<Socket> {
    let last: unknown;
    for (const [index, address] of addresses.slice(0, 4).entries()) {
      const ms = index === addresses.length - 1 || index === 3 ? 15_000 : 4000;
      try {
        return await this.#options.dial(address, port, ms);
      } catch (error) {
        last = error;
      }
    }
    throw new Unreachable(`${host.text} port ${port} did not answer: ${(last as Error).message}`);
  }
}
