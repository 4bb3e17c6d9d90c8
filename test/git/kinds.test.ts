import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { coneOf } from '../../agent-core/git/partial.ts';
import { inspectFolder } from '../../agent-core/git/repository.ts';
import { agent, git, put, World } from '../workspace/world.ts';

let world: World;
vi.setConfig({ testTimeout: 60_000 });
beforeEach(() => {
  world = new World();
});
afterEach(() => world.dispose());

const LOCAL = ['-c', 'protocol.file.allow=always'] as const;

/** A repository with one file, to be somebody's submodule or origin. */
function library(name: string, ...init: string[]): string {
  const repo = join(world.dir, name);
  git(world.dir, 'init', '-q', '-b', 'main', ...init, name);
  put(repo, { 'lib.txt': `${name}\n` });
  world.commit(`first of ${name}`, repo);
  return repo;
}

function addSubmodule(repo: string, from: string, path: string): void {
  git(repo, ...LOCAL, 'submodule', 'add', '-q', from, path);
  world.commit(`${path} as a submodule`, repo);
}

/** Two folders, a file of each at the top and an old version of one. */
function origin(...init: string[]): string {
  const repo = library('origin', ...init);
  put(repo, { 'in/a.txt': 'old\n', 'out/b.txt': 'b\n', top: 'top\n' });
  world.commit('old', repo);
  put(repo, { 'in/a.txt': 'one\ntwo\n' });
  world.commit('new', repo);
  git(repo, 'config', 'uploadpack.allowFilter', 'true');
  git(repo, 'config', 'uploadpack.allowAnySHA1InWant', 'true');
  return repo;
}

function cloneOf(source: string, ...args: string[]): string {
  const repo = join(world.dir, 'clone');
  git(world.dir, ...LOCAL, 'clone', '-q', ...args, `file://${source}`, repo);
  git(repo, 'config', 'user.name', 'Person');
  git(repo, 'config', 'user.email', 'person@example.com');
  // What the person's own git may do on this machine, for the fetch of what is missing.
  git(repo, 'config', 'protocol.file.allow', 'always');
  return repo;
}

const version = execFileSync('git', ['--version'], { encoding: 'utf8' })
  .replace(/^git version (\d+)\.(\d+).*$/, '$1 $2')
  .split(' ')
  .map(Number);
/** Refs in tables need git 2.45. */
const hasTables = (version[0] ?? 0) > 2 || (version[1] ?? 0) >= 45;

interface Kind {
  /** Makes the repository; `edit` is a file that the agent changes. */
  make: () => { repo: string; edit: string };
  warnings?: RegExp;
}

const KINDS: Record<string, Kind> = {
  plain: { make: () => ({ repo: world.repo, edit: 'src/a.txt' }) },
  'SHA-256': { make: () => ({ repo: origin('--object-format=sha256'), edit: 'in/a.txt' }) },
  submodules: {
    make: () => {
      const inner = library('inner');
      const lib = library('lib');
      addSubmodule(lib, inner, 'nested');
      addSubmodule(world.repo, lib, 'vendor/lib');
      git(world.repo, ...LOCAL, 'submodule', 'update', '-q', '--init', '--recursive');
      return { repo: world.repo, edit: 'src/a.txt' };
    },
  },
  'a submodule that is not here': {
    make: () => {
      addSubmodule(world.repo, library('lib'), 'lib');
      git(world.repo, 'submodule', 'deinit', '-q', '-f', 'lib');
      git(world.dir, 'clone', '-q', world.repo, 'clone');
      git(join(world.dir, 'clone'), 'config', 'user.name', 'P');
      git(join(world.dir, 'clone'), 'config', 'user.email', 'p@x');
      return { repo: join(world.dir, 'clone'), edit: 'src/a.txt' };
    },
    warnings: /submodule.*\(lib\).*git submodule update/,
  },
  'sparse, by folders': {
    make: () => {
      const repo = origin();
      git(repo, 'sparse-checkout', 'set', '--cone', 'in');
      return { repo, edit: 'in/a.txt' };
    },
  },
  'sparse, by patterns': {
    make: () => {
      const repo = origin();
      git(repo, 'sparse-checkout', 'set', '--no-cone', '/*', '!/out/');
      return { repo, edit: 'in/a.txt' };
    },
  },
  'partial, without files': { make: () => ({ repo: cloneOf(origin(), '--filter=blob:none'), edit: 'in/a.txt' }), warnings: /Partial/ },
  'partial, without folders': { make: () => ({ repo: cloneOf(origin(), '--filter=tree:0'), edit: 'in/a.txt' }), warnings: /Partial/ },
  'partial and sparse': { make: () => ({ repo: cloneOf(origin(), '--filter=blob:none', '--sparse'), edit: 'top' }), warnings: /Partial/ },
  shallow: { make: () => ({ repo: cloneOf(origin(), '--depth=1'), edit: 'in/a.txt' }), warnings: /Shallow/ },
};

