import { afterAll, afterEach, expect, test, vi } from 'vitest';
import type { EvidenceMark, Finding, Review } from '../../agent-core/contract/index.ts';
import { board, ids, item, turn } from '../renderer-task/support/fixtures.ts';
import { DiffRepo } from '../renderer-task/support/repo.ts';
import { axe, shutBrowser, soon, stage, type Setting, type Stage } from '../renderer-task/support/stage.ts';
import { storyAfter, storyBefore } from '../renderer-task/support/story.ts';

let open: { close: () => Promise<void> }[] = [];
const repository = (): DiffRepo => {
  const repo = new DiffRepo(storyBefore, storyAfter);
  open.push({ close: async () => repo.remove() });
  return repo;
};
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
const shots = process.env['SHOTS'];
const shoot = async ({ page }: Stage, name: string) => {
  if (!shots) return;
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: `${shots}/${name}-${colorScheme}.png` });
  }
};

const finding = (id: string, title: string, more: Partial<Finding> = {}): Finding => ({
  id,
  title,
  body: 'Two renders at once still fetch twice, because the entry is only written when the first answer is there.',
  priority: 1,
  confidence: 0.8,
  path: 'src/billing/rates.ts',
  line: 27,
  endLine: 28,
  place: 'diff',
  state: 'open',
  ...more,
});
const review = (more: Partial<Review> = {}): Review => ({
  id: 'rev_000000000001' as Review['id'],
  taskId: ids.task,
  target: { kind: 'task' },
  by: 'person',
  model: 'gpt-5.5',
  state: 'done',
  from: 'a',
  to: 'b',
  summary: 'The cache is right for one request at a time. Two things are left.',
  startedAt: Date.now() - 30_000,
  endedAt: Date.now(),
  error: null,
  findings: [
    finding('f1', 'Write the entry before the request, not after it'),
    finding('f2', 'Say in the docs that the cache is per process', {
      priority: 3,
      path: 'docs/billing.md',
      line: 3,
      endLine: 3,
      confidence: 0.55,
    }),
    finding('f3', 'Clear the cache at midnight', { priority: 0, path: 'src/clock.ts', line: 12, endLine: 12, place: 'file' }),
    finding('f4', 'Check the key', { priority: 2, path: 'src/gone.ts', line: 1, endLine: 1, place: 'nowhere' }),
    finding('f5', 'Rename it', { state: 'dismissed' }),
  ],
  ...more,
});
const withReview = (more?: Partial<Review>) => {
  const found = review(more);
  return { ...board(), reviews: { [found.id]: found } };
};

test('findings are a list and stand beside their lines; chosen ones are sent or kept out', async () => {
  const repo = repository();
  const made = await show({ board: withReview(), repo, tabs: ['changes'] });
  const { page, core, problems } = made;
  core.answers['findings/fix'] = () => ({ turnId: null, queued: null });
  const panel = page.getByRole('region', { name: 'Review', exact: true });
  await panel.getByText('5 findings, 4 open').waitFor();
  expect(await panel.locator('.finding-title').allTextContents()).toEqual([
    'Clear the cache at midnight',
    'Write the entry before the request, not after it',
    'Check the key',
    'Say in the docs that the cache is per process',
  ]);
  await panel.getByText('Points nowhere').waitFor();
  await panel.getByRole('button', { name: 'src/billing/rates.ts:27-28' }).click();
  await page.getByRole('group', { name: 'Finding: Write the entry before the request, not after it' }).waitFor();
  expect(await axe(page)).toEqual([]);
  await shoot(made, 'findings');
  await panel.getByRole('button', { name: 'Check the key' }).press('Enter');
  await panel.getByText('Two renders at once').waitFor();
  await panel.getByRole('checkbox', { name: /Write the entry/ }).press('Space');
  await panel.getByRole('button', { name: 'Fix 1 finding' }).click();
  expect(await core.until('findings/fix')).toMatchObject({ reviewId: review().id, findingIds: ['f1'] });
  await soon(() => panel.getByRole('button', { name: 'Fix 4 findings' }).count()).toBe(1);
  await panel.getByRole('checkbox', { name: /Check the key/ }).press('Space');
  await panel.getByRole('button', { name: 'Dismiss 1 finding' }).click();
  expect(await core.until('findings/dismiss')).toMatchObject({ findingIds: ['f4'], dismissed: true });
  await panel.getByRole('button', { name: 'Show 1 dismissed' }).click();
  await panel.getByRole('checkbox', { name: /Rename it/ }).press('Space');
  await panel.getByRole('button', { name: 'Bring back 1 finding' }).click();
  expect(await core.until('findings/dismiss', (input) => input.dismissed === false)).toMatchObject({ findingIds: ['f5'] });
  expect(problems).toEqual([]);
});

