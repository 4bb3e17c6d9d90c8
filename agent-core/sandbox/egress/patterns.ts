import { Failure } from '../../contract/errors.ts';

/**
 * A host as it may be asked for: a name in lower case, or an address in its one plain form. There is one spelling for
 * each, so that what was checked and what is connected to are the same.
 */
export interface Host {
  kind: 'name' | 'address';
  text: string;
}

/** One granted pattern. Without a port all ports are meant. */
export interface Pattern {
  /** `*.` before it: every name below, not the name itself. */
  below: boolean;
  host: Host;
  port: number | null;
}

export interface HostPort {
  host: Host;
  port: number;
}

/** Why a host can't be asked for; a sentence for a person. */
export class BadHost extends Error {}

const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
const BYTE = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const IPV4 = new RegExp(`^${BYTE}(?:\\.${BYTE}){3}$`);
/** What the C library and browsers would read as a number, in any notation: 127.1, 0x7f000001, 0177.0.0.1. */
const NUMBER = /^(?:\d+|0x[0-9a-f]*)$/;

/** The one spelling of an IPv6 address, or null. */
function plainIpv6(text: string): string | null {
  if (!/^[0-9a-f:.]+$/i.test(text) || !URL.canParse(`http://[${text}]/`)) return null;
  return new URL(`http://[${text}]/`).hostname.slice(1, -1);
}

function ipv6(text: string): Host {
  const plain = plainIpv6(text);
  if (plain === null) throw new BadHost('This is no IPv6 address.');
  if (/^::(?!1?$)/.test(plain)) throw new BadHost('An IPv4 address written as IPv6 is not taken.');
  return { kind: 'address', text: plain };
}

function refuseCharacters(text: string): void {
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x20 || code === 0x7f) throw new BadHost('A host name has no NUL or control characters in it.');
    if (code > 0x7e) throw new BadHost('A host name outside ASCII has to be written as punycode (xn--…).');
  }
}

/**
 * Reads a host as it stands in a CONNECT, a URL, a Host header, a SOCKS request or a TLS server name; an IPv6 address in
 * brackets. Throws {@link BadHost}: NUL, control characters, a trailing dot, an empty or over-long label, an address
 * in an odd notation.
 */
export function readHost(text: string): Host {
  if (text === '') throw new BadHost('There is no host.');
  refuseCharacters(text);
  if (text.startsWith('[') && text.endsWith(']')) return ipv6(text.slice(1, -1));
  if (text.length > 253) throw new BadHost('The host name is longer than 253 characters.');
  const name = text.toLowerCase();
  if (name.endsWith('.')) throw new BadHost('A host name with a dot at its end is not taken.');
  const labels = name.split('.');
  if (labels.includes('')) throw new BadHost('The host name has an empty part between two dots.');
  if (IPV4.test(name)) return { kind: 'address', text: name };
  if (NUMBER.test(labels.at(-1) ?? '')) throw new BadHost('An address is taken in plain dotted form only, such as 192.0.2.1.');
  if (!labels.every((label) => LABEL.test(label))) throw new BadHost('This is no host name.');
  return { kind: 'name', text: name };
}

function readPort(text: string): number {
  const port = /^[1-9]\d{0,4}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw new BadHost('A port is a number from 1 to 65535.');
  return port;
}

/** Splits `host:port`; the port is null where there is none. Throws {@link BadHost}. */
export function splitPort(text: string): { host: string; port: number | null } {
  const found = /^(\[[^\]]*\]|[^:[\]]*)(?::([\s\S]*))?$/.exec(text);
  if (!found) throw new BadHost('This is no host, and no host with a port.');
  return { host: found[1] ?? '', port: found[2] === undefined ? null : readPort(found[2]) };
}

/** As it stands in a CONNECT or a Host header, the port always said. */
export const authority = ({ host, port }: HostPort): string => `${host.text.includes(':') ? `[${host.text}]` : host.text}:${port}`;

/** Reads `host` or `host:port`. Throws {@link BadHost}. */
export function readHostPort(text: string, standard: number): HostPort {
  const { host, port } = splitPort(text);
  return { host: readHost(host), port: port ?? standard };
}

function parse(text: string): Pattern {
  refuseCharacters(text);
  if (text === '*' || text.startsWith('*:')) throw new BadHost('It would open every host.');
  const { host: written, port } = splitPort(text);
  const below = written.startsWith('*.');
  const host = readHost(below ? written.slice(2) : written);
  if (below && host.kind === 'address') throw new BadHost('An address has nothing below it.');
  if (below && !host.text.includes('.')) throw new BadHost('It would open a whole top-level domain.');
  return { below, host, port };
}

/** Reads a host pattern: `registry.npmjs.org`, `*.example.com`, `example.com:8443`. Throws `Failure('invalid-input')`. */
export function parsePattern(text: string): Pattern {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof BadHost)) throw error;
    throw new Failure('invalid-input', `“${text.slice(0, 260)}” is no host pattern. ${error.message}`, {
      fix: 'Name a host (registry.npmjs.org), or all below one (*.example.com), with a port if need be (example.com:8443).',
    });
  }
}

/** Reads a single service with its port: `localhost:5432`, `db.internal:5432`. Throws `Failure('invalid-input')`. */
export function parseService(text: string): Pattern {
  const pattern = parsePattern(text);
  if (!pattern.below && pattern.port !== null) return pattern;
  throw new Failure('invalid-input', `“${text}” is no single service.`, { fix: 'Name one host and its port, such as localhost:5432.' });
}

/** A pattern in its one spelling. */
export const spelt = ({ below, host, port }: Pattern): string => {
  const name = host.text.includes(':') ? `[${host.text}]` : host.text;
  return `${below ? '*.' : ''}${name}${port === null ? '' : `:${port}`}`;
};

const hostMatches = (pattern: Pattern, host: Host): boolean =>
  pattern.below ? host.kind === 'name' && host.text.endsWith(`.${pattern.host.text}`) : pattern.host.text === host.text;

/** The first pattern that grants this host and port. */
export function matchPattern(patterns: readonly Pattern[], host: Host, port: number): Pattern | null {
  return patterns.find((pattern) => (pattern.port === null || pattern.port === port) && hostMatches(pattern, host)) ?? null;
}
