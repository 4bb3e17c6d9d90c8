import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttp, type IncomingMessage } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { holders } from '../sandbox/helpers.ts';
import { machineIn, policy, shell } from './machine.ts';
import { certificate, httpServer, listening, ordinary, outside, PUBLIC, tlsServer } from './outside.ts';

const SOCKS = '-x "socks5h://${http_proxy#http://}"';

test('curl reaches an allowed host over HTTP and TLS, by CONNECT and by SOCKS5', async () => {
  const net = await ordinary();
  const machine = await machineIn(net, { allow: ['allowed.example'] });
  for (const way of ['', SOCKS]) {
    expect(await shell(machine, `curl -sS ${way} --cacert ca.pem https://allowed.example/tls`)).toEqual({
      code: 0,
      out: 'host=allowed.example path=/tls method=GET body=0',
      err: '',
    });
    expect(await shell(machine, `curl -sS ${way} --data-binary @ca.pem http://allowed.example/plain`)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/path=\/plain method=POST body=\d{4}/) as string,
    });
  }
  expect(net.dialled).toEqual([`${PUBLIC}:443`, `${PUBLIC}:80`, `${PUBLIC}:443`, `${PUBLIC}:80`]);
  await expect.poll(() => net.log).toHaveLength(4);
  for (const entry of net.log) {
    expect(entry).toMatchObject({ host: 'allowed.example', verdict: 'allowed' });
    expect(Math.min(entry.bytesIn, entry.bytesOut)).toBeGreaterThan(50);
    expect(Math.abs(entry.time - Date.now())).toBeLessThan(60_000);
  }
});

test('a host that is not allowed is refused with a reason, and logged; never looked up', async () => {
  const net = await ordinary();
  const machine = await machineIn(net, { allow: ['allowed.example'] });
  expect((await shell(machine, 'curl -sSi http://other.example/')).out).toMatch(
    /^HTTP\/1.1 403 [\s\S]*x-signalbox-blocked: other.example is not among/,
  );
  expect((await shell(machine, 'curl -sSv https://other.example/')).err).toMatch(
    /x-signalbox-blocked: other.example[\s\S]*CONNECT tunnel failed, response 403/,
  );
  expect((await shell(machine, `curl -sS ${SOCKS} https://other.example/`)).err).toMatch(/SOCKS5|connection not allowed/i);
  expect(net.log.map(({ host, port, verdict }) => [host, port, verdict])).toEqual([
    ['other.example', 80, 'blocked'],
    ['other.example', 443, 'blocked'],
    ['other.example', 443, 'blocked'],
  ]);
  expect(net).toMatchObject({ looked: [], dialled: [] });
});

test('beside the proxy there is nothing: no direct connection, no DNS, no UDP, not this computer', async () => {
  const net = await ordinary();
  const here = await httpServer((_request, response) => response.end('the host'));
  const machine = await machineIn(net, { allow: ['allowed.example', 'localhost'] });
  for (const attempt of [
    'curl -sS --noproxy "*" --max-time 5 http://93.184.215.14/',
    'curl -sS --noproxy "*" --max-time 5 --cacert ca.pem https://allowed.example/',
    'getent hosts allowed.example',
    `curl -sS --max-time 5 http://127.0.0.1:${here}/`,
    `curl -sS --max-time 5 http://localhost:${here}/`,
    'exec 3<>/dev/udp/8.8.8.8/53',
    'exec 3<>/dev/tcp/1.1.1.1/443',
  ])
    expect((await shell(machine, attempt)).code, attempt).not.toBe(0);
  expect((await shell(machine, `curl -sSi --noproxy "" http://localhost:${here}/`)).out).toMatch(
    /^HTTP\/1.1 403 [\s\S]*this computer itself/,
  );
  expect(net.dialled).toEqual([]);
});

