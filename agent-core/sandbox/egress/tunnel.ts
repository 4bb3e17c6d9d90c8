import type { Socket } from 'node:net';
import { HELLO_LIMIT, readClientHello } from './client-hello.ts';
import { Blocked } from './gate.ts';
import { BadHost, readHost, type HostPort } from './patterns.ts';
import { readStart } from './streams.ts';

/** What goes through a tunnel, told from its first bytes. */
export type Inside = 'tls' | 'http' | 'other';

/** Long, as a pool of connections may be opened ahead of its use. */
const FIRST_BYTES_MS = 300_000;
const TLS_RECORD = 22;

/** Whether the bytes begin a request of HTTP/1: true, false, or null when that can't be told before the line is whole. */
function beginsHttp(bytes: Buffer): boolean | null {
  const text = bytes.toString('latin1').replace(/^[\r\n]+/, '');
  if (text === '') return null;
  if (!/^[A-Za-z-]+(?: |$)/.test(text)) return false;
  const end = text.indexOf('\n');
  return end === -1 ? null : /^\S+ .* HTTP\/\d/i.test(text.slice(0, end));
}

/** Throws {@link Blocked} unless the client greets the very server that the tunnel leads to. */
function checkHello(bytes: Buffer, target: HostPort): Inside | null {
  const hello = readClientHello(bytes);
  if (hello.found === 'more') return null;
  if (hello.found === 'none') throw new Blocked(`The connection to ${target.host.text} was cut: ${hello.why}.`);
  let name: string;
  try {
    name = readHost(hello.name).text;
  } catch (error) {
    throw error instanceof BadHost
      ? new Blocked(`The connection to ${target.host.text} was cut: its TLS server name is bad. ${error.message}`)
      : error;
  }
  if (name === target.host.text) return 'tls';
  throw new Blocked(`The connection to ${target.host.text} was cut: it asked for the TLS server ${name}.`);
}

/**
 * Looks at the first bytes of a tunnel, and leaves them to be read. On port 443 nothing but TLS goes through and on 80
 * nothing but HTTP; elsewhere what looks like TLS or HTTP is treated as such. TLS must name the tunnel's host; a tunnel
 * to a bare address has no name to compare, so its greeting may have none. Throws {@link Blocked}.
 */
export function lookInside(client: Socket, target: HostPort): Promise<Inside> {
  return readStart(client, { bytes: HELLO_LIMIT + 5, ms: FIRST_BYTES_MS }, (bytes) => {
    const inside = classify(bytes, target);
    return inside === null ? null : { value: inside, used: 0 };
  });
}

function classify(bytes: Buffer, target: HostPort): Inside | null {
  if (target.port === 443 || bytes[0] === TLS_RECORD) {
    if (target.host.kind === 'address') return addressHello(bytes, target);
    return checkHello(bytes, target);
  }
  if (target.port === 80) return 'http';
  const http = beginsHttp(bytes);
  return http === null ? null : http ? 'http' : 'other';
}

/** Towards an address a client names no server (RFC 6066 forbids addresses there); a name would lead somewhere unchecked. */
function addressHello(bytes: Buffer, target: HostPort): Inside | null {
  const hello = readClientHello(bytes);
  if (hello.found === 'more') return null;
  if (hello.found === 'none' && hello.nameless) return 'tls';
  return checkHello(bytes, target);
}

/** A fatal TLS alert, `access_denied`: clients say so instead of a mere end. */
export const TLS_DENIED = Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x31]);
