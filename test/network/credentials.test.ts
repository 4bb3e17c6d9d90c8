import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Machine } from '../../agent-core/sandbox/types.ts';
import { machineIn, policy, shell } from '../sandbox-egress/machine.ts';
import { certificate, ordinary, outside, PUBLIC, tlsServer, type Outside } from '../sandbox-egress/outside.ts';

vi.setConfig({ testTimeout: 60_000 });
const SECRET = 'tok-9f8e7d6c5b4a-never-inside';
const header = () => Promise.resolve({ name: 'Authorization', value: `Bearer ${SECRET}` });

/** A file with the certificate of the test's own servers, as a company would have one. */
function company(): NodeJS.ProcessEnv {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-company-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'company.pem');
  // A key beside it, as such files have at times: it stays outside.
  writeFileSync(path, `${certificate().cert}\n${certificate().key}`);
  return { NODE_EXTRA_CA_CERTS: path };
}

interface Heard {
  asked: IncomingMessage[];
  net: Outside;
}

async function secured(): Promise<Heard> {
  const asked: IncomingMessage[] = [];
  const net = outside({ 'allowed.example': [PUBLIC], 'other.example': [PUBLIC] });
  const port = await tlsServer((request, response) => {
    asked.push(request);
    request.resume().on('end', () => response.end(`for ${request.headers.host} ${request.url}`));
  });
  net.routes.set(`${PUBLIC}:443`, port);
  net.routes.set(`${PUBLIC}:8443`, port);
  return { asked, net };
}
const network = { allow: ['allowed.example', 'other.example'], credentials: [{ id: 'one', host: 'allowed.example:443' }] };
const open = (net: Outside, credential: Parameters<typeof machineIn>[3] = header) => machineIn(net, network, company(), credential);
const authorization = ({ asked }: Heard) => asked.map((request) => request.headers.authorization);

test('curl and python inside get a credential added to their requests for that host and no other', async () => {
  const heard = await secured();
  const machine = await open(heard.net);
  expect(await shell(machine, 'curl -sS https://allowed.example/a')).toEqual({ code: 0, out: 'for allowed.example /a', err: '' });
  expect(await shell(machine, 'curl -sS https://other.example/b')).toMatchObject({ code: 0, out: 'for other.example /b' });
  expect(await shell(machine, 'curl -sS https://allowed.example:8443/c')).toMatchObject({ code: 0, out: 'for allowed.example:8443 /c' });
  const python = `import urllib.request; print(urllib.request.urlopen('https://allowed.example/e').read().decode())`;
  expect(await shell(machine, `python3 -c "${python}"`)).toMatchObject({ code: 0, out: 'for allowed.example /e' });
  expect(authorization(heard)).toEqual([`Bearer ${SECRET}`, undefined, undefined, `Bearer ${SECRET}`]);
  await expect.poll(() => heard.net.log.map(({ verdict, host }) => `${verdict} ${host}`)).toHaveLength(4);
  for (const entry of heard.net.log) expect(entry).toMatchObject({ verdict: 'allowed', bytesIn: expect.any(Number) as number });
});

test('what the inside sends in the same header is dropped, and a request for another host in the tunnel is refused', async () => {
  const heard = await secured();
  const machine = await open(heard.net);
  await shell(
    machine,
    'curl -sS -H "Authorization: Bearer mine" -H "aUTHORIZATION: Basic bWluZQ==" -H "X-Else: kept" https://allowed.example/',
  );
  expect(heard.asked[0]!.headers['authorization']).toBe(`Bearer ${SECRET}`);
  expect(heard.asked[0]!.headers['x-else']).toBe('kept');
  expect(heard.asked[0]!.rawHeaders.filter((name) => name.toLowerCase() === 'authorization')).toHaveLength(1);
  for (const bad of ['-H "Host: other.example"', '-X TRACE', '-H "Host: evil.example" --path-as-is'])
    expect((await shell(machine, `curl -sSi --suppress-connect-headers ${bad} https://allowed.example/`)).out, bad).toMatch(
      /^HTTP\/1.1 403/,
    );
  expect((await shell(machine, 'curl -sS --connect-to allowed.example:443:other.example:443 https://allowed.example/')).code).not.toBe(0);
  expect(heard.asked).toHaveLength(1);
});