test('a private address is refused although its name is allowed; as a service it is granted', async () => {
  const net = await ordinary();
  net.names['db.internal'] = ['10.0.0.5'];
  net.routes.set('10.0.0.5:80', await httpServer((_request, response) => response.end('the service')));
  const machine = await machineIn(net, { allow: ['db.internal'] });
  expect((await shell(machine, 'curl -sSi http://db.internal/')).out).toMatch(/^HTTP\/1.1 403 [\s\S]*a private network/);
  expect(net.dialled).toEqual([]);
  machine.setPolicy(policy({ allow: [], services: ['db.internal:80'] }));
  expect((await shell(machine, 'curl -sS http://db.internal/')).out).toBe('the service');
});

test('a TLS server name that is not the tunnel’s host is cut, by either way', async () => {
  const net = await ordinary();
  const machine = await machineIn(net, { allow: ['allowed.example', 'other.example'] });
  const through = (way: string) =>
    shell(machine, `curl -sS ${way} --cacert ca.pem --connect-to other.example:443:allowed.example:443 https://other.example/`);
  for (const way of ['', SOCKS]) {
    expect(await through(way)).toMatchObject({ out: '', code: 35 });
    await expect
      .poll(() => net.log.at(-1))
      .toMatchObject({
        host: 'allowed.example',
        verdict: 'blocked',
        bytesOut: 0,
        reason: expect.stringContaining('other.example') as string,
      });
  }
});

test('a second host on a kept connection is decided anew', async () => {
  const net = await ordinary();
  const machine = await machineIn(net, { allow: ['allowed.example'] });
  const { out, err } = await shell(machine, 'curl -sSv http://allowed.example/one http://other.example/two');
  expect(err).toMatch(/Re-using existing connection/i);
  expect(out).toMatch(/path=\/one[\s\S]*Blocked by Signalbox: other.example/);
  expect(net.dialled).toEqual([`${PUBLIC}:80`]);
});

test.skipIf(!existsSync('/usr/bin/chromium'))(
  'Chromium reaches an allowed host: it leaves out the dummy that looks like a hidden server name',
  { timeout: 60_000 },
  async () => {
    const net = await ordinary();
    const machine = await machineIn(net, { allow: ['allowed.example'] });
    const browser = 'chromium --headless --no-sandbox --disable-gpu --ignore-certificate-errors --user-data-dir=/tmp/profile';
    expect((await shell(machine, `${browser} --dump-dom https://allowed.example/page 2>/dev/null`)).out).toContain(
      'host=allowed.example path=/page',
    );
    expect(net.log.filter(({ host, verdict }) => host === 'allowed.example' && verdict !== 'allowed')).toEqual([]);
  },
);

test('a NUL in a SOCKS name is refused', async () => {
  const net = await ordinary();
  const machine = await machineIn(net, { allow: ['*.allowed.example'] });
  writeFileSync(
    join(machine.spec.worktree, 'nul.mjs'),
    `
    import { connect } from 'node:net';
    const name = Buffer.from('evil.example\\0.allowed.example');
    const socket = connect(new URL(process.env.http_proxy).port, '127.0.0.1');
    socket.write(Buffer.concat([Buffer.from([5, 1, 0, 5, 1, 0, 3, name.length]), name, Buffer.from([1, 187])]));
    let got = Buffer.alloc(0);
    socket.on('data', (chunk) => { got = Buffer.concat([got, chunk]); }).on('close', () => console.log(got.toString('hex')));
  `,
  );
  expect((await shell(machine, 'node nul.mjs')).out).toBe('050005020001000000000000');
  expect(net.log).toMatchObject([{ host: 'evil.example\\x00.allowed.example', verdict: 'blocked' }]);
  expect(net).toMatchObject({ looked: [], dialled: [] });
});