if (hasTables) KINDS['reftable'] = { make: () => ({ repo: origin('--ref-format=reftable'), edit: 'in/a.txt' }) };
else
  test('a repository whose refs are in tables: this git can’t read it, and that is said before a task starts', async () => {
    git(world.repo, 'config', 'core.repositoryformatversion', '1');
    git(world.repo, 'config', 'extensions.refstorage', 'reftable');
    await expect(inspectFolder(world.repo)).rejects.toMatchObject({
      detail: { code: 'unsupported-repository', message: expect.stringContaining('reftable'), fix: expect.stringContaining('git 2.45') },
    });
  });

const FORMS = ['mounted', 'without mounts'] as const;
const CASES = Object.keys(KINDS).flatMap((name) => FORMS.map((form) => [name, form] as const));

test.each(CASES)('%s, %s: prepared, worked in, harvested, shown, landed, deleted and restored', async (name, form) => {
  if (form === 'without mounts') world.withoutMounts();
  const { make, warnings = /^$/ } = KINDS[name] as Kind;
  const { repo, edit } = make();
  expect((await inspectFolder(repo)).warnings.join('\n')).toMatch(warnings);
  const refs = git(repo, 'for-each-ref', '--format=%(refname)');
  const base = git(repo, 'rev-parse', 'main');
  const workspace = await world.open('Fix it', { folder: repo });
  const { id, path } = workspace.info;
  expect(await agent(workspace, 'git status --porcelain')).toBe('');
  expect(git(path, 'status', '--porcelain')).toBe('');
  expect(git(path, 'ls-files', '-s')).toBe(git(repo, 'ls-files', '-s'));
  expect(await agent(workspace, 'git ls-files -t')).toBe(git(repo, 'ls-files', '-t'));
  expect((await workspace.checkpoint('start')).tree).toBe(git(repo, 'rev-parse', 'main^{tree}'));
  await agent(workspace, `echo more >> ${edit}; echo new > new.txt; git add -A; git commit -qm work; echo loose > loose.txt`);
  const { tip, moved } = await workspace.harvest();
  expect(moved).toBe(true);
  expect(git(repo, 'rev-parse', 'signalbox/fix-it')).toBe(tip);
  expect(git(path, 'status', '--porcelain')).toBe('?? loose.txt');
  const made = await workspace.checkpoint('end');
  expect((await workspace.diff(workspace.baseTree(), made.tree)).map((file) => file.path).toSorted()).toEqual(
    [edit, 'loose.txt', 'new.txt'].toSorted(),
  );
  const shown = await workspace.patch({ from: workspace.baseTree(), to: made.tree, paths: [edit] });
  expect(shown.patch).toContain('+more');
  expect(await workspace.landPreview()).toMatchObject({ clean: true, blocked: null, ahead: 1, uncommitted: 1 });
  await world.workspaces.trash(id);
  await world.workspaces.restore(id);
  const again = await world.workspaces.open(id);
  expect(await agent(again, 'git status --porcelain')).toBe('?? loose.txt');
  const landed = await again.land('merge', 'Landed');
  expect(git(repo, 'rev-parse', 'main')).toBe(landed.commit);
  expect(readFileSync(join(repo, edit), 'utf8')).toMatch(/more\n$/);
  expect(git(repo, 'status', '--porcelain')).toBe('');
  expect(git(repo, 'merge-base', 'main', base)).toBe(base);
  await world.workspaces.purge(id);
  expect(git(repo, 'for-each-ref', '--format=%(refname)')).toBe(refs);
  expect(git(repo, 'fsck', '--strict')).not.toMatch(/error|missing|broken/);
});

