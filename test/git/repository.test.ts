import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { initFolder, inspectFolder, nearest, resolveBase } from '../../agent-core/git/repository.ts';
import { git, put } from '../workspace/world.ts';

let dir: string;
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'signalbox-git-')));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function repository(name: string, files: Record<string, string> = { a: 'a\n', 'sub/b': 'b\n' }): string {
  const repo = join(dir, name);
  mkdirSync(repo);
  git(repo, 'init', '-q', '-b', 'main');
  put(repo, files);
  git(repo, 'add', '-A');
  git(repo, 'commit', '-qm', 'first');
  return repo;
}

const code = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => null,
    (error: { detail?: { code: string } }) => error.detail?.code ?? error,
  );

test.each(['plain', 'with space', `quote ' and "`, 'ünïcode 日本', '-dash', '$(touch x)'])(
  'a repository at a path like %s',
  async (name) => {
    const repo = repository(name);
    expect(await inspectFolder(repo)).toMatchObject({
      root: repo,
      repo,
      subdir: '',
      gitDir: join(repo, '.git'),
      branch: 'main',
      branches: ['main'],
      remoteBranches: [],
      files: 2,
      warnings: [],
    });
    expect(await inspectFolder(join(repo, 'sub'))).toMatchObject({ root: join(repo, 'sub'), repo, subdir: 'sub', files: 1 });
  },
);

test('what is no place for tasks says why', async () => {
  expect(await code(inspectFolder(join(dir, 'none')))).toBe('no-folder');
  writeFileSync(join(dir, 'file'), '');
  expect(await code(inspectFolder(join(dir, 'file')))).toBe('no-folder');
  mkdirSync(join(dir, 'plain'));
  await expect(inspectFolder(join(dir, 'plain'))).rejects.toMatchObject({
    detail: { code: 'not-a-repository', fix: expect.stringContaining('git init') },
  });
  git(dir, 'init', '-q', '--bare', 'bare.git');
  expect(await code(inspectFolder(join(dir, 'bare.git')))).toBe('bare-repository');
  git(dir, 'init', '-q', 'empty');
  expect(await code(inspectFolder(join(dir, 'empty')))).toBe('no-commits');
  expect(await code(inspectFolder(join(repository('r'), '.git')))).toBe('not-a-repository');
  git(dir, 'init', '-q', '--object-format=sha256', 'sha');
  expect(await code(inspectFolder(join(dir, 'sha')))).toBe('no-commits');
  git(repository('future'), 'config', 'core.repositoryformatversion', '1');
  git(join(dir, 'future'), 'config', 'extensions.refstorage', 'reftable');
  await expect(inspectFolder(join(dir, 'future'))).rejects.toMatchObject({ detail: { code: 'unsupported-repository' } });
});

test('limits are said before a task starts', async () => {
  const repo = repository('r', {
    a: 'a\n',
    '.gitattributes': '*.bin filter=lfs\n',
    'x.bin': `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 1\n`,
  });
  git(repo, '-c', 'protocol.file.allow=always', 'submodule', 'add', '-q', repository('other'), 'lib');
  git(repo, 'commit', '-qam', 'submodule');
  expect((await inspectFolder(repo)).warnings.join('\n')).toMatch(/^[^]*LFS[^]*$/);
  rmSync(join(repo, '.git/modules'), { recursive: true });
  expect((await inspectFolder(repo)).warnings.join('\n')).toMatch(/submodule.*\(lib\)[^]*LFS/);
  git(dir, 'clone', '-q', '--depth=1', `file://${repo}`, 'shallow');
  expect((await inspectFolder(join(dir, 'shallow'))).warnings.join('\n')).toMatch(/Shallow/);
});

test('a linked worktree and a link to a folder', async () => {
  const repo = repository('r');
  git(repo, 'worktree', 'add', '-q', '-b', 'side', join(dir, 'linked'));
  expect(await inspectFolder(join(dir, 'linked'))).toMatchObject({ repo: join(dir, 'linked'), gitDir: join(repo, '.git'), branch: 'side' });
  symlinkSync(repo, join(dir, 'link'));
  expect(await inspectFolder(join(dir, 'link'))).toMatchObject({ root: repo });
});

test('a folder becomes a repository with what is in it', async () => {
  const folder = join(dir, 'new one');
  put(folder, { 'x/y': 'z\n' });
  expect(await initFolder(folder)).toMatchObject({ branch: 'main', files: 1 });
  expect(await code(initFolder(folder))).toBe('conflict');
  mkdirSync(join(dir, 'empty'));
  expect(await initFolder(join(dir, 'empty'))).toMatchObject({ files: 0 });
});

test('bases: local, remote (fetched first, no ref of the person moves), tag, detached, mistyped', async () => {
  const origin = repository('origin');
  git(dir, 'clone', '-q', origin, 'clone');
  const repo = join(dir, 'clone');
  const where = { repo, gitDir: join(repo, '.git') };
  put(origin, { later: 'l\n' });
  git(origin, 'add', '-A');
  git(origin, 'commit', '-qm', 'later');
  git(origin, 'branch', 'feature/one');
  const later = git(origin, 'rev-parse', 'main');
  const refs = git(repo, 'for-each-ref');
  expect(await resolveBase(where, { ref: 'main', kind: 'local' })).toBe(git(repo, 'rev-parse', 'main'));
  const seen: number[] = [];
  expect(await resolveBase(where, { ref: 'origin/main', kind: 'remote' }, { onProgress: (fraction) => seen.push(fraction) })).toBe(later);
  expect(await resolveBase(where, { ref: 'origin/feature/one', kind: 'remote' })).toBe(later);
  expect(
    git(repo, 'for-each-ref', '--format=%(objectname) %(objecttype)\t%(refname)')
      .split('\n')
      .filter((line) => !line.includes('refs/signalbox/'))
      .join('\n'),
  ).toBe(refs);
  git(repo, 'tag', 'v1');
  expect(await resolveBase(where, { ref: 'v1', kind: 'local' })).toBe(git(repo, 'rev-parse', 'v1'));
  git(repo, 'checkout', '-q', '--detach');
  expect(await resolveBase(where, { ref: 'HEAD', kind: 'local' })).toBe(git(repo, 'rev-parse', 'HEAD'));
  await expect(resolveBase(where, { ref: 'mian', kind: 'local' })).rejects.toMatchObject({
    detail: { code: 'base-not-found', fix: 'Did you mean main?' },
  });
  expect(await code(resolveBase(where, { ref: 'origin/nope', kind: 'remote' }))).toBe('base-not-found');
  expect(await code(resolveBase(where, { ref: '--upload-pack=x', kind: 'local' }))).toBe('base-not-found');
  rmSync(origin, { recursive: true });
  expect(await code(resolveBase(where, { ref: 'origin/main', kind: 'remote' }))).toBe('fetch-failed');
});

test('nearest names', () => {
  expect(nearest('mster', ['main', 'master', 'feature/login'])).toContain('master');
  expect(nearest('login', ['main', 'feature/login'])).toEqual(['feature/login']);
});
