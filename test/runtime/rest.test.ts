import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import type { TaskId } from '../../agent-core/contract/index.ts';
import { call, lastOutput, say } from '../model-server/index.ts';
import { Rig } from './support.ts';

let rig: Rig;
afterEach(() => rig.close());

/** Processes that this one has started and that still run: each machine is held by one. */
const children = (): number =>
  readdirSync('/proc').filter((name) => {
    try {
      return (
        /^\d+$/.test(name) &&
        readFileSync(`/proc/${name}/stat`, 'utf8')
          .replace(/^.*\) /, '')
          .split(' ')[1] === String(process.pid)
      );
    } catch {
      return false;
    }
  }).length;
const comeTo = (count: number) => expect.poll(children, { timeout: 15_000 }).toBe(count);

test('machines of tasks that are done are given back, come back when they are looked at, and stay where something runs', async () => {
  rig = await Rig.start((request) => {
    const serves = JSON.stringify(request.input).includes('Serve');
    return lastOutput(request)
      ? [say('ok')]
      : [call('exec_command', { cmd: serves ? 'sleep 600' : 'echo new > new.txt', ...(serves ? { yield_time_ms: 250 } : {}) })];
  });
  const before = children();
  const ids: TaskId[] = [];
  for (const prompt of ['Write one', 'Write two', 'Serve']) {
    const { id } = await rig.create(prompt);
    await rig.reaches(id, 'review');
    ids.push(id);
  }
  const [landed, archived, serving] = ids as [TaskId, TaskId, TaskId];
  expect(children()).toBeGreaterThanOrEqual(before + 3);
  await rig.call('land/merge', { taskId: landed, method: 'squash' });
  await rig.call('task/archive', { taskId: serving });
  const { id: terminalId } = await rig.call('terminal/open', { taskId: archived, cols: 80, rows: 24 });
  const busy = children();
  await rig.call('task/archive', { taskId: archived });
  await comeTo(busy - 1);
  await rig.call('terminal/close', { terminalId });
  const { files } = await rig.call('diff/read', { taskId: archived });
  expect(files.map(({ path }) => path)).toEqual(['new.txt']);
  expect((await rig.call('diff/read', { taskId: landed })).files.map(({ path }) => path)).toEqual(['new.txt']);
  await rig.call('task/stop', { taskId: serving });
  await rig.call('diff/read', { taskId: serving });
  await comeTo(before);
}, 60_000);
