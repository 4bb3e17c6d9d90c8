import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright';
import { afterAll, afterEach, expect, test } from 'vitest';
import { call, say, startModelServer, status, type ModelServer, type Script } from '../model-server/index.ts';
import { git, makeRepository } from '../runtime/support.ts';
import { closeBrowser, openPage, remove, serve, tempFolder, type Serving } from './support.ts';

const KEY = 'sk-right';
/** Longer than a machine that does other things too needs. */
const LONG = 25_000;

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
afterAll(closeBrowser);

interface World {
  home: string;
  folder: string;
  repo: string;
  model: ModelServer;
  serving: Serving;
  page: Page;
}

/** A core on a home of its own, a model that is a server of ours, and a small repository opened on the board. */
async function world(script: Script, key = KEY): Promise<World> {
  const home = tempFolder('troubles');
  const folder = tempFolder('troubles-repo');
  closing.push(
    () => remove(home),
    () => remove(folder),
  );
  const repo = makeRepository(join(folder, 'my shop'));
  const model = await startModelServer(script, { key: KEY, models: ['gpt-5.5'] });
  closing.push(() => model.close());
  const serving = await start(home, repo, model, key);
  return { home, folder, repo, model, serving, page: await open(serving.url) };
}

async function start(home: string, repo: string, model: ModelServer, key = KEY, port = 0): Promise<Serving> {
  const env = { OPENAI_BASE_URL: model.url, OPENAI_API_KEY: key, SIGNALBOX_MODEL: 'gpt-5.5' };
  const serving = await serve(home, ['--port', String(port), repo], env);
  closing.push(() => serving.stop());
  return serving;
}

async function open(url: string): Promise<Page> {
  const page = await openPage(url);
  page.setDefaultTimeout(LONG);
  closing.push(() => page.context().close());
  return page;
}

const column = (page: Page, name: string): Locator => page.getByRole('region', { name, exact: true });
const card = (page: Page, name: string, where?: string): Locator => (where ? column(page, where) : page).getByRole('article', { name });

async function compose(page: Page, text: string, button: 'Start' | 'Queue' = 'Start'): Promise<Locator> {
  await page
    .getByRole('button', { name: /^New task/ })
    .first()
    .waitFor();
  await page.keyboard.press('Control+n');
  const dialog = page.getByRole('dialog', { name: 'New task' });
  await dialog.getByLabel('Task', { exact: true }).fill(text);
  await dialog.getByRole('button', { name: new RegExp(`^${button}`) }).click();
  return dialog;
}

async function newTask(page: Page, text: string, button: 'Start' | 'Queue' = 'Start'): Promise<void> {
  await (await compose(page, text, button)).waitFor({ state: 'hidden' });
}

/** Drags as a hand does: down, off its place, over there, up. */
async function drag(page: Page, from: Locator, to: Locator): Promise<void> {
  const [a, b] = [await from.boundingBox(), await to.boundingBox()];
  if (!a || !b) throw new Error('Nothing to drag.');
  await page.mouse.move(a.x + a.width / 2, a.y + 12);
  await page.mouse.down();
  await page.mouse.move(a.x + a.width / 2 + 20, a.y + 30, { steps: 3 });
  await page.mouse.move(b.x + b.width / 2, b.y + 200, { steps: 6 });
  await to.locator('.col-note').waitFor();
  await page.mouse.up();
}

test('a wrong key fails the task with its reason; mended in Settings, a retry goes on', async () => {
  const { page } = await world(() => [say('All is well.')], 'sk-wrong');
  await newTask(page, 'Say hello');
  const failed = card(page, 'Say hello', 'Needs you');
  await failed.waitFor();
  await expect.poll(() => failed.innerText()).toMatch(/Failed[\s\S]*does not accept the model key \(401\)/);
  await failed.getByRole('heading').click();
  await page.getByRole('alert').getByRole('button', { name: 'Open settings' }).click();
  const form = page.getByRole('region', { name: 'Providers' });
  await form.getByRole('button', { name: 'Test', exact: true }).click();
  await form.getByRole('alert').getByText('does not accept the model key').waitFor();
  await form.getByLabel('API key').fill(KEY);
  await expect.poll(() => form.getByRole('alert').count()).toBe(0);
  await form.getByRole('button', { name: 'Test', exact: true }).click();
  await form.getByText(/^gpt-5.5 answered in/).waitFor();
  await form.getByRole('button', { name: 'Save' }).click();
  await form.getByText('Saved.', { exact: true }).waitFor();
  // Escape leaves the field, the next one the page.
  await form.getByLabel('API key').focus();
  await page.keyboard.press('Escape');
  expect(await page.getByRole('heading', { name: 'Settings' }).count()).toBe(1);
  await page.keyboard.press('Escape');
  await card(page, 'Say hello', 'Needs you')
    .getByRole('button', { name: /^Retry/ })
    .click();
  await card(page, 'Say hello', 'Review').waitFor();
}, 90_000);

test('a rate limit shows until when; the task goes on by itself', async () => {
  let limited = true;
  const { page } = await world(() => (limited ? [status(429, { headers: { 'retry-after': '4' } })] : [say('ok')]));
  await newTask(page, 'Wait for it');
  await expect.poll(() => card(page, 'Wait for it', 'Queued').innerText(), { timeout: LONG }).toMatch(/Limited until \d\d:\d\d/);
  limited = false;
  await card(page, 'Wait for it', 'Review').waitFor();
}, 60_000);

