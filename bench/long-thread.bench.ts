/** A long conversation costs no more at its end than at its beginning: 2,000 steps of a thread in the store, and a page of it read. */
import { join } from 'node:path';
import type { AttemptId, Item, ItemId, ProjectId, TaskId, ThreadId, TurnId, WorkspaceId } from '../agent-core/contract/index.ts';
import { createTask } from '../agent-core/domain/tasks.ts';
import { nextTurn } from '../agent-core/domain/turns.ts';
import { defaultSettings } from '../agent-core/runtime/settings.ts';
import { Store } from '../agent-core/storage/store.ts';
import { newId } from '../agent-core/support/ids.ts';
import { median, ms, report, scratch, time, times } from './lib.ts';

const COUNT = 2000;
const store = new Store(join(scratch(), 'signalbox.db'), defaultSettings());
const projectId = newId<ProjectId>('proj');
const ids = {
  task: newId<TaskId>('task'),
  attempt: newId<AttemptId>('att'),
  thread: newId<ThreadId>('thr'),
  workspace: newId<WorkspaceId>('ws'),
};
const project = { id: projectId, name: 'p', root: '/p', repo: '/p', subdir: '', gitDir: '/p/.git', sample: false, openedAt: 1 };
await store.commit({ events: [{ type: 'project.opened', project }] });
const input = { projectId, prompt: 'Long', start: false, dependsOn: [], origin: 'app' as const, inPlace: false };
await store.commit({ events: createTask(store.board, input, { base: { ref: 'main', kind: 'local' }, model: 'demo' }, ids, 1) });
const turn = nextTurn(store.board.threads[ids.thread]!, newId<TurnId>('turn'), 1);
await store.commit({ events: [{ type: 'turn.started', taskId: ids.task, turn }] });

/** What a step writes, in the runtime's order: the model's call, the command's beginning, its end with the output, the usage. */
async function step(n: number): Promise<void> {
  const item: Item = {
    id: newId<ItemId>('item'),
    threadId: ids.thread,
    turnId: turn.id,
    startedAt: n,
    endedAt: null,
    type: 'command',
    command: `step ${n}`,
    cwd: '/p',
    status: 'running',
    exitCode: null,
    output: '',
    outputBytes: 0,
    sessionId: null,
    outside: false,
  };
  const usage = { inputTokens: 1000, cachedTokens: 0, outputTokens: 10, reasoningTokens: 0, cost: null };
  const call = { type: 'function_call', call_id: `call_${n}`, name: 'exec_command', arguments: `{"cmd":"step ${n}"}` };
  void store.commit({ events: [{ type: 'turn.spent', taskId: ids.task, usage }] });
  await Promise.all([
    store.commit({ history: { threadId: ids.thread, items: [call] } }),
    store.commit({ events: [{ type: 'item.started', taskId: ids.task, item }] }),
  ]);
  const done: Item = { ...item, endedAt: n, status: 'completed', exitCode: 0, output: 'x'.repeat(2000), outputBytes: 2000 };
  const output = { type: 'function_call_output', call_id: `call_${n}`, output: done.output };
  await Promise.all([
    store.commit({ events: [{ type: 'item.completed', taskId: ids.task, item: done }] }),
    store.commit({ history: { threadId: ids.thread, items: [output] } }),
  ]);
}

const steps: number[] = [];
for (let n = 0; n < COUNT; n++) steps.push(await time(() => step(n)));
const first = median(steps.slice(100, 300));
const last = median(steps.slice(-200));
report({
  what: `a step written to disk at the end of a thread of ${COUNT.toLocaleString('en')} steps`,
  value: `${times(last / first)} (${ms(last)})`,
  baseline: `at its beginning ${ms(first)}`,
  budget: '≤ 1.3 ×',
  ok: last <= first * 1.3,
});
const pages: number[] = [];
const early: number[] = [];
const oldest = store.items(ids.thread, COUNT).items[60]!.id;
for (let n = 0; n < 50; n++) {
  pages.push(await time(async () => store.items(ids.thread, 100)));
  early.push(await time(async () => store.items(ids.thread, 50, oldest)));
}
report({
  what: 'a page of 100 items read from that thread',
  value: ms(median(pages)),
  baseline: `50 items before an early one ${ms(median(early))}; all that the model is sent ${ms(await time(async () => store.history(ids.thread)))}`,
  budget: '≤ 10 ms',
  ok: median(pages) <= 10,
});
store.close();
