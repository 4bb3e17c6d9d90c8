import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { ItemOf, TaskId } from '../../agent-core/contract/index.ts';
import { call, customCall, lastOutput, say, scriptByPrompt, textOf } from '../model-server/index.ts';
import { Rig } from '../runtime/support.ts';

let rig: Rig;
afterEach(() => rig.close());

const proposed = '<proposed_plan>\n# Greet\n1. Add `hello.txt`\n   One line.\n2. Link it (after 1)\n3. Check it\n</proposed_plan>';
const addFile = customCall('apply_patch', '*** Begin Patch\n*** Add File: hello.txt\n+hi\n*** End Patch\n');
const turnOf = (id: TaskId) => rig.thread(id).turn!;
const items = async (id: TaskId) => (await rig.call('thread/read', { threadId: rig.thread(id).id })).items;
const planIn = async (id: TaskId) => (await items(id)).findLast((item): item is ItemOf<'proposal'> => item.type === 'proposal')!;
const done = (id: TaskId, turns = 1) =>
  rig.until(() => rig.thread(id).turn?.number === turns && turnOf(id).status !== 'running', `turn ${turns} of the task`);

async function planned(more: Parameters<Rig['create']>[1] = {}): Promise<TaskId> {
  const task = await rig.create('plan a greeting', { kind: 'plan', ...more });
  await done(task.id);
  return task.id;
}
const start = () =>
  Rig.start(scriptByPrompt({ 'plan a greeting': [say(`I looked.\n\n${proposed}`)], 'Carry out this plan': [addFile, say('Done.')] }));

test.each([
  ['the sandbox', 'workspace'],
  ['full access', 'full'],
] as const)('a plan turn changes nothing in %s, whatever the model tries', async (_name, mode) => {
  const outputs: string[] = [];
  rig = await Rig.start((request) => {
    outputs.push(lastOutput(request));
    const next = [
      [call('exec_command', { cmd: 'echo x > made.txt; echo y >> a.txt; git commit -qam z; mkdir sub; true' })],
      [call('exec_command', { cmd: 'echo x > made.txt', sandbox_permissions: 'require_escalated', justification: 'please' })],
      [addFile],
      [call('exec_command', { cmd: "apply_patch <<'EOF'\n*** Begin Patch\n*** Add File: b.txt\n+x\n*** End Patch\nEOF" })],
      [say(proposed)],
    ];
    return next[outputs.length - 1] ?? [say('Hm.')];
  });
  const id = await planned({ mode });
  expect(outputs[1]).toMatch(/Read-only file system/);
  expect(outputs[2]).toMatch(/nothing runs outside the sandbox in a turn that plans or answers/);
  expect(outputs[3]).toMatch(/read-only/);
  expect(outputs[4]).toMatch(/read-only/);
  expect(turnOf(id)).toMatchObject({ kind: 'plan', status: 'completed' });
  expect(turnOf(id).treeAfter).toBe(turnOf(id).treeBefore);
  expect(existsSync(join(rig.worktree(id), 'made.txt'))).toBe(false);
  expect((await rig.call('diff/read', { taskId: id })).files).toEqual([]);
  expect((await planIn(id)).steps.map(({ text }) => text)).toEqual(['Add `hello.txt`', 'Link it', 'Check it']);
});

test('a command that a work turn left running cannot be typed into by a plan turn', async () => {
  let session = 0;
  const outputs: string[] = [];
  rig = await Rig.start((request, n) => {
    if (n === 1) return [call('exec_command', { cmd: 'bash', tty: true, yield_time_ms: 250 })];
    session ||= Number(/session ID (\d+)/.exec(lastOutput(request))?.[1]);
    if (n === 2) return [say('It runs.')];
    if (n === 3) return [call('write_stdin', { session_id: session, chars: 'touch made.txt\n' })];
    outputs.push(lastOutput(request));
    return [say(proposed)];
  });
  const { id } = await rig.create('start a shell');
  await done(id);
  await rig.call('turn/start', { threadId: rig.thread(id).id, text: 'now plan', kind: 'plan' });
  await done(id, 2);
  expect(outputs[0]).toMatch(/nothing may be typed into it now/);
  expect(existsSync(join(rig.worktree(id), 'made.txt'))).toBe(false);
});

test('a plan is edited, survives a restart, and is started here in work mode as it was edited', async () => {
  rig = await start();
  const id = await planned();
  const { id: itemId, steps, revision } = await planIn(id);
  const [first, second] = steps as [(typeof steps)[0], (typeof steps)[0]];
  const mine = { id: 'mine', text: 'Say hello twice', detail: '', after: [] };
  await rig.call('plan/edit', { itemId, revision, steps: [{ ...second, after: [] }, mine, { ...first, text: 'Add hello' }] });
  await expect(rig.call('plan/edit', { itemId, revision, steps: [] })).rejects.toMatchObject({ detail: { code: 'conflict' } });
  await rig.core.dispose();
  await rig.open();
  const edited = await planIn(id);
  expect(edited.steps.map(({ text }) => text)).toEqual(['Link it', 'Say hello twice', 'Add hello']);
  await rig.call('plan/start', { itemId, revision: edited.revision });
  await done(id, 2);
  expect(turnOf(id).kind ?? 'work').toBe('work');
  expect(existsSync(join(rig.worktree(id), 'hello.txt'))).toBe(true);
  const said = rig.model.requests
    .at(-1)!
    .body.input.filter((item) => item.role === 'user')
    .map(textOf)
    .at(-1);
  expect(said).toMatch(/1\. Link it\n2\. Say hello twice\n3\. Add hello\n {3}One line\./);
  expect((await planIn(id)).state).toBe('started');
  await expect(rig.call('plan/start', { itemId, revision: (await planIn(id)).revision })).rejects.toMatchObject({
    detail: { code: 'conflict' },
  });
});