test('npm installs from an allowed registry', async () => {
  const base = mkdtempSync(join(tmpdir(), 'signalbox-registry-'));
  onTestFinished(() => rmSync(base, { recursive: true, force: true }));
  mkdirSync(join(base, 'package'));
  writeFileSync(join(base, 'package', 'package.json'), JSON.stringify({ name: 'small', version: '1.0.0', main: 'index.js' }));
  writeFileSync(join(base, 'package', 'index.js'), `module.exports = 'installed';`);
  execFileSync('tar', ['czf', join(base, 'small.tgz'), '-C', base, 'package']);
  const tarball = readFileSync(join(base, 'small.tgz'));
  const net = outside({ 'registry.example': [PUBLIC] });
  net.routes.set(
    `${PUBLIC}:80`,
    await httpServer((request, response) => {
      if (request.url?.endsWith('.tgz')) {
        response.end(tarball);
        return;
      }
      const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
      const version = {
        name: 'small',
        version: '1.0.0',
        main: 'index.js',
        dist: { tarball: 'http://registry.example/small/-/small-1.0.0.tgz', integrity },
      };
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ name: 'small', 'dist-tags': { latest: '1.0.0' }, versions: { '1.0.0': version } }));
    }),
  );
  const machine = await machineIn(net, { allow: ['registry.example:80'] });
  const made = await shell(
    machine,
    `echo '{"name":"x"}' > package.json; npm install --no-audit --no-fund --registry http://registry.example/ small && node -p 'require("small")'`,
  );
  expect(made.out, made.err).toMatch(/installed$/);
  machine.setPolicy(policy({ allow: ['elsewhere.example'] }));
  expect(
    (await shell(machine, `npm install --no-audit --no-fund --fetch-retries=0 --prefer-online --registry http://registry.example/ small@2`))
      .err,
  ).toMatch(/403/);
});

test('git clones over HTTP through both ways', async () => {
  const base = mkdtempSync(join(tmpdir(), 'signalbox-remote-'));
  onTestFinished(() => rmSync(base, { recursive: true, force: true }));
  const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' };
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', base, '-c', 'user.name=T', '-c', 'user.email=t@t', ...args], { env, stdio: 'ignore' });
  git('init', '-q', '-b', 'main', 'work');
  git('-C', 'work', 'commit', '-q', '--allow-empty', '-m', 'From outside');
  git('clone', '-q', '--bare', 'work', 'repo.git');
  const net = outside({ 'git.example': [PUBLIC] });
  const backend = (secure: boolean) =>
    (secure ? tlsServer : httpServer)((request, response) => {
      const url = new URL(request.url ?? '/', 'http://x');
      const child = spawn('git', ['http-backend'], {
        env: {
          ...env,
          GIT_PROJECT_ROOT: base,
          GIT_HTTP_EXPORT_ALL: '1',
          PATH_INFO: url.pathname,
          QUERY_STRING: url.search.slice(1),
          REQUEST_METHOD: request.method,
          CONTENT_TYPE: request.headers['content-type'] ?? '',
          HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
          GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
        },
      });
      request.pipe(child.stdin);
      const parts: Buffer[] = [];
      child.stdout
        .on('data', (chunk: Buffer) => parts.push(chunk))
        .on('end', () => {
          const all = Buffer.concat(parts);
          const end = all.indexOf('\r\n\r\n');
          for (const line of all.subarray(0, end).toString().split('\r\n')) {
            const [name = '', value = ''] = line.split(': ');
            if (name === 'Status') response.statusCode = Number.parseInt(value, 10);
            else response.setHeader(name, value);
          }
          response.end(all.subarray(end + 4));
        });
    });
  net.routes.set(`${PUBLIC}:80`, await backend(false));
  net.routes.set(`${PUBLIC}:443`, await backend(true));
  const machine = await machineIn(net, { allow: ['git.example'] });
  const clone = (from: string, to: string, more = '') =>
    shell(machine, `git ${more} clone -q ${from} ${to} && git -C ${to} log --format=%s`);
  expect(await clone('http://git.example/repo.git', 'one')).toMatchObject({ out: 'From outside' });
  expect(await clone('http://git.example/repo.git', 'two', '-c http.proxy="socks5h://${http_proxy#http://}"')).toMatchObject({
    out: 'From outside',
  });
  expect(await clone('https://git.example/repo.git', 'three', '-c http.sslVerify=false')).toMatchObject({ out: 'From outside' });
  expect((await clone('http://other.example/repo.git', 'four')).err).toMatch(/403/);
});

