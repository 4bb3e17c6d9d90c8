import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Failure } from '../../contract/errors.ts';
import { enter, nodeEnvironment, type Namespace } from './listener.ts';
import { splice } from './streams.ts';
import { commandsHolding } from './who.ts';

/**
 * Runs in a machine's network namespace while one of its ports is open to the person: connects there and hands the
 * sockets over. It is outside the machine's pid namespace, so that nothing inside sees it, and it ends with the core.
 */
const HELPER = `
const net = require('node:net');
process.on('disconnect', () => process.exit());
process.on('message', ({ id, host, port }) => {
  const socket = net.connect({ host, port });
  socket.pause();
  socket.once('error', (error) => process.send({ id, error: error.message }));
  socket.once('connect', () => process.send({ id }, socket));
});
`;

const LISTENING = '0A';
/** Ports below this are not given to ordinary programs: the person gets another number then. */
const FIRST_FREE = 1024;
const IDLE_MS = 60 * 60_000;
const CONNECT_MS = 10_000;
/** Nobody looks through more; what runs inside may open thousands. */
const MOST_LISTED = 200;

/** A port that something in a machine listens on. */
export interface MachinePort {
  port: number;
  /** The command line of what listens, '' where it can't be told. */
  command: string;
  /** The port of this computer's own loopback that leads there; null while none does. */
  open: number | null;
}

interface Listener {
  port: number;
  /** Where in the machine to connect to. */
  host: string;
  inode: string;
}

/** Loopback addresses as /proc/net writes them (words in the machine's byte order), and the one to connect to. */
function reachable(address: string, six: boolean): string | null {
  if (!six && address !== '00000000') return address.endsWith('7F') ? dotted(address) : null;
  if (/^0+$/.test(address)) return '127.0.0.1';
  return address === '00000000000000000000000001000000' ? '::1' : null;
}

const dotted = (address: string): string =>
  (address.match(/../g) ?? [])
    .map((byte) => Number.parseInt(byte, 16))
    .toReversed()
    .join('.');

/** What listens in the network namespace of a process, on an address that the loopback reaches. */
export function listenersOf(pid: number): Listener[] {
  const found = new Map<number, Listener>();
  for (const [name, six] of [
    ['tcp', false],
    ['tcp6', true],
  ] as const) {
    let text = '';
    try {
      text = readFileSync(`/proc/${pid}/net/${name}`, 'latin1');
    } catch {
      /* gone, or no IPv6 */
    }
    for (const line of text.split('\n').slice(1)) {
      const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
      const [address = '', hex = ''] = local.split(':');
      const host = reachable(address, six);
      const port = Number.parseInt(hex, 16);
      if (state === LISTENING && host !== null && !found.has(port)) found.set(port, { port, host, inode });
    }
  }
  return [...found.values()].toSorted((a, b) => a.port - b.port);
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port }, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** A process in the machine's namespace that connects for us. */
class Connector {
  readonly pid: number;
  #child: ChildProcess;
  #waiting = new Map<number, (socket: Socket | null) => void>();
  #last = 0;

