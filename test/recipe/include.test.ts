import {
  chmodSync,
  existsSync,
  linkSync,
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
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { afterEach, expect, test } from 'vitest';
import { copyIn } from '../../agent-core/sandbox/person/copy-in.ts';
import type { ItemOf, TaskId } from '../../agent-core/contract/index.ts';
import { call, lastOutput, say } from '../model-server/index.ts';
import { git, Rig } from '../runtime/support.ts';

let rig: Rig | null = null;
const folders: string[] = [];
afterEach(async () => {
  await rig?.close();
  rig = null;
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});
const fresh = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-include-'));
  folders.push(folder);
  return folder;
};
function put(root: string, files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
}
const commit = (message = 'Files'): void => {
  git(rig!.repo, 'add', '-A');
  git(rig!.repo, 'commit', '-qm', message);
};
async function notices(id: TaskId): Promise<string[]> {
  const { items } = await rig!.call('thread/read', { threadId: rig!.thread(id).id });
  return items.filter((item): item is ItemOf<'notice'> => item.type === 'notice').map(({ text }) => text);
}
const preview = () => rig!.call('recipe/include', { projectId: rig!.project.id });

test('ignored files that the base’s .worktreeinclude names are copied into a new worktree, and nothing else', async () => {
  let seen = '';
  rig = await Rig.start((request) => {
    seen = lastOutput(request) || seen;
    return seen ? [say('Done.')] : [call('exec_command', { cmd: 'cat .env config/local.json; git status --short; ls' })];
  });
  const { repo } = rig;
  expect(await preview()).toMatchObject({ there: false, files: [] });
  put(repo, {
    '.gitignore': '.env*\nlocal.json\nnode_modules/\n',
    '.worktreeinclude': '# settings\n.env*\n!.env.old\n/config/local.json\nnotes.txt\nlinked.json\n',
  });
  commit();
  put(repo, {
    '.env': 'A=1\n',
    '.env.old': 'no\n',
    'config/local.json': '{}\n',
    'other/local.json': 'no\n',
    'notes.txt': 'mine\n',
    'secret.txt': 'no\n',
  });
  chmodSync(join(repo, '.env'), 0o600);
  symlinkSync('/etc/passwd', join(repo, '.env.link'));
  put(repo, { '.worktreeinclude': '*\n' });
  const plan = await preview();
  expect(plan.files.map(({ path }) => path).toSorted()).toEqual(['.env', 'config/local.json']);
  expect(plan.skipped.map(({ path, why }) => `${path}: ${why}`).toSorted()).toEqual([
    '.env.link: It is a symbolic link.',
    'notes.txt: Git does not ignore it: commit it, or add it to .gitignore.',
  ]);
  const task = await rig.create('Look');
  await rig.reaches(task.id, 'review');
  expect(seen).toContain('A=1\n{}\na.txt\nconfig');
  const worktree = rig.worktree(task.id);
  expect(readdirSync(worktree).toSorted()).toEqual(['.env', '.git', '.gitignore', '.worktreeinclude', 'a.txt', 'config']);
  expect(lstatSync(join(worktree, '.env')).mode & 0o777).toBe(0o600);
  const [told] = await notices(task.id);
  expect(told).toContain('2 ignored files of your checkout were copied in, as .worktreeinclude says: .env, config/local.json.');
  expect(told).toContain('notes.txt (Git does not ignore it');
  expect(rig.task(task.id).diff).toEqual({ files: 0, added: 0, removed: 0 });
});

test('what the base does not ignore is left out, though the person’s own list does: it would be committed', async () => {
  rig = await Rig.start(() => [say('Done.')]);
  put(rig.repo, { '.worktreeinclude': 'mine.txt\n.env\n', '.gitignore': '.env\n' });
  commit();
  put(rig.repo, { '.gitignore': '.env\nmine.txt\n', 'mine.txt': 'x\n', '.env': 'y\n' });
  const task = await rig.create('Look');
  await rig.reaches(task.id, 'review');
  expect([existsSync(join(rig.worktree(task.id), 'mine.txt')), existsSync(join(rig.worktree(task.id), '.env'))]).toEqual([false, true]);
  expect((await notices(task.id))[0]).toContain('mine.txt (The base does not ignore it: it would be committed)');
});

