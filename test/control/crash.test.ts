import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import type { TaskId } from '../../agent-core/contract/index.ts';
import { call, say, userTexts } from '../model-server/index.ts';
import { Rig } from '../runtime/support.ts';

let rig: Rig;
afterEach(() => rig.close());

const FILES = 400;
const has = (id: TaskId, name: string): boolean => existsSync(join(rig.worktree(id), name));

test('killed in the middle of an undo, the next core finishes it: files and conversation agree, and what was undone comes back', async () => {
  rig = await Rig.start((request) => {
    const said = userTexts(request).at(-1)!;
    const last = request.input.at(-1);
    if (last?.type === 'function_call_output') return [say('ok')];
    return [call('exec_command', { cmd: `mkdir -p ${said}; for n in $(seq ${FILES}); do echo $n > ${said}/$n; done` })];
  });
  const { id } = await rig.create('x');
  await rig.reaches(id, 'review');
  const threadId = rig.thread(id).id;
  await rig.call('turn/start', { threadId, text: 'y' });
  await rig.until(() => rig.thread(id).turn?.number === 2 && rig.status(id) === 'review', 'turn 2');
  const turnId = rig.thread(id).turn!.id;
  await rig.core.dispose();

  const child = spawn(process.execPath, [join(import.meta.dirname, 'crash-core.ts'), rig.home, rig.model.url, threadId, turnId, 'z'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  // Killed as soon as its intent is on disk: from there on it must be finished, by whomever.
  const db = new DatabaseSync(join(rig.home, 'signalbox.db'), { readOnly: true });
  const intents = db.prepare("SELECT count(*) AS open FROM intent WHERE kind = 'rewind'");
  try {
    for (let n = 0; (intents.get() as { open: number }).open === 0; n++) {
      if (n > 20_000 || child.exitCode !== null) throw new Error('the undo never began');
      await delay(1);
    }
  } finally {
    child.kill('SIGKILL');
    db.close();
    await exited;
  }

  await rig.open();
  const { items, turns } = await rig.call('thread/read', { threadId });
  expect(items.flatMap((item) => (item.type === 'userMessage' ? [item.text] : []))).toEqual(['x']);
  expect(turns.map(({ number }) => number)).toEqual([1]);
  expect([has(id, 'x/1'), has(id, `x/${FILES}`), has(id, 'y')]).toEqual([true, true, false]);
  // What should be said instead was not lost.
  expect(rig.thread(id).queue.map(({ text }) => text)).toEqual(['z']);
  const [undone] = rig.thread(id).undone!;
  await rig.call('thread/redo', { threadId, undoId: undone!.id });
  expect([has(id, 'y/1'), has(id, `y/${FILES}`)]).toEqual([true, true]);
  expect(rig.thread(id).turn?.id).toBe(turnId);
  await rig.call('queue/send', { threadId, messageId: rig.thread(id).queue[0]!.id });
  await rig.until(() => rig.thread(id).turn?.number === 3 && rig.status(id) === 'review', 'turn 3');
  expect(has(id, `z/${FILES}`)).toBe(true);
}, 60_000);
