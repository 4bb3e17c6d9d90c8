import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { WorkspaceId } from '../../agent-core/contract/index.ts';
import { newId } from '../../agent-core/support/ids.ts';
import { agent, git, put, World } from './world.ts';

let world: World;
beforeEach(() => {
  world = new World(`r "q" ' ünï`);
});
afterEach(() => world.dispose());

test('three tasks of one title at once get three branches, and a taken name is left alone', async () => {
  git(world.repo, 'branch', 'signalbox/fix-it');
  const ids = await Promise.all([1, 2, 3].map(() => world.prepare('Fix it')));
  const slugs = (await Promise.all(ids.map((id) => world.workspaces.read(id)))).map((meta) => meta?.slug).toSorted();
  expect(slugs).toEqual(['fix-it-2', 'fix-it-3', 'fix-it-4']);
});

test('a branch named signalbox is said, and nothing is left behind', async () => {
  git(world.repo, 'branch', 'signalbox');
  await expect(world.prepare()).rejects.toMatchObject({ detail: { code: 'branch-taken' } });
  await expect(world.prepare('x', { base: { ref: 'mian', kind: 'local' } })).rejects.toMatchObject({ detail: { code: 'base-not-found' } });
  expect(await world.workspaces.list()).toEqual([]);
  expect(git(world.repo, 'for-each-ref', 'refs/signalbox')).toBe('');
  expect(git(world.repo, 'worktree', 'list').split('\n')).toHaveLength(1);
});

test.each(['Making the worktree', 'Checking out files'])('cut off while %s, then prepared again', async (at) => {
  const id = newId<WorkspaceId>('ws');
  const project = await world.project();
  const cut = new AbortController();
  const request = { workspaceId: id, project, title: 'Cut off', base: { ref: 'main', kind: 'local' as const }, mode: 'workspace' as const };
  await expect(
    world.workspaces.prepare({
      ...request,
      signal: cut.signal,
      onProgress: ({ step }) => {
        if (step === at) cut.abort(new Error('stopped'));
      },
    }),
  ).rejects.toThrow('stopped');
  expect(git(world.repo, 'for-each-ref', '--format=%(refname)')).toBe('refs/heads/main');
  expect(git(world.repo, 'worktree', 'list').split('\n')).toHaveLength(1);
  const made = await world.workspaces.prepare(request);
  expect(made).toMatchObject({ branch: 'signalbox/cut-off', slug: 'cut-off', baseCommit: git(world.repo, 'rev-parse', 'main') });
  expect(await world.workspaces.prepare(request)).toEqual(made);
  expect(await agent(await world.workspaces.open(id), 'git status --porcelain; git log --format=%s')).toBe('first');
});

test('a core that died half-way: the next one finishes', async () => {
  const id = await world.prepare('Died');
  await world.workspaces.dispose();
  const file = join(world.home, 'workspaces', id, 'workspace.json');
  const meta = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  writeFileSync(file, JSON.stringify({ ...meta, phase: 'preparing', admin: '', agreed: null }));
  rmSync(join(meta['path'] as string, 'README.md'));
  world.start();
  await expect(world.workspaces.open(id)).rejects.toMatchObject({ detail: { code: 'conflict' } });
  await world.prepare('Died', { id });
  const workspace = await world.workspaces.open(id);
  expect(workspace.info.slug).toBe('died');
  expect(existsSync(join(workspace.info.path, 'README.md'))).toBe(true);
});

test('a detached HEAD, another branch, and a rewritten one are harvested into the task’s branch', async () => {
  const workspace = await world.open();
  const branch = (): string => git(world.repo, 'rev-parse', 'signalbox/fix-it');
  await agent(workspace, 'git checkout -q --detach && echo d > d && git add d && git commit -qm detached');
  expect((await workspace.harvest()).tip).toBe(branch());
  expect(git(workspace.info.path, 'status', '--porcelain')).toBe('');
  const detached = branch();
  await agent(workspace, 'git checkout -q -b other && echo o > o && git add o && git commit -qm other');
  expect((await workspace.harvest()).tip).toBe(branch());
  expect(git(world.repo, 'log', '--format=%s', 'signalbox/fix-it').split('\n')).toEqual(['other', 'detached', 'first']);
  const before = branch();
  await agent(workspace, 'git reset -q --hard HEAD~2 && echo r > r && git add r && git commit -qm rewritten');
  await workspace.harvest();
  expect(git(world.repo, 'log', '--format=%s', 'signalbox/fix-it').split('\n')).toEqual(['rewritten', 'first']);
  expect(git(world.repo, 'for-each-ref', '--format=%(objectname)', `refs/signalbox/${workspace.info.id}/tips`)).toBe(before);
  await agent(workspace, `git checkout -q --detach ${detached}`);
  expect((await workspace.harvest()).tip).toBe(detached);
  await agent(workspace, 'git checkout -q --orphan none && git rm -rqf . ');
  expect((await workspace.harvest()).moved).toBe(false);
});