test('the names that programs look at are all set, and what the machine serves itself goes around the proxy', async () => {
  const machine = await machineIn(await ordinary(), { allow: ['allowed.example'] });
  const { out } = await shell(machine, 'env');
  for (const name of [
    'http_proxy',
    'https_proxy',
    'all_proxy',
    'HTTP_PROXY',
    'HTTPS_PROXY',
    'ALL_PROXY',
    'npm_config_proxy',
    'npm_config_https_proxy',
    'YARN_HTTPS_PROXY',
  ]) {
    expect(out).toMatch(new RegExp(`^${name}=http://127\\.0\\.0\\.1:\\d+$`, 'm'));
  }
  const served = await machine.run({
    argv: ['node', '-e', `require('http').createServer((q, s) => s.end('own')).listen(38418, '127.0.0.1', () => console.log('up'))`],
  });
  await new Promise<void>((resolve) => {
    served.onOutput(() => resolve());
  });
  expect((await shell(machine, 'curl -sS http://localhost:38418/')).out).toBe('own');
  await served.kill('kill');
});

test('the way opens and closes with the policy, for processes that run on too', async () => {
  const net = await ordinary();
  const machine = await machineIn(net, { allow: [] });
  expect((await shell(machine, 'env')).out).not.toMatch(/proxy/i);
  expect((await shell(machine, 'cat /proc/net/tcp | wc -l')).out).toBe('1');
  machine.setPolicy(policy({ allow: ['allowed.example'] }));
  const { out: proxy } = await shell(machine, 'echo $http_proxy');
  expect((await shell(machine, 'curl -sS http://allowed.example/')).out).toContain('host=allowed.example');
  machine.setPolicy(policy({ allow: ['other.example'] }));
  expect((await shell(machine, 'curl -sS http://allowed.example/')).out).toMatch(/Blocked/);
  machine.setPolicy(policy({ allow: [] }));
  expect((await shell(machine, `curl -sS -x ${proxy} http://other.example/`)).code).toBe(7);
  expect((await shell(machine, 'env')).out).not.toMatch(/proxy/i);
  machine.setPolicy(policy({ allow: ['other.example'] }));
  expect((await shell(machine, `curl -sS -x ${proxy} http://other.example/`)).out).toContain('host=other.example');
});

test('a pattern that is none is refused, and the policy stays', async () => {
  const net = await ordinary();
  const machine = await machineIn(net, { allow: ['allowed.example'] });
  for (const allow of [['*'], ['other.example', 'https://x.org']])
    expect(() => machine.setPolicy(policy({ allow }))).toThrow(/no host pattern/);
  expect((await shell(machine, 'curl -sS http://allowed.example/')).out).toContain('host=allowed.example');
  expect((await shell(machine, 'curl -sS http://other.example/')).out).toMatch(/Blocked/);
  await expect(machineIn(net, { allow: ['*'] })).rejects.toThrow(/no host pattern/);
});

test('a port of this computer that was granted stands at the same port inside, for any protocol', async () => {
  const net = await ordinary();
  const port = await listening(createServer((socket) => socket.once('data', (chunk: Buffer) => socket.end(`echo ${chunk.toString()}`))));
  net.routes.set(`127.0.0.1:${port}`, port);
  const machine = await machineIn(net, { allow: [`localhost:${port}`] });
  const ask = `exec 3<>/dev/tcp/localhost/${port} && printf hello >&3 && cat <&3`;
  expect((await shell(machine, ask)).out).toBe('echo hello');
  await expect.poll(() => net.log).toMatchObject([{ host: 'localhost', port, verdict: 'allowed', bytesOut: 5 }]);
  machine.setPolicy(policy({ allow: ['allowed.example'] }));
  expect((await shell(machine, ask)).code).not.toBe(0);
});

