import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { ItemOf, ItemType, TaskId } from '../../agent-core/contract/index.ts';
import { call, customCall, lastOutput, say, status, userTexts, type Script } from '../model-server/index.ts';
import { fingerprint, git, Rig } from './support.ts';

let rig: Rig;
afterEach(() => rig.close());

const patch = (name: string, line: string): ReturnType<typeof customCall> =>
  customCall('apply_patch', `*** Begin Patch\n*** Add File: ${name}\n+${line}\n*** End Patch\n`);
const run = (cmd: string, more: object = {}): ReturnType<typeof call> => call('exec_command', { cmd, ...more });
/** Plays these rounds for every thread: round k once k-1 rounds of calls have been answered. */
const rounds =
  (...steps: ReturnType<Script>[]): Script =>
  (request) =>
    steps[request.input.filter((item) => item.type === 'function_call_output' || item.type === 'custom_tool_call_output').length] ?? [
      say('Done.'),
    ];

async function items<T extends ItemType>(id: TaskId, type: T): Promise<ItemOf<T>[]> {
  const { items: all } = await rig.call('thread/read', { threadId: rig.thread(id).id });
  return all.filter((item): item is ItemOf<T> => item.type === type);
}

test('a task changes its own worktree, commits there, and leaves the rest of the repository as it was', async () => {
  rig = await Rig.start(
    rounds(
      [patch('new.txt', 'hello')],
      [run('git add -A && git commit -qm "Add new.txt" && git status --short && echo clean')],
      [say('Added new.txt.')],
    ),
  );
  const before = fingerprint(rig.repo);
  const index = readFileSync(join(rig.repo, '.git/index'));
  const task = await rig.create('Add new.txt');
  await rig.reaches(task.id, 'review');
  expect(fingerprint(rig.repo)).toBe(before);
  expect(readFileSync(join(rig.repo, '.git/index')).equals(index)).toBe(true);
  expect(existsSync(join(rig.repo, 'new.txt'))).toBe(false);
  const worktree = rig.worktree(task.id);
  expect(readFileSync(join(worktree, 'new.txt'), 'utf8')).toBe('hello\n');
  expect(git(worktree, 'log', '--format=%s', '-2')).toBe('Add new.txt\nFirst');
  expect(git(worktree, 'status', '--porcelain')).toBe('');
  expect(git(rig.repo, 'log', '--format=%s', '-1', 'signalbox/add-new-txt')).toBe('Add new.txt');
  expect(rig.task(task.id).diff).toEqual({ files: 1, added: 1, removed: 0 });
  const [message] = await items(task.id, 'agentMessage');
  expect(message?.text).toBe('Added new.txt.');
  const [command] = await items(task.id, 'command');
  expect(command).toMatchObject({ status: 'completed', exitCode: 0, output: expect.stringContaining('clean') as string });
});

test('a commit that the person makes in the worktree is there for the next turn', async () => {
  let seen = '';
  rig = await Rig.start((request) => {
    if (userTexts(request).at(-1) !== 'what is new?') return [say('Waiting.')];
    if (!lastOutput(request)) return [run('git log --format=%s -1; cat mine.txt')];
    seen = lastOutput(request);
    return [say('Seen.')];
  });
  const task = await rig.create('Wait for me');
  await rig.reaches(task.id, 'review');
  const worktree = rig.worktree(task.id);
  writeFileSync(join(worktree, 'mine.txt'), 'by hand\n');
  git(worktree, 'add', 'mine.txt');
  git(worktree, 'commit', '-qm', 'By hand');
  const threadId = rig.thread(task.id).id;
  await rig.call('turn/start', { threadId, text: 'what is new?' });
  await rig.until(() => rig.thread(task.id).turn?.number === 2 && rig.status(task.id) === 'review', 'the second turn');
  expect(seen).toContain('By hand\nby hand');
  expect(git(worktree, 'log', '--format=%s', '-1')).toBe('By hand');
});