test('both moved: the person’s commits stay on the branch, the agent’s are kept beside, and a merge brings them together', async () => {
  const workspace = await world.open();
  put(workspace.info.path, { p: 'p\n' });
  git(workspace.info.path, 'add', 'p');
  git(workspace.info.path, 'commit', '-qm', 'person');
  const person = git(world.repo, 'rev-parse', 'signalbox/fix-it');
  await agent(workspace, 'echo a > a && git add a && git commit -qm agent');
  const first = await workspace.harvest();
  expect(first).toMatchObject({ moved: false, diverged: 'refs/heads/signalbox/fix-it-agent' });
  expect(git(world.repo, 'rev-parse', 'signalbox/fix-it')).toBe(person);
  expect(git(world.repo, 'log', '-1', '--format=%s', 'signalbox/fix-it-agent')).toBe('agent');
  const began = await workspace.beginTurn();
  expect(began.imported).toBe(person);
  expect(began.notice).toContain('remotes/outside/signalbox/fix-it');
  await agent(workspace, 'git add -A; git stash -q; git merge -q -m both outside/signalbox/fix-it');
  const second = await workspace.harvest();
  expect(second).toMatchObject({ moved: true, diverged: null });
  expect(git(world.repo, 'rev-parse', 'signalbox/fix-it')).toBe(second.tip);
  expect((await workspace.beginTurn()).notice).toBe(null);
});

test('landing refuses what would touch the person’s own changes or conflicts, and moves nothing', async () => {
  const workspace = await world.open();
  await agent(workspace, 'echo agent > README.md; echo new > fresh.txt');
  writeFileSync(join(world.repo, 'README.md'), 'mine\n');
  writeFileSync(join(world.repo, 'fresh.txt'), 'mine too\n');
  const main = git(world.repo, 'rev-parse', 'main');
  expect((await workspace.landPreview()).blocked).toMatch(/README\.md.*fresh\.txt|fresh\.txt.*README\.md/);
  await expect(workspace.land('merge')).rejects.toMatchObject({ detail: { code: 'dirty-checkout' } });
  expect(git(world.repo, 'rev-parse', 'main')).toBe(main);
  expect(readFileSync(join(world.repo, 'fresh.txt'), 'utf8')).toBe('mine too\n');
  rmSync(join(world.repo, 'fresh.txt'));
  world.commit('mine wins');
  expect(await workspace.landPreview()).toMatchObject({ clean: false, conflicts: ['README.md'] });
  await expect(workspace.land('rebase')).rejects.toMatchObject({ detail: { code: 'merge-conflict' } });
  expect(git(world.repo, 'status', '--porcelain')).toBe('');
});

test('a base that is checked out nowhere is landed into by its ref alone', async () => {
  git(world.repo, 'branch', 'release');
  const workspace = await world.open('To release', { base: { ref: 'release', kind: 'local' } });
  await agent(workspace, 'echo x > x');
  const landed = await workspace.land('squash', 'One thing');
  expect(git(world.repo, 'log', '-1', '--format=%H %s', 'release')).toBe(`${landed.commit} One thing`);
  expect(git(world.repo, 'status', '--porcelain')).toBe('');
  expect(existsSync(join(world.repo, 'x'))).toBe(false);
});

test('a landing cut off after the checkout moved is finished; one that never began is not there', async () => {
  const workspace = await world.open();
  expect(await workspace.landedAs('main')).toBe(null);
  await agent(workspace, 'echo x > x');
  const before = git(world.repo, 'rev-parse', 'main');
  const { commit } = await workspace.land('squash', 'x');
  git(world.repo, 'update-ref', 'refs/heads/main', before);
  expect(git(world.repo, 'status', '--porcelain')).toBe('A  x');
  expect(await workspace.landedAs('main')).toBe(commit);
  expect(git(world.repo, 'status', '--porcelain')).toBe('');
});

