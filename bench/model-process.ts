/**
 * A model without latency, in a process of its own. Each turn is one command as a warm-up, then `STEPS` more, then a
 * last word. The first timed answer is held back until all threads wait for it, and so is the last word: what is
 * printed is the milliseconds between, in which all threads do steps and nothing else.
 * Arguments: the number of threads that run at once (0: no waiting, one step).
 */
import type { InputItem } from '../test/model-server/index.ts';
import { call, say, startModelServer } from '../test/model-server/index.ts';
import { STEPS } from './lib.ts';

let threads = Number(process.argv[2]);

/** Lets nobody pass before all have come. */
class Barrier {
  #waiting: (() => void)[] = [];
  readonly #onPass: () => void;
  constructor(onPass: () => void) {
    this.#onPass = onPass;
  }
  wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length < threads) return;
      this.#onPass();
      for (const pass of this.#waiting.splice(0)) pass();
    });
  }
}

let began = 0;
const begin = new Barrier(() => {
  began = performance.now();
});
const end = new Barrier(() => {
  process.stdout.write(`${performance.now() - began}\n`);
});

const outputsOfTurn = (input: readonly InputItem[]): number => {
  const from = input.findLastIndex((item) => (item as { role?: string }).role === 'user');
  return input.slice(from + 1).filter((item) => (item as { type?: string }).type === 'function_call_output').length;
};

const server = await startModelServer(
  async ({ input }) => {
    const done = typeof input === 'string' ? 0 : outputsOfTurn(input);
    if (threads === 0) return [done < 1 ? call('exec_command', { cmd: 'true' }) : say('Ready.')];
    if (done === 1) await begin.wait();
    if (done === STEPS + 1) await end.wait();
    return [done <= STEPS ? call('exec_command', { cmd: 'true' }) : say('Done.')];
  },
  { fast: true },
);
process.stdout.write(`${server.url}\n`);
process.stdin.on('data', (chunk: Buffer) => {
  threads = Number(chunk.toString());
  process.stdout.write('ok\n');
});
process.stdin.on('end', () => process.exit(0));
