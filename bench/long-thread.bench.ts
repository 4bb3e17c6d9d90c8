/**
 * A long conversation costs no more at its end than at its beginning: 10,000 steps of one thread through the real core (100
 * turns, compacted as they fill the window), then the same home opened anew.
 */
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { makeRepository } from '../test/runtime/support.ts';
import { median, ms, report, scratch, time, times } from './lib.ts';
import { CoreRig, Lines } from './rig.ts';

const TURNS = Number(process.env['BENCH_TURNS'] ?? 100);
const STEPS = 100;
/** Whole periods from one compaction to the next. */
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 7);
const EDGE = Math.max(3, TURNS / 10);
const total = (TURNS * STEPS).toLocaleString('en');

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
async function heap(): Promise<number> {
  for (let n = 0; n < 3; n++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return process.memoryUsage().heapUsed / 2 ** 20;
}

const folder = scratch();
const home = join(folder, 'home');
const model = new Lines('long-model.ts', [String(STEPS)]);
const url = await model.next();
let rig = await CoreRig.open(home, url);
const repo = makeRepository(join(folder, 'repo'));
const [id] = (await rig.tasks(repo, 1)) as [Parameters<CoreRig['thread']>[0]];
const threadId = rig.thread(id).id;

/** One more turn, to its very end. Milliseconds that the core's own process worked for it: the machine's other work is no part of it. */
async function work(task: typeof id): Promise<number> {
  const thread = rig.thread(task);
  const number = thread.turn!.number + 1;
  const over = (): boolean => rig.thread(task).turn?.number === number && rig.status(task) === 'review';
  const before = process.cpuUsage();
  await rig.call('turn/start', { threadId: thread.id, text: 'Go on.' });
  await new Promise<void>((resolve) => {
    const heard = rig.core.onEvents(() => {
      if (!over()) return;
      heard.dispose();
      resolve();
    });
  });
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

const turns: number[] = [];
const worked: number[] = [];
const heaps: number[] = [];
for (let n = 2; n <= TURNS; n++) {
  turns.push(await time(async () => worked.push(await work(id))));
  if (n % EDGE === 0) {
    heaps.push(await heap());
    console.error(
      `  ${n * STEPS} steps: ${ms(median(turns.slice(-EDGE)) / STEPS)} a step, of which ${ms(median(worked.slice(-EDGE)) / STEPS)} work, heap ${heaps.at(-1)!.toFixed(1)} MB`,
    );
  }
}
const took = median(turns.slice(-EDGE)) / STEPS;
// A young thread beside it, in turns with the old one: whatever else the machine does hits both alike.
const [young] = (await rig.tasks(repo, 1)) as [typeof id];
for (let n = 0; n < 4; n++) await work(young);
const beside = { old: 0, young: 0 };
for (let n = 0; n < ROUNDS; n++) {
  beside.old += await work(id);
  beside.young += await work(young);
}
report({
  what: `the core's work for a step of a thread of ${total} steps (turns' edges and compactions included)`,
  value: `${times(beside.old / beside.young)} (${ms(beside.old / ROUNDS / STEPS)})`,
  baseline: `a thread of ${(5 + ROUNDS) * STEPS} steps beside it ${ms(beside.young / ROUNDS / STEPS)}; with the wait for model, disk and processor ${ms(took)}`,
  budget: '≤ 1.3 ×',
  ok: beside.old <= beside.young * 1.3,
});
const grown = heaps.at(-1)! - heaps[1]!;
report({
  what: `core memory that the later nine tenths of that thread cost`,
  value: `${grown.toFixed(1)} MB`,
  baseline: `heap ${heaps[1]!.toFixed(1)} MB before them`,
  budget: '≤ 5 MB',
  ok: grown <= 5,
});

await rig.core.dispose();
rig = await CoreRig.open(home, url);
let page = { items: [] as unknown[], turns: [] as unknown[] };
const opening = await time(async () => {
  await rig.call('thread/subscribe', { threadId });
  page = await rig.call('thread/read', { threadId, limit: 200 });
});
const found: number[] = [];
for (let n = 0; n < 20; n++) found.push(await time(() => rig.call('search/items', { query: `step ${n}`, threadId })));
report({
  what: 'opening that thread in a core that has just started: its newest 200 items and their turns',
  value: ms(opening),
  baseline: `${page.items.length} items, ${page.turns.length} turns; a search through it ${ms(median(found))}`,
  budget: '≤ 300 ms with the page',
  ok: opening <= 100 && median(found) <= 100,
});
await rig.core.dispose();
model.end();