test('restore refuses to overwrite, and a worktree that is gone is said', async () => {
  const workspace = await world.open();
  const { id, path } = workspace.info;
  await world.workspaces.trash(id);
  mkdirSync(path, { recursive: true });
  await expect(world.workspaces.restore(id)).rejects.toMatchObject({ detail: { code: 'conflict' } });
  rmSync(path, { recursive: true });
  git(world.repo, 'branch', '-D', 'signalbox/fix-it');
  await world.workspaces.restore(id);
  expect(git(path, 'status', '--porcelain')).toBe('');
  await world.workspaces.close(id);
  rmSync(path, { recursive: true });
  await expect(world.workspaces.open(id)).rejects.toMatchObject({ detail: { code: 'worktree-missing' } });
  await world.workspaces.trash(id);
  await expect(world.workspaces.restore(id)).rejects.toMatchObject({ detail: { code: 'worktree-missing' } });
  await world.workspaces.purge(id);
  expect(await world.workspaces.list()).toEqual([]);
});

test('an adopted worktree that the person put on another branch is adopted anew, unless commits inside are still to be brought out', async () => {
  const linked = join(world.dir, 'linked');
  git(world.repo, 'worktree', 'add', '-q', '-b', 'one', linked);
  await world.workspaces.adopt(linked);
  git(world.repo, 'worktree', 'remove', '--force', linked);
  git(world.repo, 'worktree', 'add', '-q', '-b', 'two', linked);
  const again = await world.workspaces.adopt(linked);
  expect(again.branch).toBe('refs/heads/two');
  const open = await world.workspaces.open(again.id);
  expect(await agent(open, 'git status -sb')).toBe('## two');
  await agent(open, 'git commit -q --allow-empty -m inside');
  git(linked, 'switch', '-q', 'one');
  await expect(world.workspaces.adopt(linked)).rejects.toMatchObject({
    detail: { code: 'conflict', fix: expect.stringContaining('git switch two') as string },
  });
  git(linked, 'switch', '-q', 'two');
  await world.workspaces.adopt(linked);
  await open.harvest();
  expect(git(world.repo, 'log', '-1', '--format=%s', 'two')).toBe('inside');
});

test('a linked worktree that Signalbox did not make is adopted with its own branch', async () => {
  const linked = join(world.dir, 'linked tree');
  git(world.repo, 'worktree', 'add', '-q', '-b', 'side', linked);
  const meta = await world.workspaces.adopt(linked);
  expect((await world.workspaces.adopt(linked)).id).toBe(meta.id);
  expect((await world.workspaces.locate(join(linked, 'src')))?.id).toBe(meta.id);
  const workspace = await world.workspaces.open(meta.id);
  await agent(workspace, 'git status --porcelain; echo s > s; git add s; git commit -qm s');
  const { tip } = await workspace.harvest();
  expect(git(world.repo, 'rev-parse', 'side')).toBe(tip);
  expect(git(linked, 'status', '--porcelain')).toBe('');
  await expect(world.workspaces.adopt(world.repo)).rejects.toMatchObject({ detail: { code: 'not-allowed' } });
  await world.workspaces.purge(meta.id);
  expect(existsSync(linked)).toBe(true);
  expect(git(world.repo, 'rev-parse', 'side')).toBe(tip);
});

test('in place: the checkout is writable, .git is not, a checkpoint comes first', async () => {
  const workspace = await world.open('Here', { inPlace: true });
  const { tree } = await workspace.checkpoint('first');
  expect(tree).toBe(git(world.repo, 'rev-parse', 'main^{tree}'));
  await agent(workspace, 'echo x >> README.md; git status --porcelain');
  await expect(agent(workspace, 'git add README.md')).rejects.toThrow();
  await expect(agent(workspace, 'touch .git/hooks/x')).rejects.toThrow();
  const after = await workspace.checkpoint('after');
  expect((await workspace.diff(workspace.baseTree(), after.tree)).map((file) => file.path)).toEqual(['README.md']);
  expect((await workspace.harvest()).moved).toBe(false);
  await world.workspaces.trash(workspace.info.id);
  expect(existsSync(join(world.repo, 'README.md'))).toBe(true);
  await world.workspaces.restore(workspace.info.id);
  await world.workspaces.purge(workspace.info.id);
  expect(git(world.repo, 'status', '--porcelain')).toBe(' M README.md');
});

