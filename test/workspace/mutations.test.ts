import { expect, test } from 'vitest';
import { MUTATIONS, sequence } from './mutations.ts';
import { liveThrough } from './mutations-run.ts';

/** SIGNALBOX_SEED=n lives through that one again; otherwise a few fixed ones and one that is new each day. */
const asked = process.env['SIGNALBOX_SEED'];
const seeds = asked ? [Number(asked)] : [1, 7, 23, Math.floor(Date.now() / 86_400_000)];

test.each(seeds)(
  'whatever an agent does to its worktree, nothing of it runs, is read or changes outside: seed %i',
  async (seed) => {
    expect((await liveThrough(seed)).length).toBeGreaterThan(0);
  },
  240_000,
);

test('a seed is one life', () => {
  expect(sequence(5, 8)).toEqual(sequence(5, 8));
  expect(
    new Set(
      Array.from({ length: 400 }, (_, seed) => sequence(seed, 8))
        .flat()
        .map(({ name }) => name),
    ).size,
  ).toBe(Object.keys(MUTATIONS).length);
});