test('a place outside of the diff opens as a file at its line', async () => {
  const repo = repository();
  const made = await show({
    board: withReview(),
    repo,
    tabs: ['changes'],
    answers: { 'file/read': () => ({ text: Array.from({ length: 900 }, (_, at) => `line ${at + 1} <b>`).join('\n'), binary: false }) },
  });
  const { page, core } = made;
  await page.getByRole('button', { name: 'src/clock.ts:12' }).click();
  const file = page.getByRole('region', { name: 'File src/clock.ts' });
  await soon(() => file.locator('[aria-current]').textContent()).toBe('12line 12 <b>');
  expect(await core.until('file/read')).toMatchObject({ path: 'src/clock.ts' });
  expect(await axe(page)).toEqual([]);
  await shoot(made, 'file');
  await file.getByRole('button', { name: 'Back to the changes' }).click();
  await page.getByRole('button', { name: 'src/billing/rates.ts:27-28' }).click();
  await soon(() => file.count()).toBe(0);
});

test('a review is begun by the palette’s action and by /review, shows that it runs, is stopped, and says why it failed', async () => {
  const made = await show({ board: board(), repo: repository(), tabs: ['conversation', 'changes'] });
  const { page, core } = made;
  core.answers['review/start'] = () => ({ reviewId: review().id });
  await page.getByRole('button', { name: 'Review with a model' }).click();
  await page.getByLabel('What').selectOption('branch');
  await shoot(made, 'review-dialog');
  await page.getByLabel('Branch').fill('release');
  await page.keyboard.press('Control+Enter');
  expect(await core.until('review/start')).toMatchObject({ target: { kind: 'branch', ref: 'release' } });
  await page.getByLabel('Message to the agent').fill('/review commit HEAD~1');
  await page.keyboard.press('Control+Enter');
  await core.until('review/start', (input) => input.target?.kind === 'commit' && input.target.ref === 'HEAD~1');
  expect(core.called('turn/start')).toEqual([]);
  core.emit({ type: 'review.changed', review: review({ state: 'running', findings: [], endedAt: null }) });
  const panel = page.getByRole('region', { name: 'Review', exact: true });
  await panel.getByText('Reviewing').waitFor();
  expect(await page.getByRole('button', { name: 'Review with a model' }).count()).toBe(0);
  await panel.getByRole('button', { name: 'Stop' }).click();
  await core.until('review/stop');
  const error = {
    code: 'model-bad-reply' as const,
    message: 'The model gave no review that can be read.',
    fix: 'Try again, or choose another model.',
  };
  core.emit({ type: 'review.changed', review: review({ state: 'failed', findings: [], error }) });
  await panel.getByText('gave no review').waitFor();
  await shoot(made, 'review-failed');
  expect(await axe(page)).toEqual([]);
  core.emit({ type: 'review.changed', review: review({ findings: [] }) });
  await panel.getByText('The review found nothing').waitFor();
});

const text =
  'All 128 tests pass [cmd:3f9a1c], and the build succeeds. The cache is in `src/billing/rates.ts:28-30`; **types pass** too.\n\n- See [the report](src/reports/month-end.ts#L51) and src/gone.ts:9.\n- The linter is clean.';
