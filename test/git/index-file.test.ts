import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkIndex, isSafeName } from '../../agent-core/git/index-file.ts';
import { git, put } from '../workspace/world.ts';

let dir: string;
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'signalbox-index-')));
  git(dir, 'init', '-q', '-b', 'main');
  put(dir, { a: 'a\n', 'b c/ü': 'b\n', 'b c/d': 'd\n', '.gitignore': 'x\n', 'src/very/long/name/that/goes/on.txt': 'x\n' });
  git(dir, 'add', '-A');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const index = (): Buffer => readFileSync(join(dir, '.git/index'));

test.each(['2', '4'])('an index of version %s comes through with the same entries and no extensions', (version) => {
  git(dir, 'commit', '-qm', 'x');
  git(dir, 'update-index', '--index-version', version);
  put(dir, { 'b c/e': 'e\n' });
  git(dir, 'add', '-N', 'b c/e');
  const listed = git(dir, 'ls-files', '--stage', '--debug');
  const checked = checkIndex(index());
  expect(checked?.blobs.size).toBeGreaterThan(3);
  put(dir, { '.git/index': checked?.bytes ?? '' });
  expect(git(dir, 'ls-files', '--stage', '--debug')).toBe(listed);
  expect(checked?.bytes.includes('TREE')).toBe(false);
});

test('an index with conflicts comes through', () => {
  git(dir, 'commit', '-qm', 'x');
  git(dir, 'checkout', '-qb', 'side');
  put(dir, { a: 'side\n' });
  git(dir, 'commit', '-qam', 'side');
  git(dir, 'checkout', '-q', 'main');
  put(dir, { a: 'main\n' });
  git(dir, 'commit', '-qam', 'main');
  expect(() => git(dir, 'merge', '-q', 'side')).toThrow();
  put(dir, { '.git/index': checkIndex(index())?.bytes ?? '' });
  expect(git(dir, 'status', '--porcelain')).toBe('UU a');
});

test.each([
  '.git/hooks/x',
  '../../x',
  'b//x',
  './x',
  '.GIT/x',
  '.git',
  'x/.g\u200cit/y',
  'git~1/x',
  '.git ./x',
  'x\\.git/y',
  '.git::$INDEX/x',
  '/etc/passwd',
  'x/',
  'x/../y',
  '',
])('a name like %s is refused', (name) => {
  expect(isSafeName(Buffer.from(name), 0o100644)).toBe(false);
});

test.each(['.github/x', '.gitignore', 'a.git/x', 'x/...', 'git/x', 'über/日本', 'a b', '-x', '.gitmodules', 'x~1', 'a:b'])(
  'a name like %s is taken',
  (name) => {
    expect(isSafeName(Buffer.from(name), 0o100644)).toBe(true);
  },
);

test('an index that holds such a name is refused as a whole', () => {
  git(dir, 'rm', '-rq', '--cached', '.');
  rmSync(join(dir, '.gitignore'));
  put(dir, { 'Xgit/hooks/y': 'x' });
  git(dir, 'add', 'Xgit');
  git(dir, 'update-index', '--index-version', '2');
  const bytes = Buffer.from(index());
  expect(checkIndex(bytes)).not.toBe(null);
  const at = bytes.indexOf('Xgit/hooks/y');
  bytes.write('.', at);
  expect(checkIndex(bytes)).toBe(null);
});

test('a link named like git’s own files is refused', () => {
  expect(isSafeName(Buffer.from('.gitmodules'), 0o120000)).toBe(false);
  expect(isSafeName(Buffer.from('x'), 0o120000)).toBe(true);
});

test('a broken index is refused, wherever it is cut or altered, and never throws', () => {
  const good = index();
  for (let at = 0; at < good.length; at++) {
    checkIndex(good.subarray(0, at));
    const altered = Buffer.from(good);
    altered[at] = (altered[at] ?? 0) ^ 0x55;
    checkIndex(altered);
  }
  const evil = Buffer.from(index().toString('latin1').replace('src/very', '.git/hoo'), 'latin1');
  expect(checkIndex(evil)).toBe(null);
  expect(checkIndex(Buffer.from('DIRC'))).toBe(null);
});
