import { expect, test } from 'vitest';
import { liveThrough } from '../workspace/mutations-run.ts';

/** How long to go on, in seconds, and from which seed: SIGNALBOX_SECONDS and SIGNALBOX_SEED. */
const seconds = Number(process.env['SIGNALBOX_SECONDS'] ?? 600);
const first = Number(process.env['SIGNALBOX_SEED'] ?? Date.now() % 1_000_000_000);

test(`random lives of a worktree for ${seconds} seconds, from seed ${first}`, async () => {
  const until = Date.now() + seconds * 1000;
  let seed = first;
  for (; Date.now() < until; seed += 1) await liveThrough(seed);
  console.log(`${seed - first} lives, seeds ${first} to ${seed - 1}`);
  expect(seed).toBeGreaterThan(first);
});
