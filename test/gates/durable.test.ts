import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { call, customCall, lastOutput, say, startModelServer, type Script } from '../model-server/index.ts';
import { Rig } from '../runtime/support.ts';

let rig: Rig;
let child: ChildProcess | null = null;
afterEach(async () => {
  child?.kill('SIGKILL');
  child = null;
  await rig.close();
});

const outputs = (request: Parameters<Script>[0]): string[] =>
  request.input.flatMap((item) =>
    item.type === 'function_call_output' || item.type === 'custom_tool_call_output' ? [JSON.stringify(item.output)] : [],
  );
const approvals = () => Object.values(rig.board.approvals);
const escalated = (cmd: string): ReturnType<typeof call> =>
  call('exec_command', { cmd, sandbox_permissions: 'require_escalated', justification: 'because' });
const lines = (file: string): number => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').length : 0);
const restart = async (): Promise<void> => {
  await rig.core.dispose();
  await rig.open();
};

test('after kill -9 an approval and a question stand, are answered, and their calls go on with the answer exactly once', async () => {
  rig = new Rig();
  const made = join(rig.folder, 'made');
  const heard: string[][] = [];
  rig.model = await startModelServer((request) => {
    const got = outputs(request);
    if (got.length) heard.push(got);
    if (got.length) return [say('Went on.')];
    const text = JSON.stringify(request.input);
    if (text.includes('First task')) return [escalated(`mkdir ${made}`)];
    if (text.includes('Second task'))
      return [
        call('request_user_input', {
          questions: [
            {
              id: 'which',
              header: 'Which',
              question: 'This or that?',
              options: [
                { label: 'This', description: '' },
                { label: 'That', description: '' },
              ],
            },
          ],
        }),
      ];
    return [say('nothing')];
  });
  const core = (child = spawn(
    process.execPath,
    [join(import.meta.dirname, '../runtime/crash-core.ts'), rig.home, rig.model.url, rig.repo],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  ));
  let seen = 0;
  for await (const _line of createInterface({ input: core.stdout })) if (++seen === 3) break;
  const open = (): number => {
    const db = new DatabaseSync(join(rig.home, 'signalbox.db'), { readOnly: true });
    try {
      return (db.prepare("SELECT count(*) AS n FROM doc WHERE kind IN ('approvals', 'questions')").get() as { n: number }).n;
    } finally {
      db.close();
    }
  };
  for (let n = 0; open() < 2; n++) {
    if (n > 300) throw new Error('never asked');
    await delay(50);
  }
  core.kill('SIGKILL');
  await once(core, 'exit');

  await rig.open();
  const [approval] = approvals();
  const [question] = Object.values(rig.board.questions);
  expect(approval!.subject).toBe(`mkdir ${made}`);
  expect(rig.status(approval!.taskId)).toBe('needs-approval');
  expect(rig.status(question!.taskId)).toBe('has-question');
  expect(heard).toEqual([]);
  // Another restart in between changes nothing.
  await restart();
  expect(approvals()).toHaveLength(1);

  await rig.call('approval/decide', { approvalIds: [approval!.id], decision: 'approve' });
  await rig.reaches(approval!.taskId, 'review');
  expect(existsSync(made)).toBe(true);
  await rig.call('question/answer', { questionId: question!.id, answers: { which: 'That' } });
  await rig.reaches(question!.taskId, 'review');
  expect(heard.map((got) => got.length)).toEqual([1, 1]);
  expect(heard[0]![0]).toContain('Process exited with code 0');
  expect(heard[1]![0]).toContain('That');
  expect(rig.model.refused).toEqual([]);

  for (const { taskId } of [approval!, question!]) {
    const { items } = await rig.call('thread/read', { threadId: rig.thread(taskId).id });
    expect(items.filter(({ endedAt }) => endedAt === null)).toEqual([]);
    expect(items.filter(({ type }) => type === 'command').length).toBe(taskId === approval!.taskId ? 1 : 0);
    expect(items.filter(({ type }) => type === 'approval' || type === 'question')).toHaveLength(1);
  }
});