test('an approval waits for a person; yes runs the command outside once, no tells the model why', async () => {
  rig = await Rig.start((request) => {
    const outputs = request.input.filter((item) => item.type === 'function_call_output').length;
    if (outputs >= 2) return [say(lastOutput(request).includes('not now') ? 'Told why.' : 'Not told.')];
    return [
      run(outputs === 0 ? `touch ${rig.folder}/outside-1` : `touch ${rig.folder}/outside-2`, {
        sandbox_permissions: 'require_escalated',
        justification: 'Need it outside',
      }),
    ];
  });
  const task = await rig.create('Go outside', { approval: 'on-request' });
  await rig.reaches(task.id, 'needs-approval');
  const [approval] = Object.values(rig.board.approvals);
  expect(approval).toMatchObject({ kind: 'escalate', reason: 'Need it outside', taskId: task.id });
  expect(existsSync(join(rig.folder, 'outside-1'))).toBe(false);
  await rig.call('approval/decide', { approvalIds: [approval!.id], decision: 'approve' });
  await rig.until(() => Object.values(rig.board.approvals).some((each) => each.id !== approval!.id), 'the second approval');
  expect(existsSync(join(rig.folder, 'outside-1'))).toBe(true);
  const [second] = Object.values(rig.board.approvals);
  await rig.call('approval/decide', { approvalIds: [second!.id], decision: 'decline', note: 'not now' });
  await rig.reaches(task.id, 'review');
  expect(existsSync(join(rig.folder, 'outside-2'))).toBe(false);
  expect((await items(task.id, 'approval')).map(({ decision }) => decision)).toEqual(['approved', 'declined']);
  expect((await items(task.id, 'agentMessage')).at(-1)?.text).toBe('Told why.');
});

const asks = (...ids: string[]): ReturnType<typeof call> =>
  call('request_user_input', {
    questions: ids.map((id) => ({
      id,
      header: 'Database',
      question: `Which ${id}?`,
      options: [
        { label: 'SQLite', description: 'One file.' },
        { label: 'Postgres', description: 'A server.' },
      ],
    })),
  });

test('a question waits for a person; the answers are on disk before the model gets them', async () => {
  let seen = '';
  let onDisk: unknown = null;
  rig = await Rig.start((request) => {
    if (!lastOutput(request)) return [asks('store', 'cache')];
    seen = lastOutput(request);
    onDisk = rig.board.questions;
    return [say('Thanks.')];
  });
  const task = await rig.create('Choose a database');
  await rig.reaches(task.id, 'has-question');
  const [question] = Object.values(rig.board.questions);
  expect(question).toMatchObject({
    taskId: task.id,
    questions: [{ id: 'store', options: [{ label: 'SQLite' }, { label: 'Postgres' }] }, { id: 'cache' }],
  });
  expect(rig.core.snapshot().activity[task.id]).toMatchObject({ verb: 'waiting', subject: 'Which store?' });
  const questionId = question!.id;
  await expect(rig.call('question/answer', { questionId, answers: { store: 'SQLite' } })).rejects.toMatchObject({
    detail: { code: 'invalid-input' },
  });
  await rig.call('question/answer', { questionId, answers: { store: 'SQLite', cache: 'none at all' } });
  await rig.reaches(task.id, 'review');
  expect(JSON.parse(seen)).toEqual({ answers: { store: { answers: ['SQLite'] }, cache: { answers: ['user_note: none at all'] } } });
  expect(onDisk).toEqual({});
  expect(await items(task.id, 'question')).toMatchObject([
    { questionId, text: 'Which store?\nWhich cache?', answer: 'SQLite\nnone at all', endedAt: expect.any(Number) as number },
  ]);
  await expect(rig.call('question/answer', { questionId, answers: { store: 'x', cache: 'y' } })).rejects.toMatchObject({
    detail: { code: 'conflict' },
  });
});

test('a stopped turn takes its question back, and goes on without it', async () => {
  rig = await Rig.start((request) => (lastOutput(request) ? [say(lastOutput(request))] : [asks('store')]));
  const task = await rig.create('Choose a database');
  await rig.reaches(task.id, 'has-question');
  const [question] = Object.values(rig.board.questions);
  await rig.call('turn/interrupt', { threadId: rig.thread(task.id).id });
  expect(rig.board.questions).toEqual({});
  expect(rig.status(task.id)).toBe('review');
  expect(await items(task.id, 'question')).toMatchObject([{ answer: null, endedAt: expect.any(Number) as number }]);
  await expect(rig.call('question/answer', { questionId: question!.id, answers: { store: 'SQLite' } })).rejects.toMatchObject({
    detail: { code: 'conflict' },
  });
  await rig.call('turn/start', { threadId: rig.thread(task.id).id, text: 'go on' });
  await rig.until(() => rig.thread(task.id).turn?.number === 2 && rig.status(task.id) === 'review', 'the second turn');
  expect((await items(task.id, 'agentMessage')).at(-1)?.text).toBe('aborted by user');
});

