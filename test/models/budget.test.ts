import { afterEach, expect, test } from 'vitest';
import { budgetsOf, type ApprovalId, type TaskId } from '../../agent-core/contract/index.ts';
import { Rig } from '../runtime/support.ts';
import { call, outputOf, roundsAfter, say, usage, type Script, type Step } from '../model-server/index.ts';

let rig: Rig;
afterEach(() => rig.close());

const tokens = usage({ input: 900, cached: 0, output: 100, reasoning: 0 });
/** A turn of this many commands and then a word. */
const steps =
  (count: number): Script =>
  (request): Step[] => {
    const from = request.input.findLastIndex((item) => item.role === 'user');
    return roundsAfter(request, from) < count ? [call('exec_command', { cmd: 'true' }), tokens] : [say('Done.'), tokens];
  };
const gate = () => Object.values(rig.board.approvals)[0]!;
const answer = (decision: 'approve' | 'decline') => rig.call('approval/decide', { approvalIds: [gate().id], decision });
const nextGate = async (id: TaskId, after: ApprovalId) => {
  await rig.until(() => rig.status(id) === 'needs-approval' && gate().id !== after, 'a further gate');
};

test('a spent budget of a task stops the work before its next step and asks; yes raises it by as much again, no stops the turn', async () => {
  rig = await Rig.start(steps(6));
  await rig.call('settings/write', {
    change: { defaults: { mode: 'workspace', approval: 'on-request', budgets: { task: { commands: 2 } } } },
  });
  const { id } = await rig.create('Go on');
  await rig.reaches(id, 'needs-approval');
  expect(gate()).toMatchObject({ kind: 'budget', subject: 'Budget spent: 2 commands of 2 commands for this task', prefix: null });
  expect(gate().effect).toContain('4 commands');
  expect(rig.model.requests.length).toBe(2);
  const first = gate().id;
  await answer('approve');
  await nextGate(id, first);
  expect(rig.model.requests.length).toBe(4);
  expect(rig.task(id).budgets).toEqual({ task: { commands: 4 } });
  expect(rig.task(id).worked!.commands).toBe(4);
  await answer('decline');
  await rig.reaches(id, 'review');
  expect(rig.thread(id).turn).toMatchObject({ status: 'interrupted', interruptedBy: 'person' });
  expect(rig.model.requests.length).toBe(4);
  // The next turn asks at once; raised, it works, and the API takes its history.
  await rig.call('turn/start', { threadId: rig.thread(id).id, text: 'And now' });
  await rig.reaches(id, 'needs-approval');
  await rig.call('task/budget', { taskId: id, budgets: { task: { commands: null } } });
  await answer('approve');
  await rig.until(() => rig.status(id) === 'review' || rig.status(id) === 'needs-approval', 'it goes on');
  while (rig.status(id) === 'needs-approval') await answer('approve');
  await rig.reaches(id, 'review');
  expect(rig.model.refused).toEqual([]);
  expect(outputOf(rig.model.requests.at(-1)!.body, 'none')).toBeUndefined();
});

test.each([
  ['tokens', { tokens: 2500 }, 3],
  ['money', { money: 0.0001 }, 1],
] as const)('a turn’s budget of %s counts that turn alone', async (_name, budget, requests) => {
  rig = await Rig.start(steps(4));
  const { id } = await rig.create('Go on', { start: false });
  await rig.call('task/budget', { taskId: id, budgets: { turn: budget } });
  await rig.call('task/start', { taskId: id });
  await rig.reaches(id, 'needs-approval');
  expect(rig.model.requests.length).toBe(requests);
  await answer('decline');
  await rig.reaches(id, 'review');
  await rig.call('turn/start', { threadId: rig.thread(id).id, text: 'Another' });
  await rig.reaches(id, 'needs-approval');
  expect(rig.model.requests.length).toBe(2 * requests);
});

test('minutes are those of work: waiting for a person costs none', async () => {
  let gated = false;
  rig = await Rig.start((request, n) => {
    gated ||= n > 1;
    return n < 3 ? [call('exec_command', { cmd: 'sleep 0.4' }), tokens] : steps(0)(request, n);
  });
  const { id } = await rig.create('Slowly', { start: false });
  await rig.call('task/budget', { taskId: id, budgets: { task: { minutes: 0.005 } } });
  await rig.call('task/start', { taskId: id });
  await rig.reaches(id, 'needs-approval');
  const worked = rig.task(id).worked!.ms;
  expect(worked).toBeGreaterThan(300);
  const since = Date.now();
  await rig.until(() => true, 'now');
  await new Promise((resolve) => {
    setTimeout(resolve, 1500);
  });
  expect(Date.now() - since).toBeGreaterThan(1400);
  await rig.call('task/budget', { taskId: id, budgets: { task: { minutes: 60 } } });
  await answer('approve');
  await rig.reaches(id, 'review');
  await rig.until(() => rig.task(id).worked!.ms > worked, 'the rest is counted');
  expect(rig.task(id).worked!.ms).toBeLessThan(worked + 1400);
  expect(gated).toBe(true);
});

test('it asks again after a restart, and what was counted is still there', async () => {
  rig = await Rig.start(steps(3));
  const { id } = await rig.create('Go on', { start: false });
  await rig.call('task/budget', { taskId: id, budgets: { task: { commands: 1 } } });
  await rig.call('task/start', { taskId: id });
  await rig.reaches(id, 'needs-approval');
  await rig.core.dispose();
  await rig.open();
  await rig.reaches(id, 'failed');
  expect(rig.task(id).worked!.commands).toBe(1);
  await rig.call('task/retry', { taskId: id });
  await rig.reaches(id, 'needs-approval');
  expect(rig.model.requests.length).toBe(1);
});

test('where nobody is there to be asked the turn fails with the reason', async () => {
  rig = await Rig.start(steps(3));
  await rig.call('project/budget', { projectId: rig.project.id, budgets: { turn: { commands: 1 } } });
  const { id } = await rig.create('Go on', { origin: 'exec', approval: 'never' });
  await rig.reaches(id, 'failed');
  expect(rig.thread(id).turn!.error).toMatchObject({
    code: 'budget-spent',
    message: expect.stringContaining('1 command for this turn') as string,
  });
});

test('the nearest word holds: the task’s over the project’s over the settings’, and null is no limit', async () => {
  rig = await Rig.start(steps(0));
  await rig.call('settings/write', {
    change: { defaults: { mode: 'workspace', approval: 'on-request', budgets: { task: { tokens: 5, money: 1 } } } },
  });
  await rig.call('project/budget', { projectId: rig.project.id, budgets: { task: { tokens: 6, minutes: 2 }, turn: { commands: 3 } } });
  const { id } = await rig.create('Look', { start: false });
  await rig.call('task/budget', { taskId: id, budgets: { task: { money: null } } });
  expect(budgetsOf(rig.board, rig.task(id))).toEqual({ turn: { commands: 3 }, task: { tokens: 6, money: null, minutes: 2 } });
});
