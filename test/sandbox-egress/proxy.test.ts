import { createServer, connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { parsePattern } from '../../agent-core/sandbox/egress/patterns.ts';
import { httpServer, listening, ordinary, outside, PUBLIC, type Outside } from './outside.ts';
import { client, get, last, proxyIn, say, secure, socks } from './rig.ts';

describe('plain HTTP', () => {
  test('an allowed host answers; the entry says how much went', async () => {
    const rig = await proxyIn(await ordinary(), ['allowed.example']);
    expect(await say(rig, get('http://allowed.example/a?b', 'Host: allowed.example'))).toMatch(
      /^HTTP\/1.1 200 OK[\s\S]*host=allowed.example path=\/a\?b method=GET/,
    );
    expect(last(rig.net)).toMatchObject({ host: 'allowed.example', port: 80, verdict: 'allowed' });
    expect(last(rig.net)?.bytesIn).toBeGreaterThan(50);
    expect(last(rig.net)?.bytesOut).toBeGreaterThan(30);
    expect(rig.net.dialled).toEqual([`${PUBLIC}:80`]);
  });

  test('a host that is not allowed: 403 with the reason, never looked up, never dialled, in the log', async () => {
    const rig = await proxyIn(await ordinary(), ['allowed.example']);
    expect(await say(rig, get('http://other.example/', 'Host: other.example'))).toMatch(
      /^HTTP\/1.1 403 [\s\S]*x-signalbox-blocked: other.example is not among the allowed hosts/,
    );
    expect(rig.net).toMatchObject({ looked: [], dialled: [] });
    expect(last(rig.net)).toMatchObject({ host: 'other.example', port: 80, verdict: 'blocked', bytesIn: 0, bytesOut: 0 });
  });

  test('another port of an allowed host is none of it', async () => {
    const rig = await proxyIn(await ordinary(), ['allowed.example:80']);
    expect(await say(rig, get('http://allowed.example:81/', 'Host: allowed.example:81'))).toContain(
      'x-signalbox-blocked: Port 81 of allowed.example',
    );
    expect(rig.net.dialled).toEqual([]);
  });

  test('a second request on the same connection is decided by itself', async () => {
    const rig = await proxyIn(await ordinary(), ['allowed.example']);
    const one = await client(rig);
    one.socket.write('GET http://allowed.example/first HTTP/1.1\r\nHost: allowed.example\r\n\r\n');
    await one.until('path=/first');
    one.socket.write('GET http://other.example/second HTTP/1.1\r\nHost: other.example\r\n\r\n');
    expect(await one.ended).toContain('x-signalbox-blocked: other.example');
    expect(rig.net.dialled).toEqual([`${PUBLIC}:80`]);
  });

  test('and so are requests sent in one go', async () => {
    const rig = await proxyIn(await ordinary(), ['allowed.example']);
    const both = await say(
      rig,
      'GET http://allowed.example/first HTTP/1.1\r\nHost: allowed.example\r\n\r\nGET http://other.example/second HTTP/1.1\r\nHost: other.example\r\n\r\n',
    );
    expect(both).toMatch(/path=\/first[\s\S]*x-signalbox-blocked: other.example/);
    expect(rig.net.dialled).toEqual([`${PUBLIC}:80`]);
  });

  test.each([
    ['another Host', ['Host: other.example']],
    ['two Hosts', ['Host: allowed.example', 'Host: other.example']],
    ['the same twice', ['Host: allowed.example', 'Host: allowed.example']],
    ['a Host with a NUL', ['Host: allowed.example\0']],
    ['another port', ['Host: allowed.example:81']],
    ['a Host with a dot at its end', ['Host: allowed.example.']],
  ])('%s is refused', async (_what, headers) => {
    const rig = await proxyIn(await ordinary(), ['allowed.example']);
    const said = await say(rig, get('http://allowed.example/', ...headers));
    expect(said === '' || /^HTTP\/1.1 4/.test(said)).toBe(true);
    expect(rig.net.dialled).toEqual([]);
  });

  test.each([
    'http://user@allowed.example/',
    'http://allowed.example@other.example/',
    'http://allowed.example\\@other.example/',
    'http://allowed.example./',
    'http://0x7f000001/',
    'http://127.1/',
    'http://[::ffff:127.0.0.1]/',
    'https://allowed.example/',
    'ftp://allowed.example/',
    '/',
    'http:///',
    'allowed.example/',
    'http://allowed.example:0/',
    'http://allowed.example%00.other.example/',
  ])('the target %s is refused', async (url) => {
    const rig = await proxyIn(await ordinary(), ['allowed.example']);
    expect(await say(rig, get(url, 'Host: allowed.example'))).toMatch(/^HTTP\/1.1 40[03]/);
    expect(rig.net).toMatchObject({ looked: [], dialled: [] });
  });

  test('a request that is framed twice goes nowhere', async () => {
    const rig = await proxyIn(await ordinary(), ['allowed.example']);
    await say(
      rig,
      'POST http://allowed.example/ HTTP/1.1\r\nHost: allowed.example\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET http://other.example/ HTTP/1.1\r\n\r\n',
    );
    expect(rig.net.dialled).toEqual([]);
  });

  test('what is between client and proxy stays there; bodies go both ways', async () => {
    const net = outside({ 'allowed.example': [PUBLIC] });
    let seen: NodeJS.Dict<string | string[]> = {};
    net.routes.set(
      `${PUBLIC}:80`,
      await httpServer((request, response) => {
        seen = request.headers;
        response.writeHead(201, ['X-One', '1', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2']);
        request.pipe(response);
      }),
    );
    const rig = await proxyIn(net, ['allowed.example']);
    const said = await say(
      rig,
      'POST http://allowed.example/ HTTP/1.1\r\nHost: allowed.example\r\nProxy-Authorization: Basic x\r\nProxy-Connection: keep-alive\r\nX-Hop: 1\r\nX-Kept: 2\r\nConnection: close, x-hop, content-length\r\nContent-Length: 5\r\n\r\nhello',
    );
    expect(said).toMatch(/^HTTP\/1.1 201[\s\S]*Set-Cookie: a=1\r\nSet-Cookie: b=2[\s\S]*hello/);
    expect(seen).toMatchObject({ host: 'allowed.example', 'x-kept': '2', 'content-length': '5' });
    for (const name of ['proxy-authorization', 'proxy-connection', 'x-hop']) expect(seen).not.toHaveProperty(name);
  });

  test('an allowed host that can’t be reached is a 502, and told as failed', async () => {
    const rig = await proxyIn(await ordinary(), ['nowhere.example', 'allowed.example']);
    expect(await say(rig, get('http://nowhere.example/', 'Host: nowhere.example'))).toMatch(/^HTTP\/1.1 502/);
    expect(last(rig.net)).toMatchObject({ verdict: 'failed', reason: expect.stringContaining('looked up') as string });
    expect(await say(rig, get('http://allowed.example:99/', 'Host: allowed.example:99'))).toMatch(/^HTTP\/1.1 502/);
  });
});

describe('addresses', () => {
  test.each([
    '127.0.0.1',
    '10.0.0.5',
    '192.168.1.1',
    '169.254.169.254',
    '::1',
    'fd00:ec2::254',
    '::ffff:127.0.0.1',
    '64:ff9b::7f00:1',
    '100.64.0.1',
    '0.0.0.0',
  ])('a name that is allowed and leads to %s is refused, before dialling', async (address) => {
    const net = await ordinary();
    net.names['rebound.example'] = [address];
    const rig = await proxyIn(net, ['rebound.example', '*.rebound.example']);
    expect(await say(rig, get('http://rebound.example/', 'Host: rebound.example'))).toMatch(/^HTTP\/1.1 403 [\s\S]*which is not allowed/);
    expect(await say(rig, 'CONNECT rebound.example:443 HTTP/1.1\r\n\r\n')).toMatch(/^HTTP\/1.1 403/);
    expect((await say(rig, socks('rebound.example', 443))).slice(0, 4)).toBe('\x05\x00\x05\x02');
    expect(net.dialled).toEqual([]);
    expect(net.log).toHaveLength(3);
  });

  test('of several addresses only those of the public network are dialled, each name looked up once', async () => {
    const net = await ordinary();
    net.names['mixed.example'] = ['127.0.0.1', PUBLIC, '10.0.0.1'];
    const rig = await proxyIn(net, ['mixed.example']);
    expect(await say(rig, get('http://mixed.example/', 'Host: mixed.example'))).toMatch(/^HTTP\/1.1 200/);
    expect(net).toMatchObject({ dialled: [`${PUBLIC}:80`], looked: ['mixed.example'] });
  });

  test('a private host is reached when it was granted as a service, at that port alone', async () => {
    const net = await ordinary();
    net.names['db.internal'] = ['10.0.0.5'];
    net.routes.set('10.0.0.5:80', await httpServer((_request, response) => response.end('the service')));
    const rig = await proxyIn(net, ['db.internal'], { services: ['db.internal:80'] });
    expect(await say(rig, get('http://db.internal/', 'Host: db.internal'))).toContain('the service');
    expect(await say(rig, get('http://db.internal:81/', 'Host: db.internal:81'))).toMatch(/^HTTP\/1.1 403/);
    expect(net.dialled).toEqual(['10.0.0.5:80']);
  });

  test('a bare address is reached only where it was named; this computer and a private one with their port', async () => {
    const net = await ordinary();
    net.routes.set('10.0.0.5:80', await httpServer((_request, response) => response.end('private')));
    expect(await say(await proxyIn(net, ['*.example', 'allowed.example'].slice(1)), get(`http://${PUBLIC}/`, `Host: ${PUBLIC}`))).toMatch(
      /^HTTP\/1.1 403/,
    );
    expect(await say(await proxyIn(net, [PUBLIC]), get(`http://${PUBLIC}/`, `Host: ${PUBLIC}`))).toMatch(/^HTTP\/1.1 200/);
    expect(await say(await proxyIn(net, ['10.0.0.5', '127.0.0.1', 'localhost']), get('http://10.0.0.5/', 'Host: 10.0.0.5'))).toMatch(
      /^HTTP\/1.1 403/,
    );
    expect(await say(await proxyIn(net, ['localhost']), get('http://localhost/', 'Host: localhost'))).toMatch(/^HTTP\/1.1 403/);
    expect(await say(await proxyIn(net, ['10.0.0.5:80']), get('http://10.0.0.5/', 'Host: 10.0.0.5'))).toContain('private');
    expect(await say(await proxyIn(net, ['169.254.169.254:80']), get('http://169.254.169.254/', 'Host: 169.254.169.254'))).toMatch(
      /^HTTP\/1.1 403/,
    );
    expect(net.dialled).toEqual([`${PUBLIC}:80`, '10.0.0.5:80']);
  });
});

describe('the company’s proxy', () => {
  async function company(net: Outside): Promise<{ port: number; asked: string[] }> {
    const asked: string[] = [];
    const port = await httpServer((request, response) => {
      asked.push(`${request.method} ${request.url} ${request.headers['proxy-authorization']}`);
      response.end('through the company');
    });
    const tunnels = createServer((socket) => {
      socket.once('data', (chunk: Buffer) => {
        const head = chunk.toString();
        if (!head.startsWith('CONNECT')) {
          const to = connect(port, '127.0.0.1');
          to.write(chunk);
          socket.pipe(to).pipe(socket);
          return;
        }
        asked.push(head.split('\r\n')[0] ?? '');
        if (head.includes('forbidden')) {
          socket.end('HTTP/1.1 407 No\r\n\r\n');
          return;
        }
        const to = connect(net.routes.get(`${PUBLIC}:443`) ?? 0, '127.0.0.1');
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        socket.pipe(to).pipe(socket);
      });
    });
    return { port: await listening(tunnels), asked };
  }

  test('tunnels and plain requests go through it, its password added here; NO_PROXY goes around it', async () => {
    const net = await ordinary();
    const { port, asked } = await company(net);
    net.routes.set(`127.0.0.1:${port}`, port);
    const env = {
      HTTPS_PROXY: `http://me:it%40s@127.0.0.1:${port}`,
      http_proxy: `127.0.0.1:${port}`,
      NO_PROXY: 'x.org, .sub.allowed.example',
    };
    const rig = await proxyIn(net, ['allowed.example', 'sub.allowed.example', 'only-there.example', 'forbidden.example'], { env });
    const one = await client(rig);
    one.socket.write('CONNECT allowed.example:443 HTTP/1.1\r\n\r\n');
    await one.until('established\r\n\r\n');
    expect(await secure(one, 'allowed.example')).toContain('path=/x');
    expect(await say(rig, get('http://only-there.example/p', 'Host: only-there.example'))).toContain('through the company');
    expect(asked).toEqual(['CONNECT allowed.example:443 HTTP/1.1', 'GET http://only-there.example/p undefined']);
    expect(await say(rig, get('http://sub.allowed.example/', 'Host: sub.allowed.example'))).toContain('host=sub.allowed.example');
    expect(await say(rig, 'CONNECT forbidden.example:443 HTTP/1.1\r\n\r\n')).toMatch(/^HTTP\/1.1 502[\s\S]*407/);
    expect(asked).toHaveLength(3);
  });

  test('what is not allowed, or leads to a private address, never gets there', async () => {
    const net = await ordinary();
    net.names['rebound.example'] = ['10.0.0.1'];
    const rig = await proxyIn(net, ['rebound.example', 'allowed.example'], { env: { all_proxy: 'http://127.0.0.1:9' } });
    for (const host of ['other.example', 'rebound.example', '127.0.0.1'])
      expect(await say(rig, `CONNECT ${host}:443 HTTP/1.1\r\n\r\n`)).toMatch(/^HTTP\/1.1 403/);
    expect(net.dialled).toEqual([]);
    const unknown = await proxyIn(net, ['allowed.example'], { env: { ALL_PROXY: 'socks5://127.0.0.1:9' } });
    expect(await say(unknown, 'CONNECT allowed.example:443 HTTP/1.1\r\n\r\n')).toMatch(/^HTTP\/1.1 502[\s\S]*not an HTTP proxy/);
    expect(net.dialled).toEqual([]);
  });
});

describe('limits', () => {
  test('a connection that idles ends; one too many is turned away', async () => {
    const net = await ordinary();
    net.routes.set(`${PUBLIC}:7`, await listening(createServer((socket) => socket.resume())));
    const rig = await proxyIn(net, ['allowed.example'], { idleMs: 200, most: 2 });
    const held = [await client(rig), await client(rig)];
    for (const one of held) {
      one.socket.write(socks('allowed.example', 7));
      await one.until('\x05\x00\x05\x00');
    }
    expect(await say(rig, socks('allowed.example', 7))).toBe('');
    await Promise.all(held.map((one) => one.ended));
    expect((await say(rig, socks('allowed.example', 7))).slice(0, 4)).toBe('\x05\x00\x05\x00');
  });

  test('a reader that stops, stops the sender: nothing piles up in the core', async () => {
    const net = await ordinary();
    let sent = 0;
    net.routes.set(
      `${PUBLIC}:7`,
      await listening(
        createServer((socket) => {
          const block = Buffer.alloc(1 << 20);
          const pump = () => {
            while (sent < 400 << 20) {
              sent += block.length;
              if (!socket.write(block)) {
                socket.once('drain', pump);
                return;
              }
            }
          };
          socket.once('data', pump);
        }),
      ),
    );
    const rig = await proxyIn(net, ['allowed.example']);
    const one = await client(rig);
    one.socket.write(socks('allowed.example', 7));
    await one.until('\x05\x00\x05\x00');
    one.socket.pause();
    one.socket.write('\0go');
    let before = -1;
    await expect
      .poll(
        () => {
          const same = sent === before && sent > 0;
          before = sent;
          return same;
        },
        { interval: 300, timeout: 8000 },
      )
      .toBe(true);
    expect(sent).toBeLessThan(64 << 20);
  });

  test('rules that change cut what they no longer grant, and nothing else', async () => {
    const net = await ordinary();
    net.routes.set(`${PUBLIC}:7`, await listening(createServer((socket) => socket.pipe(socket))));
    const rig = await proxyIn(net, ['allowed.example', 'sub.allowed.example']);
    const [kept, cut] = [await client(rig), await client(rig)];
    kept.socket.write(socks('allowed.example', 7));
    cut.socket.write(socks('sub.allowed.example', 7));
    await Promise.all([kept, cut].map((one) => one.until('\x05\x00\x05\x00')));
    rig.proxy.setRules({ allow: [parsePattern('allowed.example')], services: [] });
    await cut.ended;
    kept.socket.write('\0still here');
    await kept.until('still here');
  });
});
