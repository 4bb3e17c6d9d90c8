/** What the first message of a TLS client says about the server it wants. */
export type Hello =
  | { found: 'name'; name: string }
  /** `nameless`: well-formed and without a server name, which is usual towards a bare address. */
  | { found: 'none'; why: string; nameless?: true }
  /** More bytes are needed. */
  | { found: 'more' };

/** A greeting is hardly ever above 2 KiB, with post-quantum keys; these bound what is kept of one, and the work on it. */
export const HELLO_LIMIT = 16 * 1024;
const RECORDS_LIMIT = 64;

const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
/**
 * `encrypted_client_hello` (RFC 9849), its drafts and its predecessor: the real server name would be hidden from us. A name
 * on the outside that fits proves nothing: a server may take the inner one without comparing (7.1), and a dummy (6.2) can't
 * be told from a real one. person/etc.ts keeps browsers from sending it.
 */
const ENCRYPTED = new Set([0xfe0d, 0xfe0c, 0xfe0b, 0xfe0a, 0xfe09, 0xfe08, 0xffce]);
const MALFORMED = 'the TLS greeting is malformed';
const none = (why: string): Hello => ({ found: 'none', why });
const NAMELESS: Hello = { found: 'none', why: 'the TLS greeting names no server', nameless: true };

class Short extends Error {}

/** A cursor that throws {@link Short} past the end. */
class Reader {
  #bytes: Uint8Array;
  #at = 0;
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }
  get left(): number {
    return this.#bytes.length - this.#at;
  }
  number(size: number): number {
    return this.bytes(size).reduce((sum, byte) => sum * 256 + byte, 0);
  }
  bytes(size: number): Uint8Array {
    if (size > this.left) throw new Short();
    this.#at += size;
    return this.#bytes.subarray(this.#at - size, this.#at);
  }
  /** A block led by its length. */
  block(sizeOfLength: number): Reader {
    return new Reader(this.bytes(this.number(sizeOfLength)));
  }
}

/** Joins the handshake bytes of the records, as a greeting may lie in several. `null`: not a handshake. */
function handshake(bytes: Uint8Array): Uint8Array | null {
  const parts: Uint8Array[] = [];
  const reader = new Reader(bytes);
  while (reader.left > 0) {
    if (reader.left < 5) {
      if (bytes[bytes.length - reader.left] !== HANDSHAKE) return null;
      break;
    }
    const [type, major, , size] = [reader.number(1), reader.number(1), reader.number(1), reader.number(2)];
    if (type !== HANDSHAKE || major !== 3 || size === 0 || size > 16_384 || parts.length === RECORDS_LIMIT) return null;
    parts.push(reader.bytes(Math.min(size, reader.left)));
    if (complete(Buffer.concat(parts))) break;
  }
  return Buffer.concat(parts);
}

const complete = (message: Buffer): boolean => message.length >= 4 && message.length >= 4 + message.readUIntBE(1, 3);

function serverName(extension: Reader): Hello {
  const list = extension.block(2);
  const type = list.number(1);
  const name = list.block(2);
  if (extension.left > 0 || list.left > 0 || type !== 0) return none(MALFORMED);
  return { found: 'name', name: Buffer.from(name.bytes(name.left)).toString('latin1') };
}

function readExtensions(extensions: Reader): Hello {
  let found = NAMELESS;
  const seen = new Set<number>();
  while (extensions.left > 0) {
    const type = extensions.number(2);
    const body = extensions.block(2);
    if (seen.has(type)) return none(MALFORMED);
    seen.add(type);
    if (ENCRYPTED.has(type)) return none('the TLS greeting hides its server name (encrypted client hello)');
    if (type === SERVER_NAME) found = serverName(body);
  }
  return found;
}

function readMessage(message: Uint8Array): Hello {
  const reader = new Reader(message);
  const version = reader.number(2);
  if (version >> 8 !== 3) return none(MALFORMED);
  reader.bytes(32);
  reader.block(1);
  reader.block(2);
  reader.block(1);
  if (reader.left === 0) return NAMELESS;
  const extensions = reader.block(2);
  return reader.left > 0 ? none(MALFORMED) : readExtensions(extensions);
}

/** Reads the server name (RFC 6066) of a ClientHello from the first bytes of a connection. Never throws. */
export function readClientHello(bytes: Uint8Array): Hello {
  if (bytes.length > 0 && bytes[0] !== HANDSHAKE) return none('this is no TLS greeting');
  const joined = handshake(bytes);
  if (!joined) return none(MALFORMED);
  if (joined.length > 0 && joined[0] !== CLIENT_HELLO) return none(MALFORMED);
  const message = Buffer.from(joined);
  if (message.length >= 4 && message.readUIntBE(1, 3) > HELLO_LIMIT) return none('the TLS greeting is too long');
  if (!complete(message)) return bytes.length > HELLO_LIMIT ? none('the TLS greeting is too long') : { found: 'more' };
  try {
    return readMessage(message.subarray(4, 4 + message.readUIntBE(1, 3)));
  } catch (error) {
    if (error instanceof Short) return none(MALFORMED);
    throw error;
  }
}
