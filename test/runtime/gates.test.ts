import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { call, lastOutput, say, type Script } from '../model-server/index.ts';
import { Rig } from './support.ts';

let rig: Rig;
afterEach(() => rig.close());

const outside = (cmd: string, prefix?: string[]): ReturnType<typeof call> =>
  call('exec_command', {
    cmd,
    sandbox_permissions: 'require_escalated',
    justification: 'why not',
    ...(prefix ? { prefix_rule: prefix } : {}),
  });
const outputs = (request: Parameters<Script>[0]): number => request.input.filter((item) => item.type === 'function_call_output').length;

test('allowing for the project saves a rule in words: the like runs outside unasked in every task of it, until revoked', async () => {
  rig = await Rig.start((request) => (outputs(request) === 0 ? [outside(`touch ${rig.folder}/made`, ['touch'])] : [say('ok')]));
  const made = join(rig.folder, 'made');
  const first = await rig.create('One');
  await rig.reaches(first.id, 'needs-approval');
  const [approval] = Object.values(rig.board.approvals);
  // `touch` alone, as the model proposed, would stand for every file.
  expect(approval!.prefix).toEqual(['touch', made]);
  await rig.call('approval/decide', { approvalIds: [approval!.id], decision: 'approve', scope: 'project' });
  await rig.reaches(first.id, 'review');
  expect(existsSync(made)).toBe(true);
  const [rule] = Object.values(rig.board.rules);
  expect(rule).toMatchObject({ scope: 'project', prefix: ['touch', made], projectId: rig.project.id });

  rmSync(made);
  const second = await rig.create('Two');
  await rig.reaches(second.id, 'review');
  expect(existsSync(made)).toBe(true);

  rmSync(made);
  await rig.call('rule/revoke', { ruleId: rule!.id });
  const third = await rig.create('Three');
  await rig.reaches(third.id, 'needs-approval');
  expect(existsSync(made)).toBe(false);
});

test('a rule for a task holds in that task only', async () => {
  rig = await Rig.start((request) => (outputs(request) < 2 ? [outside(`touch ${rig.folder}/x`)] : [say('ok')]));
  const first = await rig.create('One');
  await rig.reaches(first.id, 'needs-approval');
  await rig.call('approval/decide', {
    approvalIds: Object.values(rig.board.approvals).map(({ id }) => id),
    decision: 'approve',
    scope: 'task',
  });
  await rig.reaches(first.id, 'review');
  const second = await rig.create('Two');
  await rig.reaches(second.id, 'needs-approval');
});

test('a command with a pipe can be allowed once and never as a rule', async () => {
  rig = await Rig.start((request) => (outputs(request) === 0 ? [outside('echo hi | cat', ['echo'])] : [say('ok')]));
  const task = await rig.create('Pipe');
  await rig.reaches(task.id, 'needs-approval');
  const [approval] = Object.values(rig.board.approvals);
  expect(approval!.prefix).toBeNull();
  await expect(rig.call('approval/decide', { approvalIds: [approval!.id], decision: 'approve', scope: 'project' })).rejects.toMatchObject({
    detail: { code: 'not-allowed' },
  });
  expect(rig.board.rules).toEqual({});
  expect(rig.status(task.id)).toBe('needs-approval');
  await rig.call('approval/decide', { approvalIds: [approval!.id], decision: 'approve' });
  await rig.reaches(task.id, 'review');
});

test('several approvals are answered at once', async () => {
  rig = await Rig.start((request) => (outputs(request) === 0 ? [outside('true')] : [say('ok')]));
  const tasks = await Promise.all([rig.create('One'), rig.create('Two'), rig.create('Three')]);
  for (const { id } of tasks) await rig.reaches(id, 'needs-approval');
  const approvalIds = Object.values(rig.board.approvals).map(({ id }) => id);
  expect((await rig.call('approval/decide', { approvalIds, decision: 'approve' })).decided).toHaveLength(3);
  for (const { id } of tasks) await rig.reaches(id, 'review');
});

test.each([
  ['read-only', 'echo x > f.txt && echo written', false],
  ['workspace', 'echo x > f.txt && echo written', true],
  ['full', 'echo x > f.txt && ls -d "$HOME" && echo written', true],
] as const)('in mode %s a command may write the worktree: %s → %s', async (mode, cmd, written) => {
  let seen = '';
  rig = await Rig.start((request) => {
    if (outputs(request) === 0) return [call('exec_command', { cmd })];
    seen = lastOutput(request);
    return [say('ok')];
  });
  const task = await rig.create('Write', { mode });
  await rig.reaches(task.id, 'review');
  expect(existsSync(join(rig.worktree(task.id), 'f.txt'))).toBe(written);
  expect(seen.includes('written')).toBe(written);
});

test('mode ask asks before each command', async () => {
  rig = await Rig.start((request) => (outputs(request) === 0 ? [call('exec_command', { cmd: 'echo x > f.txt' })] : [say('ok')]));
  const task = await rig.create('Write', { mode: 'ask' });
  await rig.reaches(task.id, 'needs-approval');
  expect(existsSync(join(rig.worktree(task.id), 'f.txt'))).toBe(false);
  await rig.call('approval/decide', { approvalIds: Object.values(rig.board.approvals).map(({ id }) => id), decision: 'approve' });
  await rig.reaches(task.id, 'review');
  expect(existsSync(join(rig.worktree(task.id), 'f.txt'))).toBe(true);
});

test('a key lives in a file of the person’s own and nowhere else', async () => {
  rig = await Rig.start(() => [say('ok')]);
  const settings = await rig.call('settings/write', { change: {}, key: 'sk-very-secret-123' });
  expect(settings).toMatchObject({ hasKey: true, keySource: 'settings' });
  expect(statSync(join(rig.home, 'secrets.json')).mode & 0o777).toBe(0o600);
  const task = await rig.create('Use it');
  await rig.reaches(task.id, 'review');
  expect(rig.model.requests[0]!.headers.authorization).toBe('Bearer sk-very-secret-123');
  for (const name of ['signalbox.db', 'signalbox.db-wal']) {
    const file = join(rig.home, name);
    if (existsSync(file)) expect(readFileSync(file).includes('sk-very-secret-123')).toBe(false);
  }
  await rig.call('settings/write', { change: {}, key: '' });
  expect(existsSync(join(rig.home, 'secrets.json'))).toBe(false);
});
