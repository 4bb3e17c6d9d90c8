import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { agent, git, World } from './world.ts';

let world: World;
vi.setConfig({ testTimeout: 60_000 });
beforeEach(() => {
  world = new World();
});
afterEach(() => world.dispose());

/** Every file of the person's repository but objects and what is ours to write. */
function fingerprint(root: string): Record<string, string> {
  const found: Record<string, string> = {};
  const visit = (folder: string): void => {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      const at = relative(root, path);
      if (/^\.git\/(?:objects|worktrees|refs\/signalbox|(?:logs\/)?refs\/heads\/signalbox)(?:\/|$)/.test(at)) continue;
      const stat = lstatSync(path);
      if (stat.isDirectory()) visit(path);
      else found[at] = `${stat.mode} ${createHash('sha1').update(readFileSync(path)).digest('hex')}`;
    }
  };
  visit(root);
  return found;
}

/** What an agent can write that a careless git on the host would run. `$1` is a host path that it would make. */
const PLANTS: Record<string, string> = {
  hooks:
    'for h in post-checkout pre-commit post-commit reference-transaction post-index-change post-merge pre-applypatch update; do printf "#!/bin/sh\\ntouch $1\\n" > $C/hooks/$h; chmod +x $C/hooks/$h; done',
  config:
    'cd $C && for k in core.fsmonitor core.sshCommand diff.external core.pager core.editor core.alternateRefsCommand uploadpack.packObjectsHook credential.helper gpg.program filter.e.clean filter.e.smudge filter.e.process diff.e.textconv diff.e.command merge.e.driver core.askPass; do git config --file config $k "touch $1; cat"; done; git config --file config core.hooksPath $C/hooks; git config --file config commit.gpgSign true; cd $W; printf "* filter=e diff=e merge=e\\n" > .gitattributes',
  'nested repository':
    'git init -q n && cd n && git config user.email a@b && git config user.name a && echo x > f && printf "* filter=e\\n" > .gitattributes && git add . && git commit -qm n && git config filter.e.clean "touch $1; cat" && git config core.fsmonitor "touch $1" && echo y > f && cd .. && git add n 2>/dev/null; true',
  submodule:
    'git init -q s && cd s && git config user.email a@b && git config user.name a && echo x > f && printf "* filter=e\\n" > .gitattributes && git add . && git commit -qm n && cd .. && git add s 2>/dev/null && printf "[submodule \\"s\\"]\\n\\tpath = s\\n\\turl = ./s\\n\\tignore = none\\n\\tupdate = !touch $1\\n" > .gitmodules && git add .gitmodules && git commit -qm sub && cd s && git config filter.e.clean "touch $1; cat" && git config core.fsmonitor "touch $1" && echo y > f',
  pointer:
    'mkdir .evil && git init -q .evil/x && git --git-dir=.evil/x/.git config core.fsmonitor "touch $1" && git --git-dir=.evil/x/.git config filter.e.clean "touch $1; cat" && printf "* filter=e\\n" > .gitattributes && rm .git && printf "gitdir: %s/.evil/x/.git\\n" "$W" > .git',
  'git folder':
    'rm .git && git init -q . && git config core.fsmonitor "touch $1" && git config filter.e.clean "touch $1; cat" && git config core.worktree / && printf "* filter=e\\n" > .gitattributes',
  commondir:
    'mkdir e && git init -q e/x && git --git-dir=e/x/.git config core.fsmonitor "touch $1" && printf "%s\\n" "$W/e/x/.git" > $A/commondir',
  alternates: 'printf "/etc\\n$1\\n" >> $C/objects/info/alternates',
  'index of hook files':
    'b=$(printf "#!/bin/sh\\ntouch $1\\n" | git hash-object -w --stdin); cp $A/index $A/i; printf "100755 $b\\tXgit/hooks/post-checkout\\n" | git update-index --index-info; perl -0pi -e "s/Xgit\\/hooks/.git\\/hooks/" $A/index',
  'links in the store':
    'rm $A/HEAD $A/index; ln -s /etc/passwd $A/HEAD; ln -s /etc/passwd $A/index; rm -f $C/packed-refs; ln -s $1 $C/packed-refs; mv $C/refs/heads/signalbox $C/x; ln -s /tmp $C/refs/heads/signalbox',
  'pipes in the store': 'rm $A/HEAD $A/index; mkfifo $A/HEAD $A/index',
};

/** A command of the person's, which may well refuse what it finds. */
function tried(path: string, ...args: string[]): void {
  try {
    git(path, ...args);
  } catch (error) {
    if ((error as { status?: number }).status === undefined) throw error;
  }
}