test('a folder that is a link leads neither out of the checkout nor out of the worktree', async () => {
  rig = await Rig.start(() => [say('Done.')]);
  const outside = fresh();
  put(outside, { '.env': 'stolen\n' });
  put(rig.repo, { '.worktreeinclude': '.env\n', '.gitignore': '.env\nlinked\n' });
  symlinkSync(outside, join(rig.repo, 'tracked'));
  commit();
  symlinkSync(outside, join(rig.repo, 'linked'));
  expect((await preview()).files).toEqual([]);
  // On the other side: the base has a link where the checkout has a folder.
  rmSync(join(rig.repo, 'tracked'));
  put(rig.repo, { 'tracked/.env': 'mine\n' });
  const task = await rig.create('Look');
  await rig.reaches(task.id, 'review');
  expect(lstatSync(join(rig.worktree(task.id), 'tracked')).isSymbolicLink()).toBe(true);
  expect(readFileSync(join(outside, '.env'), 'utf8')).toBe('stolen\n');
  expect(readdirSync(outside)).toEqual(['.env']);
});

test('too much is refused in words before anything is copied, and mended by naming less', async () => {
  rig = await Rig.start(() => [say('Done.')]);
  put(rig.repo, { '.worktreeinclude': 'big.bin\n', '.gitignore': 'big.bin\n' });
  commit();
  put(rig.repo, { 'big.bin': '' });
  truncateSync(join(rig.repo, 'big.bin'), 2 * 1024 ** 3);
  expect((await preview()).problem).toBe('.worktreeinclude names 2.0 GB; at most 1 GB is copied.');
  const task = await rig.create('Look');
  await rig.reaches(task.id, 'failed');
  const failed = Object.values(rig.board.workspaces)[0]!;
  expect(failed.error).toMatchObject({ code: 'not-allowed', message: expect.stringContaining('.worktreeinclude names') as string });
  expect(existsSync(join(failed.path, 'big.bin'))).toBe(false);
  truncateSync(join(rig.repo, 'big.bin'), 10);
  await rig.call('task/retry', { taskId: task.id });
  await rig.reaches(task.id, 'review');
  expect(lstatSync(join(rig.worktree(task.id), 'big.bin')).size).toBe(10);
});

test('an included file that host tools run is the person’s own and stays', async () => {
  rig = await Rig.start((request) => (lastOutput(request) ? [say('Done.')] : [call('exec_command', { cmd: 'true' })]));
  put(rig.repo, { '.worktreeinclude': '.envrc\n', '.gitignore': '.envrc\n' });
  commit();
  put(rig.repo, { '.envrc': 'export A=1\n' });
  const task = await rig.create('Look');
  await rig.reaches(task.id, 'review');
  expect(readFileSync(join(rig.worktree(task.id), '.envrc'), 'utf8')).toBe('export A=1\n');
  expect(Object.values(rig.board.denials)).toEqual([]);
});

test('one file is copied without following a link anywhere, never over another, and only where it is a plain file', async () => {
  const [from, to, out] = [fresh(), fresh(), fresh()];
  put(out, { secret: 'secret' });
  put(from, { 'a/b/c.txt': 'hello', plain: 'x' });
  symlinkSync(out, join(from, 'away'));
  symlinkSync(join(out, 'secret'), join(from, 'link'));
  linkSync(join(from, 'plain'), join(from, 'hard'));
  execFileSync('mkfifo', [join(from, 'pipe')]);
  symlinkSync(out, join(to, 'sub'));
  put(from, { 'sub/x': 'x' });
  const tried: Record<string, string | null> = {};
  for (const path of [
    'a/b/c.txt',
    'hard',
    'link',
    'away/secret',
    'pipe',
    'a',
    'missing',
    'sub/x',
    '../x',
    'a/.git/config',
    '/etc/passwd',
    '',
  ])
    tried[path] = await copyIn(from, to, path);
  expect(tried).toEqual({
    'a/b/c.txt': null,
    hard: null,
    link: 'link',
    'away/secret': 'link',
    pipe: 'special',
    a: 'special',
    missing: 'gone',
    'sub/x': 'link',
    '../x': 'special',
    'a/.git/config': 'special',
    '/etc/passwd': 'special',
    '': 'special',
  });
  expect(readFileSync(join(to, 'a/b/c.txt'), 'utf8')).toBe('hello');
  put(to, { 'a/b/c.txt': 'mine' });
  expect(await copyIn(from, to, 'a/b/c.txt')).toBe('there');
  expect(readFileSync(join(to, 'a/b/c.txt'), 'utf8')).toBe('mine');
  expect(lstatSync(join(to, 'hard')).nlink).toBe(1);
  expect(readdirSync(out)).toEqual(['secret']);
  expect(readdirSync(to).toSorted()).toEqual(['a', 'hard', 'sub']);
});
