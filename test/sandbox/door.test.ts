import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, linkSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { toAppError } from '../../agent-core/contract/errors.ts';
import { openDoor } from '../../agent-core/sandbox/door.ts';
import { temporary } from './helpers.ts';

function place() {
  const base = temporary();
  const root = join(base, 'worktree');
  const outside = join(base, 'outside');
  mkdirSync(root);
  mkdirSync(outside);
  writeFileSync(join(outside, 'secret'), 'secret');
  return { root, outside, door: openDoor(root) };
}

const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'it succeeded',
    (error: unknown) => (error as NodeJS.ErrnoException).code ?? toAppError(error).code,
  );

test('reads, writes, lists, stats and removes; absolute paths inside too', async () => {
  const { root, door } = place();
  await door.write('a/b/c.txt', 'text');
  await door.write(join(root, 'a/bytes'), new Uint8Array([0, 255, 10]));
  expect((await door.read('a/b/../b/./c.txt')).toString()).toBe('text');
  expect([...(await door.read(join(root, 'a/bytes')))]).toEqual([0, 255, 10]);
  expect((await door.list('a')).toSorted((x, y) => x.name.localeCompare(y.name))).toEqual([
    { name: 'b', kind: 'folder' },
    { name: 'bytes', kind: 'file' },
  ]);
  expect((await door.list('')).map(({ name }) => name)).toEqual(['a']);
  expect(await door.stat('a/bytes')).toMatchObject({ kind: 'file', size: 3 });
  expect(await door.stat('')).toMatchObject({ kind: 'folder' });
  expect(await door.stat('a/none/x')).toBe(null);
  await door.remove('a/bytes');
  expect(existsSync(join(root, 'a/bytes'))).toBe(false);
});

test('Node’s own codes for the rest', async () => {
  const { door } = place();
  await door.write('d/f', 'x');
  expect(await code(door.read('none'))).toBe('ENOENT');
  expect(await code(door.read('d'))).toBe('EISDIR');
  expect(await code(door.write('d', 'x'))).toBe('EISDIR');
  expect(await code(door.remove('d'))).toMatch(/EISDIR|EPERM/);
  expect(await code(door.list('d/f'))).toBe('ENOTDIR');
});

test('no path, link or `..` leads outside', async () => {
  const { root, outside, door } = place();
  symlinkSync(outside, join(root, 'dir'));
  symlinkSync(join(outside, 'secret'), join(root, 'file'));
  symlinkSync('../outside/secret', join(root, 'relative'));
  symlinkSync('/proc/self/root', join(root, 'proc'));
  symlinkSync('loop', join(root, 'loop'));
  for (const path of [
    '../outside/secret',
    join(outside, 'secret'),
    'dir/secret',
    'file',
    'relative',
    'a/../../outside/secret',
    `proc${outside}/secret`,
    'loop',
    'nul\0',
  ]) {
    expect([path, await code(door.read(path))]).toEqual([path, path.startsWith('a/') ? 'ENOENT' : 'not-allowed']);
  }
  for (const path of ['dir/new', '../new', 'file', 'relative', join(outside, 'new')])
    expect([path, await code(door.write(path, 'x'))]).toEqual([path, 'not-allowed']);
  expect(await code(door.list('dir'))).toBe('not-allowed');
  expect(await code(door.remove('dir/secret'))).toBe('not-allowed');
  expect(await door.stat('file')).toMatchObject({ kind: 'symlink' });
  expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('secret');
  expect(existsSync(join(outside, 'new'))).toBe(false);
});

test('a link that stays inside is followed, and kept when written through', async () => {
  const { root, door } = place();
  await door.write('docs/AGENTS.md', 'rules');
  symlinkSync('docs/AGENTS.md', join(root, 'AGENTS.md'));
  symlinkSync(join(root, 'docs'), join(root, 'abs'));
  expect((await door.read('AGENTS.md')).toString()).toBe('rules');
  await door.write('AGENTS.md', 'new');
  await door.write('abs/more', 'm');
  expect(readFileSync(join(root, 'docs/AGENTS.md'), 'utf8')).toBe('new');
  expect(readFileSync(join(root, 'docs/more'), 'utf8')).toBe('m');
  expect(await door.stat('AGENTS.md')).toMatchObject({ kind: 'symlink' });
});

test('a hard link to a file outside is not written through; the mode is kept', async () => {
  const { root, outside, door } = place();
  chmodSync(join(outside, 'secret'), 0o751);
  linkSync(join(outside, 'secret'), join(root, 'hard'));
  await door.write('hard', 'mine');
  expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('secret');
  expect([readFileSync(join(root, 'hard'), 'utf8'), statSync(join(root, 'hard')).mode & 0o777]).toEqual(['mine', 0o751]);
});

