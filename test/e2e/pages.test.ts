import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { closeBrowser, openPage, remove, root, serve, tempFolder, type Serving } from './support.ts';

let home: string;
let serving: Serving;
let page: Page;
const shots = join(root, 'test-results');
/** One black pixel. */
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

beforeEach(async () => {
  mkdirSync(shots, { recursive: true });
  home = tempFolder('mcp');
  serving = await serve(home);
  page = await openPage(serving.url);
  page.setDefaultTimeout(20_000);
});
afterEach(async () => {
  await page.context().close();
  await serving.stop();
  remove(home);
});
afterAll(closeBrowser);

const seriousOf = async (): Promise<string[]> =>
  (await new AxeBuilder({ page }).analyze()).violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);

/** What a readme shows, for a server that is installed here. */
const readme = (args: string[]): string =>
  JSON.stringify({ mcpServers: { odd: { command: 'node', args, env: { MY_TOKEN: 'hunter2', PLAIN: '1' } } } });

test('a server is pasted from a readme, tells its tools, is told when to ask, fails with its reason, and is removed', async () => {
  await page.evaluate(() => {
    location.hash = '#/servers';
  });
  await page.getByText('No MCP servers yet').waitFor();
  await page.screenshot({ path: join(shots, 'mcp-empty.png') });
  expect(await seriousOf()).toEqual([]);
  await page.getByRole('button', { name: 'Add server' }).click();
  const form = page.getByRole('region', { name: 'New server' });
  await form.getByRole('button', { name: 'Add server' }).click();
  await form.getByText('Name the program that is the server.').waitFor();
  const fixture = join(root, 'test/mcp/servers/misbehaves.mjs');
  await form.getByLabel('Paste from a readme').fill('{"nothing": 1}');
  await form.getByText('There is no server in this.').waitFor();
  await form.getByLabel('Paste from a readme').fill(readme([fixture, 'fine']));
  await expect.poll(() => form.getByLabel('Name', { exact: true }).inputValue()).toBe('odd');
  expect(await form.getByLabel('Variables').inputValue()).toBe('PLAIN=1');
  expect(await form.getByLabel('Value of MY_TOKEN').inputValue()).toBe('hunter2');
  await form.getByLabel('Folders it may read').fill(join(root, 'test/mcp/servers'));
  await page.screenshot({ path: join(shots, 'mcp-form.png') });
  expect(await seriousOf()).toEqual([]);
  await form.getByRole('button', { name: 'Add server' }).click();

  const row = page.getByRole('listitem').filter({ hasText: 'odd' }).first();
  await row.getByText('4 tools').waitFor();
  await row.getByRole('button', { name: 'Tools' }).click();
  const choice = row.getByLabel('When look is called');
  await choice.selectOption('Always ask');
  await expect.poll(() => choice.inputValue()).toBe('ask');
  await page.screenshot({ path: join(shots, 'mcp-tools.png') });
  expect(await seriousOf()).toEqual([]);
  expect(await page.content()).not.toContain('hunter2');

  await row.getByRole('button', { name: 'More for odd' }).click();
  await page.getByRole('menuitem', { name: 'Edit' }).click();
  await row.getByLabel('Arguments, one a line').fill(`${fixture}\ndies`);
  await row.getByRole('button', { name: 'Save' }).click();
  await row.getByText('no token in MY_TOKEN').waitFor();
  await page.screenshot({ path: join(shots, 'mcp-failing.png') });

  await row.getByRole('button', { name: 'More for odd' }).click();
  await page.getByRole('menuitem', { name: 'Remove' }).click();
  await page.getByRole('button', { name: 'Remove odd' }).click();
  await page.getByText('No MCP servers yet').waitFor();
});

test('hooks of mine stand in the settings, those of a project on its page, which are trusted there', async () => {
  const own = {
    hooks: { PreToolUse: [{ matcher: 'exec_command', hooks: [{ type: 'command', command: './check.sh' }] }], OnTuesday: [{}] },
  };
  writeFileSync(join(home, 'hooks.json'), JSON.stringify(own));
  await page.evaluate(() => {
    location.hash = '#/settings';
  });
  await page
    .getByRole('list', { name: /Hooks in/ })
    .getByText('./check.sh')
    .waitFor();
  await page.getByText('“OnTuesday” is not known').waitFor();
  const shop = join(home, 'sample/corner-shop');
  mkdirSync(join(shop, '.signalbox'));
  writeFileSync(
    join(shop, '.signalbox/hooks.json'),
    JSON.stringify({ hooks: { Stop: [{ hooks: [{ type: 'command', command: 'npm test' }] }] } }),
  );
  execFileSync('git', ['add', '-A'], { cwd: shop });
  execFileSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@b.c', 'commit', '-qm', 'Hooks'], { cwd: shop });
  await page.getByRole('link', { name: 'Board' }).click();
  await page.keyboard.press('Control+k');
  await page.keyboard.type('Project settings');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Trust these hooks' }).click();
  await page.getByText('Trusted. They run from the next turn on.').waitFor();
  await page.screenshot({ path: join(shots, 'hooks.png') });
  expect(await seriousOf()).toEqual([]);
});

