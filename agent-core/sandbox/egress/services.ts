import type { HostPort, Pattern } from './patterns.ts';

/** A port of the machine's loopback that leads to one service outside, so that any protocol goes. */
export interface ServicePort extends HostPort {
  /** Where it is inside. */
  address: string;
}

const HERE = '127.0.0.1';
/** Other names get addresses of the machine's loopback that nobody listens on by chance. */
const FIRST = '127.77.0.';
const MOST = 250;

/**
 * Which services stand at which address inside. This computer's have their own; a service elsewhere with a name gets one for
 * the machine's `/etc/hosts`. One at a bare address is reached by the proxy alone: a machine can't be given that address.
 */
export class Services {
  /** A name keeps its address for as long as the machine lives: what runs inside may have looked it up. */
  #addresses = new Map<string, string>();

  /** `services` are granted as such; of the allowed hosts only this computer's ports are meant so. */
  at(services: readonly Pattern[], allowed: readonly Pattern[]): ServicePort[] {
    const found = new Map<string, ServicePort>();
    const add = ({ host, port }: Pattern, address: string | undefined): void => {
      if (port !== null && address !== undefined) found.set(`${address}:${port}`, { host, port, address });
    };
    for (const pattern of [...services, ...allowed]) {
      if (pattern.below) continue;
      if (pattern.host.text === 'localhost' || pattern.host.text === HERE) add(pattern, HERE);
      else if (pattern.host.kind === 'name' && services.includes(pattern)) add(pattern, this.#addressOf(pattern.host.text));
    }
    return [...found.values()];
  }

  /** Lines for the machine's hosts file; '' where it needs none. */
  hosts(services: readonly ServicePort[]): string {
    const lines = services.filter(({ address }) => address !== HERE).map(({ host, address }) => `${address} ${host.text}\n`);
    return [...new Set(lines)].join('');
  }

  #addressOf(name: string): string | undefined {
    const known = this.#addresses.get(name);
    if (known !== undefined || this.#addresses.size >= MOST) return known;
    const address = `${FIRST}${this.#addresses.size + 1}`;
    this.#addresses.set(name, address);
    return address;
  }
}