test('many requests on one connection, a large upload and a large answer', async () => {
  const heard = await secured();
  const machine = await open(heard.net);
  await machine.files.write('big', Buffer.alloc(20_000_000, 'y'));
  const many = Array.from({ length: 20 }, (_, n) => `https://allowed.example/${n}`).join(' ');
  const { out } = await shell(
    machine,
    `curl -sS ${many}; curl -sS --data-binary @big -H 'Expect: 100-continue' https://allowed.example/up`,
  );
  expect(out).toContain('/19');
  expect(out).toContain('for allowed.example /up');
  expect(new Set(authorization(heard))).toEqual(new Set([`Bearer ${SECRET}`]));
  expect(heard.asked.at(-1)!.headers['content-length']).toBe('20000000');
  await expect.poll(() => heard.net.log.length).toBe(2);
});

/** The files with the secret that commands could have written: those of the private HOME and /tmp, and of the worktree. */
function filesWith(machine: Machine): string[] {
  const { stdout } = spawnSync('grep', ['-rlaF', SECRET, machine.spec.stateDir, machine.spec.worktree], { encoding: 'utf8' });
  return stdout.split('\n').filter(Boolean);
}

/** Looks for a secret, given in two halves, in the memory of every process but itself. */
const SCAN = `
import os, re, sys
needle = (sys.argv[1] + sys.argv[2]).encode()
for pid in filter(str.isdigit, os.listdir('/proc')):
    if int(pid) == os.getpid():
        continue
    try:
        with open(f'/proc/{pid}/maps') as maps, open(f'/proc/{pid}/mem', 'rb', 0) as memory:
            for line in maps:
                found = re.match(r'([0-9a-f]+)-([0-9a-f]+) r', line)
                a, b = (int(found[1], 16), int(found[2], 16)) if found else (0, 0)
                if not 0 < b - a < 64 << 20:
                    continue
                try:
                    memory.seek(a)
                    if needle in memory.read(b - a):
                        print('memory of', pid, line)
                except OSError:
                    pass
    except OSError:
        pass
print('looked')
`;

test('the secret is nowhere inside: no environment, file, argument or memory of a process there; nor in the log', async () => {
  const heard = await secured();
  const machine = await open(heard.net);
  await machine.files.write('scan.py', SCAN);
  const server = await machine.run({
    argv: [
      'python3',
      '-c',
      `import urllib.request, time\nwhile True: urllib.request.urlopen('https://allowed.example/').read(); time.sleep(0.05)`,
    ],
  });
  await expect.poll(() => heard.asked.length, { timeout: 15_000 }).toBeGreaterThan(3);
  const [half, rest] = [SECRET.slice(0, 14), SECRET.slice(14)];
  expect(await shell(machine, `python3 scan.py "${half}" "${rest}"`)).toEqual({ code: 0, out: 'looked', err: '' });
  // The scan itself finds what is there: the name of the host is in that server's memory.
  expect((await shell(machine, `python3 scan.py allowed .example`)).out).toContain('memory of');
  expect((await shell(machine, 'cat /proc/*/environ /proc/*/cmdline | tr "\\0" "\\n"')).out).not.toContain(SECRET);
  expect((await shell(machine, `grep -rsl "${half}[-]" /etc /run ; true`)).out).toBe('');
  expect(filesWith(machine)).toEqual([]);
  await server.kill('kill');
  expect(authorization(heard)[0]).toBe(`Bearer ${SECRET}`);
  expect(JSON.stringify(heard.net.log)).not.toContain(SECRET);
});

test('the authority’s certificate is seen inside, its key and the company’s are not; the key is its owner’s alone', async () => {
  const heard = await secured();
  const machine = await open(heard.net);
  const seen = await shell(machine, 'cat "$SSL_CERT_FILE"; cat /etc/ssl/certs/ca-certificates.crt');
  expect(seen.code).toBe(0);
  expect(seen.out).toContain(certificate().cert.trim());
  expect(seen.out).not.toContain('PRIVATE KEY');
  const file = join(dirname(machine.spec.stateDir), 'sandbox/authority/authority.pem');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(seen.out).toContain(readFileSync(file, 'utf8').slice(0, 300));
  expect((await shell(machine, `cat ${file}`)).code).not.toBe(0);
  expect((await shell(machine, 'echo x >> "$SSL_CERT_FILE"')).code).not.toBe(0);
});