test('what is said while a turn runs is steered into it or queued behind it', async () => {
  const heard: string[] = [];
  rig = await Rig.start((request) => {
    heard.push(userTexts(request).at(-1)!);
    const outputs = request.input.filter((item) => item.type === 'function_call_output').length;
    return outputs === 0 ? [run('until [ -e go ]; do sleep 0.05; done')] : [say('ok')];
  });
  const task = await rig.create('Wait for go');
  await rig.until(() => rig.core.snapshot().activity[task.id]?.verb === 'running', 'the command runs');
  const threadId = rig.thread(task.id).id;
  await rig.call('turn/steer', { threadId, turnId: rig.thread(task.id).turn!.id, text: 'and be quick' });
  const { queued } = await rig.call('turn/start', { threadId, text: 'then this' });
  expect(rig.thread(task.id).queue.map(({ id, text, steer }) => [id === queued, text, steer])).toEqual([
    [false, 'and be quick', true],
    [true, 'then this', undefined],
  ]);
  writeFileSync(join(rig.worktree(task.id), 'go'), '');
  await rig.until(() => rig.thread(task.id).turn?.number === 2 && rig.status(task.id) === 'review', 'the queued turn');
  expect(heard).toEqual(['Wait for go', 'and be quick', 'then this']);
  expect(rig.thread(task.id).queue).toEqual([]);
  expect((await items(task.id, 'userMessage')).map(({ text, via }) => [text, via])).toEqual([
    ['Wait for go', 'prompt'],
    ['and be quick', 'steer'],
    ['then this', 'queue'],
  ]);
});

test('stop ends the command and keeps what was done; the task can go on', async () => {
  rig = await Rig.start((request) => {
    if (userTexts(request).at(-1)?.includes('on you go')) return [say('Went on.')];
    return lastOutput(request) ? [say('never')] : [run('echo kept > kept.txt; sleep 600')];
  });
  const task = await rig.create('Sleep long');
  await rig.until(() => rig.core.snapshot().activity[task.id]?.verb === 'running', 'the command runs');
  await expect.poll(() => existsSync(join(rig.worktree(task.id), 'kept.txt')), { timeout: 10_000 }).toBe(true);
  await rig.call('task/stop', { taskId: task.id });
  expect(rig.status(task.id)).toBe('review');
  expect(rig.thread(task.id).turn).toMatchObject({ status: 'interrupted', interruptedBy: 'person' });
  expect((await items(task.id, 'command'))[0]).toMatchObject({ status: 'interrupted' });
  expect(rig.task(task.id).diff?.files).toBe(1);
  await rig.call('turn/start', { threadId: rig.thread(task.id).id, text: 'on you go' });
  await rig.until(() => rig.thread(task.id).turn?.number === 2 && rig.status(task.id) === 'review', 'the second turn');
  expect((await items(task.id, 'agentMessage')).at(-1)?.text).toBe('Went on.');
});

test('a dev server of one command answers the next one and not another task or the host', async () => {
  const seen: string[] = [];
  rig = await Rig.start((request) => {
    const outputs = request.input.filter((item) => item.type === 'function_call_output').length;
    if (userTexts(request).some((text) => text.includes('peek'))) {
      if (outputs === 0) return [run('curl -s --max-time 2 http://127.0.0.1:8123/a.txt || echo refused')];
      seen.push(lastOutput(request));
      return [say('ok')];
    }
    if (outputs === 0)
      return [
        run(`node -e 'require("http").createServer((q, r) => r.end(require("fs").readFileSync("a.txt"))).listen(8123, "127.0.0.1")'`, {
          yield_time_ms: 500,
        }),
      ];
    if (outputs === 1) return [run('for i in 1 2 3 4 5 6 7 8 9; do curl -s http://127.0.0.1:8123/a.txt && break; sleep 0.2; done')];
    seen.push(lastOutput(request));
    return [say('ok')];
  });
  const server = await rig.create('Serve');
  await rig.reaches(server.id, 'review');
  const other = await rig.create('peek');
  await rig.reaches(other.id, 'review');
  expect(seen[0]).toContain('one\ntwo\nthree');
  expect(seen[1]).toContain('refused');
  await expect(fetch('http://127.0.0.1:8123/a.txt')).rejects.toThrow();
});

