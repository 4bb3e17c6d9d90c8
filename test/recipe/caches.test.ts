import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { noRecipe, type ItemOf, type TaskId } from '../../agent-core/contract/index.ts';
import { createCore } from '../../agent-core/core.ts';
import { cacheMounts } from '../../agent-core/workspace/recipe/caches.ts';
import { seedCaches } from '../../agent-core/workspace/recipe/seed.ts';
import { say, startModelServer } from '../model-server/index.ts';
import { git, Rig } from '../runtime/support.ts';

let rig: Rig | null = null;
let server: Server | null = null;
const folders: string[] = [];
afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
  server = null;
  await rig?.close();
  rig = null;
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});
const fresh = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-caches-'));
  folders.push(folder);
  return folder;
};
function put(root: string, files: Record<string, string | Buffer>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  }
}
/** Every file below a folder with its content, links and times: what must not change. */
const snapshot = (folder: string): string =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .toSorted()
    .map((name) => {
      const found = lstatSync(join(folder, name));
      return `${name} ${found.mode} ${found.size} ${found.mtimeMs} ${
        found.isFile() && found.size < 1e8
          ? createHash('sha256')
              .update(readFileSync(join(folder, name)))
              .digest('hex')
          : ''
      }`;
    })
    .join('\n');

/** Whether this disk can copy by sharing blocks. */
function shares(folder: string): boolean {
  try {
    copyFileSync(join(folder, '.cache/pip/http-v2/a/b'), join(fresh(), 'x'), constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch {
    return false;
  }
}

/** A core of a person whose HOME is a folder of this test. */
async function startAs(home: string): Promise<Rig> {
  const made = new Rig();
  made.model = await startModelServer(() => [say('Done.')]);
  made.core = await createCore({
    home: made.home,
    host: 'test',
    openOn: null,
    env: { PATH: process.env['PATH'], HOME: home, OPENAI_BASE_URL: made.model.url, OPENAI_API_KEY: 'sk-test', SIGNALBOX_MODEL: 'gpt-5.5' },
  });
  made.core.onEvents((events) => made.events.push(...events));
  made.project = await made.call('project/open', { path: made.repo });
  return made;
}
async function setupOf(id: TaskId): Promise<ItemOf<'command'>> {
  const { items } = await rig!.call('thread/read', { threadId: rig!.thread(id).id });
  return items.findLast((item): item is ItemOf<'command'> => item.type === 'command' && item.script === 'setup')!;
}
/** A registry on loopback; returns the paths that were asked for. */
async function registry(
  files: (port: number) => Record<string, { body: string | Buffer; type: string }>,
): Promise<{ port: number; asked: string[] }> {
  const asked: string[] = [];
  server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '/').split('?')[0]!;
    asked.push(path);
    const file = files((server!.address() as AddressInfo).port)[path];
    if (!file) return void response.writeHead(404).end();
    response.writeHead(200, { 'content-type': file.type, 'cache-control': 'max-age=31536000, immutable' }).end(file.body);
  });
  await new Promise<void>((ready) => server!.listen(0, '127.0.0.1', ready));
  return { port: (server.address() as AddressInfo).port, asked };
}
function npmPackage(): { tarball: Buffer; integrity: string } {
  const folder = fresh();
  put(folder, { 'package/package.json': '{"name":"tiny","version":"1.0.0"}', 'package/index.js': 'module.exports = 42;\n' });
  execFileSync('tar', ['-czf', 'tiny.tgz', 'package'], { cwd: folder });
  const tarball = readFileSync(join(folder, 'tiny.tgz'));
  return { tarball, integrity: `sha512-${createHash('sha512').update(tarball).digest('base64')}` };
}
function npmProject(repo: string, port: number, integrity: string): void {
  const resolved = `http://127.0.0.1:${port}/tiny/-/tiny-1.0.0.tgz`;
  put(repo, {
    'package.json': '{"name":"app","version":"1.0.0","dependencies":{"tiny":"1.0.0"}}',
    'package-lock.json': JSON.stringify({
      name: 'app',
      version: '1.0.0',
      lockfileVersion: 3,
      requires: true,
      packages: {
        '': { name: 'app', version: '1.0.0', dependencies: { tiny: '1.0.0' } },
        'node_modules/tiny': { version: '1.0.0', resolved, integrity },
      },
    }),
    '.gitignore': 'node_modules/\n',
  });
  git(repo, 'add', '-A');
  git(repo, 'commit', '-qm', 'Packages');
}
const npmSetup = 'npm ci --no-audit --no-fund --foreground-scripts && node -p "require(\'tiny\')"';
async function run(setup: string, hosts: string[], title: string): Promise<TaskId> {
  await rig!.call('recipe/write', { projectId: rig!.project.id, recipe: { ...noRecipe, setup } });
  if (hosts.length) await rig!.call('recipe/answer', { projectId: rig!.project.id, hosts, answer: 'allow' });
  const task = await rig!.create(title);
  await rig!.until(() => ['review', 'failed'].includes(rig!.status(task.id)), 'it is over');
  return task.id;
}

