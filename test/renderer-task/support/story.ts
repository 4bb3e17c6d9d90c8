import { itemId, item, ids } from './fixtures.ts';
import type { Item } from '../../../agent-core/contract/index.ts';
import type { Files } from './repo.ts';

const context = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => `export const fact${from + index} = ${from + index} // a line that stays`);

const before = [
  "import { format } from 'date-fns'",
  ...context(2, 8),
  'const pairs = new Map<string, Promise<Rate>>()',
  '',
  'export const dayKey = (a: Ccy, b: Ccy) =>',
  "  `${a}:${b}:${format(new Date(), 'yyyy-MM-dd')}`",
  ...context(13, 24),
  'export async function rate(from: Ccy, to: Ccy) {',
  '  return fetchRate(from, to)',
  '}',
  ...context(28, 44),
  'export async function ratesFor(codes: Ccy[], base: Ccy) {',
  '  const out: Rate[] = []',
  '  for (const c of codes) out.push(await rate(c, base))',
  '  return out',
  '}',
  '',
];
const swap = (lines: string[], wanted: string, put: string[]): string[] => lines.flatMap((line) => (line === wanted ? put : [line]));
let after = swap(before, before[11] ?? '', ['  `${a}:${b}:${utcDay(now())}`']);
after = swap(after, '  return fetchRate(from, to)', [
  '  const key = dayKey(from, to)',
  '  const hit = pairs.get(key)',
  '  if (hit) return hit',
  '',
  '  const next = fetchRate(from, to).catch((e) => {',
  '    pairs.delete(key)',
  '    throw e',
  '  })',
  '  pairs.set(key, next)',
  '  return next',
]);
after = swap(after, '  const out: Rate[] = []', ['  return Promise.all(codes.map((c) => rate(c, base)))']).filter(
  (line) => !line.startsWith('  for (const c') && line !== '  return out',
);

/** The files of the pictured task, before and after. */
export const storyBefore: Files = {
  'src/billing/rates.ts': before.join('\n'),
  'src/reports/month-end.ts': `${context(1, 50).join('\n')}\nconst r = await fetchRate(inv.ccy, base)\n${context(52, 60).join('\n')}\n`,
  'docs/billing.md': '# Billing\n\nRates come from the provider.\n',
};
export const storyAfter: Files = {
  'src/billing/rates.ts': after.join('\n'),
  'src/billing/rates.test.ts': `import { dayKey } from './rates'\n\n${Array.from({ length: 30 }, (_, index) => `test('case ${index}', () => { expect(dayKey('EUR', 'USD')).toBe('x${index}') })`).join('\n')}\n`,
  'src/reports/month-end.ts': `${context(1, 50).join('\n')}\nconst r = await rate(inv.ccy, base)\n${context(52, 60).join('\n')}\n`,
  'docs/billing.md': '# Billing\n\nRates come from the provider, once per pair and UTC day.\n',
  'package-lock.json': '{\n  "lockfileVersion": 3\n}\n',
};

export const failOutput =
  '\u001b[31mFAIL\u001b[39m src/billing/rates.test.ts > dayKey > keeps the UTC day\r\nExpected  \u001b[32mEUR:USD:2026-11-20\u001b[39m\nReceived  \u001b[31mEUR:USD:2026-11-19\u001b[39m\n\n 1 failed, 23 passed\n';

/** The pictured conversation. */
export const storyItems = (): Item[] => [
  item('userMessage', {
    text: 'Every invoice render fetches exchange rates. Cache them per currency pair and UTC day, and make the month-end report use the same cache. Keep the public API of rates.ts.',
  }),
  item('plan', {
    steps: [
      { step: 'Find every caller of fetchRate', status: 'completed' },
      { step: 'Cache by pair and UTC day, one request in flight per key', status: 'completed' },
      { step: 'Read the same cache in the month-end report', status: 'in_progress' },
      { step: 'Cover midnight and a failing provider', status: 'pending' },
    ],
  }),
  item('command', { command: "rg -n 'fetchRate(' src", output: 'src/billing/rates.ts:26\n', outputBytes: 24 }),
  item('fileChange', {
    changes: [
      { path: 'src/billing/rates.ts', movedTo: null, kind: 'update', added: 92, removed: 22 },
      { path: 'src/billing/rates.test.ts', movedTo: null, kind: 'add', added: 74, removed: 0 },
    ],
  }),
  item('command', { command: 'pnpm test rates', exitCode: 1, output: failOutput, outputBytes: failOutput.length, endedAt: null }),
  item('fileChange', { changes: [{ path: 'src/billing/rates.ts', movedTo: null, kind: 'update', added: 2, removed: 2 }] }),
  item('approval', {
    approvalId: 'appr_000000000001' as never,
    subject: 'npx tsd',
    reason: 'Type tests need a package from the registry.',
  }),
  item('command', { command: 'pnpm test', output: '128 passed\n', outputBytes: 11 }),
  item('agentMessage', {
    text: 'Rates are fetched once per pair and UTC day, and renders that overlap share one request in `rates.ts`. The month-end report reads the **same** cache.\n\n- All 128 tests pass.\n- The first run failed because the key used local time.\n\nSee [the docs](https://example.com/docs).',
  }),
];
export const storyApproval = {
  id: 'appr_000000000001' as never,
  taskId: ids.task,
  threadId: ids.thread,
  itemId: itemId(7),
  kind: 'escalate' as const,
  subject: 'npx tsd',
  argv: ['npx', 'tsd'],
  cwd: '/w',
  reason: 'Type tests need a package from the registry.',
  effect: 'The command runs outside the sandbox with the network of this machine.',
  prefix: ['npx', 'tsd'],
  at: 0,
};
