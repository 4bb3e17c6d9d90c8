/**
 * A model without latency, in a process of its own, for a thread of thousands of steps: each turn is `argv[2]` calls that
 * need no process, then a word. It says of itself that the window fills, so that the thread is compacted as a real one is.
 */
import type { InputItem } from '../test/model-server/index.ts';
import { call, say, startModelServer, usage } from '../test/model-server/index.ts';

const STEPS = Number(process.argv[2]);
/** A step fills the window (272,000 tokens) by so much: it is compacted about every 350 steps. */
const TOKENS = 700;

const isOutput = (item: InputItem): boolean => (item as { type?: string }).type === 'function_call_output';
const server = await startModelServer(
  ({ input, tools }) => {
    if (!tools?.length) return [say('Notes: it goes on.')];
    const since = input.slice(input.findLastIndex((item) => (item as { role?: string }).role === 'user') + 1).filter(isOutput).length;
    const done = since % (STEPS + 1);
    const fill = usage({ input: 4000 + input.filter(isOutput).length * TOKENS, output: 20 });
    if (done >= STEPS) return [say('Done.'), fill];
    return [call('update_plan', { plan: [{ step: `Step ${done} of this turn, in a few words`, status: 'in_progress' }] }), fill];
  },
  { fast: true },
);
process.stdout.write(`${server.url}\n`);
process.stdin.on('end', () => process.exit(0));
process.stdin.resume();
