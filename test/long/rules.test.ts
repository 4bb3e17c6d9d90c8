import { beforeAll, describe, expect, test } from 'vitest';
import { EGRESS } from './rules/egress.ts';
import { FENCE } from './rules/fence.ts';
import { GIT } from './rules/git.ts';
import { occurrences, runWithout, type Outcome } from './support/run.ts';
import type { Rule } from './support/rule.ts';

/** Every rule by room. SIGNALBOX_RULES=text runs those with that text in their name. */
const ROOMS: [string, Rule[]][] = [
  ['the fence', FENCE],
  ['the two gits', GIT],
  ['the way out', EGRESS],
];
const wanted = process.env['SIGNALBOX_RULES'] ?? '';

describe.each(ROOMS)('%s', (_, rules) => {
  const asked = rules.filter(({ name }) => name.includes(wanted));
  const green = new Map<string, Outcome>();
  const key = ({ tests, only }: Rule) => `${tests.join(' ')} ${only ?? ''}`;

  beforeAll(async () => {
    for (const rule of asked) {
      if (rule.skip || green.has(key(rule))) continue;
      green.set(key(rule), await runWithout([], rule));
    }
  }, 1_800_000);

  for (const rule of asked)
    test.skipIf(rule.skip)(`without ${rule.name} a test is red${rule.skip ? ` (skipped: ${rule.skip})` : ''}`, async () => {
      for (const cut of rule.cuts) expect(occurrences(cut), `${cut.file} has this once: ${cut.cut}`).toBe(1);
      expect(green.get(key(rule))).toMatchObject({ failed: [], broken: [], output: '' });
      expect(green.get(key(rule))?.passed).toBeGreaterThan(0);
      const without = await runWithout(rule.cuts, rule);
      expect(without.applied, 'the tests ran without the rule').toBe(true);
      expect(without.broken).toEqual([]);
      expect(without.failed, 'no test noticed that the rule was gone').not.toEqual([]);
    });
});