const run = item('command', { command: 'pnpm test', output: '128 passed\n', chunks: ['3f9a1c'] });
const mark = (words: string, more: Partial<EvidenceMark>): EvidenceMark => ({
  at: text.indexOf(words),
  length: words.length,
  kind: 'claim',
  state: 'missing',
  itemId: null,
  path: null,
  line: null,
  endLine: null,
  label: '',
  words: 'No command in this conversation shows it.',
  ...more,
});
const evidence: EvidenceMark[] = [
  mark('[cmd:3f9a1c]', {
    kind: 'command',
    state: 'backed',
    itemId: run.id,
    label: 'pnpm test',
    words: 'It ended with exit code 0. 128 passed.',
  }),
  mark('succeeds', {}),
  mark('src/billing/rates.ts:28-30', {
    kind: 'file',
    state: 'backed',
    path: 'src/billing/rates.ts',
    line: 28,
    endLine: 30,
    label: 'src/billing/rates.ts:28-30',
    words: 'lines 28 to 30',
  }),
  mark('pass', {
    at: text.indexOf('types pass') + 6,
    state: 'stale',
    itemId: run.id,
    label: 'tsc',
    words: 'Files changed after it had started.',
  }),
  mark('src/reports/month-end.ts#L51', {
    kind: 'file',
    state: 'backed',
    path: 'src/reports/month-end.ts',
    line: 51,
    endLine: 51,
    label: 'src/reports/month-end.ts:51',
    words: 'line 51',
  }),
  mark('src/gone.ts:9', { kind: 'file', label: 'src/gone.ts:9', words: 'There is no such file in the worktree.' }),
  mark('clean', { state: 'contradicted', itemId: run.id, label: 'eslint', words: 'It ended with exit code 1.' }),
];

test('a message shows what backs it, and what nothing backs', async () => {
  const made = await show({
    board: board({ thread: { turn: turn() } }),
    items: [item('userMessage'), run, item('agentMessage', { text, evidence })],
    repo: repository(),
    tabs: ['conversation', 'changes'],
  });
  const { page, problems } = made;
  const log = page.getByRole('log', { name: 'Conversation' });
  await log.getByRole('button', { name: 'pnpm test: It ended with exit code 0. 128 passed.' }).waitFor();
  expect(await log.textContent()).not.toContain('[cmd:');
  expect(await log.getByText('not backed').count()).toBe(2);
  await log.getByRole('button', { name: /^stale: Files changed/ }).waitFor();
  await log.getByRole('button', { name: /^did not pass: It ended with exit code 1/ }).waitFor();
  expect(await axe(page)).toEqual([]);
  await shoot(made, 'evidence');
  await log.getByRole('button', { name: 'pnpm test: It ended' }).press('Enter');
  await log.getByLabel('Output of pnpm test').waitFor();
  await log.getByRole('button', { name: 'src/billing/rates.ts:28-30' }).click();
  await soon(() => page.locator('.file-head[aria-current="true"]').textContent()).toMatch(/rates\.ts/);
  expect(await log.getByRole('button', { name: 'the report' }).count()).toBe(1);
  expect(problems).toEqual([]);
});

test('a patch shows while it is written', async () => {
  const running = turn({ status: 'running', endedAt: null });
  const made = await show({ board: board({ thread: { turn: running } }), items: [item('userMessage')], turns: [running] });
  const { page, core } = made;
  const preview = '*** Update File: src/billing/rates.ts\n@@ export const dayKey\n-  `${a}:${b}:local`\n+  `${a}:${b}:${utcDay(now())}`';
  const activity = { verb: 'editing' as const, subject: 'src/billing/rates.ts', since: Date.now(), progress: null, preview };
  core.transient({ type: 'activity', taskId: ids.task, activity });
  await page.getByLabel('Patch being written').getByText('utcDay(now())').waitFor();
  expect(await axe(page)).toEqual([]);
  await shoot(made, 'patch');
  core.transient({ type: 'activity', taskId: ids.task, activity: { verb: 'thinking', subject: '', since: Date.now(), progress: null } });
  await soon(() => page.getByLabel('Patch being written').count()).toBe(0);
});