test('npm: the second task’s install comes from the project’s cache, and the person’s own stays as it is', async () => {
  const home = fresh();
  put(home, { '.npm/_cacache/content-v2/sha512/aa/bb/cc': 'mine', '.npmrc': '//registry.npmjs.org/:_authToken=secret\n' });
  const before = snapshot(home);
  const { tarball, integrity } = npmPackage();
  const { port, asked } = await registry(() => ({ '/tiny/-/tiny-1.0.0.tgz': { body: tarball, type: 'application/octet-stream' } }));
  rig = await startAs(home);
  npmProject(rig.repo, port, integrity);
  const first = await run(npmSetup, [`127.0.0.1:${port}`], 'First');
  expect(await setupOf(first)).toMatchObject({ status: 'completed', output: expect.stringContaining('42') as string });
  expect(asked.filter((path) => path.endsWith('.tgz'))).toHaveLength(1);
  const second = await run(npmSetup, [], 'Second');
  expect(await setupOf(second)).toMatchObject({ status: 'completed', output: expect.stringContaining('42') as string });
  expect(asked.filter((path) => path.endsWith('.tgz'))).toHaveLength(1);
  expect(snapshot(home)).toBe(before);
  const cache = join(rig.home, 'caches', rig.project.id);
  expect(readdirSync(cache)).toContain('npm');
}, 120_000);

test('npm: what the person has cached already is there without any network, and only what the lockfile names', async () => {
  const { tarball, integrity } = npmPackage();
  const home = fresh();
  const hex = Buffer.from(integrity.slice(7), 'base64').toString('hex');
  const at = `_cacache/content-v2/sha512/${hex.slice(0, 2)}/${hex.slice(2, 4)}/${hex.slice(4)}`;
  put(home, { [`.npm/${at}`]: tarball, '.npm/_cacache/content-v2/sha512/aa/bb/cc': 'another project’s' });
  const before = snapshot(home);
  rig = await startAs(home);
  npmProject(rig.repo, 9, integrity);
  await rig.call('recipe/answer', { projectId: rig.project.id, hosts: ['127.0.0.1:9'], answer: 'refuse' });
  const task = await run(npmSetup, [], 'Offline');
  const cache = join(rig.home, 'caches', rig.project.id, 'npm');
  expect(existsSync(join(cache, at))).toBe(true);
  expect(existsSync(join(cache, '_cacache/content-v2/sha512/aa'))).toBe(false);
  expect(await setupOf(task)).toMatchObject({ status: 'completed', output: expect.stringContaining('42') as string });
  expect(snapshot(home)).toBe(before);
}, 120_000);

const wheel = (folder: string): Buffer => {
  execFileSync('python3', [
    '-c',
    `import zipfile,sys
z=zipfile.ZipFile(sys.argv[1],'w')
z.writestr('tiny.py','answer=42\\n')
z.writestr('tiny-1.0.dist-info/METADATA','Metadata-Version: 2.1\\nName: tiny\\nVersion: 1.0\\n')
z.writestr('tiny-1.0.dist-info/WHEEL','Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
z.writestr('tiny-1.0.dist-info/RECORD','tiny.py,,\\ntiny-1.0.dist-info/METADATA,,\\ntiny-1.0.dist-info/WHEEL,,\\ntiny-1.0.dist-info/RECORD,,\\n')
z.close()`,
    join(folder, 'tiny.whl'),
  ]);
  return readFileSync(join(folder, 'tiny.whl'));
};
const pip = ((): string | null => {
  for (const python of ['python3', '/usr/bin/python3'])
    try {
      execFileSync(python, ['-m', 'pip', '--version'], { stdio: 'ignore' });
      return python;
    } catch {
      /* the next */
    }
  return null;
})();

