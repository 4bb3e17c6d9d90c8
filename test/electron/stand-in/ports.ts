import { EventEmitter } from 'node:events';

/** One end of a pair, as MessagePortMain: messages wait until `start`, closing one end closes the other. */
export class Port extends EventEmitter {
  peer: Port | null = null;
  #early: unknown[] | null = [];
  #closed = false;

  postMessage(data: unknown): void {
    const copy: unknown = structuredClone(data);
    queueMicrotask(() => this.peer?.receive(copy));
  }

  receive(data: unknown): void {
    if (this.#closed) return;
    if (this.#early) this.#early.push(data);
    else this.emit('message', { data, ports: [] });
  }

  start(): void {
    const early = this.#early ?? [];
    this.#early = null;
    for (const data of early) this.emit('message', { data, ports: [] });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const { peer } = this;
    queueMicrotask(() => {
      this.emit('close');
      peer?.close();
    });
  }
}

export function pair(): { port1: Port; port2: Port } {
  const port1 = new Port();
  const port2 = new Port();
  port1.peer = port2;
  port2.peer = port1;
  return { port1, port2 };
}

/** Ports that were handed to another process or page, by number. */
export class Handed {
  readonly #ports = new Map<number, Port>();
  static #next = 1;

  /** From now on what comes in at `port` is sent over there. */
  hand(port: Port, send: (id: number, data: unknown) => void, close: (id: number) => void): number {
    const id = Handed.#next++;
    this.#ports.set(id, port);
    port.on('message', ({ data }: { data: unknown }) => send(id, data));
    port.on('close', () => {
      this.#ports.delete(id);
      close(id);
    });
    port.start();
    return id;
  }

  /** What the other side posted. */
  fromThere(id: number, data: unknown): void {
    this.#ports.get(id)?.postMessage(data);
  }

  closedThere(id: number): void {
    this.#ports.get(id)?.close();
  }

  /** The other side is gone with all its ports. */
  closeAll(): void {
    for (const port of this.#ports.values()) port.close();
  }
}
