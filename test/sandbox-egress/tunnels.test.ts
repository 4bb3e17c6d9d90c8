import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { listening, ordinary, PUBLIC } from './outside.ts';
import { client, last, proxyIn, say, secure, socks, type Rig } from './rig.ts';

describe('tunnels', () => {
  const kinds = [
    [
      'CONNECT',
      async (rig: Rig, host: string, port: number) => {
        const one = await client(rig);
        one.socket.write(`CONNECT ${host}:${port} HTTP/1.1\r\nHost: ${host}:${port}\r\n\r\n`);
        await one.until('HTTP/1.1 200 Connection established\r\n\r\n');
        return one;
      },
    ],
    [
      'SOCKS5',
      async (rig: Rig, host: string, port: number) => {
        const one = await client(rig);
        one.socket.write(socks(host, port));
        await one.until('\x05\x00\x05\x00\x00\x01');
        return one;
      },
    ],
  ] as const;

  test.each(kinds)('%s: TLS for the tunnel’s own host goes through, for any other is cut and never reaches it', async (_kind, open) => {
    const rig = await proxyIn(await ordinary(), ['allowed.example', 'sub.allowed.example']);
    expect(await secure(await open(rig, 'allowed.example', 443), 'allowed.example')).toContain('path=/x');
    await expect.poll(() => rig.net.log).toMatchObject([{ host: 'allowed.example', port: 443, verdict: 'allowed' }]);
    await expect(secure(await open(rig, 'allowed.example', 443), 'sub.allowed.example')).rejects.toThrow();
    await expect
      .poll(() => last(rig.net))
      .toMatchObject({
        verdict: 'blocked',
        bytesOut: 0,
        reason: expect.stringContaining('asked for the TLS server sub.allowed.example') as string,
      });
    // At another port TLS is known by its first byte.
    rig.net.routes.set(`${PUBLIC}:8443`, rig.net.routes.get(`${PUBLIC}:443`) ?? 0);
    await expect(secure(await open(rig, 'allowed.example', 8443), 'other.example')).rejects.toThrow();
    expect(await secure(await open(rig, 'allowed.example', 8443), 'allowed.example')).toContain('path=/x');
  });

  test.each(kinds)('%s: a greeting without a name, and what is not TLS at all, is cut on 443', async (_kind, open) => {
    const rig = await proxyIn(await ordinary(), ['allowed.example']);
    await expect(secure(await open(rig, 'allowed.example', 443), '')).rejects.toThrow();
    await expect.poll(() => last(rig.net)?.reason).toContain('names no server');
    const one = await open(rig, 'allowed.example', 443);
    one.socket.write('GET / HTTP/1.1\r\nHost: other.example\r\n\r\n');
    await one.ended;
    expect(last(rig.net)).toMatchObject({ verdict: 'blocked', bytesOut: 0, reason: expect.stringContaining('no TLS greeting') as string });
  });

  test('towards a bare address a greeting names no server: one that does is cut', async () => {
    const rig = await proxyIn(await ordinary(), [PUBLIC]);
    const [, open] = kinds[0];
    await expect(secure(await open(rig, PUBLIC, 443), 'other.example')).rejects.toThrow();
    await expect.poll(() => last(rig.net)).toMatchObject({ verdict: 'blocked', bytesOut: 0 });
  });

  test.each(kinds)('%s: HTTP in a tunnel, at any port, is for its host alone, request by request', async (_kind, open) => {
    const rig = await proxyIn(await ordinary(), ['allowed.example']);
    rig.net.routes.set(`${PUBLIC}:8080`, rig.net.routes.get(`${PUBLIC}:80`) ?? 0);
    for (const port of [80, 8080]) {
      const host = port === 80 ? 'allowed.example' : 'allowed.example:8080';
      const one = await open(rig, 'allowed.example', port);
      one.socket.write(`GET /first HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      await one.until('path=/first');
      one.socket.write('GET /second HTTP/1.1\r\nHost: other.example\r\n\r\n');
      expect(await one.ended).toMatch(/HTTP\/1.1 403 [\s\S]*x-signalbox-blocked: The request is for allowed.example/);
      const nested = await open(rig, 'allowed.example', port);
      nested.socket.write('CONNECT other.example:443 HTTP/1.1\r\nHost: other.example:443\r\n\r\n');
      expect(await nested.ended).not.toMatch(/established[\s\S]+established/);
    }
    expect(new Set(rig.net.dialled)).toEqual(new Set([`${PUBLIC}:80`, `${PUBLIC}:8080`]));
  });

  test.each(kinds)('%s: other protocols go both ways, also where the server speaks first; half an end is kept', async (_kind, open) => {
    const net = await ordinary();
    net.routes.set(
      `${PUBLIC}:2222`,
      await listening(
        createServer({ allowHalfOpen: true }, (socket) => {
          socket.write('SSH-2.0-here\r\n');
          let got = '';
          socket
            .on('data', (chunk: Buffer) => {
              got += chunk.toString();
            })
            .on('end', () => socket.end(`got ${got.length}`));
        }),
      ),
    );
    const rig = await proxyIn(net, ['allowed.example']);
    const one = await open(rig, 'allowed.example', 2222);
    await one.until('SSH-2.0-here');
    one.socket.write('SSH-2.0-there\r\n');
    one.socket.end(Buffer.alloc(1_000_000, 120));
    expect(await one.ended).toContain('got 1000015');
    await expect.poll(() => last(net)).toMatchObject({ verdict: 'allowed', bytesOut: 1_000_015 });
  });

  test.each([
    'other.example:443',
    'allowed.example.:443',
    'allowed.example',
    '0x7f000001:443',
    '2130706433:443',
    '[::ffff:127.0.0.1]:443',
    '127.0.0.1:443',
    'localhost:443',
    'allowed.example:0',
    'allowed.example:443:443',
    'a@allowed.example:443',
  ])('CONNECT %s is refused', async (target) => {
    const rig = await proxyIn(await ordinary(), ['allowed.example']);
    expect(await say(rig, `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`)).toMatch(/^HTTP\/1.1 40[03] /);
    expect(rig.net).toMatchObject({ looked: [], dialled: [] });
  });

  test('a CONNECT whose Host says something else is refused', async () => {
    const rig = await proxyIn(await ordinary(), ['allowed.example']);
    expect(await say(rig, 'CONNECT allowed.example:443 HTTP/1.1\r\nHost: other.example:443\r\n\r\n')).toMatch(/^HTTP\/1.1 403/);
    expect(rig.net.dialled).toEqual([]);
  });

  test('what comes with the CONNECT in one go is looked at too', async () => {
    const rig = await proxyIn(await ordinary(), ['allowed.example']);
    const said = await say(rig, 'CONNECT allowed.example:80 HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nHost: other.example\r\n\r\n');
    expect(said).toContain('x-signalbox-blocked');
    expect(rig.net.dialled).toEqual([]);
  });
});

describe('SOCKS5', () => {
  test.each([
    ['a NUL in the name', 'allowed.example\0.other.example'],
    ['a NUL at its end', 'allowed.example\0'],
    ['a dot at its end', 'allowed.example.'],
    ['a number', '2130706433'],
    ['hex', '0x7f.1'],
    ['an address as a name', '127.0.0.1'],
    ['mapped IPv6 as a name', '::ffff:127.0.0.1'],
    ['no name', ''],
    ['another host', 'other.example'],
    ['a new line', 'allowed.example\n'],
  ])('%s is refused, before DNS', async (_what, name) => {
    const rig = await proxyIn(await ordinary(), ['allowed.example']);
    expect((await say(rig, socks(name, 443))).slice(0, 4)).toBe('\x05\x00\x05\x02');
    expect(rig.net).toMatchObject({ looked: [], dialled: [] });
    expect(last(rig.net)).toMatchObject({ verdict: 'blocked' });
    expect(last(rig.net)?.host).toMatch(/^[\x20-\x7e]*$/);
  });

  test('literal addresses are decided like any host', async () => {
    const rig = await proxyIn(await ordinary(), ['allowed.example']);
    const six = Buffer.alloc(16);
    six[15] = 1;
    const mapped = Buffer.from('00000000000000000000ffff7f000001', 'hex');
    for (const [address, type] of [
      [Buffer.from([127, 0, 0, 1]), 1],
      [Buffer.from([93, 184, 215, 14]), 1],
      [six, 4],
      [mapped, 4],
    ] as const) {
      const raw = Buffer.concat([Buffer.from([5, 1, 0, 5, 1, 0, type]), address, Buffer.from([1, 187])]);
      expect((await say(rig, raw)).slice(0, 4)).toBe('\x05\x00\x05\x02');
    }
    expect(rig.net.dialled).toEqual([]);
  });

  test('no listening, no UDP, no passwords, no other version, byte by byte too', async () => {
    const rig = await proxyIn(await ordinary(), ['allowed.example']);
    for (const command of [2, 3]) {
      const raw = socks('allowed.example', 443);
      raw[4] = command;
      expect((await say(rig, raw)).slice(0, 4)).toBe('\x05\x00\x05\x07');
    }
    expect(await say(rig, Buffer.from([5, 1, 2]))).toBe('\x05\xff');
    const one = await client(rig);
    for (const byte of socks('other.example', 443)) one.socket.write(Buffer.from([byte]));
    expect((await one.ended).slice(0, 4)).toBe('\x05\x00\x05\x02');
    expect(rig.net.dialled).toEqual([]);
  });
});