  constructor(namespace: Namespace) {
    this.pid = namespace.pid;
    const [file, args] = enter(namespace, [process.execPath, '-e', HELPER]);
    this.#child = spawn(file, args, { cwd: '/', env: nodeEnvironment(), stdio: ['ignore', 'ignore', 'ignore', 'ipc'], detached: true });
    this.#child.on('error', () => this.#lost());
    this.#child.once('exit', () => this.#lost());
    this.#child.on('message', (said, handle) => {
      const { id } = said as { id: number };
      const resolve = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (resolve) resolve((handle as Socket | undefined) ?? null);
      else (handle as Socket | undefined)?.destroy();
    });
    // Open ports alone must not keep a core running that has nothing else to do.
    this.#child.unref();
    this.#child.channel?.unref();
  }

  get alive(): boolean {
    return this.#child.connected;
  }

  /** A connection inside; null when nothing takes it. */
  connect(host: string, port: number): Promise<Socket | null> {
    const id = ++this.#last;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#settle(id, null), CONNECT_MS).unref();
      this.#waiting.set(id, (socket) => {
        clearTimeout(timer);
        resolve(socket);
      });
      if (!this.alive) this.#settle(id, null);
      else this.#child.send({ id, host, port }, (error) => error && this.#settle(id, null));
    });
  }

  #settle(id: number, socket: Socket | null): void {
    this.#waiting.get(id)?.(socket);
    this.#waiting.delete(id);
  }

  #lost(): void {
    for (const id of [...this.#waiting.keys()]) this.#settle(id, null);
  }

  end(): void {
    if (this.#child.connected) this.#child.disconnect();
  }
}

/** The ports of one machine, and which of them a person opened to their own loopback. Nothing else gets out by it. */
export class Ports {
  /** Null once the machine's processes have ended: their numbers may be others' then. */
  #namespace: () => Namespace | null;
  /** Ports inside that are the core's own. */
  #own: () => number[];
  #open = new Map<number, { server: Server; at: number; clients: Set<Socket> }>();
  #connector: Connector | null = null;

  constructor(namespace: () => Namespace | null, own: () => number[]) {
    this.#namespace = namespace;
    this.#own = own;
  }

  list(): MachinePort[] {
    const pid = this.#namespace()?.pid ?? 0;
    const found = this.#found().slice(0, MOST_LISTED);
    const commands = commandsHolding(
      pid,
      found.map(({ inode }) => inode),
    );
    const listed = found.map(({ port, inode }) => ({ port, command: commands.get(inode) ?? '', open: this.#open.get(port)?.at ?? null }));
    // One that was opened stays, so that it can be closed while its server is being started anew.
    const silent = [...this.#open].filter(([port]) => !found.some((one) => one.port === port));
    return [...listed, ...silent.map(([port, { at }]) => ({ port, command: '', open: at }))].toSorted((a, b) => a.port - b.port);
  }

  /** Leads a port of this computer's loopback there, the same number where it is free. Throws `Failure('conflict')`. */
  async open(port: number): Promise<number> {
    const known = this.#open.get(port);
    if (known) return known.at;
    if (!this.#found().some((one) => one.port === port)) {
      throw new Failure('conflict', `Nothing in this workspace listens on port ${port}.`, { fix: 'Start the server first.' });
    }
    const clients = new Set<Socket>();
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
      clients.add(client);
      client.once('close', () => clients.delete(client)).on('error', () => client.destroy());
      void this.#serve(client, port);
    });
    const entry = { server, at: 0, clients };
    this.#open.set(port, entry);
    try {
      entry.at = await listen(server, port < FIRST_FREE ? 0 : port).catch(() => listen(server, 0));
    } catch (error) {
      this.#open.delete(port);
      throw new Failure('conflict', `Port ${port} could not be opened here: ${(error as Error).message}`);
    }
    server.unref();
    return entry.at;
  }

  close(port: number): void {
    const entry = this.#open.get(port);
    if (!entry) return;
    this.#open.delete(port);
    entry.server.close();
    for (const client of entry.clients) client.destroy();
    if (this.#open.size > 0) return;
    this.#connector?.end();
    this.#connector = null;
  }

  get anyOpen(): boolean {
    return this.#open.size > 0;
  }

  dispose(): void {
    for (const port of [...this.#open.keys()]) this.close(port);
  }

  /** What listens there and is not ours. */
  #found(): Listener[] {
    const namespace = this.#namespace();
    const own = new Set(this.#own());
    return namespace ? listenersOf(namespace.pid).filter(({ port }) => !own.has(port)) : [];
  }

  async #serve(client: Socket, port: number): Promise<void> {
    const namespace = this.#namespace();
    const host = this.#found().find((one) => one.port === port)?.host;
    if (!namespace || host === undefined) {
      client.destroy();
      return;
    }
    if (this.#connector?.pid !== namespace.pid || !this.#connector.alive) {
      this.#connector?.end();
      this.#connector = new Connector(namespace);
    }
    const inside = await this.#connector.connect(host, port);
    if (!inside || client.destroyed) {
      client.destroy();
      inside?.destroy();
      return;
    }
    inside.allowHalfOpen = true;
    client.once('close', () => inside.destroy());
    await splice(client, inside, IDLE_MS);
  }
}
