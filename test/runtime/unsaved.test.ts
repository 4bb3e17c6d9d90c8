import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, expect, test, vi } from 'vitest';
import { say } from '../model-server/index.ts';
import { Rig } from './support.ts';

let rig: Rig;
afterEach(async () => {
  vi.restoreAllMocks();
  await rig.close();
});

test('a turn whose end could not be saved does not stay on working: it is saved as soon as that works again', async () => {
  let blocker: DatabaseSync | null = null;
  const release = (): void => {
    blocker?.close();
    blocker = null;
  };
  vi.spyOn(console, 'error').mockImplementation((text: unknown) => {
    if (String(text).includes('it is tried again')) release();
  });
  rig = await Rig.start((_request, n) => {
    if (n > 1) return [say('Went on.')];
    // Nothing can be written from here on, as on a full disk.
    blocker = new DatabaseSync(join(rig.home, 'signalbox.db'));
    blocker.exec('BEGIN IMMEDIATE');
    return [say('Done.')];
  });
  const task = await rig.create('Do it');
  await expect.poll(() => rig.status(task.id), { timeout: 45_000 }).toBe('failed');
  expect(blocker).toBeNull();
  await rig.call('task/retry', { taskId: task.id });
  await rig.reaches(task.id, 'review');
}, 60_000);
