import { rmSync } from 'node:fs';
import AxeBuilder from '@axe-core/playwright';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Browser, Page } from 'playwright';
import { Failure, statusOf, type ListedModel, type Provider } from '../../agent-core/contract/index.ts';
import { buildRenderer, launch, open } from '../renderer/support/browser.ts';
import { fixtureCore, type FixtureCore } from '../renderer/support/fixture-core.ts';
import type { Fixture } from '../renderer/support/fixture-board.ts';
import { busyFixture } from '../renderer/support/fixtures.ts';

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

const home: Provider = { id: 'home', kind: 'ollama', name: 'At home', baseUrl: 'http://localhost:11434/v1', wire: 'chat' };
const facts = { contextWindow: 272_000, efforts: ['low', 'medium', 'high'] as const, images: true, patchTool: 'freeform' as const };

/** A home with one provider, or two and three models. */
function furnished(many: boolean): Fixture {
  const fixture = busyFixture();
  const { settings } = fixture.board;
  if (!many) return fixture;
  const listed: ListedModel[] = [{ model: 'qwen3-coder:30b', provider: 'home', found: { contextWindow: 40_960, images: false } }];
  fixture.board.settings = {
    ...settings,
    providers: [home],
    keys: { main: 'settings', home: 'none' },
    keySource: 'settings',
    listed,
    models: [
      {
        id: 'gpt-5-codex',
        label: 'gpt-5-codex',
        kind: 'remote',
        source: 'key in Settings',
        provider: 'main',
        model: 'gpt-5-codex',
        facts: { ...facts, efforts: [...facts.efforts], price: { input: 1.25, cached: 0.125, output: 10 } },
      },
      {
        id: 'qwen3-coder:30b@home',
        label: 'qwen3-coder:30b · At home',
        kind: 'remote',
        source: 'At home',
        provider: 'home',
        model: 'qwen3-coder:30b',
        facts: listed[0]!.found,
      },
      ...settings.models.slice(-1),
    ],
  };
  return fixture;
}

async function show(many: boolean, colorScheme: 'dark' | 'light' = 'dark'): Promise<void> {
  core = await fixtureCore(furnished(many), built);
  ({ page, problems } = await open(browser, core, { at: '#/settings', colorScheme }));
  page.setDefaultTimeout(5000);
  await page.getByRole('heading', { name: 'Providers' }).waitFor();
}
const asked = (method: string) => core.calls.filter((call) => call.method === method).map((call) => call.params);

test('each provider is tested by its own button, and tells there how it answered or why it didn’t', async () => {
  await show(true);
  core.answer({
    'model/test': ({ provider }) => {
      if (provider === 'home')
        throw new Failure('model-unreachable', 'Can’t reach http://localhost:11434/v1 (ECONNREFUSED).', { fix: 'Is it running?' });
      return { model: 'gpt-5-codex', ms: 412 };
    },
  });
  await page.getByRole('button', { name: 'Test OpenAI' }).click();
  await page.getByText('gpt-5-codex answered in 412 ms.').waitFor();
  await page.getByRole('button', { name: 'Test At home' }).click();
  await page.getByRole('alert').getByText('ECONNREFUSED').waitFor();
  expect(asked('model/test')).toEqual([{ provider: 'main' }, { provider: 'home' }]);
});

test('a preset fills the form of a new provider; saving sends it with its key', async () => {
  await show(false);
  core.answer({
    'provider/save': ({ provider }) => {
      const settings = {
        ...core.board.settings,
        providers: [provider],
        keys: { main: 'environment' as const, [provider.id]: 'settings' as const },
      };
      core.emit({ type: 'settings.changed', settings });
      return settings;
    },
  });
  await page.getByRole('button', { name: 'Add provider' }).click();
  await page.getByRole('menuitem', { name: 'OpenRouter' }).click();
  await expect.poll(() => page.getByLabel('Base URL').inputValue()).toBe('https://openrouter.ai/api/v1');
  await page.getByLabel('API key').fill('sk-or-1');
  await page.locator('form').getByRole('button', { name: 'Add provider' }).click();
  await page.getByRole('button', { name: 'Test OpenRouter' }).waitFor();
  expect(asked('provider/save')).toEqual([
    {
      provider: { id: 'openrouter', kind: 'openrouter', name: 'OpenRouter', baseUrl: 'https://openrouter.ai/api/v1', wire: 'chat' },
      key: 'sk-or-1',
    },
  ]);
});

