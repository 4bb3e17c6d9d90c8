import { afterAll, afterEach, expect, test, vi } from 'vitest';
import type { ItemOf, ProposalStep } from '../../agent-core/contract/index.ts';
import { board, ids, item, turn } from '../renderer-task/support/fixtures.ts';
import { Failure } from '../renderer-task/support/core.ts';
import { axe, shutBrowser, soon, stage, type Setting, type Stage } from '../renderer-task/support/stage.ts';

let open: Stage[] = [];
const show = async (setting: Setting): Promise<Stage> => {
  const made = await stage(setting);
  open.push(made);
  return made;
};
afterEach(async () => {
  await Promise.all(open.map((made) => made.close()));
  open = [];
});
afterAll(shutBrowser);
vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 });

const step = (id: string, text: string, more: Partial<ProposalStep> = {}): ProposalStep => ({
  id,
  text,
  detail: '',
  after: [],
  taskId: null,
  ...more,
});
const steps = [
  step('s1', 'Key the cache by pair and UTC day in src/billing/rates.ts', {
    detail: 'Midnight belongs to the new day.\nCheck it with a fake clock.',
  }),
  step('s2', 'Share one request among renders that overlap', { after: ['s1'] }),
  step('s3', 'Read the same cache in the month-end report'),
];
const planned = turn({ kind: 'plan' });
const said = item('agentMessage', { text: 'I looked at `rates.ts`.\n\n<proposed_plan>\n# Cache\n1. Key the cache\n</proposed_plan>' });
const proposal = item('proposal', { title: 'Cache exchange rates per day', text: 'Rates are fetched once per pair and day.', steps });
const setting = (more: Partial<ItemOf<'proposal'>> = {}): Setting => ({
  board: board({ thread: { turn: planned } }),
  items: [item('userMessage', { text: 'Plan how to cache the rates.' }), said, { ...proposal, ...more }],
  turns: [planned],
});
const shots = process.env['SHOTS'];
const shoot = async ({ page }: Stage, name: string) => {
  if (!shots) return;
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: `${shots}/${name}-${colorScheme}.png` });
  }
};

test('a plan is a checklist: edited, reordered, added to and cut by keys alone', async () => {
  const made = await show(setting());
  const { page, core, problems } = made;
  let revision = 1;
  core.answers['plan/edit'] = () => ({ revision: ++revision });
  const plan = page.getByRole('region', { name: /^Plan, \d steps/ });
  await plan.waitFor();
  expect(await page.getByRole('log').textContent()).not.toContain('proposed_plan');
  expect(await axe(page)).toEqual([]);
  await shoot(made, 'plan');
  const texts = () => plan.locator('.step-text').allTextContents();
  await plan.getByRole('button', { name: /^Step 3:/ }).focus();
  await page.keyboard.press('Alt+ArrowUp');
  await soon(texts).toEqual([steps[0]!.text, steps[2]!.text, steps[1]!.text]);
  await soon(() => page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toMatch(/^Step 2: Read/);
  await page.keyboard.press('Enter');
  await page.keyboard.type(', too');
  await shoot(made, 'plan-edit');
  await page.keyboard.press('Enter');
  await soon(async () => (await texts())[1]).toMatch(/report, too$/);
  await soon(() => page.evaluate(() => document.activeElement?.className)).toBe('step-text');
  await page.keyboard.press('Delete');
  await soon(async () => (await texts()).length).toBe(2);
  await plan.getByRole('button', { name: 'Add a step' }).click();
  await page.keyboard.type('Write it down');
  await page.keyboard.press('Enter');
  await soon(texts).toEqual([steps[0]!.text, steps[1]!.text, 'Write it down']);
  await soon(() => core.called('plan/edit').map((input) => [input.revision, input.steps.map(({ text }) => text).length])).toEqual([
    [1, 3],
    [2, 3],
    [3, 2],
    [4, 3],
  ]);
  expect(await axe(page)).toEqual([]);
  expect(problems).toEqual([]);
});

test('it is started as it stands, and chosen steps become tasks', async () => {
  const { page, core } = await show(setting());
  core.answers['plan/split'] = () => ({ taskIds: [] });
  core.answers['plan/start'] = () => ({ turnId: null, queued: null });
  await page.getByRole('checkbox', { name: 'Choose step 1' }).click();
  await page.getByRole('checkbox', { name: 'Choose step 3' }).click();
  await page.getByRole('button', { name: 'Split into 2 tasks' }).click();
  await page.getByRole('menuitem', { name: 'Each waits for the one before it' }).click();
  expect(await core.until('plan/split')).toMatchObject({ stepIds: ['s1', 's3'], order: 'sequence', revision: 1 });
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  expect(await core.until('plan/start')).toMatchObject({ itemId: proposal.id, revision: 1 });
});

test('what cannot be saved is taken back and said beside the plan', async () => {
  const made = await show(setting());
  const { page, core } = made;
  core.answers['plan/edit'] = () => {
    throw new Failure('conflict', 'This plan was changed in another window.', { fix: 'Look at it as it is now, and do it again.' });
  };
  const plan = page.getByRole('region', { name: /^Plan, \d steps/ });
  await plan.getByRole('button', { name: /^Step 2:/ }).focus();
  await page.keyboard.press('Delete');
  await plan.getByText('changed in another window').waitFor();
  expect(await plan.locator('.step-text').count()).toBe(3);
  await shoot(made, 'plan-failed');
  core.emit({ type: 'item.updated', taskId: ids.task, item: { ...proposal, revision: 5, state: 'replaced' } });
  await plan.getByText('A newer plan took its place').waitFor();
  expect(await plan.getByRole('button', { name: 'Start' }).count()).toBe(0);
  expect(await axe(page)).toEqual([]);
});

test('⇧Tab in the composer goes around Work, Plan and Ask; the turn is sent as what it is for', async () => {
  const { page, core } = await show({ board: board(), items: [item('userMessage')] });
  core.answers['turn/start'] = () => ({ turnId: null, queued: null });
  const field = page.getByLabel('Message to the agent');
  await field.fill('Where are rates cached?');
  for (const kind of ['Plan', 'Ask', 'Work', 'Plan', 'Ask']) {
    await page.keyboard.press('Shift+Tab');
    await page.getByRole('button', { name: `Next turn: ${kind}` }).waitFor();
  }
  await page.keyboard.press('Control+Enter');
  expect(await core.until('turn/start')).toMatchObject({ kind: 'ask', text: 'Where are rates cached?' });
});

test('a new task says what it is for', async () => {
  const made = await show({ board: board(), items: [item('userMessage')] });
  const { page, core } = made;
  const folder = {
    root: '/src/atlas',
    repo: '/src/atlas',
    subdir: '',
    branch: 'main',
    head: 'abc',
    branches: ['main'],
    remoteBranches: [],
    files: 9,
    warnings: [],
  };
  core.answers['project/branches'] = () => folder;
  core.answers['task/create'] = () => core.board.tasks[ids.task]!;
  await page.keyboard.press('Control+n');
  await page.getByRole('textbox', { name: 'Task' }).fill('Plan the cache');
  await page.keyboard.press('Shift+Tab');
  expect(await page.getByRole('radio', { name: 'Plan' }).getAttribute('aria-checked')).toBe('true');
  await shoot(made, 'compose');
  await page.keyboard.press('Control+Enter');
  expect(await core.until('task/create')).toMatchObject({ kind: 'plan', prompt: 'Plan the cache' });
});
