import { readFileSync, rmSync } from 'node:fs';
import AxeBuilder from '@axe-core/playwright';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Browser, Page } from 'playwright';
import type { SpendRow } from '../../agent-core/contract/index.ts';
import { byDay, csv, daysBefore } from '../../renderer/features/usage/sums.ts';
import { buildRenderer, launch, open } from '../renderer/support/browser.ts';
import { fixtureCore, type FixtureCore } from '../renderer/support/fixture-core.ts';
import { busyFixture } from '../renderer/support/fixtures.ts';

const TODAY = '2026-03-02';
const row = (ago: number, project: string, model: string, cost: number, more: Partial<SpendRow> = {}): SpendRow => ({
  day: daysBefore(TODAY, ago),
  projectId: `proj_${project}` as SpendRow['projectId'],
  project,
  taskId: `task_${project}${ago}` as SpendRow['taskId'],
  title: `Task of ${project}`,
  model,
  requests: 12,
  inputTokens: 1_240_000,
  cachedTokens: 930_000,
  outputTokens: 41_000,
  reasoningTokens: 18_000,
  cost,
  unpriced: 0,
  ...more,
});
const rows = [
  row(40, 'atlas-web', 'gpt-5.5', 99),
  row(12, 'atlas-web', 'gpt-5.5', 4.2),
  row(3, 'ledger', 'gpt-5.5', 2.5, { title: null }),
  row(0, 'atlas-web', 'gpt-5-mini', 0.3),
  row(0, 'ledger', 'qwen3-coder:30b@home', 0, { unpriced: 1_281_000 }),
];

test('days follow the calendar over months and leap days; a day without anything is there', () => {
  expect(daysBefore('2024-03-01', 1)).toBe('2024-02-29');
  expect(byDay(rows, TODAY, 4).map(({ key, cost }) => [key, cost])).toEqual([
    ['2026-02-27', 2.5],
    ['2026-02-28', 0],
    ['2026-03-01', 0],
    ['2026-03-02', 0.3],
  ]);
});

test('the CSV quotes what needs it, and no cell is a formula', () => {
  const [, line] = csv([row(0, 'a,"b"', '=cmd()', 0.1, { title: null })]).split('\r\n');
  expect(line).toBe(`2026-03-02,"a,""b""",deleted task,'=cmd(),12,1240000,930000,41000,18000,0.1,0`);
});

describe('the page', () => {
  let browser: Browser;
  let core: FixtureCore;
  let page: Page;
  let problems: string[];
  let built: string;
  beforeAll(async () => {
    built = buildRenderer();
    browser = await launch();
  }, 60_000);
  afterAll(async () => {
    await browser.close();
    rmSync(built, { recursive: true, force: true });
  });
  afterEach(async () => {
    expect(problems).toEqual([]);
    await page.context().close();
    await core.close();
  });
  async function show(spent: SpendRow[], colorScheme: 'dark' | 'light' = 'dark'): Promise<void> {
    core = await fixtureCore(busyFixture(), built);
    core.answer({ 'usage/read': () => ({ rows: spent, today: TODAY }) });
    ({ page, problems } = await open(browser, core, { at: '#/usage', colorScheme }));
    page.setDefaultTimeout(5000);
    await page.getByRole('heading', { name: 'Usage' }).waitFor();
  }

  test('sums the span by project, model and task, and a longer span takes in more', async () => {
    await show(rows);
    const table = (name: string) => page.getByRole('region', { name: `${name}, table` });
    await table('By project')
      .getByRole('row', { name: /atlas-web \$4\.50/ })
      .waitFor();
    await table('By model')
      .getByRole('row', { name: /qwen3-coder:30b@home no price/ })
      .waitFor();
    await table('By task')
      .getByRole('row', { name: /Deleted tasks \$2\.50/ })
      .waitFor();
    expect(await page.getByRole('region', { name: 'Cost by day' }).getByRole('listitem').count()).toBe(30);
    await page.getByRole('radio', { name: '90 days' }).click();
    await table('By project')
      .getByRole('row', { name: /atlas-web \$103\.50/ })
      .waitFor();
  });

  test('exports what it shows', async () => {
    await show(rows);
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Export CSV' }).click()]);
    expect(file.suggestedFilename()).toBe('signalbox-usage-2026-03-02.csv');
    expect(readFileSync(await file.path(), 'utf8')).toBe(csv(rows.slice(1)));
  });

  test('follows what is spent meanwhile', async () => {
    await show([]);
    await page.getByText('Nothing was spent in the last 30 days').waitFor();
    core.answer({ 'usage/read': () => ({ rows, today: TODAY }) });
    const [task] = Object.values(core.board.tasks);
    core.emit({
      type: 'turn.spent',
      taskId: task!.id,
      usage: { inputTokens: 1, cachedTokens: 0, outputTokens: 1, reasoningTokens: 0, cost: 1 },
    });
    await page.getByRole('region', { name: 'Cost by day' }).waitFor();
  });

  test.each([
    ['dark', rows],
    ['light', rows],
    ['dark', []],
  ] as const)('is clean for axe in %s', async (scheme, spent) => {
    await show([...spent], scheme);
    await page.waitForLoadState('networkidle');
    const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']).analyze();
    expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html.slice(0, 200))])).toEqual([]);
  });
});