test('pipes, sockets and devices are refused at once; sizes are limited', async () => {
  const { root, door } = place();
  spawnSync('mkfifo', [join(root, 'fifo')]);
  const server = createServer();
  onTestFinished(() => {
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(join(root, 'sock'), resolve));
  expect(await code(door.read('fifo'))).toBe('not-allowed');
  expect(await code(door.write('fifo', 'x'))).toBe('not-allowed');
  expect(await code(door.read('sock'))).toMatch(/ENXIO|not-allowed/);
  writeFileSync(join(root, 'big'), Buffer.alloc(5000));
  expect(await code(door.read('big', 4999))).toBe('not-allowed');
  expect((await door.read('big', 5000)).length).toBe(5000);
});

test('a failed write leaves no temporary file', async () => {
  const { root, door } = place();
  mkdirSync(join(root, 'd'));
  await code(door.write('d', 'x'));
  await door.write('f', 'x');
  expect((await door.list('')).map(({ name }) => name).toSorted()).toEqual(['d', 'f']);
});

test('a folder swapped for a link in a race never lets a read or write out', async () => {
  const { root, outside, door } = place();
  mkdirSync(join(root, 'real'));
  writeFileSync(join(root, 'real/secret'), 'inside');
  symlinkSync(outside, join(root, 'link'));
  mkdirSync(join(root, 'flip-inside'));
  symlinkSync('flip-inside', join(root, 'flip'));
  const swapper = `
    const fs = require('node:fs'); process.chdir(${JSON.stringify(root)});
    const attempt = (act) => { try { act(); } catch {} };
    for (const end = Date.now() + 1500; Date.now() < end;) {
      attempt(() => fs.renameSync('real', 'x')); attempt(() => fs.renameSync('link', 'real'));
      attempt(() => fs.renameSync('real', 'link')); attempt(() => fs.renameSync('x', 'real'));
      for (const to of [${JSON.stringify(outside)}, 'flip-inside']) attempt(() => { fs.symlinkSync(to, 't'); fs.renameSync('t', 'flip'); });
    }`;
  const { spawn } = await import('node:child_process');
  const child = spawn(process.execPath, ['-e', swapper], { stdio: 'inherit' });
  const ended = new Promise((resolve) => child.once('close', resolve));
  let over = false;
  void ended.then(() => {
    over = true;
  });
  let reads = 0;
  while (!over) {
    const text = await door.read('real/secret').then(
      (bytes) => bytes.toString(),
      () => 'refused',
    );
    expect(text).not.toBe('secret');
    await door.write('flip/new', 'x').catch(() => {});
    reads += 1;
  }
  expect(reads).toBeGreaterThan(5);
  expect(existsSync(join(outside, 'new'))).toBe(false);
  expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('secret');
  expect(existsSync(join(root, 'flip-inside/new'))).toBe(true);
});

test('a file swapped for a link in a race is never read through', async () => {
  const { root, outside, door } = place();
  writeFileSync(join(root, 'plain'), 'inside');
  const swapper = `
    const fs = require('node:fs'); process.chdir(${JSON.stringify(root)});
    const attempt = (act) => { try { act(); } catch {} };
    for (const end = Date.now() + 2000; Date.now() < end;) {
      attempt(() => { fs.symlinkSync(${JSON.stringify(join(outside, 'secret'))}, 't'); fs.renameSync('t', 'flip'); });
      attempt(() => { fs.linkSync('plain', 't'); fs.renameSync('t', 'flip'); });
    }`;
  const { spawn } = await import('node:child_process');
  const child = spawn(process.execPath, ['-e', swapper], { stdio: 'inherit' });
  let over = false;
  child.once('close', () => {
    over = true;
  });
  const seen = new Set<string>();
  while (!over) {
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        seen.add(
          await door.read('flip').then(
            (bytes) => bytes.toString(),
            () => 'refused',
          ),
        );
      }),
    );
  }
  expect([...seen]).not.toContain('secret');
});

test('the worktree itself is never removed: said, not tried', async () => {
  const { door } = place();
  for (const path of ['', '.', './/', 'a/..'])
    expect([path, await code(door.remove(path))]).toEqual([path, path === 'a/..' ? 'ENOENT' : 'not-allowed']);
});

test('git’s own `.git` and mounted places are read, never written or removed, by links neither', async () => {
  const { root } = place();
  const door = openDoor(root, [join(root, 'mounted')]);
  mkdirSync(join(root, 'mounted'));
  writeFileSync(join(root, '.git'), 'gitdir: x');
  symlinkSync('.git', join(root, 'alias'));
  expect((await door.read('alias')).toString()).toBe('gitdir: x');
  for (const path of ['.git', 'alias', './a/../.git', 'mounted/x'])
    expect([path, await code(door.write(path, 'evil'))]).toEqual(
      [path, 'not-allowed'].map((word, index) =>
        index === 1 && path.startsWith('./a') ? (expect.stringMatching(/not-allowed|ENOENT/) as string) : word,
      ),
    );
  expect(await code(door.remove('.git'))).toBe('not-allowed');
  expect(readFileSync(join(root, '.git'), 'utf8')).toBe('gitdir: x');
  await door.write('.gitignore', 'fine');
});