test.each(FORMS)('commits in a submodule come out with those that name them, %s', async (form) => {
  if (form === 'without mounts') world.withoutMounts();
  const { repo } = (KINDS['submodules'] as Kind).make();
  const workspace = await world.open('Fix it', { folder: repo });
  const { id, path } = workspace.info;
  expect(readFileSync(join(path, 'vendor/lib/nested/lib.txt'), 'utf8')).toBe('inner\n');
  expect(await agent(workspace, 'git submodule status --recursive')).toMatch(/^ \w+ vendor\/lib \(.*\)\n \w+ vendor\/lib\/nested/);
  await agent(
    workspace,
    'cd vendor/lib/nested; echo n >> lib.txt; git commit -qam nested; cd ..; echo l >> lib.txt; git add -A; git commit -qm lib; echo gone >> lib.txt; git commit -qam gone; cd ../..; git add -A; git commit -qm one; cd vendor/lib; git reset -q --hard HEAD~1; cd ../..; git commit -qam two',
  );
  expect(await agent(workspace, 'git status --porcelain')).toBe('');
  await workspace.harvest();
  const lib = join(repo, '.git/modules/vendor/lib');
  expect(git(lib, 'log', '-1', '--format=%s', 'signalbox/fix-it')).toBe('lib');
  expect(git(join(lib, 'modules/nested'), 'log', '-1', '--format=%s', 'signalbox/fix-it')).toBe('nested');
  // The first commit names one that the second took back: it is there too.
  expect(git(lib, 'cat-file', '-t', git(repo, 'rev-parse', 'signalbox/fix-it~1:vendor/lib'))).toBe('commit');
  expect(git(path, 'status', '--porcelain')).toBe('');
  await workspace.land('merge', 'Landed');
  git(repo, 'submodule', 'update', '-q', '--recursive', '--no-fetch');
  expect(readFileSync(join(repo, 'vendor/lib/nested/lib.txt'), 'utf8')).toBe('inner\nn\n');
  await world.workspaces.purge(id);
  git(lib, 'gc', '-q', '--prune=now');
  expect(git(repo, 'submodule', 'status')).toMatch(/^ /);
});

test('what a submodule holds that nobody else would have is not landed, and says so', async () => {
  const { repo } = (KINDS['submodules'] as Kind).make();
  const workspace = await world.open('Fix it', { folder: repo });
  await agent(workspace, 'echo x > x; git add x; git commit -qm x; echo dirt >> vendor/lib/lib.txt');
  expect((await workspace.landPreview()).blocked).toMatch(/vendor\/lib has changes that are not committed/);
  await agent(
    workspace,
    'git -C vendor/lib checkout -q lib.txt; git init -q own; cd own; echo o > o; git add o; git -c user.name=a -c user.email=a@b commit -qm o; cd ..; git add own 2>/dev/null; git commit -qm own',
  );
  await workspace.harvest();
  expect((await workspace.landPreview()).blocked).toMatch(/own is a repository of the agent’s own/);
  await expect(workspace.land('merge')).rejects.toMatchObject({ detail: { code: 'conflict' } });
});

test('a linked worktree with submodules of its own is adopted with them', async () => {
  const { repo } = (KINDS['submodules'] as Kind).make();
  const linked = join(world.dir, 'linked');
  git(repo, 'worktree', 'add', '-q', '-b', 'side', linked);
  git(linked, ...LOCAL, 'submodule', 'update', '-q', '--init', '--recursive');
  const meta = await world.workspaces.adopt(linked);
  const workspace = await world.workspaces.open(meta.id);
  expect(await agent(workspace, 'git status --porcelain; git -C vendor/lib status --porcelain')).toBe('');
  await agent(workspace, 'cd vendor/lib; echo s > s; git add s; git commit -qm s; cd ../..; git commit -qam side');
  await workspace.harvest();
  expect(git(join(linked, 'vendor/lib'), 'log', '-1', '--format=%s', 'side')).toBe('s');
});

