import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { AxeBuilder } from '@axe-core/playwright';
import { DEMO_PROMPTS } from '../../agent-core/demo/index.ts';
import { closeBrowser, openPage, remove, root, serve, tempFolder, type Serving } from './support.ts';

let home: string;
let serving: Serving;
let page: Page;
const problems: string[] = [];

beforeEach(async () => {
  home = tempFolder('story');
  serving = await serve(home);
  page = await openPage(serving.url);
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
});
afterEach(async () => {
  await page.context().close();
  await serving.stop();
  remove(home);
});
afterAll(closeBrowser);

/** Where the pictures go: beside the test's results, or with SIGNALBOX_SHOTS=docs those that the README shows. */
const shots = join(root, process.env['SIGNALBOX_SHOTS'] ?? 'test-results');
mkdirSync(shots, { recursive: true });

const column = (name: string): Locator => page.getByRole('region', { name, exact: true });
const card = (name: RegExp, where?: string): Locator => (where ? column(where) : page).getByRole('article', { name });
const shop = (): string => join(home, 'sample/corner-shop');
const git = (...args: string[]): string => execFileSync('git', args, { cwd: shop(), encoding: 'utf8' }).trim();
const prompt = (title: RegExp): string => DEMO_PROMPTS.find((each) => title.test(each.title))!.prompt;

async function newTask(text: string): Promise<void> {
  await page.getByRole('button', { name: /^New task/ }).click();
  const dialog = page.getByRole('dialog', { name: 'New task' });
  await dialog.getByLabel('Task', { exact: true }).fill(text);
  await dialog.getByRole('button', { name: /^Start/ }).click();
  await dialog.waitFor({ state: 'hidden' });
}

async function seriousOf(where: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page: where }).analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}

test('three tasks at once on the demo model: watch, approve, read, use the terminal, land one, throw one away and get it back', async () => {
  // The first run offers the sample and its prompts; the first task starts from there.
  await page.getByRole('button', { name: DEMO_PROMPTS[0]!.title }).click();
  await page.getByRole('button', { name: /^Start task/ }).click();
  await column('Working').getByRole('article').first().waitFor();
  await newTask(prompt(/whose|name/i));
  await newTask(prompt(/doc/i));
  await expect.poll(() => column('Working').getByRole('article').count()).toBe(3);
  const before = git('rev-parse', 'main');

  // One asks; it is answered from its card.
  const asks = card(/whose name/i, 'Needs you');
  await asks.waitFor({ timeout: 40_000 });
  await page.screenshot({ path: join(shots, 'board.png') });
  expect(await asks.innerText()).toContain('git config');
  await asks.getByRole('button', { name: /^Approve/ }).click();

  // All three get to review, and nothing of it is in the person's checkout.
  await expect.poll(() => column('Review').getByRole('article').count(), { timeout: 60_000 }).toBe(3);
  expect(git('rev-parse', 'main')).toBe(before);
  expect(git('status', '--porcelain')).toBe('');
  // Tools that ask the network for news of themselves are told not to: a first look shows no blocked connections.
  expect(await page.getByText(/things? kept out/).count()).toBe(0);
  await page.screenshot({ path: join(shots, 'board-review.png') });
  expect(await seriousOf(page)).toEqual([]);

  // Into the failing test's task: its conversation, its diff, its terminal.
  await card(/test/i, 'Review').filter({ hasText: 'passed' }).first().getByRole('heading').first().click();
  const heading = page.getByRole('tab', { name: 'Changes' });
  await heading.waitFor();
  await heading.click();
  await expect.poll(() => page.locator('main').innerText(), { timeout: 20_000 }).toMatch(/src\/\w+\.js/);
  expect(await seriousOf(page)).toEqual([]);
  await page.screenshot({ path: join(shots, 'task.png') });
  await page.keyboard.press('Control+j');
  const terminal = page.getByRole('group', { name: 'Terminal' });
  await terminal.waitFor();
  await terminal.click();
  await page.keyboard.type('npm test 2>&1 | tail -8; ls ~/.ssh /root/.ssh; git log --oneline | head -1; echo "in the $(basename $PWD)"\n', {
    delay: 5,
  });
  await expect.poll(() => terminal.innerText(), { timeout: 30_000 }).toMatch(/fail 0[\s\S]*No such file[\s\S]*in the /);
  await page.screenshot({ path: join(shots, 'terminal.png') });

  // Land it.
  await page.getByRole('button', { name: /^Merge into main/ }).click();
  const merge = page.getByRole('dialog');
  await merge.getByRole('button', { name: /^Merge/ }).click();
  await expect.poll(() => git('rev-parse', 'main'), { timeout: 20_000 }).not.toBe(before);
  expect(git('status', '--porcelain')).toBe('');
  execFileSync('npm', ['test'], { cwd: shop(), stdio: 'ignore' });
  await page
    .getByRole('link', { name: 'Board' })
    .or(page.getByRole('button', { name: 'Board' }))
    .first()
    .click();
  await column('Done').getByRole('article').first().waitFor();

  // Throw the documentation away, and get it back from the trash.
  const doc = card(/docs\/api/i, 'Review');
  await doc.focus();
  const worktrees = join(home, 'worktrees/corner-shop');
  const folders = (): string[] => execFileSync('ls', [worktrees], { encoding: 'utf8' }).split('\n').filter(Boolean);
  const there = folders();
  await doc.getByRole('button', { name: /more|actions/i }).click();
  await page.getByRole('menuitem', { name: /^Delete task/ }).click();
  await page
    .getByRole('alertdialog')
    .or(page.getByRole('dialog'))
    .getByRole('button', { name: /^Delete/ })
    .click();
  await expect.poll(() => folders().length, { timeout: 20_000 }).toBe(there.length - 1);
  await page
    .getByRole('link', { name: /^Trash/ })
    .or(page.getByRole('button', { name: /^Trash/ }))
    .first()
    .click();
  await page
    .getByRole('button', { name: /^Restore/ })
    .first()
    .click();
  await expect.poll(folders, { timeout: 20_000 }).toEqual(there);
  expect(
    existsSync(
      join(
        worktrees,
        there.find((name) => name.includes('doc') || name.includes('api'))!,
        'docs/api.md',
      ),
    ),
  ).toBe(true);
  expect(problems).toEqual([]);
}, 180_000);
