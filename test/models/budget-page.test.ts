import { rmSync } from 'node:fs';
import AxeBuilder from '@axe-core/playwright';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Browser, Page } from 'playwright';
import type { Budgets, TaskId } from '../../agent-core/contract/index.ts';
import { buildRenderer, launch, open } from '../renderer/support/browser.ts';
import { fixtureCore, type FixtureCore } from '../renderer/support/fixture-core.ts';
import { busyFixture } from '../renderer/support/fixtures.ts';

let browser: Browser;
let core: FixtureCore;
let page: Page;
let problems: string[];
let built: string;
let taskId: TaskId;

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
const asked = (method: string) => core.calls.filter((call) => call.method === method).map((call) => call.params);

/** The page of a task that waits at a gate for more of its budget. */
async function show(budgets: Budgets, colorScheme: 'dark' | 'light' = 'dark'): Promise<void> {
  const fixture = busyFixture();
  const approval = Object.values(fixture.board.approvals)[0]!;
  taskId = approval.taskId;
  fixture.board.approvals[approval.id] = {
    ...approval,
    kind: 'budget',
    subject: 'Budget spent: $2.04 of $2.00 for this task',
    effect: 'Goes on until $4.00. Declining stops the turn here.',
    prefix: null,
    argv: null,
  };
  fixture.board.tasks[taskId] = { ...fixture.board.tasks[taskId]!, budgets, worked: { commands: 12, ms: 90_000 } };
  core = await fixtureCore(fixture, built);
  core.answer({
    'task/budget': ({ taskId: id, budgets: next }) => {
      core.emit({ type: 'task.budgeted', taskId: id, budgets: next });
      return {};
    },
  });
  ({ page, problems } = await open(browser, core, { at: `#/task/${taskId}`, colorScheme }));
  page.setDefaultTimeout(5000);
}

test('the header shows the tightest limit and how much of it is spent; a click changes it', async () => {
  await show({ task: { commands: 40 } });
  const bar = page.getByRole('button', { name: '12 of 40 commands' });
  expect(await bar.getByRole('meter', { name: 'Budget' }).getAttribute('aria-valuenow')).toBe('30');
  await bar.click();
  const dialog = page.getByRole('dialog', { name: 'Budget of this task' });
  const whole = dialog.getByRole('group', { name: 'A whole task' });
  await whole.getByLabel('Commands').fill('many');
  await dialog.getByRole('group', { name: 'Each turn' }).getByLabel('Tokens').focus();
  await whole.getByRole('alert').getByText('A number, or 0 for no limit.').waitFor();
  await whole.getByLabel('Commands').fill('20');
  await whole.getByLabel('Minutes of work').fill('2.5');
  await dialog.getByRole('button', { name: 'Done' }).click();
  await page.getByRole('button', { name: '1.5 of 2.5 min' }).waitFor();
  expect(asked('task/budget').at(-1)).toEqual({ taskId, budgets: { task: { commands: 20, minutes: 2.5 } } });
});

test('the gate in the inbox says what is spent, and offers to raise it or to stop', async () => {
  await show({ task: { money: 2 } });
  await page.evaluate(() => {
    location.hash = '#/inbox';
  });
  const detail = page.getByRole('region', { name: 'Go on over the budget' });
  await detail.getByText('Goes on until $4.00.').waitFor();
  expect(await detail.getByRole('button', { name: /Allow/ }).count()).toBe(0);
  await detail.getByRole('button', { name: /^Stop/ }).waitFor();
  await detail.getByRole('button', { name: /^Raise the budget/ }).click();
  await expect.poll(() => asked('approval/decide')).toMatchObject([{ decision: 'approve', scope: 'once' }]);
});

test.each(['dark', 'light'] as const)('the dialog and the bar are clean for axe in %s', async (scheme) => {
  await show({ task: { commands: 12 } }, scheme);
  await page.getByRole('button', { name: '12 of 12 commands' }).click();
  await page.getByRole('dialog').waitFor();
  const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']).analyze();
  expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html.slice(0, 200))])).toEqual([]);
});