test('sparse: a file that the agent makes outside of the patterns is in the checkpoint, and the rest stays out', async () => {
  const { repo } = (KINDS['sparse, by folders'] as Kind).make();
  const workspace = await world.open('Fix it', { folder: repo });
  expect(existsSync(join(workspace.info.path, 'out'))).toBe(false);
  await agent(workspace, 'mkdir out; echo changed > out/b.txt; echo c > out/c.txt');
  const { tree } = await workspace.checkpoint('x');
  expect((await workspace.diff(workspace.baseTree(), tree)).map((file) => file.path)).toEqual(['out/b.txt', 'out/c.txt']);
  await workspace.land('squash', 'Landed');
  expect(git(repo, 'show', 'main:out/b.txt')).toBe('changed');
});

test('a partial clone: files of the base that are not here are fetched before the task; where that fails, it says how to have them', async () => {
  const source = origin();
  const repo = cloneOf(source, '--filter=blob:none');
  git(repo, 'branch', 'older', 'main~1');
  const blob = git(repo, 'rev-parse', 'older:in/a.txt');
  const missing = (): string => git(repo, 'rev-list', '--objects', '--missing=print', 'older');
  expect(missing()).toContain(`?${blob}`);
  renameSync(source, `${source}-gone`);
  await expect(world.open('Fix it', { folder: repo, base: { ref: 'older', kind: 'local' } })).rejects.toMatchObject({
    detail: { code: 'fetch-failed', command: 'git fetch --refetch --no-filter origin' },
  });
  expect(git(repo, 'for-each-ref', 'refs/heads/signalbox', 'refs/signalbox')).toBe('');
  renameSync(`${source}-gone`, source);
  const workspace = await world.open('Fix it', { folder: repo, base: { ref: 'older', kind: 'local' } });
  expect(await agent(workspace, 'cat in/a.txt; git status --porcelain')).toBe('old');
  expect(missing()).not.toContain('?');
});

test('the folders that a sparse checkout shows', () => {
  const shows = coneOf('/*\n!/*/\n/a/\n!/a/*/\n/a/b/\n/c d/\n');
  expect(['x', 'a/x', 'a/b/x', 'a/b/c/x', 'c d/e/x'].map(shows)).toEqual([true, true, true, true, true]);
  expect(['z/x', 'a/z/x', 'c/x'].map(shows)).toEqual([false, false, false]);
});

/** How an agent may leave its branch; each must end with the repository's branch at the same commit as HEAD inside. */
const REWRITES: Record<string, string> = {
  amend: 'git commit -q --amend -m amended',
  rebase: 'git checkout -q -b onto main; echo o > o; git add o; git commit -qm o; git checkout -q -; git rebase -q onto',
  'reset to the base': 'git reset -q --hard main',
  'its branch deleted, another checked out':
    'b=$(git symbolic-ref --short HEAD); git checkout -q -b other main; git branch -qD $b; git commit -q --allow-empty -m other',
  'checkout -B': 'git checkout -q -B signalbox/fix-it main; git commit -q --allow-empty -m again',
  'detached HEAD': 'git checkout -q --detach main; git commit -q --allow-empty -m detached',
  orphan: 'git checkout -q --orphan fresh; git commit -qm fresh',
  'in the middle of a rebase':
    'git checkout -q -b side main; echo theirs > w; git add w; git commit -qm side; git checkout -q signalbox/fix-it; git rebase -q side || true',
};

const REWRITTEN = [
  ...Object.keys(REWRITES).map((name) => [name, 'mounted'] as const),
  ...['amend', 'detached HEAD', 'orphan'].map((name) => [name, 'without mounts'] as const),
];

test.each(REWRITTEN)('a rewritten branch is harvested, and the old tip kept: %s, %s', async (name, form) => {
  if (form === 'without mounts') world.withoutMounts();
  const workspace = await world.open();
  await agent(workspace, 'echo w > w; git add w; git commit -qm one; echo v > v; git add v; git commit -qm two');
  const before = (await workspace.harvest()).tip;
  await agent(workspace, REWRITES[name] as string);
  const head = await agent(workspace, 'git rev-parse HEAD');
  expect(head).not.toBe(before);
  const { tip, moved, diverged } = await workspace.harvest();
  expect({ tip, moved, diverged }).toEqual({ tip: head, moved: true, diverged: null });
  expect(git(world.repo, 'rev-parse', 'signalbox/fix-it')).toBe(head);
  git(world.repo, 'reflog', 'expire', '--expire=now', '--all');
  git(world.repo, 'gc', '-q', '--prune=now');
  expect(git(world.repo, 'log', '--format=%s', before)).toBe('two\none\nfirst');
  const began = await workspace.beginTurn();
  expect(began).toEqual({ imported: null, notice: null });
  await world.workspaces.trash(workspace.info.id);
  await world.workspaces.restore(workspace.info.id);
  expect(await agent(await world.workspaces.open(workspace.info.id), 'git rev-parse HEAD')).toBe(head);
});

