import type { Socket } from 'node:net';
import { Blocked, type Grantable } from './gate.ts';
import { BadHost, type HostPort } from './patterns.ts';

/** One connection that was asked for, or one request of plain HTTP. Told when it is over. */
export interface ConnectionEntry {
  /** When it was asked for, milliseconds since 1970. */
  time: number;
  /** As it was asked for, at most 300 characters, control characters escaped. */
  host: string;
  port: number;
  /** Bytes that came from the host, and that went to it. */
  bytesIn: number;
  bytesOut: number;
  /** `failed` was allowed and could not be reached, or broke off at once. */
  verdict: 'allowed' | 'blocked' | 'failed';
  /** Why, where it was not simply allowed. */
  reason?: string;
  /** What would let it through; absent where nothing should. */
  grant?: Grantable;
  /** The command line of the process that asked, where it was blocked and can be told. */
  command?: string;
}

export type ConnectionLog = (entry: ConnectionEntry) => void;

/** Fit for a header, a log line and a terminal. */
export const printable = (text: string): string =>
  text.slice(0, 300).replace(/[^\x20-\x7e]/g, (character) => `\\x${(character.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`);

/** Follows one connection to its single entry. */
export class Watch {
  #entry: ConnectionEntry;
  #log: ConnectionLog;
  #told = false;
  #who: () => string;
  #from: { in: number; out: number } = { in: 0, out: 0 };

  /** `who` names the process at the other end; it is asked only about what is blocked. */
  constructor(log: ConnectionLog, host: string, port: number, who: () => string = () => '') {
    this.#log = log;
    this.#who = who;
    this.#entry = { time: Date.now(), host: printable(host), port, bytesIn: 0, bytesOut: 0, verdict: 'allowed' };
  }

  static for(log: ConnectionLog, { host, port }: HostPort, who?: () => string): Watch {
    return new Watch(log, host.text, port, who);
  }

  /** What the connection carried before, such as the greeting of a company's proxy, doesn't count. */
  began(socket: Socket): void {
    this.#from = { in: socket.bytesRead - socket.readableLength, out: socket.bytesWritten };
  }

  ended(socket: Socket): void {
    this.#entry.bytesIn = Math.max(0, socket.bytesRead - this.#from.in);
    this.#entry.bytesOut = Math.max(0, socket.bytesWritten - this.#from.out);
    this.#tell();
  }

  /** Says why it came to nothing; the reason as told to the client. */
  failed(error: unknown, socket?: Socket): string {
    const refused = error instanceof Blocked || error instanceof BadHost;
    this.#entry.verdict = refused ? 'blocked' : 'failed';
    const reason = printable(error instanceof Error ? error.message : String(error));
    this.#entry.reason = reason;
    if (refused && !this.#told) this.#entry.command = printable(this.#who());
    if (error instanceof Blocked && error.grant) this.#entry.grant = error.grant;
    if (socket) this.ended(socket);
    else this.#tell();
    return reason;
  }

  #tell(): void {
    if (this.#told) return;
    this.#told = true;
    this.#log(this.#entry);
  }
}
