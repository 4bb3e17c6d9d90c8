import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { desk, git, launcher, repository } from './support/cli.ts';

/** In the checkout itself, a submodule's `.git` is put off to a repository that the agent made, whose settings name a command. */
const PLANT = `
git init -q .evil && cd .evil && git config user.name a && git config user.email b
echo x > f; echo '* filter=e' > .gitattributes; git add .; git commit -qm x
git config filter.e.clean "touch $1; cat"; git config core.fsmonitor "touch $1;:"; cd ..
rm sm/.git; cp .evil/.gitattributes sm/; echo changed > sm/f; echo 'gitdir: ../.evil/.git' > sm/.git
git config --file .gitmodules submodule.sm.ignore none`;

test('git in a checkout where an agent works runs nothing that it planted in a submodule, and diffs', async () => {
  const my = desk();
  const repo = repository(join(my.folder, 'repo'));
  const other = repository(join(my.folder, 'other'));
  git(repo, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', other, 'sm');
  git(repo, 'commit', '-qm', 'sub');
  mkdirSync(join(repo, '.git/modules'), { recursive: true });
  git(repo, 'config', '--file', join(repo, '.git/modules/sm/config'), 'http.extraheader', 'CANARY');
  const mark = join(my.folder, 'pwned');
  const planted = await my.run(['sandbox', '--cwd', repo, '--', 'sh', '-c', `${PLANT}; cat .git/modules/sm/config`, 'sh', mark]);
  expect(planted.stderr).toBe('');
  expect(planted.stdout).toContain('worktree');
  expect(planted.stdout).not.toContain('CANARY');
  const verbs = [
    ['status'],
    ['diff'],
    ['diff', '--stat'],
    ['-c', 'color.ui=never', 'status', '--short'],
    ['describe', '--always', '--dirty'],
    ['add', '-A'],
    ['commit', '--allow-empty', '-m', 'x'],
  ];
  for (const verb of verbs) {
    const { code, stderr } = await my.run(['git', ...verb], { cwd: repo });
    expect(existsSync(mark), verb.join(' ')).toBe(false);
    if (verb[0] !== 'commit' && verb[0] !== 'add') expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  }
}, 60_000);

test('git diff works in a checkout that no agent has', async () => {
  const my = desk();
  const repo = repository(join(my.folder, 'repo'));
  writeFileSync(join(repo, 'new.txt'), 'one\n');
  git(repo, 'add', 'new.txt');
  expect(await my.run(['git', 'diff', '--cached', '--name-only'], { cwd: repo })).toMatchObject({ code: 0, stdout: 'new.txt\n' });
  expect((await my.run(['git', 'diff', '--cached'], { cwd: repo })).stdout).toContain('+one');
});

test('a reader that closes the pipe ends the command and us', async () => {
  const my = desk();
  const repo = repository(join(my.folder, 'repo'));
  git(repo, 'worktree', 'add', '-q', join(my.folder, 'linked'), '-b', 'feature');
  const run = await my.run(['-c', `"$0" sandbox --cwd "$1" -- sh -c 'yes' | head -n 1`, launcher, join(my.folder, 'linked')], {
    program: '/bin/sh',
  });
  expect(run).toMatchObject({ code: 0, stdout: 'y\n' });
}, 30_000);

test('a repository of its own in a worktree’s old place is refused: nothing runs, nothing is planted in it', async () => {
  const my = desk();
  const repo = repository(join(my.folder, 'repo'));
  const linked = join(my.folder, 'linked');
  git(repo, 'worktree', 'add', '-q', linked, '-b', 'feature');
  expect((await my.run(['sandbox', '--cwd', linked, '--', 'true'])).code).toBe(0);
  git(repo, 'worktree', 'remove', '--force', linked);
  repository(linked);
  const { code, stderr } = await my.run(['sandbox', '--cwd', linked, '--', 'touch', '.git/hooks/pre-commit', 'ran']);
  expect(code).toBe(3);
  expect(stderr).toContain('took the folder’s place');
  expect(existsSync(join(linked, 'ran')) || existsSync(join(linked, '.git/hooks/pre-commit'))).toBe(false);
}, 30_000);