test('what is known of a model is corrected in its own form; a price that makes no sense is told beside its field', async () => {
  await show(true);
  core.answer({ 'model/save': () => core.board.settings });
  await page.getByRole('button', { name: 'Edit qwen3-coder:30b · At home' }).click();
  const dialog = page.getByRole('dialog', { name: 'qwen3-coder:30b · At home' });
  await dialog.getByLabel('Input, $ per million').fill('much');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByRole('alert').getByText('A price for the input.').waitFor();
  await dialog.getByLabel('Input, $ per million').fill('0.2');
  await dialog.getByLabel('Output', { exact: true }).fill('0.8');
  await dialog.getByLabel('Context window, in tokens').fill('32768');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.waitFor({ state: 'detached' });
  expect(asked('model/save')).toMatchObject([
    {
      entry: {
        model: 'qwen3-coder:30b',
        provider: 'home',
        edited: { contextWindow: 32_768, images: false, price: { input: 0.2, cached: 0.2, output: 0.8 } },
      },
    },
  ]);
});

test('a model is chosen from what its provider offers, or typed', async () => {
  await show(true);
  const save = () => core.board.settings;
  core.answer({
    'model/save': save,
    'provider/offers': () => ({
      models: [
        { model: 'gpt-5.5', facts },
        { model: 'gpt-5-codex', facts },
      ].map((each) => ({ ...each, facts: { contextWindow: 272_000 } })),
    }),
  });
  await page.getByRole('button', { name: 'Add a model' }).click();
  const dialog = page.getByRole('dialog', { name: 'Add a model' });
  expect(await dialog.getByRole('button', { name: /gpt-5-codex/ }).isDisabled()).toBe(true);
  await dialog.getByRole('button', { name: /gpt-5\.5/ }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Add a model' }).click();
  await dialog.getByLabel('Model', { exact: true }).fill('my-own');
  await dialog.getByRole('button', { name: 'Add “my-own”' }).click();
  await expect
    .poll(() => asked('model/save'))
    .toEqual([
      { entry: { model: 'gpt-5.5', provider: 'main', found: { contextWindow: 272_000 } } },
      { entry: { model: 'my-own', provider: 'main' } },
    ]);
});

test('a new task is made with the model and the effort chosen for it', async () => {
  await show(true);
  await page.keyboard.press('Control+n');
  const dialog = page.getByRole('dialog', { name: 'New task' });
  const options = await dialog.getByLabel('Effort').locator('option').allTextContents();
  expect(options).toEqual(['Effort: automatic', 'Effort: low', 'Effort: medium', 'Effort: high']);
  await dialog.getByLabel('Effort').selectOption('high');
  await dialog.getByRole('textbox', { name: 'Task' }).fill('Think hard');
  await dialog.getByRole('button', { name: /^Start/ }).click();
  await expect.poll(() => asked('task/create')).toMatchObject([{ model: 'gpt-5-codex', effort: 'high' }]);
});

test('the next message asks for the model and the effort chosen under the composer', async () => {
  await show(true);
  const task = Object.values(core.board.tasks).find((each) => statusOf(core.board, each) === 'review')!;
  await page.evaluate((id) => {
    location.hash = `#/task/${id}`;
  }, task.id);
  await page.getByLabel('Model of the next turn').selectOption('qwen3-coder:30b@home');
  await page.getByLabel('Effort of the next turn').selectOption('low');
  core.answer({ 'turn/start': () => ({ turnId: null, queued: null }) });
  await page.getByLabel('Message to the agent').fill('Once more');
  await page.keyboard.press('Control+Enter');
  await expect.poll(() => asked('turn/start')).toMatchObject([{ text: 'Once more', model: 'qwen3-coder:30b@home', effort: 'low' }]);
});

describe.each(['dark', 'light'] as const)('in %s', (scheme) => {
  test.each([false, true])('the page is clean for axe, with several providers: %s', async (many) => {
    await show(many, scheme);
    if (many) await page.getByRole('button', { name: 'Edit At home' }).click();
    const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']).analyze();
    expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html.slice(0, 200))])).toEqual([]);
  });
});