test('full access works on the real git directory; going back, the store has what was done', async () => {
  const workspace = await world.open();
  await agent(workspace, 'echo a > a; git add a; git commit -qm inside');
  workspace.setMode('full');
  await workspace.beginTurn();
  await agent(workspace, 'git -c user.name=P -c user.email=p@x commit -q --allow-empty -m full; echo u > u');
  const { tip } = await workspace.harvest();
  expect(git(world.repo, 'rev-parse', 'signalbox/fix-it')).toBe(tip);
  expect((await workspace.diff(workspace.baseTree(), (await workspace.checkpoint('full')).tree)).map((file) => file.path)).toEqual([
    'a',
    'u',
  ]);
  workspace.setMode('workspace');
  await workspace.beginTurn();
  expect(await agent(workspace, 'git log --format=%s; git status --porcelain')).toBe('full\ninside\nfirst\n?? u');
  expect(workspace.machine).toBe(workspace.confined);
});

test('a command that a person let out works on the real git directory, and its commit comes back in', async () => {
  const workspace = await world.open();
  await agent(workspace, 'echo a > a; git add a; git commit -qm inside');
  const running = await workspace.runOutside({
    argv: ['git', '-c', 'user.name=P', '-c', 'user.email=p@x', 'commit', '-q', '--allow-empty', '-m', 'let out'],
  });
  running.endInput();
  expect((await running.exited).code).toBe(0);
  expect(await agent(workspace, 'git log --format=%s; git status --porcelain')).toBe('let out\ninside\nfirst');
});

test('read-only: nothing can be written, and checkpoints still work', async () => {
  const workspace = await world.open('Look', { mode: 'read-only' });
  await expect(agent(workspace, 'echo x > x')).rejects.toThrow();
  expect((await workspace.checkpoint('c')).tree).toBe(git(world.repo, 'rev-parse', 'main^{tree}'));
  put(world.repo, { later: 'x' });
  const later = world.commit('later');
  await workspace.beginTurn();
  expect(await agent(workspace, 'git rev-parse main')).toBe(later);
});

test('a project in a subfolder, in a linked worktree of its repository', async () => {
  const linked = join(world.dir, 'linked');
  git(world.repo, 'worktree', 'add', '-q', '-b', 'side', linked);
  const workspace = await world.open('Sub', { folder: join(linked, 'src'), base: { ref: 'side', kind: 'local' } });
  expect(workspace.cwd).toBe(join(workspace.info.path, 'src'));
  await agent(workspace, 'echo s > s; git add s; git commit -qm s');
  await workspace.harvest();
  await workspace.land('merge');
  expect(readFileSync(join(linked, 's'), 'utf8')).toBe('s\n');
  expect(git(linked, 'status', '--porcelain')).toBe('');
});

test('two processes of one home: what the other harvested is taken over, and neither undoes the other', async () => {
  const workspace = await world.open();
  const { id } = workspace.info;
  const mine = world.workspaces;
  const other = world.start();
  try {
    await agent(workspace, 'echo a > a; git add a; git commit -qm one');
    const theirs = await other.open(id);
    const { tip } = await theirs.harvest();
    const { tree } = await theirs.checkpoint('theirs');
    expect(await workspace.harvest()).toEqual({ tip, moved: false, diverged: null });
    await agent(workspace, 'echo b > b; git add b; git commit -qm two');
    const next = await workspace.harvest();
    expect(next.moved).toBe(true);
    const mineMade = await workspace.checkpoint('mine');
    expect(git(workspace.checkpoints, 'log', '--format=%s', mineMade.commit)).toBe('mine\ntheirs');
    expect(await theirs.beginTurn()).toEqual({ imported: null, notice: null });
    expect(await theirs.harvest()).toEqual({ tip: next.tip, moved: false, diverged: null });
    expect(tree).not.toBe(mineMade.tree);
  } finally {
    await mine.dispose();
  }
});
