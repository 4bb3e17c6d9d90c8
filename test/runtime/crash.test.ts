import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import type { TaskId } from '../../agent-core/contract/index.ts';
import { call, say, startModelServer } from '../model-server/index.ts';
import { git, Rig } from './support.ts';

let rig: Rig;
let child: ChildProcess | null = null;
afterEach(async () => {
  child?.kill('SIGKILL');
  await rig.close();
});

const processesWith = (marker: string): string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(marker);
      } catch {
        return false;
      }
    });
async function eventually(is: () => boolean, what: string): Promise<void> {
  for (let n = 0; n < 300; n++) {
    if (is()) return;
    await delay(50);
  }
  throw new Error(`never: ${what}`);
}

test('after kill -9 of the core nothing acknowledged is missing, no process is left, and each task resumes on a click', async () => {
  rig = new Rig();
  const marker = `31${process.pid}`;
  let resumed = false;
  rig.model = await startModelServer((request) => {
    const done = request.input.some((item) => item.type === 'function_call_output');
    if (resumed) return [say('Went on.')];
    return done
      ? [say('never')]
      : [
          say('Working on it.'),
          call('exec_command', { cmd: `git commit -q --allow-empty -m kept; touch begun; (setsid sleep ${marker} &) ; sleep ${marker}` }),
        ];
  });
  const core = (child = spawn(process.execPath, [join(import.meta.dirname, 'crash-core.ts'), rig.home, rig.model.url, rig.repo], {
    stdio: ['ignore', 'pipe', 'inherit'],
  }));
  const ids: TaskId[] = [];
  for await (const line of createInterface({ input: core.stdout })) {
    ids.push((JSON.parse(line) as { id: TaskId }).id);
    if (ids.length === 3) break;
  }
  const worktrees = join(rig.home, 'worktrees');
  const begun = (): number =>
    existsSync(worktrees)
      ? readdirSync(worktrees)
          .flatMap((project) => readdirSync(join(worktrees, project)).map((slug) => join(worktrees, project, slug, 'begun')))
          .filter((path) => existsSync(path)).length
      : 0;
  await eventually(() => begun() === 3, 'three commands run');
  expect(processesWith(marker).length).toBeGreaterThan(0);
  core.kill('SIGKILL');
  await once(core, 'exit');
  await eventually(() => processesWith(marker).length === 0, 'no process is left over');

  await rig.open();
  expect(ids.map((id) => [rig.status(id), rig.thread(id).turn?.interruptedBy])).toEqual(ids.map(() => ['failed', 'crash']));
  for (const id of ids) {
    const { items } = await rig.call('thread/read', { threadId: rig.thread(id).id });
    expect(items.map((item) => item.type)).toEqual(['userMessage', 'agentMessage', 'command']);
    expect(items.every((item) => item.endedAt !== null)).toBe(true);
  }
  resumed = true;
  for (const id of ids) await rig.call('task/retry', { taskId: id });
  for (const id of ids) await rig.reaches(id, 'review');
  for (const id of ids) expect(git(rig.worktree(id), 'log', '--format=%s', '-1')).toBe('kept');
}, 60_000);