test('a host whose certificate the person doesn’t trust gets no request', async () => {
  const heard = await secured();
  const machine = await machineIn(heard.net, network, {}, header);
  expect((await shell(machine, 'curl -sSi --suppress-connect-headers https://allowed.example/')).out).toMatch(/^HTTP\/1.1 502/);
  expect(heard.asked).toEqual([]);
  await expect
    .poll(() => heard.net.log.at(-1))
    .toMatchObject({ verdict: 'failed', reason: expect.stringMatching(/self-signed|certificate/) as string });
});

test('without credentials nothing is read on the way, and a company’s certificate is trusted inside all the same', async () => {
  const net = await ordinary();
  const plain = await machineIn(net, { allow: ['allowed.example'] }, company());
  expect((await shell(plain, 'curl -sS https://allowed.example/x')).out).toContain('host=allowed.example');
  expect((await shell(plain, 'curl -sSv https://allowed.example/x 2>&1 | grep issuer')).out).not.toContain('Signalbox');
  const bare = await machineIn(net, { allow: ['allowed.example'] });
  expect((await shell(bare, 'echo "$SSL_CERT_FILE$NODE_EXTRA_CA_CERTS"; cat /etc/ssl/signalbox.pem')).out).toBe('');
  expect(existsSync(join(dirname(bare.spec.stateDir), 'sandbox/authority'))).toBe(false);
});

test('a credential that is taken back is added no more, to a running machine’s next request', async () => {
  const heard = await secured();
  const machine = await open(heard.net);
  await shell(machine, 'curl -sS https://allowed.example/');
  machine.setPolicy(policy({ allow: network.allow }));
  await shell(machine, 'curl -sS https://allowed.example/');
  expect(authorization(heard)).toEqual([`Bearer ${SECRET}`, undefined]);
});

/** A package and a repository of a company, which its server gives only to who has the password. */
async function registry(): Promise<{ net: Outside; wrong: string[] }> {
  const wrong: string[] = [];
  const net = outside({ 'allowed.example': [PUBLIC] });
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-registry-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const pack = join(folder, 'package');
  mkdirSync(pack);
  writeFileSync(join(pack, 'package.json'), JSON.stringify({ name: 'private-thing', version: '1.0.0', main: 'index.js' }));
  writeFileSync(join(pack, 'index.js'), 'module.exports = 42');
  execFileSync('tar', ['czf', join(folder, 'thing.tgz'), '-C', folder, 'package']);
  const repo = join(folder, 'repo');
  const git = (...words: string[]) => execFileSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@b.c', ...words], { stdio: 'ignore' });
  git('init', '-q', repo);
  writeFileSync(join(repo, 'file'), 'from the git host');
  git('-C', repo, 'add', '.');
  git('-C', repo, 'commit', '-qm', 'One');
  git('clone', '-q', '--bare', repo, join(folder, 'repo.git'));
  git('-C', join(folder, 'repo.git'), 'update-server-info');
  const version = { name: 'private-thing', version: '1.0.0', dist: { tarball: 'https://allowed.example/private-thing/-/thing.tgz' } };
  const port = await tlsServer((request, response) => {
    const path = (request.url ?? '').split('?')[0]!;
    const file = path.endsWith('.tgz') ? join(folder, 'thing.tgz') : join(folder, path);
    if (request.headers.authorization !== `Bearer ${SECRET}`) {
      wrong.push(`${request.method} ${request.url} ${request.headers.authorization}`);
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
    } else if (path === '/private-thing') {
      response.end(JSON.stringify({ name: 'private-thing', 'dist-tags': { latest: '1.0.0' }, versions: { '1.0.0': version } }));
    } else if (statSync(file, { throwIfNoEntry: false })?.isFile()) response.end(readFileSync(file));
    else response.writeHead(404).end();
  });
  net.routes.set(`${PUBLIC}:443`, port);
  return { net, wrong };
}

test('npm installs a private package, git clones a private repository: neither was told a password', async () => {
  const { net, wrong } = await registry();
  const machine = await machineIn(net, network, company(), header);
  const npm = await shell(
    machine,
    'echo {} > package.json && npm install --registry https://allowed.example/ private-thing --no-audit --no-fund --loglevel=error && node -p "require(\'private-thing\')"',
  );
  expect(npm.out + npm.err).toMatch(/42$/);
  const clone = await shell(machine, 'GIT_TERMINAL_PROMPT=0 git clone -q https://allowed.example/repo.git cloned && cat cloned/file');
  expect(clone).toMatchObject({ code: 0, out: 'from the git host' });
  expect(wrong).toEqual([]);
  expect(filesWith(machine)).toEqual([]);
});
