import { execFileSync } from 'node:child_process';
import { afterEach, expect, test } from 'vitest';
import { noRecipe, type TaskId, type TerminalId } from '../../agent-core/contract/index.ts';
import { call, lastOutput, say } from '../model-server/index.ts';
import { Rig } from '../runtime/support.ts';

let rig: Rig;
afterEach(() => rig.close());

const actions = [
  { name: 'Dev server', command: 'python3 -m http.server 4321 --bind 127.0.0.1' },
  { name: 'Test', command: 'echo tested; exit 3' },
  { name: 'Stubborn', command: "trap '' TERM; (trap '' TERM; sleep 600) & echo up; sleep 600" },
];
const running = (id: TaskId): string[] => (rig.task(id).running ?? []).map(({ name }) => name);
async function ready(): Promise<TaskId> {
  let asked = false;
  rig = await Rig.start((request) => {
    if (!asked) return [say('Done.')];
    return lastOutput(request)
      ? [say(lastOutput(request))]
      : [
          call('exec_command', {
            cmd: 'for n in 1 2 3 4 5 6 7 8 9; do curl -sS -m 3 http://127.0.0.1:4321/a.txt && break; sleep 0.3; done',
          }),
        ];
  });
  await rig.call('recipe/write', { projectId: rig.project.id, recipe: { ...noRecipe, actions } });
  const task = await rig.create('Serve');
  await rig.reaches(task.id, 'review');
  asked = true;
  return task.id;
}
async function screen(terminalId: TerminalId): Promise<string> {
  return (await rig.call('terminal/attach', { terminalId })).screen;
}

test('a dev server runs in a tab of its own, shows on the task, and answers the agent; stop ends it', async () => {
  const taskId = await ready();
  const [info, again] = await Promise.all([
    rig.call('action/start', { taskId, name: 'Dev server' }),
    rig.call('action/start', { taskId, name: 'Dev server' }),
  ]);
  expect(again.id).toBe(info.id);
  expect(info).toMatchObject({ title: 'Dev server', action: 'Dev server', running: true });
  expect(rig.task(taskId).running).toEqual([{ name: 'Dev server', terminalId: info.id }]);
  await rig.call('turn/start', { threadId: rig.thread(taskId).id, text: 'Look at it' });
  await rig.until(() => rig.thread(taskId).turn?.number === 2 && rig.status(taskId) === 'review', 'the second turn');
  const { items } = await rig.call('thread/read', { threadId: rig.thread(taskId).id });
  expect(items.findLast((item) => item.type === 'command')).toMatchObject({ output: expect.stringContaining('one\ntwo') as string });
  await rig.call('action/stop', { taskId, name: 'Dev server' });
  await rig.until(() => running(taskId).length === 0, 'stopped');
  const { terminals } = await rig.call('terminal/list', { taskId });
  expect(terminals).toMatchObject([{ id: info.id, running: false }]);
  await rig.call('action/stop', { taskId, name: 'Dev server' });
});

test('an action that ends by itself leaves its tab with its output and code; started again it takes that tab’s place', async () => {
  const taskId = await ready();
  const first = await rig.call('action/start', { taskId, name: 'Test' });
  await rig.until(() => rig.events.some(({ event }) => event.type === 'task.running' && event.running.length === 0), 'it has ended');
  expect(await screen(first.id)).toContain('tested');
  expect((await rig.call('terminal/list', { taskId })).terminals).toMatchObject([{ title: 'Test', running: false, exitCode: 3 }]);
  const second = await rig.call('action/start', { taskId, name: 'Test' });
  expect(second.id).not.toBe(first.id);
  expect((await rig.call('terminal/list', { taskId })).terminals.map(({ id }) => id)).toEqual([second.id]);
  await expect(rig.call('action/start', { taskId, name: 'Nothing' })).rejects.toThrow(/no action “Nothing”/);
});

test('one that ignores SIGTERM is ended all the same, its children too; a deleted task ends all of its own', async () => {
  const taskId = await ready();
  await rig.call('action/start', { taskId, name: 'Stubborn' });
  const left = (): string => execFileSync('sh', ['-c', "pgrep -f '^sleep 600$' | wc -l"], { encoding: 'utf8' }).trim();
  const before = left();
  await rig.call('action/stop', { taskId, name: 'Stubborn' });
  await rig.until(() => running(taskId).length === 0, 'stopped');
  expect(Number(left())).toBeLessThanOrEqual(Number(before));
  await rig.call('action/start', { taskId, name: 'Dev server' });
  await rig.call('task/delete', { taskId });
  await rig.until(() => running(taskId).length === 0, 'ended with the task');
});

test('after a restart nothing is said to run that does not', async () => {
  const taskId = await ready();
  await rig.call('action/start', { taskId, name: 'Dev server' });
  expect(running(taskId)).toEqual(['Dev server']);
  await rig.core.dispose();
  await rig.open();
  expect(running(taskId)).toEqual([]);
});