test('an orderly restart keeps them too: a command, a patch and a no, each with its own answer', async () => {
  const told: string[] = [];
  rig = await Rig.start((request) => {
    if (outputs(request).length === 0)
      return [
        call('exec_command', { cmd: 'echo ran >> log.txt' }),
        customCall('apply_patch', '*** Begin Patch\n*** Add File: new.txt\n+new\n*** End Patch\n'),
      ];
    told.push(...outputs(request));
    return [say('ok')];
  });
  const task = await rig.create('Ask', { mode: 'ask' });
  await rig.until(() => approvals().length === 1, 'the first is asked');
  await restart();
  expect(rig.status(task.id)).toBe('needs-approval');
  await rig.call('approval/decide', { approvalIds: [approvals()[0]!.id], decision: 'approve' });
  // The patch runs alone, after the command: it had not asked yet when the core ended, so it is told to be lost.
  await rig.until(() => !approvals().length && rig.thread(task.id).turn?.status !== 'running', 'the turn rests');
  await rig.call('task/retry', { taskId: task.id });
  await rig.reaches(task.id, 'review');
  expect(lines(join(rig.worktree(task.id), 'log.txt'))).toBe(1);
  expect(told.join('\n')).toContain('Process exited with code 0');
  expect(told.join('\n')).toContain('Signalbox stopped before this call had finished');
});

test('a no given after a restart reaches the agent with its note', async () => {
  rig = await Rig.start((request) => (outputs(request).length === 0 ? [escalated('true')] : [say('ok')]));
  const task = await rig.create('No');
  await rig.reaches(task.id, 'needs-approval');
  await restart();
  await rig.call('approval/decide', { approvalIds: [approvals()[0]!.id], decision: 'decline', note: 'use the other' });
  await rig.reaches(task.id, 'review');
  expect(lastOutput(rig.model.requests.at(-1)!.body)).toContain('rejected by user: use the other');
});

test('an answer that no call had taken when the core died is taken by the next one, once', async () => {
  rig = await Rig.start((request) => (outputs(request).length === 0 ? [escalated(`mkdir ${rig.folder}/once`)] : [say('ok')]));
  const task = await rig.create('Once');
  await rig.reaches(task.id, 'needs-approval');
  const [approval] = approvals();
  await rig.core.dispose();
  // As a core leaves it that dies in the moment after the answer is on disk.
  const db = new DatabaseSync(join(rig.home, 'signalbox.db'));
  db.prepare("DELETE FROM doc WHERE kind = 'approvals'").run();
  const { taskId, threadId, callId, itemId, id: gateId } = approval!;
  const answer = { decision: 'approved', scope: 'once', note: '' };
  const json = JSON.stringify({ kind: 'answered', taskId, threadId, callId, gateId, itemId, approval: answer, answers: null });
  db.prepare('INSERT INTO intent (id, kind, task, json, at) VALUES (1000, ?, ?, ?, 0)').run('answered', taskId, json);
  db.close();
  await rig.open();
  await rig.reaches(task.id, 'review');
  expect(existsSync(join(rig.folder, 'once'))).toBe(true);
  await restart();
  expect(rig.status(task.id)).toBe('review');
  const left = new DatabaseSync(join(rig.home, 'signalbox.db'), { readOnly: true });
  expect(left.prepare('SELECT count(*) AS n FROM intent').get()).toEqual({ n: 0 });
  left.close();
  expect(rig.model.requests).toHaveLength(2);
});

test('stopping a task takes back what an earlier core asked; a message waits until it is answered', async () => {
  rig = await Rig.start((request) => (outputs(request).length === 0 ? [escalated('true')] : [say('ok')]));
  const task = await rig.create('Stop');
  await rig.reaches(task.id, 'needs-approval');
  await restart();
  const thread = rig.thread(task.id);
  expect((await rig.call('turn/start', { threadId: thread.id, text: 'and then this' })).queued).not.toBeNull();
  expect(rig.status(task.id)).toBe('needs-approval');
  await rig.call('task/stop', { taskId: task.id });
  expect(approvals()).toEqual([]);
  expect((await rig.call('thread/read', { threadId: thread.id })).items.filter(({ endedAt }) => endedAt === null)).toEqual([]);
  await rig.call('task/retry', { taskId: task.id });
  await rig.reaches(task.id, 'review');
  expect(rig.model.refused).toEqual([]);
});
