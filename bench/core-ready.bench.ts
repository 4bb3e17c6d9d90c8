/**
 * Core ready: from typing `signalbox serve` until the core has answered its first request (the whole board), with 1,000
 * tasks on disk and a warm compile cache.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { AttemptId, ProjectId, TaskId, ThreadId, WorkspaceId } from '../agent-core/contract/index.ts';
import { createTask } from '../agent-core/domain/tasks.ts';
import { nextTurn } from '../agent-core/domain/turns.ts';
import { connectSocket } from '../agent-core/hosts/attach.ts';
import { REPLY_LIMIT, socketChannel } from '../agent-core/hosts/channels.ts';
import { connectClient } from '../agent-core/hosts/client.ts';
import { defaultSettings } from '../agent-core/runtime/settings.ts';
import { Store } from '../agent-core/storage/store.ts';
import { newId } from '../agent-core/support/ids.ts';
import { ended } from './by-hand.ts';
import { median, ms, report, scratch, time } from './lib.ts';

const home = scratch();

async function fill(count: number): Promise<void> {
  const store = new Store(join(home, 'signalbox.db'), defaultSettings());
  const projectId = newId<ProjectId>('proj');
  await store.commit({
    events: [
      {
        type: 'project.opened',
        project: { id: projectId, name: 'p', root: '/p', repo: '/p', subdir: '', gitDir: '/p/.git', sample: false, openedAt: 1 },
      },
    ],
  });
  for (let n = 0; n < count; n++) {
    const ids = {
      task: newId<TaskId>('task'),
      attempt: newId<AttemptId>('att'),
      thread: newId<ThreadId>('thr'),
      workspace: newId<WorkspaceId>('ws'),
    };
    await store.commit({
      events: [
        ...createTask(
          store.board,
          { projectId, prompt: `Task ${n}`, start: false, dependsOn: [], origin: 'app', inPlace: false },
          { base: { ref: 'main', kind: 'local' }, model: 'demo' },
          ids,
          n,
        ),
      ],
    });
    const turn = { ...nextTurn(store.board.threads[ids.thread]!, newId('turn'), n), status: 'completed' as const, endedAt: n };
    await store.commit({
      events: [
        { type: 'task.phased', taskId: ids.task, phase: 'archived' },
        { type: 'turn.ended', taskId: ids.task, turn },
      ],
    });
  }
  store.close();
}

const env = { ...process.env, SIGNALBOX_HOME: home, NODE_COMPILE_CACHE: join(home, 'compile-cache') };

/** Milliseconds for which a process's main thread was ready to run and had to wait for a processor (Linux: schedstat). */
function waited(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6;
  } catch {
    return 0;
  }
}

interface Start {
  ready: number;
  /** Of that, waiting for a processor that others used. */
  waited: number;
  url: number;
}

/** One start, from the command to the answer; ended as a person would, so that it leaves its compile cache. */
async function start(): Promise<Start> {
  const began = performance.now();
  const child = spawn(join(import.meta.dirname, '..', 'bin', 'signalbox'), ['serve', '--json'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const url = new Promise<number>((resolve) => {
    createInterface({ input: child.stdout }).once('line', () => resolve(performance.now() - began));
  });
  for (;;) {
    const socket = await connectSocket(home);
    if (!socket) {
      await new Promise((resolve) => setTimeout(resolve, 4));
      continue;
    }
    const client = await connectClient(socketChannel(socket, REPLY_LIMIT));
    const done = { ready: performance.now() - began, waited: waited(child.pid!) };
    if (Object.keys(client.board.tasks).length !== 1000) throw new Error('The board is not whole.');
    client.close();
    const at = await url;
    child.kill('SIGTERM');
    await exited;
    return { ...done, url: at };
  }
}

await fill(1000);
const bare: number[] = [];
const starts: Start[] = [];
for (let round = -2; round < 9; round++) {
  const node = await time(() => ended(process.execPath, ['-e', 'console.log(1)']));
  const one = await start();
  if (round < 0) continue;
  bare.push(node);
  starts.push(one);
}
const ready = median(starts.map((one) => one.ready));
const waiting = median(starts.map((one) => one.waited));
report({
  what: 'core ready, 1,000 tasks on disk (`signalbox serve` to the whole board over the socket)',
  value: `${ms(ready)}${waiting > 5 ? `, of which ${ms(waiting)} waiting for a processor that others used` : ''}`,
  baseline: `bare Node ${ms(median(bare))}; the address printed after ${ms(median(starts.map((one) => one.url)))}`,
  budget: '≤ 300 ms besides that wait',
  ok: ready - waiting <= 300,
});