test('a branch without any commit yet: what was harvested stays, and the turn’s edge goes on', async () => {
  const workspace = await world.open();
  await agent(workspace, 'echo w > w; git add w; git commit -qm one');
  const { tip } = await workspace.harvest();
  await agent(workspace, 'git checkout -q --orphan nothing');
  expect(await workspace.harvest()).toMatchObject({ tip, moved: false });
  expect((await workspace.checkpoint('x')).tree).toBe(git(world.repo, 'rev-parse', `${tip}^{tree}`));
});

const lfs = spawnSync('sh', ['-c', 'command -v git-lfs'], { encoding: 'utf8' }).stdout.trim();

test('Git LFS: large files are there from the person’s store, new ones come back with the commits that name them', async ({ skip }) => {
  if (lfs === '') skip('git-lfs is not on this machine');
  // Wherever it is: the person's login shell finds it.
  put(world.dir, { '.profile': `PATH="${dirname(lfs)}:$PATH"\n` });
  const { repo } = world;
  git(repo, 'lfs', 'install', '--local');
  const big = (letter: string): string => `${letter.repeat(5000)}\n`;
  put(repo, { '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n', 'one.bin': big('1'), 'gone.bin': big('g') });
  world.commit('large');
  const [gone = ''] = /[0-9a-f]{64}/.exec(git(repo, 'cat-file', 'blob', 'main:gone.bin')) ?? [];
  expect((await inspectFolder(repo)).warnings).toEqual([]);
  rmSync(join(repo, '.git/lfs/objects', gone.slice(0, 2), gone.slice(2, 4), gone));
  expect((await inspectFolder(repo)).warnings.join()).toMatch(/a large file is not here.*git lfs fetch/);
  const workspace = await world.open();
  const { path } = workspace.info;
  expect(readFileSync(join(path, 'one.bin'), 'utf8')).toBe(big('1'));
  expect(readFileSync(join(path, 'gone.bin'), 'utf8')).toMatch(/^version https:\/\/git-lfs/);
  expect(await agent(workspace, 'git status --porcelain; git lfs ls-files -n')).toBe('gone.bin\none.bin');
  expect((await workspace.checkpoint('start')).tree).toBe(git(repo, 'rev-parse', 'main^{tree}'));
  await agent(workspace, 'printf two > two.bin; git add two.bin; git commit -qm two; printf three > three.bin; echo four >> one.bin');
  await workspace.harvest();
  expect(git(repo, 'cat-file', 'blob', 'signalbox/fix-it:two.bin')).toMatch(/^version https:\/\/git-lfs/);
  const { tree } = await workspace.checkpoint('end');
  expect((await workspace.diff(workspace.baseTree(), tree)).map((file) => file.path)).toEqual(['one.bin', 'three.bin', 'two.bin']);
  await agent(
    workspace,
    'mkdir -p "$(git rev-parse --git-common-dir)/lfs/objects/aa/aa"; ln -s /etc/passwd "$(git rev-parse --git-common-dir)/lfs/objects/bb"; echo x > "$(git rev-parse --git-common-dir)/lfs/objects/aa/aa/aaaa000000000000000000000000000000000000000000000000000000000000"',
  );
  await workspace.land('squash', 'Landed');
  expect(existsSync(join(repo, '.git/lfs/objects/aa/aa'))).toBe(true);
  expect(readdirSync(join(repo, '.git/lfs/objects/aa/aa'))).toEqual([]);
  expect(readFileSync(join(repo, 'two.bin'), 'utf8')).toBe('two');
  expect(readFileSync(join(repo, 'three.bin'), 'utf8')).toBe('three');
  expect(readFileSync(join(repo, 'one.bin'), 'utf8')).toBe(`${big('1')}four\n`);
  expect(git(repo, 'status', '--porcelain')).toBe('');
});
