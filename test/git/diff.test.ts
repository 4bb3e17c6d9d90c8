import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { diffFiles, isGeneratedName, patch } from '../../agent-core/git/diff.ts';
import { outside } from '../../agent-core/git/runner.ts';
import { slugOf } from '../../agent-core/git/worktree.ts';
import { withoutCredentials } from '../../agent-core/git/session-store.ts';
import { git, put } from '../workspace/world.ts';

let dir: string;
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'signalbox-diff-')));
  git(dir, 'init', '-q', '-b', 'main');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function tree(files: Record<string, string | Buffer>): string {
  git(dir, 'rm', '-rqf', '--cached', '--ignore-unmatch', '.');
  put(dir, files);
  for (const name of Object.keys(files)) git(dir, 'add', '-f', '--', `:(literal)${name}`);
  return git(dir, 'write-tree');
}

test('every kind of change, and names that need care', async () => {
  const from = tree({
    same: 's\n',
    gone: 'g\n',
    'tab\tname': '1\n',
    moved: 'one\ntwo\nthree\nfour\n',
    'bin ary': Buffer.from([0, 1, 2]),
    '"q"': 'q\n',
  });
  const to = tree({
    same: 's\n',
    'tab\tname': '2\n',
    'new place/moved': 'one\ntwo\nthree\nfive\n',
    'bin ary': Buffer.from([0, 1, 3]),
    '"q"': 'r\n',
    'fresh\nline': '',
  });
  const files = await diffFiles(join(dir, '.git'), from, to);
  expect(files.map(({ path, oldPath, status, added, removed, binary }) => ({ path, oldPath, status, added, removed, binary }))).toEqual([
    { path: '"q"', oldPath: null, status: 'modified', added: 1, removed: 1, binary: false },
    { path: 'bin ary', oldPath: null, status: 'modified', added: null, removed: null, binary: true },
    { path: 'fresh\nline', oldPath: null, status: 'added', added: 0, removed: 0, binary: false },
    { path: 'gone', oldPath: null, status: 'deleted', added: 0, removed: 1, binary: false },
    { path: 'new place/moved', oldPath: 'moved', status: 'renamed', added: 1, removed: 1, binary: false },
    { path: 'tab\tname', oldPath: null, status: 'modified', added: 1, removed: 1, binary: false },
  ]);
  const one = await patch(join(dir, '.git'), { from, to, paths: ['new place/moved'], renamed: new Map([['new place/moved', 'moved']]) });
  expect(one.patch).toContain('rename from moved');
  expect((await patch(join(dir, '.git'), { from, to, paths: ['*'] })).patch).toBe('');
  const cut = await patch(join(dir, '.git'), { from, to, paths: files.map((file) => file.path), limit: 100 });
  expect(cut.truncated).toBe(true);
  expect(cut.patch.length).toBeLessThanOrEqual(100);
});

test('generated files are known by name and by the tree’s own attributes', async () => {
  const from = tree({ a: 'a\n' });
  const to = tree({
    a: 'b\n',
    'package-lock.json': '{}\n',
    'x/app.min.js': 'x\n',
    '.gitattributes': 'gen/* linguist-generated\npackage-lock.json -linguist-generated\n',
    'gen/x.ts': 'x\n',
  });
  const files = await diffFiles(join(dir, '.git'), from, to);
  expect(Object.fromEntries(files.map((file) => [file.path, file.generated]))).toEqual({
    '.gitattributes': false,
    a: false,
    'gen/x.ts': true,
    'package-lock.json': false,
    'x/app.min.js': true,
  });
  expect(isGeneratedName('lib/Cargo.lock')).toBe(true);
  expect(isGeneratedName('src/lock.ts')).toBe(false);
});

test('the repository’s own settings run nothing in a diff', async () => {
  const from = tree({ a: 'a\n' });
  const to = tree({ a: 'b\n', '.gitattributes': '* diff=e filter=e\n' });
  for (const key of ['diff.external', 'diff.e.textconv', 'diff.e.command', 'filter.e.clean', 'core.pager', 'core.fsmonitor'])
    git(dir, 'config', key, `touch ${dir}/pwned`);
  put(dir, { '.git/info/attributes': '* diff=e\n' });
  expect((await patch(join(dir, '.git'), { from, to, paths: ['a'] })).patch).toContain('+b');
  expect(() => git(dir, 'ls-files', '--error-unmatch', 'pwned')).toThrow();
  await expect(outside({ gitDir: join(dir, '.git'), args: ['fetch', `file://${dir}`] })).rejects.toMatchObject({
    detail: { code: 'git-failed', output: expect.stringContaining("transport 'file' not allowed") },
  });
});

test('slugs', () => {
  expect(slugOf('Füge Größe hinzu!')).toBe('fuge-gro-e-hinzu');
  expect(slugOf('日本語')).toBe('task');
  expect(slugOf('a'.repeat(200))).toHaveLength(40);
  expect(slugOf('../../x; rm -rf /')).toBe('x-rm-rf');
  expect(slugOf(`${'word '.repeat(20)}`)).toMatch(/^(?:word-)*word$/);
});

test('addresses keep no secrets', () => {
  expect(withoutCredentials('https://u:p@host:8443/x.git?t=1#f')).toBe('https://host:8443/x.git');
  expect(withoutCredentials('https://token@host/x')).toBe('https://host/x');
  expect(withoutCredentials('ssh://git:pw@host/x')).toBe('ssh://git@host/x');
  expect(withoutCredentials('git@host:me/x.git')).toBe('git@host:me/x.git');
  expect(withoutCredentials('/srv/x.git')).toBe('/srv/x.git');
});