test.skipIf(pip === null)(
  'pip: the second task’s install comes from the project’s cache (needs a Python with pip)',
  async () => {
    const home = fresh();
    put(home, { '.cache/pip/http/mine': 'mine' });
    const before = snapshot(home);
    const body = wheel(fresh());
    const name = 'tiny-1.0-py3-none-any.whl';
    const { port, asked } = await registry(() => ({
      '/simple/tiny/': { body: `<html><body><a href="/files/${name}">${name}</a></body></html>`, type: 'text/html' },
      [`/files/${name}`]: { body, type: 'application/octet-stream' },
    }));
    rig = await startAs(home);
    put(rig.repo, { 'requirements.txt': `--index-url http://127.0.0.1:${port}/simple\ntiny==1.0\n` });
    git(rig.repo, 'add', '-A');
    git(rig.repo, 'commit', '-qm', 'Packages');
    const setup = `${pip} -m pip install --disable-pip-version-check --no-input --trusted-host 127.0.0.1 --target .lib -r requirements.txt && PYTHONPATH=.lib ${pip} -c 'import tiny; print(tiny.answer)'`;
    const hosts = [`127.0.0.1:${port}`, 'files.pythonhosted.org:443'];
    const first = await run(setup, hosts, 'First');
    expect((await setupOf(first)).output).toMatch(/42\s*$/);
    expect(asked.filter((path) => path.endsWith('.whl'))).toHaveLength(1);
    const second = await run(setup, [], 'Second');
    expect((await setupOf(second)).output).toMatch(/42\s*$/);
    expect(asked.filter((path) => path.endsWith('.whl'))).toHaveLength(1);
    expect(snapshot(home)).toBe(before);
  },
  120_000,
);

test('a cache of modest size is copied whole, once; a large one, or one that the project has begun, is left alone', async () => {
  const [home, folder] = [fresh(), fresh()];
  put(home, { '.cache/pip/http-v2/a/b': 'cached', '.cargo/registry/cache/x/big.crate': '', '.cargo/registry/index/x/config.json': '{}' });
  symlinkSync('/etc/passwd', join(home, '.cache/pip/link'));
  truncateSync(join(home, '.cargo/registry/cache/x/big.crate'), 600 * 1024 ** 2);
  put(folder, { 'cargo-registry/index/own': 'mine' });
  const before = snapshot(home);
  const request = {
    place: { gitDir: home, subdir: '' },
    commit: 'HEAD',
    lockfiles: [],
    tools: ['pip', 'cargo'] as const,
    personHome: home,
    folder,
    scratch: fresh(),
    signal: new AbortController().signal,
  };
  await seedCaches(request);
  // A disk that shares blocks copies however much there is.
  const all = readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted();
  expect(all.filter((name) => !(shares(home) && name.startsWith('cargo-registry/cache')))).toEqual([
    'cargo-registry',
    'cargo-registry/index',
    'cargo-registry/index/own',
    'pip',
    'pip/http-v2',
    'pip/http-v2/a',
    'pip/http-v2/a/b',
  ]);
  rmSync(join(folder, 'pip'), { recursive: true });
  await seedCaches(request);
  expect(existsSync(join(folder, 'pip'))).toBe(false);
  expect(snapshot(home)).toBe(before);
});

