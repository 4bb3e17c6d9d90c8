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
const [id] = (await rig.tasks(makeRepository(join(folder, 'repo')), 1)) as [Parameters<CoreRig['thread']>[0]];
const threadId = rig.thread(id).id;

/** One more turn, to its very end. */
async function turn(): Promise<void> {
  const number = rig.thread(id).turn!.number + 1;
  const over = (): boolean => rig.thread(id).turn?.number === number && rig.status(id) === 'review';
  await rig.call('turn/start', { threadId, text: 'Go on.' });
  await new Promise<void>((resolve) => {
    const heard = rig.core.onEvents(() => {
      if (!over()) return;
      heard.dispose();
      resolve();
    });
  });
}

const turns: number[] = [];
/** What the core's own process worked for a turn: the machine's other work is no part of it. */
const worked: number[] = [];
const heaps: number[] = [];
for (let n = 2; n <= TURNS; n++) {
  const before = process.cpuUsage();
  turns.push(await time(turn));
  const { user, system } = process.cpuUsage(before);
  worked.push((user + system) / 1000);
  if (n % EDGE === 0) {
    heaps.push(await heap());
    console.error(
      `  ${n * STEPS} steps: ${ms(median(turns.slice(-EDGE)) / STEPS)} a step, of which ${ms(median(worked.slice(-EDGE)) / STEPS)} work, heap ${heaps.at(-1)!.toFixed(1)} MB`,
    );
  }
}
const first = median(worked.slice(1, EDGE + 1)) / STEPS;
const last = median(worked.slice(-EDGE)) / STEPS;
const took = median(turns.slice(-EDGE)) / STEPS;
report({
  what: `the core's work for a step at the end of a thread of ${total} steps (turns' edges and compactions included)`,
  value: `${times(last / first)} (${ms(last)})`,
  baseline: `at its beginning ${ms(first)}; with the wait for model, disk and processor ${ms(took)}`,
  budget: '≤ 1.3 ×',
  ok: last <= first * 1.3,
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
const edge = await time(turn);
report({
  what: 'its next turn after that, a hundred steps',
  value: ms(edge / STEPS),
  baseline: `before ${ms(took)} a step`,
  budget: '≤ 1.5 ×',
  ok: edge / STEPS <= took * 1.5,
});
await rig.core.dispose();
model.end();
