import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Channel } from '../contract/index.ts';

/** The longest message that a client may send: a big patch to discard, or a prompt. */
export const REQUEST_LIMIT = 16 * 1024 * 1024;
/** The longest message that a client takes from the core: a board with everything on it. */
export const REPLY_LIMIT = 512 * 1024 * 1024;

/** Keeps messages that come before the first listener, and calls every close listener once. */
class Inbox {
  #listener: ((message: unknown) => void) | null = null;
  #early: unknown[] = [];
  #closed = false;
  #closers: (() => void)[] = [];

  take(message: unknown): void {
    if (this.#listener) this.#listener(message);
    else this.#early.push(message);
  }
  listen(listener: (message: unknown) => void): void {
    this.#listener = listener;
    for (const message of this.#early.splice(0)) listener(message);
  }
  onClose(listener: () => void): void {
    if (this.#closed) listener();
    else this.#closers.push(listener);
  }
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const closer of this.#closers.splice(0)) closer();
  }
  get closed(): boolean {
    return this.#closed;
  }
}

/** Cuts a byte stream into lines; throws when one is longer than `limit` bytes. */
export class Lines {
  readonly #limit: number;
  #parts: Buffer[] = [];
  #size = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  push(chunk: Buffer, each: (line: string) => void): void {
    let start = 0;
    for (let end = chunk.indexOf(10, start); end >= 0; end = chunk.indexOf(10, start)) {
      this.#keep(chunk.subarray(start, end));
      const line = this.#parts.length === 1 ? this.#parts[0]?.toString('utf8') : Buffer.concat(this.#parts).toString('utf8');
      this.#parts = [];
      this.#size = 0;
      start = end + 1;
      if (line) each(line);
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
  }

  #keep(part: Buffer): void {
    this.#size += part.length;
    if (this.#size > this.#limit) throw new Error(`a line is longer than ${this.#limit} bytes`);
    this.#parts.push(part);
  }
}

/** JSON values, one a line, over a Unix socket or named pipe. Anything else, or a line over `limit` bytes, ends it. */
export function socketChannel(socket: Socket, limit: number): Channel {
  const inbox = new Inbox();
  const lines = new Lines(limit);
  socket.on('data', (chunk: Buffer) => {
    try {
      lines.push(chunk, (line) => {
        if (!inbox.closed) inbox.take(JSON.parse(line));
      });
    } catch {
      socket.destroy();
    }
  });
  socket.on('error', () => socket.destroy());
  socket.on('close', () => inbox.close());
  return {
    send: (message) => {
      if (socket.writable) socket.write(`${JSON.stringify(message)}\n`);
    },
    onMessage: (listener) => inbox.listen(listener),
    onClose: (listener) => inbox.onClose(listener),
    // What was written is still sent; a reader that doesn't take it is cut off.
    close: () => {
      socket.end();
      setTimeout(() => socket.destroy(), 1000).unref();
    },
    get pending() {
      return socket.writableLength;
    },
  };
}

/** JSON texts over a WebSocket of the `ws` package. Binary messages and broken JSON end it. */
export function webSocketChannel(socket: WebSocket): Channel {
  const inbox = new Inbox();
  socket.on('message', (data, isBinary) => {
    if (isBinary) {
      socket.close(1003);
      return;
    }
    let message: unknown;
    try {
      message = JSON.parse((data as Buffer).toString('utf8'));
    } catch {
      socket.close(1007);
      return;
    }
    inbox.take(message);
  });
  socket.on('error', () => socket.terminate());
  socket.on('close', () => inbox.close());
  return {
    send: (message) => {
      if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message));
    },
    onMessage: (listener) => inbox.listen(listener),
    onClose: (listener) => inbox.onClose(listener),
    close: () => socket.close(),
    get pending() {
      return socket.bufferedAmount;
    },
  };
}

/** What Electron's MessagePortMain and Node's MessagePort have in common. */
export interface PortLike {
  on(event: 'message', listener: (message: unknown) => void): unknown;
  on(event: 'close', listener: () => void): unknown;
  postMessage(message: unknown): void;
  start?(): void;
  close(): void;
}

/** Electron hands over an event with `data` and `ports`, Node the value itself. No message of the wire has `ports`. */
const unwrap = (message: unknown): unknown =>
  typeof message === 'object' && message !== null && 'ports' in message && 'data' in message ? message.data : message;

/** A MessagePort of Electron or of Node. It can't tell what is pending. */
export function portChannel(port: PortLike): Channel {
  const inbox = new Inbox();
  port.on('message', (message) => inbox.take(unwrap(message)));
  port.on('close', () => inbox.close());
  port.start?.();
  return {
    send: (message) => {
      if (!inbox.closed) port.postMessage(message);
    },
    onMessage: (listener) => inbox.listen(listener),
    onClose: (listener) => inbox.onClose(listener),
    close: () => {
      port.close();
      inbox.close();
    },
    pending: 0,
  };
}

/** Bytes that may wait at the far end of a relay before its source is read no further. */
const RELAY_BYTES = 4 * 1024 * 1024;

/** Reads `socket` only while little waits where its messages go on to, so that the sender sees a slow reader. */
export function throttle(socket: Socket, pending: () => number): void {
  let timer: NodeJS.Timeout | null = null;
  const look = (): void => {
    timer = null;
    if (pending() > RELAY_BYTES) {
      socket.pause();
      timer = setTimeout(look, 20);
    } else socket.resume();
  };
  socket.on('data', () => {
    if (!timer && pending() > RELAY_BYTES) look();
  });
  socket.on('close', () => {
    if (timer) clearTimeout(timer);
  });
}

/**
 * Two ends in this process. Values are cloned and come in a later microtask, in order. `pending` is what the
 * second end tells of the first, where its messages go on to something slower.
 */
export function channelPair(pending: () => number = () => 0): [Channel, Channel] {
  const boxes = [new Inbox(), new Inbox()] as const;
  const shut = () => {
    boxes[0].close();
    boxes[1].close();
  };
  const end = (own: Inbox, other: Inbox, waiting: () => number): Channel => ({
    send: (message) => {
      const copy: unknown = structuredClone(message);
      queueMicrotask(() => {
        if (!other.closed) other.take(copy);
      });
    },
    onMessage: (listener) => own.listen(listener),
    onClose: (listener) => own.onClose(listener),
    close: () => queueMicrotask(shut),
    get pending() {
      return waiting();
    },
  });
  return [end(boxes[0], boxes[1], () => 0), end(boxes[1], boxes[0], pending)];
}
