/** Core ready: from starting the process until it answers its first request, 1,000 tasks on disk, compile cache warm. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { AttemptId, ProjectId, TaskId, ThreadId, WorkspaceId } from '../agent-core/contract/index.ts';
import { createTask } from '../agent-core/domain/tasks.ts';
import { nextTurn } from '../agent-core/domain/turns.ts';
import { defaultSettings } from '../agent-core/runtime/settings.ts';
import { Store } from '../agent-core/storage/store.ts';
import { newId } from '../agent-core/support/ids.ts';
import { alternate, median, ms, report, scratch } from './lib.ts';

const home = scratch();

async function fill(count: number): Promise<void> {
  const store = new Store(join(home, 'signalbox.db'), defaultSettings());
  const projectId = newId<ProjectId>('proj');
  await store.commit({
    events: [{ type: 'project.opened', project: { id: projectId, name: 'p', root: '/p', repo: '/p', subdir: '', gitDir: '/p/.git', sample: false, openedAt: 1 } }],
  });
  for (let n = 0; n < count; n++) {
    const ids = { task: newId<TaskId>('task'), attempt: newId<AttemptId>('att'), thread: newId<ThreadId>('thr'), workspace: newId<WorkspaceId>('ws') };
    await store.commit({
      events: [
        ...createTask(store.board, { projectId, prompt: `Task ${n}`, start: false, dependsOn: [], origin: 'app', inPlace: false },
          { base: { ref: 'main', kind: 'local' }, model: 'demo' }, ids, n),
      ],
    });
    const turn = { ...nextTurn(store.board.threads[ids.thread]!, newId('turn'), n), status: 'completed' as const, endedAt: n };
    await store.commit({ events: [{ type: 'task.phased', taskId: ids.task, phase: 'archived' }, { type: 'turn.ended', taskId: ids.task, turn }] });
  }
  store.close();
}

/** Starts a process and resolves when it has printed a line. */
function untilLine(args: string[], kill = true): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    child.stdout.once('data', () => { if (kill) child.kill('SIGKILL'); });
    child.once('exit', () => resolve());
    child.once('error', reject);
  });
}

await fill(1000);
const here = import.meta.dirname;
// A killed process writes no compile cache: one that ends by itself fills it first.
await untilLine([join(here, 'core-process.ts'), home, 'warm'], false);
const measured = await alternate(9, {
  bare: () => untilLine(['-e', 'console.log(1)']),
  core: () => untilLine([join(here, 'core-process.ts'), home]),
});
const ready = median(measured.core);
report({ what: 'core ready, 1,000 tasks on disk', value: ms(ready), baseline: `bare Node ${ms(median(measured.bare))}`, budget: '≤ 300 ms', ok: ready <= 300 });