test('a service elsewhere with a name stands inside under that name and port, for any protocol', async () => {
  const net = outside({ 'db.internal': ['10.0.0.5'], 'cache.internal': ['10.0.0.6'] });
  const greet = (name: string) =>
    listening(createServer((socket) => socket.once('data', (chunk) => socket.end(`${name} heard ${String(chunk)}`))));
  net.routes.set('10.0.0.5:5432', await greet('db'));
  net.routes.set('10.0.0.6:5432', await greet('cache'));
  const machine = await machineIn(net, { allow: [], services: ['db.internal:5432', 'cache.internal:5432'] });
  const ask = (name: string, port = 5432) => shell(machine, `exec 3<>/dev/tcp/${name}/${port} && echo ping >&3 && head -1 <&3`);
  expect((await ask('db.internal')).out).toBe('db heard ping');
  expect((await ask('cache.internal')).out).toBe('cache heard ping');
  expect((await ask('localhost')).code).not.toBe(0);
  expect((await ask('db.internal', 5433)).code).not.toBe(0);
  expect((await shell(machine, 'cat /etc/hosts; echo >> /etc/hosts')).out).toMatch(/localhost[\s\S]*db\.internal/);
  expect((await shell(machine, 'echo evil >> /etc/hosts')).code).not.toBe(0);
  expect(net.log.map(({ host, port, verdict }) => [host, port, verdict])).toEqual([
    ['db.internal', 5432, 'allowed'],
    ['cache.internal', 5432, 'allowed'],
  ]);
  machine.setPolicy(policy({ allow: [], services: ['cache.internal:5432'] }));
  expect((await ask('db.internal')).code).not.toBe(0);
  expect((await ask('cache.internal')).out).toBe('cache heard ping');
});

test('the company’s proxy and certificates are taken from the login shell where Signalbox was started without them', async () => {
  const net = await ordinary();
  const asked: string[] = [];
  const upstream = createHttp().on('connect', (request: IncomingMessage, client: Socket) => {
    asked.push(`${request.url} ${request.headers['proxy-authorization']}`);
    const there = connect({ host: '127.0.0.1', port: net.routes.get(`${PUBLIC}:443`)! });
    there
      .once('connect', () => client.write('HTTP/1.1 200 OK\r\n\r\n'))
      .pipe(client)
      .pipe(there);
    there.on('error', () => client.destroy());
    client.on('error', () => there.destroy());
  });
  net.routes.set('127.0.0.1:3128', await listening(upstream));
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'signalbox-person-')));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  writeFileSync(join(home, 'ca.pem'), certificate().cert);
  writeFileSync(join(home, '.bash_profile'), `export HTTPS_PROXY=http://me:pw@127.0.0.1:3128 SSL_CERT_FILE=${home}/ca.pem`);
  const machine = await machineIn(net, { allow: ['allowed.example'] }, { HOME: home, SHELL: '/bin/bash', SSL_CERT_FILE: undefined });
  expect(await shell(machine, 'curl -sS https://allowed.example/tls')).toMatchObject({
    err: '',
    out: expect.stringContaining('host=allowed.example') as string,
  });
  expect(asked).toEqual([`allowed.example:443 Basic ${Buffer.from('me:pw').toString('base64')}`]);
  expect((await shell(machine, 'env; cat /proc/*/environ')).out).not.toMatch(/me:pw|3128/);
});

