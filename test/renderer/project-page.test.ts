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
    await title('lone').waitFor();
    expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
    core.emit({ type: 'project.closed', projectId: lone.id });
    await page.getByRole('heading', { name: 'This project is closed' }).waitFor();
    expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
    expect(problems).toEqual([]);
  });
});
