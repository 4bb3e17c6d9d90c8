import { existsSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { reviewsOf, type InputOf, type Review, type TaskId } from '../../agent-core/contract/index.ts';
import { call, customCall, lastOutput, say, stall, textOf, usage, type ResponsesRequest, type Step } from '../model-server/index.ts';
import { git, Rig } from '../runtime/support.ts';

let rig: Rig;
afterEach(() => rig.close());

const patch = customCall(
  'apply_patch',
  '*** Begin Patch\n*** Update File: a.txt\n@@\n one\n-two\n+2\n three\n*** Add File: new.txt\n+x\n+y\n*** End Patch\n',
);
const found = (title: string, path: string, start: number, end = start, more: object = {}) => ({
  title,
  body: `Why ${title}.`,
  priority: 1,
  confidence_score: 0.9,
  code_location: { absolute_file_path: path, line_range: { start, end } },
  ...more,
});
const answer = (...findings: object[]) => say(JSON.stringify({ findings, overall_correctness: 'x', overall_explanation: 'Two things.' }));
const isReview = (request: ResponsesRequest) => request.input.some((item) => textOf(item).startsWith('<turn_mode>\nReview:'));

/** A task with changes; a review answers with `steps`, one a request. */
async function changed(...steps: ((request: ResponsesRequest) => readonly Step[])[]): Promise<TaskId> {
  let at = 0;
  rig = await Rig.start((request) => {
    if (isReview(request)) return (steps[at++] ?? (() => [answer()]))(request);
    return lastOutput(request) ? [say('Done.')] : [patch];
  });
  const { id } = await rig.create('change a.txt');
  await rig.reaches(id, 'review');
  return id;
}
const newest = (id: TaskId): Review => reviewsOf(rig.board, id)[0]!;
const over = (id: TaskId) => rig.until(() => newest(id)?.state !== 'running', 'the review is over');
async function review(taskId: TaskId, more: Partial<InputOf<'review/start'>> = {}): Promise<Review> {
  await rig.call('review/start', { taskId, ...more });
  await over(taskId);
  return newest(taskId);
}

test('findings come with their place, held against the diff, and what they cost counts', async () => {
  const id = await changed((request) => {
    const worktree = /in (\/.+)\.\n/.exec(request.input.map(textOf).join('\n'))![1]!;
    return [
      usage({ input: 500, output: 20 }),
      answer(
        found('In the diff', `${worktree}/a.txt`, 2),
        found('In the file', 'new.txt', 9),
        found('In a file beside', '.gitignore', 1),
        found('Nowhere', 'gone.txt', 1),
        found('Outside', '/etc/passwd', 1),
      ),
    ];
  });
  const before = rig.task(id).usage.inputTokens;
  const done = await review(id);
  expect(done).toMatchObject({ state: 'done', by: 'person', summary: 'Two things.', model: rig.task(id).model });
  expect(done.findings.map(({ title, place, path }) => [title, place, path])).toEqual([
    ['In the diff', 'diff', 'a.txt'],
    ['In the file', 'nowhere', 'new.txt'],
    ['In a file beside', 'file', '.gitignore'],
    ['Nowhere', 'nowhere', 'gone.txt'],
    ['Outside', 'nowhere', '/etc/passwd'],
  ]);
  expect(rig.task(id).usage.inputTokens - before).toBe(500);
  expect(rig.thread(id).turn?.number).toBe(1);
  expect(rig.status(id)).toBe('review');
});

test('it only looks: neither a shell nor a patch changes anything, and only the tools that read are offered', async () => {
  const outputs: string[] = [];
  const id = await changed(
    () => [call('exec_command', { cmd: 'echo x > made.txt; cat a.txt' })],
    (request) => {
      outputs.push(lastOutput(request));
      return [customCall('apply_patch', '*** Begin Patch\n*** Add File: made.txt\n+x\n*** End Patch\n')];
    },
    (request) => {
      outputs.push(lastOutput(request));
      return [answer()];
    },
  );
  expect((await review(id)).state).toBe('done');
  expect(outputs[0]).toMatch(/Read-only file system[^]*one\n2\n/);
  expect(outputs[1]).toMatch(/read-only/);
  expect(existsSync(join(rig.worktree(id), 'made.txt'))).toBe(false);
  const tools = rig.model.requests.find(({ body }) => isReview(body))!.body.tools!.map(({ name }) => name);
  expect(tools).toEqual(['exec_command', 'write_stdin', 'view_image']);
});

test.each<[string, Parameters<typeof review>[1], string[]]>([
  ['the last turn', { target: { kind: 'turn' } }, ['deleted .gitignore']],
  ['the whole task', { target: { kind: 'task' } }, ['modified a.txt', 'added new.txt', 'deleted .gitignore']],
  ['a commit', { target: { kind: 'commit', ref: 'HEAD' } }, ['modified a.txt', 'added new.txt']],
  ['the first commit', { target: { kind: 'commit', ref: 'main' } }, ['added a.txt', 'added .gitignore']],
  ['against a branch', { target: { kind: 'branch', ref: 'main' } }, ['modified a.txt', 'added new.txt', 'deleted .gitignore']],
])('it looks at %s', async (_name, more, files) => {
  let asked = '';
  rig = await Rig.start((request) => {
    if (isReview(request)) {
      asked = request.input.map(textOf).at(-1)!;
      return [answer()];
    }
    const said = request.input
      .filter((item) => item.role === 'user')
      .map(textOf)
      .at(-1);
    if (said === 'again')
      return lastOutput(request).includes('removed') ? [say('Done.')] : [call('exec_command', { cmd: 'rm .gitignore; echo removed' })];
    return lastOutput(request).includes('committed')
      ? [say('Done.')]
      : lastOutput(request)
        ? [call('exec_command', { cmd: 'git add -A && git commit -qm z && echo committed' })]
        : [patch];
  });
  const { id } = await rig.create('change a.txt');
  await rig.reaches(id, 'review');
  await rig.call('turn/start', { threadId: rig.thread(id).id, text: 'again' });
  await rig.until(() => rig.thread(id).turn?.number === 2 && rig.status(id) === 'review', 'a second turn');
  expect(await review(id, more)).toMatchObject({ state: 'done', error: null });
  const listed = /Changed files:\n([^]*?)\n\n/
    .exec(asked)![1]!
    .split('\n')
    .map((line) => line.replace(/ \+.*/, ''));
  expect(listed.toSorted()).toEqual(files.toSorted());
});

test('an answer that is no review is asked for once more, then it fails with words; the next one works', async () => {
  const id = await changed(
    () => [say('Looks good to me!')],
    () => [answer(found('Now', 'a.txt', 2))],
    () => [say('LGTM')],
    () => [say('LGTM, really')],
    () => [answer()],
  );
  expect((await review(id)).findings.length).toBe(1);
  expect(await review(id)).toMatchObject({ state: 'failed', error: { code: 'model-bad-reply', fix: expect.any(String) } });
  expect((await review(id)).state).toBe('done');
});

test('what can’t be reviewed is said: a commit that isn’t there, nothing changed, one already under way', async () => {
  const id = await changed(() => [stall(0)]);
  expect(await review(id, { target: { kind: 'commit', ref: '--output=x' } })).toMatchObject({
    state: 'failed',
    error: { code: 'not-found' },
  });
  expect(await review(id, { target: { kind: 'branch', ref: 'no/such' } })).toMatchObject({ state: 'failed', error: { code: 'not-found' } });
  const { reviewId } = await rig.call('review/start', { taskId: id });
  await expect(rig.call('review/start', { taskId: id })).rejects.toMatchObject({ detail: { code: 'conflict' } });
  await rig.model.request(rig.model.requests.length + 1);
  await rig.call('review/stop', { reviewId });
  expect(newest(id)).toMatchObject({ state: 'stopped', error: null });
});

test('chosen findings go to the agent as one message; dismissed ones stay out, of later reviews too', async () => {
  const two = [found('First', 'a.txt', 2), found('Second', 'new.txt', 1, 2)];
  let told = '';
  const id = await changed(
    () => [answer(...two, found('Third', 'a.txt', 1))],
    (request) => {
      told = request.input.map(textOf).at(-1)!;
      return [answer(found('third', 'a.txt', 1), found('Fourth', 'a.txt', 1))];
    },
  );
  const { id: reviewId } = await review(id);
  await rig.call('findings/dismiss', { reviewId, findingIds: ['f3'] });
  await rig.call('findings/fix', { reviewId, findingIds: ['f1', 'f2'], note: 'Small steps.' });
  await rig.until(() => rig.thread(id).turn?.number === 2 && rig.status(id) === 'review', 'a second turn');
  const said = rig.model.requests
    .at(-1)!
    .body.input.filter((item) => item.role === 'user')
    .map(textOf)
    .at(-1)!;
  expect(said).toMatch(/1\. First \(a\.txt:2\)\n {3}Why First\.\n2\. Second \(new\.txt:1-2\)[^]*Small steps\.$/);
  expect(newest(id).findings.map(({ state }) => state)).toEqual(['sent', 'sent', 'dismissed']);
  await rig.core.dispose();
  await rig.open();
  expect(newest(id).findings.map(({ state }) => state)).toEqual(['sent', 'sent', 'dismissed']);
  const again = await review(id);
  expect(told).toMatch(/dismissed these[^]*- Third \(a\.txt\)/);
  expect(again.findings.map(({ state }) => state)).toEqual(['dismissed', 'open']);
  await rig.call('findings/dismiss', { reviewId: again.id, findingIds: ['f1'], dismissed: false });
  expect(newest(id).findings[0]!.state).toBe('open');
});

test('a task that reaches Review is reviewed by itself where its project says so, by the model that it names', async () => {
  rig = await Rig.start((request) => {
    if (isReview(request)) return [answer(found('By itself', 'a.txt', 2))];
    return lastOutput(request) ? [say('Done.')] : [patch];
  });
  const off = await rig.create('change a.txt');
  await rig.reaches(off.id, 'review');
  await rig.call('project/reviewing', { projectId: rig.project.id, review: { on: true, model: 'gpt-5.5-other' } });
  const on = await rig.create('change a.txt');
  await rig.until(() => newest(on.id)?.state === 'done', 'a review by itself');
  expect(newest(on.id)).toMatchObject({ by: 'auto', model: 'gpt-5.5-other', findings: [{ title: 'By itself' }] });
  expect(rig.model.requests.find(({ body }) => isReview(body))!.body.model).toBe('gpt-5.5-other');
  expect(reviewsOf(rig.board, off.id)).toEqual([]);
  const plan = await rig.create('change a.txt', { kind: 'ask' });
  await rig.reaches(plan.id, 'review');
  expect(reviewsOf(rig.board, plan.id)).toEqual([]);
});

test('a core that ends in the middle says so at its next start; deleting a task ends its review', async () => {
  const id = await changed(
    () => [stall(0)],
    () => [stall(0)],
  );
  const n = rig.model.requests.length;
  await rig.call('review/start', { taskId: id });
  await rig.model.request(n + 1);
  await rig.call('task/delete', { taskId: id });
  expect(newest(id).state).toBe('stopped');
  await rig.call('task/restore', { taskId: id });
  await rig.call('review/start', { taskId: id });
  await rig.model.request(n + 2);
  await rig.core.dispose();
  await rig.open();
  expect(newest(id).state).not.toBe('running');
  await rig.call('task/delete', { taskId: id });
  await rig.call('task/purge', { taskId: id });
  expect(Object.keys(rig.board.reviews)).toEqual([]);
});

test('a file of the worktree is read as it is now, and nothing else', async () => {
  const id = await changed();
  const read = (path: string) => rig.call('file/read', { taskId: id, path });
  expect(await read('a.txt')).toEqual({ text: 'one\n2\nthree\n', binary: false });
  writeFileSync(join(rig.worktree(id), 'big.txt'), 'x'.repeat(2_000_000));
  writeFileSync(join(rig.worktree(id), 'bin'), Buffer.from([0, 1, 2]));
  symlinkSync('/etc/passwd', join(rig.worktree(id), 'link'));
  git(rig.worktree(id), 'status');
  await expect(read('big.txt')).rejects.toThrow(/2000000 bytes/);
  expect(await read('bin')).toMatchObject({ binary: true, text: '' });
  await expect(read('gone.txt')).rejects.toMatchObject({ detail: { code: 'not-found' } });
  for (const path of ['/etc/passwd', '../x', 'link']) await expect(read(path)).rejects.toThrow();
});