test('two projects share nothing, and two tasks of one install at once', async () => {
  const { tarball, integrity } = npmPackage();
  const { port } = await registry(() => ({ '/tiny/-/tiny-1.0.0.tgz': { body: tarball, type: 'application/octet-stream' } }));
  rig = await startAs(fresh());
  npmProject(rig.repo, port, integrity);
  await rig.call('recipe/write', {
    projectId: rig.project.id,
    recipe: { ...noRecipe, setup: `${npmSetup}; echo poison > /var/cache/signalbox/poison` },
  });
  await rig.call('recipe/answer', { projectId: rig.project.id, hosts: [`127.0.0.1:${port}`], answer: 'allow' });
  const tasks = await Promise.all(['One', 'Two', 'Three'].map((title) => rig!.create(title)));
  for (const task of tasks) await rig.reaches(task.id, 'review');
  for (const task of tasks) expect(await setupOf(task.id)).toMatchObject({ status: 'completed' });
  expect(existsSync(join(rig.home, 'caches', rig.project.id, 'poison'))).toBe(true);
  const other = join(rig.folder, 'other');
  mkdirSync(other);
  git(other, 'init', '-q', '-b', 'main');
  put(other, { a: 'x' });
  git(other, 'add', '-A');
  git(other, 'commit', '-qm', 'First');
  rig.project = await rig.call('project/open', { path: other });
  const task = await run('ls /var/cache/signalbox; ls /var/cache/signalbox/poison', [], 'Other');
  expect(await setupOf(task)).toMatchObject({ status: 'failed', output: expect.stringContaining('No such file') as string });
}, 120_000);

test('the person’s caches are read-only inside where a tool reads them itself, and nothing beside them is shown', async () => {
  const home = fresh();
  put(home, {
    'go/pkg/mod/cache/download/example.com/m/@v/list': 'v1.0.0\n',
    '.gradle/caches/modules-2/files-2.1/x': 'jar',
    '.gradle/gradle.properties': 'token=secret\n',
    '.m2/repository/a/a.pom': '<project/>',
    '.m2/settings.xml': '<password>secret</password>',
  });
  const before = snapshot(home);
  rig = await startAs(home);
  const task = await run(
    'cat /var/cache/person/go/example.com/m/@v/list $GRADLE_RO_DEP_CACHE/modules-2/files-2.1/x /var/cache/person/maven/a/a.pom; echo; echo $GOPROXY; echo $MAVEN_OPTS; (echo x > /var/cache/person/go/x) 2>&1 || true; cat ~/.m2/settings.xml ~/.gradle/gradle.properties 2>&1 || true; touch ~/.cargo/registry/ok && ls /var/cache/signalbox/cargo-registry',
    [],
    'Look',
  );
  const { output } = await setupOf(task);
  expect(output).toContain('v1.0.0\njar<project/>\n');
  expect(output).toContain('file:///var/cache/person/go,https://proxy.golang.org,direct');
  expect(output).toContain('-Dmaven.repo.local.tail=/var/cache/person/maven');
  expect(output).toContain('Read-only file system');
  expect(output).not.toContain('secret');
  expect(output).toMatch(/\nok\n$/);
  expect(snapshot(home)).toBe(before);
});

test('a cache that is a link to more than a cache is not shown, and links that agents planted in theirs are not followed', async () => {
  const [home, folder, outside] = [fresh(), fresh(), fresh()];
  mkdirSync(join(home, '.m2'));
  symlinkSync(home, join(home, '.m2/repository'));
  mkdirSync(join(home, 'go/pkg/mod/cache'), { recursive: true });
  symlinkSync('/', join(home, 'go/pkg/mod/cache/download'));
  const { binds } = await cacheMounts({ folder, home: join(fresh(), 'state/home'), personHome: home });
  expect(binds.map(({ source }) => source)).toEqual([folder]);
  // What an agent may do to the project's cache before the next task begins.
  const integrity = createHash('sha512').update('x').digest();
  const hex = integrity.toString('hex');
  put(home, { [`.npm/_cacache/content-v2/sha512/${hex.slice(0, 2)}/${hex.slice(2, 4)}/${hex.slice(4)}`]: 'x' });
  symlinkSync(outside, join(folder, 'npm'));
  const repo = join(fresh(), 'repo');
  mkdirSync(repo);
  git(repo, 'init', '-q', '-b', 'main');
  put(repo, { 'package-lock.json': `{"integrity": "sha512-${integrity.toString('base64')}"}` });
  git(repo, 'add', '-A');
  git(repo, 'commit', '-qm', 'First');
  chmodSync(outside, 0o755);
  await seedCaches({
    place: { gitDir: join(repo, '.git'), subdir: '' },
    commit: 'HEAD',
    lockfiles: ['package-lock.json'],
    tools: ['npm'],
    personHome: home,
    folder,
    scratch: fresh(),
    signal: new AbortController().signal,
  });
  expect(readdirSync(outside)).toEqual([]);
});