test('no other machine gets at it, and what listens on its port inside is not taken for it', async () => {
  const net = await ordinary();
  const one = await machineIn(net, { allow: ['allowed.example'] });
  const { out: proxy } = await shell(one, 'echo $http_proxy');
  const other = await machineIn(net, { allow: [] });
  expect((await shell(other, `curl -sS -x ${proxy} http://allowed.example/`)).code).toBe(7);
  const server = await other.run({
    argv: [
      'node',
      '-e',
      `require('net').createServer((s) => s.destroy()).listen(${new URL(proxy).port}, '127.0.0.1', () => console.log('up'))`,
    ],
  });
  await new Promise<void>((resolve) => {
    server.onOutput(() => resolve());
  });
  other.setPolicy(policy({ allow: ['allowed.example'] }));
  expect((await shell(other, 'curl -sS http://allowed.example/')).out).toContain('host=allowed.example');
  await server.kill('kill');
});

test('a machine that lost its holder has its way out again', async () => {
  const net = await ordinary();
  const machine = await machineIn(net, { allow: ['allowed.example'] });
  const child = await machine.run({ argv: ['sleep', '3600'] });
  const lines = (path: string) => {
    try {
      return readFileSync(path, 'utf8').trim();
    } catch {
      return '';
    }
  };
  const inside = () => Number(lines(`/proc/${child.pid}/task/${child.pid}/children`));
  await expect.poll(() => lines(`/proc/${inside()}/comm`)).toBe('sleep');
  const [holder, ...others] = holders();
  expect(others).toEqual([]);
  process.kill(holder!, 'SIGKILL');
  await child.exited;
  await expect.poll(() => existsSync(`/proc/${holder}`)).toBe(false);
  expect((await shell(machine, 'curl -sS http://allowed.example/')).out).toContain('host=allowed.example');
});

test('the way out leaves no process behind, neither while it is open nor when the core is killed', async () => {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'signalbox-egress-')));
  onTestFinished(() => rmSync(base, { recursive: true, force: true }));
  mkdirSync(join(base, 'worktree'));
  const granted = policy({ allow: ['allowed.example'] });
  writeFileSync(
    join(base, 'core.mjs'),
    `
    import { createSandbox } from ${JSON.stringify(join(import.meta.dirname, '../../agent-core/sandbox/index.ts'))};
    const policy = ${JSON.stringify(granted)};
    const machine = await createSandbox({ stateDir: ${JSON.stringify(join(base, 'sandbox'))}, env: { ...process.env, SHELL: '/bin/sh' } }).driver(policy)
      .open({ id: 'k', stateDir: ${JSON.stringify(join(base, 'state'))}, worktree: ${JSON.stringify(join(base, 'worktree'))}, binds: [], policy, env: {} });
    const { stdout } = await machine.collect({ argv: ['sh', '-c', 'readlink /proc/self/ns/net; echo $http_proxy'] });
    console.log(stdout.toString());
    setInterval(() => {}, 1000);
  `,
  );
  const core = spawn(process.execPath, [join(base, 'core.mjs')], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => {
    core.kill('SIGKILL');
  });
  const said = await new Promise<string>((resolve) => {
    core.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString()));
  });
  const [namespace, proxy] = said.trim().split('\n');
  expect(proxy).toMatch(/^http:/);
  const members = () =>
    readdirSync('/proc').filter((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/ns/net`) === namespace;
      } catch {
        return false;
      }
    });
  const commands = () =>
    members()
      .map((pid) => {
        try {
          return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
        } catch {
          return '';
        }
      })
      .filter(Boolean);
  // The machine's first process alone, and what launched it.
  await expect.poll(() => commands().filter((name) => name !== 'cat' && name !== 'bwrap')).toEqual([]);
  expect(commands()).toContain('cat');
  core.kill('SIGKILL');
  await expect.poll(() => commands()).toEqual([]);
});

test('a machine that has ended takes nothing more', async () => {
  const machine = await machineIn(await ordinary(), { allow: ['allowed.example'] });
  const slow = shell(machine, 'true').catch(() => null);
  await machine.dispose();
  await slow;
  await expect(shell(machine, 'true')).rejects.toThrow(/ended/);
});
