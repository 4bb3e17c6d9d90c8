import { isIPv6, type Socket } from 'node:net';
import { readHost, type HostPort } from './patterns.ts';
import { readStart } from './streams.ts';

/** Reply codes of SOCKS5 (RFC 1928). */
export const REPLY = { done: 0, failed: 1, forbidden: 2, unreachable: 4, noCommand: 7, noAddressType: 8 } as const;

export class BadSocks extends Error {
  readonly reply: number;
  constructor(reply: number, message: string) {
    super(message);
    this.reply = reply;
  }
}

export const answer = (reply: number): Buffer => Buffer.from([5, reply, 0, 1, 0, 0, 0, 0, 0, 0]);

const LIMITS = { bytes: 600, ms: 30_000 };

/** What was asked for, as it was written: the name may be anything. */
export interface Asked {
  host: string;
  port: number;
}

function ipv6Text(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, n) => bytes.readUInt16BE(n * 2).toString(16)).join(':');
  return isIPv6(groups) ? `[${groups}]` : '';
}

function parseRequest(bytes: Buffer): { value: Asked; used: number } | null {
  if (bytes.length < 5) return null;
  const [version, command, , type, first = 0] = bytes;
  if (version !== 5) throw new BadSocks(REPLY.failed, 'This is not SOCKS5.');
  if (command !== 1) throw new BadSocks(REPLY.noCommand, 'Only connections go this way: nothing listens, and no UDP.');
  const size = type === 1 ? 4 : type === 4 ? 16 : type === 3 ? first : -1;
  if (size < 0) throw new BadSocks(REPLY.noAddressType, 'There is no such kind of address.');
  const start = type === 3 ? 5 : 4;
  if (bytes.length < start + size + 2) return null;
  const raw = bytes.subarray(start, start + size);
  const host = type === 1 ? raw.join('.') : type === 4 ? ipv6Text(raw) : raw.toString('latin1');
  return { value: { host, port: bytes.readUInt16BE(start + size) }, used: start + size + 2 };
}

/** Greets a SOCKS5 client and reads what it asks for. Throws {@link BadSocks}; the caller answers. */
export async function readSocks(client: Socket): Promise<Asked> {
  const methods = await readStart(client, LIMITS, (bytes) => {
    const count = bytes[1];
    if (count === undefined || bytes.length < 2 + count) return null;
    return { value: bytes.subarray(2, 2 + count), used: 2 + count };
  });
  if (!methods.includes(0)) {
    client.end(Buffer.from([5, 0xff]));
    throw new BadSocks(REPLY.failed, 'A client that wants to give a password is not served.');
  }
  client.write(Buffer.from([5, 0]));
  return readStart(client, LIMITS, parseRequest);
}

/** The name is read like any other: NUL, numbers in odd notations and the rest are refused. Throws `BadHost`. */
export function socksTarget({ host, port }: Asked): HostPort {
  if (port === 0) throw new BadSocks(REPLY.failed, 'There is no port 0.');
  return { host: readHost(host), port };
}