test('two pages on one core stay in step', async () => {
  const { page, serving } = await world((request) =>
    !request.input.some((item) => item.type === 'function_call_output')
      ? [call('exec_command', { cmd: 'cat /etc/hostname', sandbox_permissions: 'require_escalated', justification: 'To see the name.' })]
      : [say('Seen.')],
  );
  const other = await open(serving.url);
  await column(other, 'Done').waitFor();
  await newTask(page, 'Look around');
  await card(other, 'Look around', 'Needs you')
    .getByRole('button', { name: /^Approve/ })
    .click();
  await card(page, 'Look around', 'Review').waitFor();
  await newTask(other, 'Later', 'Queue');
  const later = card(page, 'Later', 'Queued');
  await later.focus();
  await page.keyboard.press('F2');
  await page.getByRole('dialog').getByRole('textbox').fill('Much later');
  await page.keyboard.press('Enter');
  await card(other, 'Much later', 'Queued').waitFor();
}, 60_000);

test('the core is killed and started again: the page says so, comes back, and the task resumes on a click', async () => {
  let first = true;
  const { page, home, repo, model, serving } = await world(() =>
    first ? [call('exec_command', { cmd: 'echo begun > begun.txt; sleep 600' })] : [say('Went on.')],
  );
  await newTask(page, 'Take long');
  await expect.poll(() => card(page, 'Take long', 'Working').innerText(), { timeout: LONG }).toContain('sleep 600');
  await serving.stop('SIGKILL');
  await page.getByRole('status').getByText('The connection to the core is lost').waitFor();
  expect(await card(page, 'Take long').count()).toBe(1);
  first = false;
  const again = await start(home, repo, model, KEY, Number(new URL(serving.url).port));
  // Another core has another token: the page says what to open, and takes it in the same tab.
  await page
    .getByRole('alert')
    .getByText(/Open the whole address/)
    .waitFor();
  await page.goto(again.url);
  const stopped = card(page, 'Take long', 'Needs you');
  await stopped.waitFor();
  await stopped.getByRole('heading').click();
  await page.getByText('Signalbox ended while this turn ran').waitFor();
  await page.getByRole('button', { name: 'Resume' }).click();
  await page.getByText('Went on.').waitFor();
  await page.getByText('Ready for review').first().waitFor();
}, 90_000);

test('cards are dragged: onto Working starts, onto Done asks and archives, elsewhere is refused with the reason', async () => {
  const { page } = await world(() => [say('Done so far.')]);
  await newTask(page, 'Drag me', 'Queue');
  await card(page, 'Drag me', 'Queued').waitFor();
  await drag(page, card(page, 'Drag me'), column(page, 'Review'));
  await page
    .getByText(/Tasks come to Review by what their agent does/)
    .first()
    .waitFor();
  expect(await card(page, 'Drag me', 'Queued').count()).toBe(1);
  await drag(page, card(page, 'Drag me'), column(page, 'Working'));
  await card(page, 'Drag me', 'Review').waitFor();
  await drag(page, card(page, 'Drag me'), column(page, 'Done'));
  const asked = page.getByRole('alertdialog').or(page.getByRole('dialog'));
  await asked.waitFor();
  expect(await card(page, 'Drag me', 'Done').count()).toBe(0);
  // For 50 ms after a drop the drag library takes every click for the end of the drag; no hand is that fast.
  const archive = asked.getByRole('button', { name: /^Archive/ });
  await expect
    .poll(async () => {
      if (await archive.isVisible()) await archive.click();
      return archive.isVisible();
    })
    .toBe(false);
  await card(page, 'Drag me', 'Done').waitFor();
}, 60_000);

test('bad input is told beside its field and leaves nothing behind', async () => {
  const { page, folder, repo } = await world(() => [say('ok')]);
  git(repo, 'branch', 'soon-gone');
  const dialog = await compose(page, '   ');
  const field = dialog.getByLabel('Task', { exact: true });
  await dialog.getByText('The task is empty.').waitFor();
  expect(await field.getAttribute('aria-invalid')).toBe('true');
  await field.fill('x'.repeat(1_000_000));
  await dialog.getByRole('button', { name: /^Start/ }).click();
  await dialog.getByText('longer than 256 KiB').waitFor();
  await field.fill('From a branch that somebody deletes meanwhile');
  await dialog.getByLabel('Base branch').selectOption({ label: 'soon-gone' });
  git(repo, 'branch', '-D', 'soon-gone');
  await dialog.getByRole('button', { name: /^Start/ }).click();
  await expect.poll(() => dialog.getByLabel('Base branch').getAttribute('aria-invalid')).toBe('true');
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  expect(await page.getByRole('article').count()).toBe(0);
  const plain = join(folder, 'plain “folder”');
  mkdirSync(plain);
  writeFileSync(join(plain, 'a.txt'), 'a\n');
  await page.keyboard.press('Control+o');
  const opening = page.getByRole('dialog', { name: 'Open a folder' });
  await opening.getByRole('combobox').or(opening.getByRole('textbox')).first().fill(plain);
  await opening.getByRole('button', { name: 'Open folder' }).click();
  await opening.getByText('is not in a git repository.').waitFor();
  await opening.getByRole('button', { name: 'Run git init here' }).click();
  await opening.waitFor({ state: 'hidden' });
  await page.getByText('No tasks in plain “folder” yet').waitFor();
  await newTask(page, 'Work here');
  await card(page, 'Work here', 'Review').waitFor();
}, 60_000);
