/** Sandboxed command start: `true`, 200 times each in turn, against bare spawn and against the same bubblewrap by hand. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createSandbox } from '../agent-core/sandbox/index.ts';
import { byHand, ended } from './by-hand.ts';
import { alternate, median, ms, ratio, report, scratch, times } from './lib.ts';

const folder = scratch();
const worktree = join(folder, 'worktree');
mkdirSync(worktree);
const policy = {
  mode: 'workspace' as const,
  network: { allow: [] },
  limits: { processes: 1024, memoryBytes: 8 * 2 ** 30, fileBytes: 8 * 2 ** 30 },
};
const sandbox = createSandbox({ stateDir: join(folder, 'sandbox'), env: process.env });
const spec = { id: 'bench', stateDir: join(folder, 'state'), worktree, binds: [], policy, env: {} };
const driver = sandbox.driver(policy);
const machine = await driver.open(spec);

const args = [...(await byHand(machine)), 'true'];
const measured = await alternate(200, {
  bare: () => ended('true', []),
  hand: () => ended('bwrap', args),
  ours: async () => {
    await (
      await machine.run({ argv: ['true'] })
    ).exited;
  },
});
const first = await alternate(40, {
  first: async () => {
    const fresh = await driver.open({ ...spec, id: `bench-${performance.now()}`, stateDir: join(folder, `state-${performance.now()}`) });
    await (
      await fresh.run({ argv: ['true'] })
    ).exited;
    await fresh.dispose();
  },
});
const by = ratio(measured.ours, measured.hand);
report({
  what: 'sandboxed command start (joining its machine)',
  value: `${times(by)} (${ms(median(measured.ours))})`,
  baseline: `the same bwrap by hand ${ms(median(measured.hand))}, bare spawn ${ms(median(measured.bare))}`,
  budget: '≤ 1.3 ×',
  ok: by <= 1.3,
});
report({
  what: 'a machine opened, its first command run, and closed',
  value: `${times(ratio(first.first, measured.hand))} (${ms(median(first.first))})`,
  baseline: 'one bwrap by hand; ours is a machine for all later commands',
});
await machine.dispose();