test('a wrong key fails the turn with its reason; after a retry it works', async () => {
  let fail = true;
  rig = await Rig.start(() => (fail ? [status(401)] : [say('Hello.')]));
  const task = await rig.create('Say hello');
  await rig.reaches(task.id, 'failed');
  expect(rig.thread(task.id).turn?.error).toMatchObject({ code: 'model-unauthorized', fix: expect.stringContaining('Settings') as string });
  fail = false;
  await rig.call('task/retry', { taskId: task.id });
  await rig.reaches(task.id, 'review');
  expect((await items(task.id, 'userMessage')).map(({ text }) => text)).toEqual(['Say hello']);
});

test('what was said in a turn that failed before the model heard it is said again', async () => {
  rig = await Rig.start((request) => [say(userTexts(request).at(-1)!)]);
  const task = await rig.create('Hear me', { start: false });
  await rig.call('task/start', { taskId: task.id });
  await rig.reaches(task.id, 'review');
  const worktree = rig.worktree(task.id);
  renameSync(worktree, `${worktree}.away`);
  await rig.call('turn/start', { threadId: rig.thread(task.id).id, text: 'and this' });
  await rig.reaches(task.id, 'failed');
  expect(rig.thread(task.id).turn?.error?.code).toBe('worktree-missing');
  renameSync(`${worktree}.away`, worktree);
  await rig.call('task/retry', { taskId: task.id });
  await rig.reaches(task.id, 'review');
  expect((await items(task.id, 'agentMessage')).at(-1)?.text).toBe('and this');
});

test('a deleted task is in the trash with everything, and comes back as it was', async () => {
  rig = await Rig.start(rounds([run('mkdir ignored && echo secret > ignored/x && echo wip > wip.txt && git add wip.txt')], [say('ok')]));
  const task = await rig.create('Make a mess');
  await rig.reaches(task.id, 'review');
  const worktree = rig.worktree(task.id);
  await rig.call('task/delete', { taskId: task.id });
  expect(existsSync(worktree)).toBe(false);
  expect(rig.task(task.id).phase).toBe('trashed');
  await rig.call('task/restore', { taskId: task.id });
  expect(readFileSync(join(worktree, 'ignored/x'), 'utf8')).toBe('secret\n');
  expect(git(worktree, 'status', '--porcelain')).toBe('A  wip.txt');
  expect(rig.status(task.id)).toBe('review');
  await rig.call('task/delete', { taskId: task.id });
  await rig.call('task/purge', { taskId: task.id });
  expect(rig.board.tasks[task.id]).toBeUndefined();
  expect(git(rig.repo, 'worktree', 'list').split('\n')).toHaveLength(1);
});

test('landing brings the final tree into main and the checkout, uncommitted work included', async () => {
  rig = await Rig.start(rounds([run('echo four >> a.txt')], [say('ok')]));
  const task = await rig.create('Add four');
  await rig.reaches(task.id, 'review');
  const preview = await rig.call('land/preview', { taskId: task.id });
  expect(preview).toMatchObject({ into: 'main', clean: true, blocked: null, uncommitted: 1 });
  const landing = await rig.call('land/merge', { taskId: task.id, method: 'squash' });
  expect(git(rig.repo, 'rev-parse', 'main')).toBe(landing.commit);
  expect(readFileSync(join(rig.repo, 'a.txt'), 'utf8')).toContain('four');
  expect(git(rig.repo, 'status', '--porcelain')).toBe('');
  expect(rig.status(task.id)).toBe('done');
});