const FORMS = ['mounted', 'without mounts'] as const;
const CASES = Object.keys(PLANTS).flatMap((name) => FORMS.map((form) => [name, form] as const));

test.each(CASES)('nothing of ours runs on the host what an agent plants: %s, %s', async (name, form) => {
  if (form === 'without mounts') world.withoutMounts();
  const before = fingerprint(world.repo);
  const workspace = await world.open();
  const { id, path } = workspace.info;
  const mark = join(world.dir, 'pwned');
  const variables = `IFS=; W="${path}"; C=$(git rev-parse --path-format=absolute --git-common-dir); A=$(git rev-parse --path-format=absolute --git-dir); set -- "${mark}"`;
  await agent(workspace, `echo work > work.txt; git add work.txt; git commit -qm work; ${variables}; (${PLANTS[name]}) || true`);
  await agent(workspace, 'echo more >> src/a.txt').catch(() => {});
  const verbs: [string, () => Promise<unknown>][] = [
    ['beginTurn', () => workspace.beginTurn()],
    ['checkpoint', () => workspace.checkpoint('x')],
    ['harvest', () => workspace.harvest()],
    ['diff', async () => workspace.diff(workspace.baseTree(), (await workspace.checkpoint('y')).tree)],
    ['preview', () => workspace.landPreview()],
    ['uncommitted', () => workspace.uncommittedTree()],
    ['locate', () => world.workspaces.locate(path)],
    ['trash', () => world.workspaces.trash(id)],
    ['restore', () => world.workspaces.restore(id)],
    ['open', () => world.workspaces.open(id)],
    ['adopt', () => world.workspaces.adopt(path)],
  ];
  for (const [verb, run] of verbs) {
    await run().catch((error: Error) => {
      if (error.name !== 'Failure') throw error;
    });
    expect(existsSync(mark), verb).toBe(false);
  }
  // Nor the git that the person runs in the worktree: submodules of the agent's making are left alone there.
  for (const args of [
    ['status', '--short'],
    ['diff', '--stat'],
    ['diff', 'HEAD', '--stat'],
    ['add', '-n', '-A'],
    ['commit', '--dry-run'],
  ])
    tried(path, ...args);
  expect(existsSync(mark), 'the person’s own git status').toBe(false);
  expect(fingerprint(world.repo)).toEqual(before);
  expect(
    git(world.repo, 'for-each-ref', '--format=%(refname)')
      .split('\n')
      .filter((ref) => !/^refs\/(?:heads\/)?signalbox\//.test(ref)),
  ).toEqual(['refs/heads/main']);
  // The person's own shell in the worktree finds no entry in the index that git itself would refuse.
  const admin = join(world.repo, '.git/worktrees', workspace.info.admin, 'index');
  const own = join(world.home, 'workspaces', id, 'git/index');
  const index = form === 'mounted' ? admin : own;
  if (existsSync(index) && lstatSync(index).isFile()) expect(readFileSync(index).includes('.git/hooks')).toBe(false);
});

test('a whole task leaves the repository as it was, but for signalbox refs', async () => {
  const before = fingerprint(world.repo);
  const workspace = await world.open();
  await workspace.beginTurn();
  await agent(
    workspace,
    'echo a > a; git add a; git commit -qm a; git branch other; git tag t; git checkout -q other; echo b > b; git stash -uq; git config user.name Evil; git update-ref refs/heads/main HEAD; git gc -q',
  );
  await workspace.checkpoint('edge');
  await workspace.harvest();
  await workspace.landPreview();
  await world.workspaces.trash(workspace.info.id);
  await world.workspaces.restore(workspace.info.id);
  expect(fingerprint(world.repo)).toEqual(before);
  await world.workspaces.purge(workspace.info.id);
  expect(git(world.repo, 'for-each-ref', '--format=%(refname)')).toBe('refs/heads/main');
  expect(existsSync(workspace.info.path)).toBe(false);
  expect(fingerprint(world.repo)).toEqual(before);
});

test('credentials in the repository’s settings are not seen inside', async () => {
  git(world.repo, 'remote', 'add', 'origin', 'https://me:s3cret@example.com/x.git?token=s3cret');
  git(world.repo, 'config', 'http.https://example.com/.extraheader', 'Authorization: s3cret');
  git(world.repo, 'config', 'core.sshCommand', 's3cret');
  const workspace = await world.open();
  expect(await agent(workspace, 'git remote get-url origin')).toBe('https://example.com/x.git');
  expect(await agent(workspace, 'git config --list; grep -r s3cret "$(git rev-parse --git-common-dir)" || true')).not.toContain('s3cret');
});
