import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { readClientHello } from '../../agent-core/sandbox/egress/client-hello.ts';

/** The greeting that this Node's own TLS sends. */
function greeting(options: ConnectionOptions): Promise<Buffer> {
  return new Promise((resolve) => {
    const wire = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        done();
        resolve(chunk);
        setImmediate(() => client.destroy());
      },
    });
    const client = connectTls({ socket: wire, ...options });
    client.on('error', () => {});
  });
}

const record = (body: Buffer) => Buffer.concat([Buffer.from([22, 3, 1, body.length >> 8, body.length & 255]), body]);

/** The same message in records of `size` bytes. */
function fragmented(hello: Buffer, size: number): Buffer {
  const message = hello.subarray(5);
  const parts: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) parts.push(record(message.subarray(at, at + size)));
  return Buffer.concat(parts);
}

/** Adds an extension to a greeting. */
function withExtension(hello: Buffer, type: number, body: Buffer): Buffer {
  const message = Buffer.from(hello.subarray(5));
  let at = 4 + 34;
  at += 1 + message.readUInt8(at);
  at += 2 + message.readUInt16BE(at);
  at += 1 + message.readUInt8(at);
  const more = Buffer.concat([Buffer.from([type >> 8, type & 255, body.length >> 8, body.length & 255]), body]);
  message.writeUInt16BE(message.readUInt16BE(at) + more.length, at);
  message.writeUIntBE(message.readUIntBE(1, 3) + more.length, 1, 3);
  return record(Buffer.concat([message, more]));
}

test('the server name of a real greeting, TLS 1.2 and 1.3', async () => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const hello = await greeting({ servername: 'allowed.example', minVersion: version, maxVersion: version });
    expect(readClientHello(hello)).toEqual({ found: 'name', name: 'allowed.example' });
  }
});

test('byte by byte: more is asked for until it is whole, and never anything else', async () => {
  const hello = await greeting({ servername: 'allowed.example' });
  for (let size = 0; size < hello.length; size++) expect(readClientHello(hello.subarray(0, size)), String(size)).toEqual({ found: 'more' });
  expect(readClientHello(Buffer.concat([hello, Buffer.from('more to come')]))).toEqual({ found: 'name', name: 'allowed.example' });
});

test('a greeting in several records', async () => {
  const hello = await greeting({ servername: 'allowed.example' });
  for (const size of [50, 100, 1000]) expect(readClientHello(fragmented(hello, size))).toEqual({ found: 'name', name: 'allowed.example' });
  expect(readClientHello(fragmented(hello, 1))).toMatchObject({ found: 'none' });
});

test('no server name; a hidden one; two of them', async () => {
  const bare = await greeting({ host: '127.0.0.1' });
  expect(readClientHello(bare)).toMatchObject({ found: 'none', nameless: true });
  const hello = await greeting({ servername: 'allowed.example' });
  for (const type of [0xfe0d, 0xfe0a, 0xffce])
    expect(readClientHello(withExtension(hello, type, Buffer.alloc(8)))).toMatchObject({
      found: 'none',
      why: expect.stringContaining('hides') as string,
    });
  const name = Buffer.from('other.example');
  const second = Buffer.concat([Buffer.from([0, name.length + 3, 0, 0, name.length]), name]);
  expect(readClientHello(withExtension(hello, 0, second))).toEqual({ found: 'none', why: 'the TLS greeting is malformed' });
});

test('what is no greeting', () => {
  for (const bytes of ['GET / HTTP/1.1\r\n', '\x80\x2e\x01\x03\x01', '\x15\x03\x01\x00\x02\x02\x00'])
    expect(readClientHello(Buffer.from(bytes, 'latin1'))).toMatchObject({ found: 'none' });
  expect(readClientHello(Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0]))).toMatchObject({ found: 'none' });
  expect(readClientHello(Buffer.from([22, 3, 1, 0, 4, 1, 255, 255, 255]))).toMatchObject({ found: 'none' });
});

test('any damage to a greeting is told, and never thrown', async () => {
  const hello = await greeting({ servername: 'allowed.example' });
  for (let at = 0; at < hello.length; at++) {
    for (const value of [0, 1, 127, 255]) {
      const damaged = Buffer.from(hello);
      damaged[at] = value;
      expect(['name', 'none', 'more']).toContain(readClientHello(damaged).found);
    }
  }
});
