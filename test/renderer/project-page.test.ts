import { rmSync } from 'node:fs';
import AxeBuilder from '@axe-core/playwright';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Browser, BrowserContextOptions, Page } from 'playwright';
import { buildRenderer, launch, open } from './support/browser.ts';
import { project, type Fixture } from './support/fixture-board.ts';
import { fixtureCore, type FixtureCore } from './support/fixture-core.ts';
import { busyFixture } from './support/fixtures.ts';

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
  await page.context().close();
  await core.close();
});

async function show(fixture: Fixture, options: BrowserContextOptions & { at?: string } = {}): Promise<void> {
  core = await fixtureCore(fixture, built);
  ({ page, problems } = await open(browser, core, options));
  page.setDefaultTimeout(5000);
}
const anyProject = () => Object.values(core.board.projects)[0]!;
const goTo = (id: string) =>
  page.evaluate((hash) => {
    location.hash = hash;
  }, `#/project/${id}`);
/** For the eye: where SHOTS names a folder. */
const shot = async (name: string): Promise<void> => {
  if (process.env['SHOTS']) await page.screenshot({ path: `${process.env['SHOTS']}/project-${name}.png`, fullPage: true });
};
const title = (name: string) => page.getByRole('heading', { name, level: 1, exact: true });

describe('the project page', () => {
  test('is reached from the sidebar’s menu and from the palette, and Escape leads back', async () => {
    await show(busyFixture());
    const { name, id } = anyProject();
    await page.getByRole('button', { name: `Actions for ${name}` }).click();
    await page.getByRole('menuitem', { name: 'Project settings' }).click();
    await title(name).waitFor();
    expect(new URL(page.url()).hash).toBe(`#/project/${id}`);
    await page.getByRole('heading', { name: 'Environment' }).waitFor();
    await page.keyboard.press('Escape');
    await title('Board').waitFor();
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox').fill('project settings');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Environment' }).waitFor();
    expect(problems).toEqual([]);
  });

  test('says so when its project is closed, and passes axe in both cases', async () => {
    const fixture = busyFixture();
    const lone = project('lone', 1);
    fixture.board.projects[lone.id] = lone;
    await show(fixture, { at: `#/project/${lone.id}` });
    core.answer({ 'recipe/offer': () => ({ offer: null, problem: null }) });
    await title('lone').waitFor();
    expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
    core.emit({ type: 'project.closed', projectId: lone.id });
    await page.getByRole('heading', { name: 'This project is closed' }).waitFor();
    expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
    expect(problems).toEqual([]);
  });

  test('a recipe is written as a whole, with what is wrong told beside its field', async () => {
    await show(busyFixture());
    const { id } = anyProject();
    core.answer({
      'recipe/offer': () => ({ offer: null, problem: null }),
      'recipe/write': ({ projectId, recipe }) => {
        core.emit({ type: 'project.recipe', projectId, recipe });
        return {};
      },
    });
    await goTo(id);
    const save = page.getByRole('button', { name: 'Save recipe' });
    expect(await save.isDisabled()).toBe(true);
    await page.getByLabel('Setup script', { exact: true }).fill('npm ci\n');
    await page.getByRole('button', { name: 'Add an action' }).click();
    await page.getByLabel('Name', { exact: true }).fill('Dev server');
    await page.getByLabel('Minutes until setup is stopped').fill('0');
    await save.click();
    await page.getByText('At least one minute.').waitFor();
    await page.getByText('An action needs a command.').waitFor();
    expect(core.calls.some(({ method }) => method === 'recipe/write')).toBe(false);
    await page.getByLabel('Minutes until setup is stopped').fill('5');
    await page.getByLabel('Command', { exact: true }).fill('npm run dev');
    await save.click();
    await expect
      .poll(() => core.board.projects[id]!.recipe)
      .toEqual({
        setup: 'npm ci\n',
        teardown: '',
        setupMinutes: 5,
        actions: [{ name: 'Dev server', command: 'npm run dev' }],
      });
    await expect.poll(() => save.isDisabled()).toBe(true);
    // Another window changes it: what was not touched here follows.
    core.emit({ type: 'project.recipe', projectId: id, recipe: { setup: 'make', teardown: '', setupMinutes: 5, actions: [] } });
    await expect.poll(() => page.getByLabel('Setup script', { exact: true }).inputValue()).toBe('make');
    expect(problems).toEqual([]);
  });

  test('a recipe in the repository is shown with what it changes, and taken over by a click', async () => {
    await show(busyFixture());
    const { id } = anyProject();
    const recipe = { setup: 'npm ci', teardown: '', setupMinutes: 20, actions: [] };
    core.answer({
      'recipe/offer': () =>
        core.board.projects[id]!.recipe
          ? { offer: null, problem: null }
          : {
              offer: {
                recipe,
                commit: 'c'.repeat(40),
                changes: [{ words: 'The setup script is added, 1 line.', before: '', after: 'npm ci' }],
              },
              problem: null,
            },
      'recipe/write': (input) => {
        core.emit({ type: 'project.recipe', projectId: input.projectId, recipe: input.recipe });
        return {};
      },
    });
    await goTo(id);
    await page.getByText('The setup script is added, 1 line.').waitFor();
    expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
    await shot('offer');
    await page.getByRole('button', { name: 'Use this recipe' }).click();
    await expect.poll(() => core.board.projects[id]!.recipe).toEqual(recipe);
    await page.getByText('The setup script is added, 1 line.').waitFor({ state: 'detached' });
    expect(await page.getByLabel('Setup script', { exact: true }).inputValue()).toBe('npm ci');
    expect(problems).toEqual([]);
  });

  test('each registry of the lockfiles has its answer, which can be given, changed and taken back', async () => {
    await show(busyFixture());
    const { id } = anyProject();
    core.answer({
      'recipe/registries': () => ({
        registries: [
          { host: '10.0.0.7:4873', near: true, files: ['.npmrc'] },
          { host: 'registry.npmjs.org:443', near: false, files: ['package-lock.json', 'web/package-lock.json'] },
        ],
      }),
      'recipe/answer': ({ projectId, hosts, answer }) => {
        core.emit({
          type: 'project.registries',
          projectId,
          registries: { allowed: answer === 'allow' ? hosts : [], refused: answer === 'refuse' ? hosts : [] },
        });
        return {};
      },
    });
    core.emit({ type: 'project.registries', projectId: id, registries: { allowed: ['old.example:443'], refused: [] } });
    await goTo(id);
    await page.getByText('no lockfile names it any more').waitFor();
    await page.getByText('on this computer or in your network · .npmrc').waitFor();
    expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
    await shot('registries');
    await page.getByRole('button', { name: 'Allow registry.npmjs.org:443' }).click();
    await expect.poll(() => core.board.projects[id]!.registries).toEqual({ allowed: ['registry.npmjs.org:443'], refused: [] });
    await page.getByRole('button', { name: 'Ask again for registry.npmjs.org:443' }).click();
    await expect.poll(() => core.board.projects[id]!.registries).toEqual({ allowed: [], refused: [] });
    expect(problems).toEqual([]);
  });

  test('what .worktreeinclude would copy is listed, with what it leaves out and why', async () => {
    await show(busyFixture(), { colorScheme: 'light' });
    const { id } = anyProject();
    core.answer({
      'recipe/include': () => ({
        there: true,
        files: Array.from({ length: 14 }, (_, at) => ({ path: `config/local-${at}.json`, bytes: 900 * at })),
        skipped: [{ path: 'notes.txt', why: 'Git does not ignore it: commit it, or add it to .gitignore.' }],
        bytes: 81_900,
        problem: null,
      }),
      'recipe/offer': () => ({ offer: null, problem: '.signalbox/recipe.json is not JSON: Unexpected token' }),
    });
    await goTo(id);
    await page.getByText('14 files, 80 KB, copied into each new worktree:').waitFor();
    await page.getByText('and 2 more').waitFor();
    await page.getByText('left out: Git does not ignore it').waitFor();
    expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
    await shot('include');
    expect(problems).toEqual([]);
  });
});