test('the page in the light', async () => {
  await page.context().close();
  page = await openPage(serving.url, { scheme: 'light' });
  await page.evaluate(() => {
    location.hash = '#/servers';
  });
  await page.getByRole('button', { name: 'Add server' }).click();
  await page
    .getByRole('button', { name: 'At an address' })
    .or(page.getByRole('radio', { name: 'At an address' }))
    .first()
    .click();
  await page.getByLabel('Address').fill('http://example.com/mcp');
  await page.getByRole('button', { name: 'Add server' }).click();
  await page.getByText('An address begins with https://').waitFor();
  await page.screenshot({ path: join(shots, 'mcp-light.png') });
  expect(await seriousOf()).toEqual([]);
});

test('a file, a prompt and a skill are named while writing, by keys; the context is shown', async () => {
  const shop = join(home, 'sample/corner-shop');
  mkdirSync(join(home, 'prompts'), { recursive: true });
  writeFileSync(join(home, 'prompts/tidy.md'), 'Tidy up what is left over.');
  await expect.poll(() => existsSync(join(shop, '.git'))).toBe(true);
  await page.evaluate(() => {
    location.hash = '#/inbox';
  });
  await page.getByRole('button', { name: /^New task/ }).click();
  const dialog = page.getByRole('dialog', { name: 'New task' });
  const field = dialog.getByLabel('Task', { exact: true });
  const list = dialog.getByRole('listbox', { name: 'Suggestions' });
  await field.pressSequentially('/tid');
  await list.getByRole('option', { name: /tidy/ }).waitFor();
  await page.keyboard.press('Enter');
  await expect.poll(() => field.inputValue()).toBe('Tidy up what is left over.');
  await field.pressSequentially(' See @pack');
  await dialog
    .getByRole('option', { name: /package\.json/ })
    .first()
    .waitFor();
  await page.screenshot({ path: join(shots, 'completion.png') });
  expect(await seriousOf()).toEqual([]);
  await page.keyboard.press('Escape');
  expect(await list.count()).toBe(0);
  await field.pressSequentially('age');
  await page.keyboard.press('Backspace');
  await field.pressSequentially(' @pack');
  await list.getByRole('option').first().waitFor();
  await page.keyboard.press('Tab');
  await expect.poll(() => field.inputValue()).toMatch(/ @package\.json $/);
  await field.pressSequentially('$skill');
  await list.getByRole('option', { name: /skill-creator/ }).click();
  await expect.poll(() => field.inputValue()).toMatch(/\$skill-creator $/);
  await field.evaluate((area, pixel) => {
    const files = new DataTransfer();
    files.items.add(new File([Uint8Array.from(atob(pixel), (letter) => letter.codePointAt(0)!)], 'shot.png', { type: 'image/png' }));
    area.dispatchEvent(new ClipboardEvent('paste', { clipboardData: files, bubbles: true, cancelable: true }));
  }, PIXEL);
  await expect.poll(() => field.inputValue()).toMatch(/ @\/run\/attachments\/file_\w+\/shot\.png $/);
  await page.keyboard.press('Control+Enter');
  await dialog.waitFor({ state: 'hidden' });
  await page.evaluate(() => {
    location.hash = '#/board';
  });
  await page.getByRole('region', { name: 'Review', exact: true }).getByRole('article').first().waitFor();
  await page.getByRole('article').first().dblclick();
  await page.getByRole('img', { name: 'shot.png' }).waitFor();
  await page.getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: 'What the model sees' }).click();
  const seen = page.getByRole('dialog', { name: 'What the model sees' });
  await seen.getByText('Your messages').click();
  await seen.getByText('Tidy up what is left over.').waitFor();
  await page.screenshot({ path: join(shots, 'context.png') });
  expect(await seriousOf()).toEqual([]);
});