test('landing over the person’s own edits is refused and changes nothing', async () => {
  rig = await Rig.start(rounds([run('echo four >> a.txt')], [say('ok')]));
  const task = await rig.create('Add four');
  await rig.reaches(task.id, 'review');
  writeFileSync(join(rig.repo, 'a.txt'), 'mine\n');
  const before = fingerprint(rig.repo);
  await expect(rig.call('land/merge', { taskId: task.id, method: 'merge' })).rejects.toMatchObject({
    detail: { code: 'dirty-checkout', message: expect.stringContaining('a.txt') as string },
  });
  expect(fingerprint(rig.repo)).toBe(before);
  expect(rig.status(task.id)).toBe('review');
});

test('a diff is read from trees, and a discarded hunk leaves the worktree', async () => {
  rig = await Rig.start(rounds([run('sed -i s/one/ONE/ a.txt; mkdir -p "sub dir"; echo x > "sub dir/ü.txt"')], [say('ok')]));
  const task = await rig.create('Edit');
  await rig.reaches(task.id, 'review');
  const { from, to, files } = await rig.call('diff/read', { taskId: task.id });
  expect(files.map(({ path, status: kind, added, removed }) => [path, kind, added, removed])).toEqual([
    ['a.txt', 'modified', 1, 1],
    ['sub dir/ü.txt', 'added', 1, 0],
  ]);
  const { patch: text } = await rig.call('diff/patch', { taskId: task.id, from, to, paths: ['a.txt'] });
  expect(text).toContain('-one\n+ONE');
  await rig.call('diff/discard', { taskId: task.id, patch: text });
  expect(readFileSync(join(rig.worktree(task.id), 'a.txt'), 'utf8')).toBe('one\ntwo\nthree\n');
  expect((await rig.call('diff/read', { taskId: task.id })).files.map(({ path }) => path)).toEqual(['sub dir/ü.txt']);
});

test('what changed since the person last looked: the base until they did, then the tree that they left, after a restart too', async () => {
  rig = await Rig.start(rounds([run('sed -i s/one/ONE/ a.txt')], [say('ok')]));
  const task = await rig.create('Edit');
  await rig.reaches(task.id, 'review');
  const changed = async (): Promise<string[]> =>
    (await rig.call('diff/read', { taskId: task.id, scope: 'seen' })).files.map(({ path }) => path);
  const { to } = await rig.call('diff/read', { taskId: task.id });
  expect(await changed()).toEqual(['a.txt']);
  const { updatedAt } = rig.task(task.id);
  await rig.call('diff/seen', { taskId: task.id, tree: to });
  expect(await changed()).toEqual([]);
  expect(rig.task(task.id).updatedAt).toBe(updatedAt);
  writeFileSync(join(rig.worktree(task.id), 'b.txt'), 'new\n');
  expect(await changed()).toEqual(['b.txt']);
  await rig.core.dispose();
  await rig.open();
  expect(rig.task(task.id).seen).toBe(to);
  expect(await changed()).toEqual(['b.txt']);
  await expect(async () => rig.call('diff/seen', { taskId: task.id, tree: '--output=/tmp/x' })).rejects.toThrow();
});

test('bad input leaves nothing behind', async () => {
  rig = await Rig.start(() => [say('ok')]);
  const code = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => 'no error',
      (error: { detail?: { code: string }; name: string }) => error.detail?.code ?? error.name,
    );
  expect(await code(rig.call('project/open', { path: join(rig.folder, 'nowhere') }))).toBe('no-folder');
  mkdirSync(join(rig.folder, 'plain'));
  expect(await code(rig.call('project/open', { path: join(rig.folder, 'plain') }))).toBe('not-a-repository');
  git(rig.folder, 'init', '-q', '--bare', 'bare.git');
  expect(await code(rig.call('project/open', { path: join(rig.folder, 'bare.git') }))).toBe('bare-repository');
  git(rig.folder, 'init', '-q', 'empty');
  expect(await code(rig.call('project/open', { path: join(rig.folder, 'empty') }))).toBe('no-commits');
  expect(await code(rig.create('x', { base: { ref: 'nowhere', kind: 'local' } }))).toBe('base-not-found');
  expect(await code(rig.create('x', { base: { ref: 'origin/main', kind: 'remote' } }))).toBe('base-not-found');
  expect(() => rig.create('   ')).toThrow(/empty/);
  expect(() => rig.create('x'.repeat(1_000_000))).toThrow(/256 KiB/);
  expect(rig.board.tasks).toEqual({});
  expect(Object.keys(rig.board.projects)).toHaveLength(1);
});