test('chosen steps become tasks that wait for each other, all or none of them', async () => {
  rig = await start();
  const id = await planned();
  const { id: itemId, steps, revision } = await planIn(id);
  const ids = steps.map((step) => step.id);
  const split = { itemId, revision, stepIds: ids.slice(0, 2), order: 'marked', start: false } as const;
  await expect(rig.call('plan/split', { ...split, stepIds: ['s1', 'nope'] })).rejects.toMatchObject({ detail: { code: 'conflict' } });
  expect(Object.keys(rig.board.tasks).length).toBe(1);
  const { taskIds } = await rig.call('plan/split', split);
  expect(taskIds.map((task) => rig.task(task).dependsOn)).toEqual([[], [taskIds[0]]]);
  expect(rig.task(taskIds[0]!)).toMatchObject({ title: 'Add `hello.txt`', phase: 'held' });
  expect(rig.task(taskIds[1]!).prompt).toMatch(/^Link it\n\nIt is step 2 of a plan/);
  const after = await planIn(id);
  expect(after.steps.map((step) => step.taskId)).toEqual([...taskIds, null]);
  await expect(rig.call('plan/split', { ...split, revision: after.revision })).rejects.toMatchObject({ detail: { code: 'conflict' } });
  const last = await rig.call('plan/split', { ...split, revision: after.revision, stepIds: ['s3'], order: 'sequence' });
  expect(rig.task(last.taskIds[0]!).dependsOn).toEqual([]);
});

test('a task that only planned is nothing to build on: what depends on it waits', async () => {
  rig = await start();
  const id = await planned();
  expect(rig.status(id)).toBe('review');
  const next = await rig.create('plan a greeting', { kind: 'plan', dependsOn: [id] });
  await rig.call('plan/start', { itemId: (await planIn(id)).id, revision: 1 });
  expect(rig.thread(next.id).turn).toBe(null);
  await done(id, 2);
  await done(next.id);
});

test('a new plan takes the place of the old one; a turn that ends without one says so', async () => {
  rig = await Rig.start(
    scriptByPrompt({
      'plan a greeting': [say(proposed)],
      again: [say('<proposed_plan>\n1. Other\n</proposed_plan>')],
      never: [say('No plan.')],
    }),
  );
  const id = await planned();
  const old = await planIn(id);
  await rig.call('turn/start', { threadId: rig.thread(id).id, text: 'again', kind: 'plan' });
  await done(id, 2);
  const all = (await items(id)).filter((item) => item.type === 'proposal');
  expect(all.map(({ state }) => state)).toEqual(['replaced', 'open']);
  await expect(rig.call('plan/start', { itemId: old.id, revision: all[0]!.revision })).rejects.toThrow(/newer plan/);
  await rig.call('turn/start', { threadId: rig.thread(id).id, text: 'never', kind: 'plan' });
  await done(id, 3);
  expect((await items(id)).at(-1)).toMatchObject({ type: 'notice', text: expect.stringContaining('without a plan') });
});

test('the model is told what a turn is for when that changes, and only then; the start of the request stays', async () => {
  rig = await Rig.start((request) => {
    const said =
      request.input
        .filter((item) => item.role === 'user')
        .map(textOf)
        .at(-1) ?? '';
    return [say(said.startsWith('two') ? 'Answer.' : proposed)];
  });
  const id = await planned();
  const say2 = async (text: string, kind: 'work' | 'plan' | 'ask', turns: number) => {
    await rig.call('turn/start', { threadId: rig.thread(id).id, text, kind });
    await done(id, turns);
  };
  await say2('two', 'ask', 2);
  await say2('two more', 'ask', 3);
  await say2('two and work', 'work', 4);
  const told = rig.model.requests.map(({ body }) =>
    body.input
      .map(textOf)
      .filter((text) => text.startsWith('<turn_mode>'))
      .map((text) => /\n(\w+):/.exec(text)?.[1]),
  );
  expect(told).toEqual([['Plan'], ['Plan', 'Ask'], ['Plan', 'Ask'], ['Plan', 'Ask', 'Work']]);
  for (const [at, { body }] of rig.model.requests.entries()) {
    const before = at ? rig.model.requests[at - 1]!.body : body;
    expect(body.tools).toEqual(before.tools);
    expect(JSON.stringify(body.input).startsWith(JSON.stringify(before.input).slice(0, -1))).toBe(true);
  }
});

test('a question in a plan turn is answered, and a resumed turn goes on as what it was', async () => {
  let asked = false;
  rig = await Rig.start((request) => {
    if (!asked) {
      asked = true;
      return [
        call('request_user_input', {
          questions: [{ id: 'q', header: 'Which', question: 'Which one?', options: [{ label: 'A', description: 'a' }] }],
        }),
      ];
    }
    return lastOutput(request).includes('"A"') ? [say(proposed)] : [say('Lost.')];
  });
  const task = await rig.create('plan a greeting', { kind: 'plan', mode: 'workspace', approval: 'on-request' });
  await rig.until(() => rig.status(task.id) === 'has-question', 'a question');
  writeFileSync(join(rig.worktree(task.id), 'person.txt'), 'mine\n');
  const question = Object.values(rig.board.questions)[0]!;
  await rig.call('question/answer', { questionId: question.id, answers: { q: 'A' } });
  await done(task.id);
  expect((await planIn(task.id)).steps.length).toBe(3);
  await rig.call('task/retry', { taskId: task.id });
  await done(task.id, 2);
  expect(turnOf(task.id).kind).toBe('plan');
});
