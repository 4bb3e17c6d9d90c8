/**
 * What the harness costs a step: 50 threads at once, each ten steps of a model call and a sandboxed `true`, through the
 * real core, against a bare loop of the openai client and the same bubblewrap. The model has no latency and runs in a
 * process of its own; it says when all began and when all had ended, so that only steps are timed.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import OpenAI from 'openai';
import type { ResponseInputItem } from 'openai/resources/responses/responses';
import { createSandbox } from '../agent-core/sandbox/index.ts';
import { makeRepository } from '../test/runtime/support.ts';
import { byHand } from './by-hand.ts';
import { median, ms, ratio, report, scratch, STEPS, times } from './lib.ts';
import { CoreRig, Lines } from './rig.ts';

const THREADS = 50;
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 3);
const folder = scratch();
const repo = makeRepository(join(folder, 'repo'));
const model = new Lines('model-process.ts', ['0']);
const url = await model.next();

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
async function memory(): Promise<number> {
  for (let n = 0; n < 3; n++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return process.memoryUsage.rss();
}

const rig = await CoreRig.open(join(folder, 'home'), url);
await rig.call('settings/write', { change: { concurrency: THREADS } });
const ids = await rig.tasks(repo, 10);
await rig.turns(ids);
const few = await memory();
ids.push(...(await rig.tasks(repo, THREADS - ids.length)));
const perThread = ((await memory()) - few) / (THREADS - 10) / 2 ** 20;

/** The tool as the bare loop tells it. */
const tools = [
  {
    type: 'function' as const,
    name: 'exec_command',
    description: 'Runs a command.',
    strict: false,
    parameters: { type: 'object', properties: { cmd: { type: 'string' } }, required: ['cmd'] },
  },
];
const client = new OpenAI({ baseURL: url, apiKey: 'sk-bench' });
const limits = { processes: 1024, memoryBytes: 8 * 2 ** 30, fileBytes: 8 * 2 ** 30 };
const policy = { mode: 'workspace' as const, network: { allow: [] }, limits };
const machine = await createSandbox({ stateDir: join(folder, 'sandbox'), env: process.env })
  .driver(policy)
  .open({ id: 'bare', stateDir: join(folder, 'state'), worktree: repo, binds: [], policy, env: {} });
const fence = await byHand(machine);

function run(command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('bwrap', [...fence, '/bin/bash', '-c', command], { stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.once('error', reject);
    child.once('close', (code) => resolve(`Exit code: ${code}\n${text}`));
  });
}

/** What one would write without Signalbox. */
async function bareTurn(): Promise<void> {
  const input: ResponseInputItem[] = [{ role: 'user', content: 'Go on.' }];
  for (;;) {
    const stream = await client.responses.create({ model: 'bench', input, tools, stream: true, store: false });
    const calls: { call_id: string; arguments: string }[] = [];
    for await (const event of stream) {
      if (event.type !== 'response.output_item.done') continue;
      input.push(event.item as ResponseInputItem);
      if (event.item.type === 'function_call') calls.push(event.item);
    }
    if (!calls.length) return;
    for (const { call_id, arguments: args } of calls) {
      input.push({ type: 'function_call_output', call_id, output: await run((JSON.parse(args) as { cmd: string }).cmd) });
    }
  }
}

console.error('  all threads are open');
await model.ask(String(THREADS));
const contenders = {
  bare: () => Promise.all(Array.from({ length: THREADS }, bareTurn)),
  core: () => rig.turns(ids),
};
const measured = { bare: [] as number[], core: [] as number[] };
for (let round = -1; round < ROUNDS; round++) {
  for (const name of ['bare', 'core'] as const) {
    const [said] = await Promise.all([model.next(), contenders[name]()]);
    console.error(`  ${name} ${ms(Number(said) / STEPS / THREADS)}`);
    if (round >= 0) measured[name].push(Number(said) / STEPS / THREADS);
  }
}
const by = ratio(measured.core, measured.bare);
report({
  what: `harness per step, ${THREADS} threads at once, ${STEPS} steps a turn`,
  value: `${times(by)} (${ms(median(measured.core))} a step)`,
  baseline: `openai client and the same bwrap, ${THREADS} at once: ${ms(median(measured.bare))}`,
  budget: '≤ 2.0 ×',
  ok: by <= 2,
});
report({
  what: 'core memory per more open thread (machine running, one turn done)',
  value: `${perThread.toFixed(2)} MB`,
  budget: '≤ 2 MB',
  ok: perThread <= 2,
});
await machine.dispose();
await rig.core.dispose();
model.end();
