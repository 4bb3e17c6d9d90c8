import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, expect, test } from 'vitest';
import { say } from '../model-server/index.ts';
import { Rig } from '../runtime/support.ts';

let rig: Rig;
afterEach(() => rig.close());

test.each([
  ['threads', false],
  ['attempts', false],
  ['workspaces', false],
  ['attempts', true],
] as const)(
  'a task whose record in %s is spoilt (its log too: %s) shows why, can be retried and deleted for good',
  async (kind, andLog) => {
    rig = await Rig.start(() => [say('ok')]);
    const task = await rig.create('Spoilt');
    await rig.reaches(task.id, 'review');
    const worktree = rig.worktree(task.id);
    await rig.core.dispose();
    const db = new DatabaseSync(join(rig.home, 'signalbox.db'));
    db.prepare('UPDATE doc SET json = ? WHERE kind = ?').run('{"id": 7', kind);
    if (andLog) {
      db.prepare("UPDATE event SET json = '{}' WHERE type = 'attempt.created'").run();
      db.prepare("UPDATE doc SET json = 'x' WHERE kind = 'threads'").run();
    }
    db.close();
    await rig.open();
    const lost = kind === 'threads' || andLog;
    expect(rig.status(task.id)).toBe(lost ? 'failed' : 'review');
    if (lost) expect(rig.thread(task.id).turn!.error!.message).toContain('spoilt');
    expect(rig.worktree(task.id)).toBe(worktree);
    // The next start finds it mended.
    await rig.core.dispose();
    await rig.open();
    expect(rig.status(task.id)).toBe(lost ? 'failed' : 'review');
    if (lost) {
      await rig.call('task/retry', { taskId: task.id });
      await rig.reaches(task.id, 'review');
    }
    await rig.call('task/delete', { taskId: task.id });
    await rig.call('task/purge', { taskId: task.id });
    expect(rig.board.tasks).toEqual({});
    expect(existsSync(worktree)).toBe(false);
  },
);
