import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { agent, git, put, World } from './world.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.dispose());

test('an agent commits, and inside and outside show the same', async () => {
  const workspace = await world.open('Fix the thing: äöü!');
  expect(workspace.info.branch).toBe('refs/heads/signalbox/fix-the-thing-aou');
  expect(git(workspace.info.path, 'status', '--porcelain')).toBe('');
  expect(await agent(workspace, 'git status --porcelain')).toBe('');
  await agent(
    workspace,
    'echo new > n.txt && git add n.txt && git commit -qm "by the agent" && echo more >> n.txt && echo x > staged.txt && git add staged.txt && echo u > untracked.txt',
  );
  const { tip, moved } = await workspace.harvest();
  expect(moved).toBe(true);
  expect(git(world.repo, 'rev-parse', 'signalbox/fix-the-thing-aou')).toBe(tip);
  expect(git(workspace.info.path, 'status', '--porcelain')).toBe(await agent(workspace, 'git status --porcelain'));
  expect(git(workspace.info.path, 'log', '--format=%H %s')).toBe(await agent(workspace, 'git log --format="%H %s"'));
  expect(git(workspace.info.path, 'diff', '--cached')).toBe(await agent(workspace, 'git diff --cached'));
  expect(git(world.repo, 'log', '-1', '--format=%an <%ae>', tip)).toBe('Person <person@example.com>');
  expect((await workspace.harvest()).moved).toBe(false);
  expect(git(world.repo, 'fsck', '--strict')).not.toMatch(/error|missing/);
});

test('a checkpoint holds every file that is not ignored, and diffs come from it', async () => {
  const workspace = await world.open();
  const first = await workspace.checkpoint('start');
  expect(first.tree).toBe(git(world.repo, 'rev-parse', 'main^{tree}'));
  await agent(
    workspace,
    'echo four >> src/a.txt; printf "a\\0b" > bin; mkdir node_modules; echo x > node_modules/x; git mv README.md READ.md; printf "q\\n" > "$(printf "new\\nline")"',
  );
  const second = await workspace.checkpoint('end');
  const files = await workspace.diff(first.tree, second.tree);
  expect(files.map((file) => [file.status, file.path, file.oldPath, file.added, file.binary])).toEqual([
    ['renamed', 'READ.md', 'README.md', 0, false],
    ['added', 'bin', null, null, true],
    ['added', 'new\nline', null, 1, false],
    ['modified', 'src/a.txt', null, 1, false],
  ]);
  const { patch } = await workspace.patch({ from: first.tree, to: second.tree, paths: ['src/a.txt'] });
  expect(patch).toContain('+four');
  await workspace.discard(patch);
  expect(readFileSync(join(workspace.info.path, 'src/a.txt'), 'utf8')).toBe('one\ntwo\nthree\n');
  expect((await workspace.checkpoint('same')).tree).not.toBe(second.tree);
  expect(git(world.repo, 'log', '--all', '--format=%s').split('\n')).toEqual(['first']);
});

test('what the person commits outside is there for the next turn', async () => {
  const workspace = await world.open();
  put(workspace.info.path, { 'mine.txt': 'mine\n' });
  const commit = world.commit('by the person', workspace.info.path);
  const began = await workspace.beginTurn();
  expect(began.imported).toBe(commit);
  expect(await agent(workspace, 'git rev-parse HEAD')).toBe(commit);
  expect(await agent(workspace, 'git status --porcelain')).toBe('');
  await agent(workspace, 'echo a > a && git add a && git commit -qm next');
  const { tip } = await workspace.harvest();
  expect(git(world.repo, 'rev-parse', `${tip}^`)).toBe(commit);
  expect((await workspace.beginTurn()).imported).toBe(null);
});

test('a base that moves outside is seen inside', async () => {
  const workspace = await world.open();
  put(world.repo, { 'later.txt': 'later\n' });
  const later = world.commit('later');
  await workspace.beginTurn();
  expect(await agent(workspace, 'git rev-parse main')).toBe(later);
  await agent(workspace, 'git merge -q main');
  expect(existsSync(join(workspace.info.path, 'later.txt'))).toBe(true);
});

test('deleted and restored, ignored files included', async () => {
  const workspace = await world.open();
  const { id, path } = workspace.info;
  await agent(
    workspace,
    'mkdir node_modules; echo kept > node_modules/k; echo u > u; ln -s u link; git add u; git commit -qm u; echo v > v',
  );
  const before = await agent(workspace, 'git status --porcelain; git log --oneline');
  await world.workspaces.trash(id);
  expect(existsSync(path)).toBe(false);
  expect(git(world.repo, 'worktree', 'list').split('\n')).toHaveLength(1);
  await world.workspaces.dispose();
  world.start();
  await world.workspaces.restore(id);
  expect(readFileSync(join(path, 'node_modules/k'), 'utf8')).toBe('kept\n');
  expect(`${git(path, 'status', '--porcelain')}\n${git(path, 'log', '--oneline')}`).toBe(before);
  expect(await agent(await world.workspaces.open(id), 'git status --porcelain; git log --oneline')).toBe(before);
});

test.each(['merge', 'squash', 'rebase'] as const)('lands by %s into the checkout of the base', async (method) => {
  const workspace = await world.open();
  put(world.repo, { 'other.txt': 'other\n' });
  world.commit('other');
  await agent(workspace, 'echo c > c && git add c && git commit -qm "c" && echo loose > loose.txt');
  writeFileSync(join(world.repo, 'README.md'), 'my own change\n');
  const preview = await workspace.landPreview();
  expect(preview).toEqual({ into: 'main', ahead: 1, behind: 1, clean: true, conflicts: [], blocked: null, uncommitted: 1 });
  const landed = await workspace.land(method, 'Landed');
  expect(git(world.repo, 'rev-parse', 'main')).toBe(landed.commit);
  expect(git(world.repo, 'status', '--porcelain')).toBe(' M README.md');
  expect(readFileSync(join(world.repo, 'loose.txt'), 'utf8')).toBe('loose\n');
  expect(git(world.repo, 'log', '-1', '--format=%an %P').split(' ')).toHaveLength(method === 'merge' ? 3 : 2);
  expect(git(workspace.info.path, 'status', '--porcelain')).toBe('');
  expect(await agent(workspace, 'git status --porcelain')).toBe('');
  await expect(workspace.land(method)).rejects.toMatchObject({ detail: { code: 'nothing-to-land' } });
});
