import { rmSync } from 'node:fs';
import AxeBuilder from '@axe-core/playwright';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Browser, BrowserContextOptions, Page } from 'playwright';
import { Failure, threadOf, type TaskId } from '../../agent-core/contract/index.ts';
import { buildRenderer, launch, open } from './support/browser.ts';
import { emptyFixture, project, type Fixture } from './support/fixture-board.ts';
import { fixtureCore, type FixtureCore } from './support/fixture-core.ts';
import { busyFixture, inboxFixture, manyFixture } from './support/fixtures.ts';

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
const card = (title: string) => page.getByRole('article', { name: title });
const column = (name: string) => page.getByRole('region', { name, exact: true });
const asked = (method: string) => core.calls.filter((call) => call.method === method).map((call) => call.params);
const until = (check: () => void) =>
  expect
    .poll(
      () => {
        try {
          check();
          return '';
        } catch (thrown) {
          return String(thrown);
        }
      },
      { timeout: 5000 },
    )
    .toBe('');
const idOf = (title: string): TaskId => Object.values(core.board.tasks).find((task) => task.title === title)!.id;
const first = (): Fixture => {
  const fixture = emptyFixture();
  const only = { ...project('atlas-web', 1), sample: true };
  fixture.board.projects[only.id] = only;
  return fixture;
};

describe('the board', () => {
  test('has its columns as regions, its cards as articles with a readable status', async () => {
    await show(busyFixture());
    for (const name of ['Needs you', 'Queued', 'Working', 'Review', 'Done']) await column(name).waitFor();
    await column('Needs you').getByRole('article', { name: 'Regenerate the API client' }).getByText('Needs approval').waitFor();
    await column('Review').getByRole('article', { name: 'Cache exchange rates per day' }).getByText('Ready for review').waitFor();
    await column('Working').getByText('running pnpm test').waitFor();
    expect(await page.getByRole('button', { name: 'New task', exact: true }).count()).toBe(1);
    expect(problems).toEqual([]);
  });

  test('is driven by keys: movement, approval from the card, focus that comes back', async () => {
    await show(busyFixture());
    await page.keyboard.press('j');
    await expect
      .poll(() => page.evaluate(() => document.activeElement?.getAttribute('aria-label')))
      .toBe('Regenerate the API client from the staging schema');
    await page.keyboard.press('ArrowRight');
    await expect
      .poll(() => page.evaluate(() => document.activeElement?.getAttribute('aria-label')))
      .toBe('Port the invoice PDF to the new template');
    await page.keyboard.press('h');
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox').waitFor();
    await page.keyboard.press('Escape');
    await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toContain('Regenerate');
    await page.keyboard.press('a');
    await until(() => expect(asked('approval/decide')).toMatchObject([{ decision: 'approve', scope: 'once' }]));
    await column('Working').getByRole('article', { name: 'Regenerate the API client' }).waitFor();
  });

  test('a drop onto Working starts, onto Done asks, anywhere else refuses and says why', async () => {
    await show(busyFixture());
    const drag = async (title: string, to: string) => {
      const from = (await card(title).boundingBox())!;
      const target = (await column(to).boundingBox())!;
      await page.mouse.move(from.x + 40, from.y + 12);
      await page.mouse.down();
      await page.mouse.move(from.x + 60, from.y + 30, { steps: 3 });
      await page.mouse.move(target.x + target.width / 2, target.y + 200, { steps: 5 });
      await page.mouse.up();
    };
    await drag('Remove feature flags that shipped in Q2', 'Working');
    await until(() => expect(asked('task/start')).toEqual([{ taskId: idOf('Remove feature flags that shipped in Q2') }]));
    await drag('Rotate refresh tokens on every use', 'Queued');
    await page.getByText('Tasks come to Queued by what their agent does.').first().waitFor();
    await drag('Cache exchange rates per day', 'Done');
    await page.getByRole('dialog').getByRole('button', { name: 'Archive task' }).click();
    await until(() => expect(asked('task/archive')).toHaveLength(1));
    await page.getByRole('button', { name: 'Undo' }).click();
    await until(() => expect(asked('task/unarchive')).toHaveLength(1));
  });

  test('shows a failure on the card that caused it', async () => {
    await show(busyFixture());
    core.answer({
      'task/retry': () => {
        throw new Failure('no-model', 'No model is set up.', { fix: 'Choose one in Settings.' });
      },
    });
    const failed = card('Split the posting module out of the ledger crate');
    await failed.getByRole('button', { name: 'Retry' }).click();
    await failed.getByRole('alert').getByText('Choose one in Settings.').waitFor();
  });

  test('deletes with the object on the button, and takes it back', async () => {
    await show(busyFixture());
    const target = card('Type the webhook payloads');
    await target.hover();
    await target.getByRole('button', { name: 'More actions' }).click();
    await page.getByRole('menuitem', { name: 'Delete task' }).click();
    await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe('Cancel');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete task' }).click();
    await until(() => expect(core.board.tasks[idOf('Type the webhook payloads')]?.phase).toBe('trashed'));
    await page.getByRole('link', { name: 'Trash' }).click();
    await page.getByRole('article', { name: 'Type the webhook payloads' }).getByRole('button', { name: 'Restore' }).click();
    await until(() => expect(core.board.tasks[idOf('Type the webhook payloads')]?.phase).not.toBe('trashed'));
  });

  test('draws only what can be seen of 500 cards, and follows a change within them', async () => {
    await show(manyFixture(500));
    await expect.poll(() => page.getByRole('article').count(), { timeout: 5000 }).toBeGreaterThan(20);
    expect(await page.getByRole('article').count()).toBeLessThan(120);
    const moved = Object.values(core.board.tasks).find((task) => threadOf(core.board, task)?.turn?.status === 'running')!;
    core.emit({ type: 'task.renamed', taskId: moved.id, title: 'A new name for it' });
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox').fill('A new name');
    await page.getByRole('option', { name: /A new name for it/ }).waitFor();
  });
});

describe('the inbox', () => {
  test('answers the same command of several tasks at once, without those unticked', async () => {
    await show(inboxFixture(), { at: '#/inbox' });
    await page.getByText('asked by 6 tasks').waitFor();
    await page.getByRole('checkbox', { name: 'Retry webhooks with jitter' }).click();
    await page.getByRole('button', { name: 'Allow for these tasks' }).click();
    await until(() => expect(asked('approval/decide')).toMatchObject([{ scope: 'task', approvalIds: { length: 5 } }]));
    await page.getByRole('heading', { name: /Run pnpm test outside the sandbox/ }).waitFor();
  });

  test('is driven by keys, and never while someone types', async () => {
    await show(inboxFixture(), { at: '#/inbox' });
    await page.getByText('asked by 6 tasks').waitFor();
    await page.keyboard.press('n');
    await page.getByRole('textbox', { name: 'Note to the agent' }).waitFor();
    await page.keyboard.type('a d');
    expect(asked('approval/decide')).toEqual([]);
    await page.keyboard.press('Escape');
    await page.keyboard.press('j');
    await page.getByRole('heading', { name: /curl/ }).waitFor();
    await page.keyboard.press('d');
    await until(() => expect(asked('approval/decide')).toMatchObject([{ decision: 'decline', approvalIds: { length: 1 } }]));
  });
});

describe('a new task', () => {
  test('stands beside its field when something is wrong, and starts with ⌘↵', async () => {
    await show(busyFixture());
    await page.keyboard.press('Control+n');
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Start', exact: true }).click();
    await dialog.getByText('The task is empty.').waitFor();
    expect(await dialog.getByLabel('Task').getAttribute('aria-invalid')).toBe('true');
    await dialog.getByLabel('Task').fill('Add a test for the parser');
    await dialog.getByLabel('Base branch').selectOption({ label: 'develop' });
    await dialog.getByLabel('Project').selectOption({ label: 'atlas-web' });
    core.answer({
      'task/create': () => {
        throw new Failure('base-not-found', 'There is no branch main.');
      },
    });
    await page.keyboard.press('Control+Enter');
    await dialog.getByText('There is no branch main.').waitFor();
    expect(asked('task/create')).toMatchObject([{ prompt: 'Add a test for the parser', start: true }]);
  });
});

describe('the first run', () => {
  test('offers project, model, self-test and prompts, and starts', async () => {
    await show(first());
    await page.getByText('Self-test passed in 0.8 s').waitFor();
    await page.getByRole('button', { name: /Remove the 7 uses of moment/ }).click();
    await page.getByRole('radio', { name: /Demo model/ }).click();
    core.answer({
      'task/create': () => {
        throw new Failure('cannot-confine', 'The sandbox can’t confine here.');
      },
    });
    await page.getByRole('button', { name: 'Start task' }).click();
    await page.getByRole('alert').getByText('can’t confine').waitFor();
    expect(asked('task/create')).toMatchObject([{ prompt: 'Remove the 7 uses of moment.', model: 'demo' }]);
  });

  test('opens a folder by its path and offers git init where there is none', async () => {
    await show(first());
    await page.getByRole('button', { name: 'Pick another folder' }).click();
    core.answer({
      'project/open': ({ init }) => {
        if (!init) throw new Failure('not-a-repository', 'This folder is no git repository.');
        return project('fresh', 2);
      },
    });
    await page.getByLabel('Folder', { exact: true }).fill('/tmp/x');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Run git init here' }).click();
    await until(() => expect(asked('project/open')).toEqual([{ path: '/tmp/x' }, { path: '/tmp/x', init: true }]));
  });
});

test('a lost connection is said, the window stays, and the board comes back true', async () => {
  await show(busyFixture());
  await card('Cache exchange rates per day').waitFor();
  core.cut(false);
  await page.getByText('The connection to the core is lost.').waitFor();
  expect(await card('Cache exchange rates per day').count()).toBe(1);
  core.emit({ type: 'task.renamed', taskId: idOf('Cache exchange rates per day'), title: 'Renamed meanwhile' });
  core.cut(true);
  await card('Renamed meanwhile').waitFor();
});

test('a dropped batch of events brings a fresh snapshot', async () => {
  await show(busyFixture());
  await card('Cache exchange rates per day').waitFor();
  core.gap();
  core.emit({ type: 'task.renamed', taskId: idOf('Cache exchange rates per day'), title: 'After the gap' });
  await card('After the gap').waitFor();
  expect(asked('snapshot')).toHaveLength(1);
});

test('the live region says who needs the person and what is done', async () => {
  await show(busyFixture());
  const task = Object.values(core.board.tasks).find(({ title }) => title === 'Rotate refresh tokens on every use')!;
  const { turn } = threadOf(core.board, task)!;
  core.emit({ type: 'turn.ended', taskId: task.id, turn: { ...turn!, status: 'completed', endedAt: Date.now() } });
  await expect.poll(() => page.locator('[data-live]').textContent()).toBe('Done, ready for review: Rotate refresh tokens on every use');
});

test('landing merges a row by the chosen method and says what blocks another', async () => {
  await show(busyFixture());
  core.answer({
    'land/preview': ({ taskId }) => ({
      into: 'main',
      ahead: 1,
      behind: 0,
      clean: true,
      conflicts: [],
      uncommitted: 0,
      blocked: taskId === idOf('Rate-limit password resets') ? 'Your checkout has changes that are not committed.' : null,
    }),
  });
  await page.getByRole('link', { name: 'Landing' }).click();
  await page.getByText('Your checkout has changes that are not committed.').waitFor();
  await page.getByLabel('How to land Cache exchange rates per day').selectOption('squash');
  await page.getByRole('button', { name: 'Merge Cache exchange rates per day' }).click();
  await until(() => expect(asked('land/merge')).toMatchObject([{ method: 'squash' }]));
});

describe.each(['dark', 'light'] as const)('axe finds nothing, %s', (colorScheme) => {
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const clean = async () => {
    const { violations } = await new AxeBuilder({ page }).withTags(tags).analyze();
    expect(
      violations.map(
        ({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html.slice(0, 160)} ${failureSummary}`).join('\n')}`,
      ),
    ).toEqual([]);
  };
  const places: [string, () => Fixture, string | undefined, string[]][] = [
    ['board', busyFixture, undefined, ['j']],
    ['inbox', inboxFixture, '#/inbox', []],
    ['landing', busyFixture, '#/landing', []],
    ['settings', busyFixture, '#/settings', []],
    ['first run', first, undefined, []],
    ['compose', busyFixture, undefined, ['Control+n']],
    ['palette', busyFixture, undefined, ['Control+k']],
    ['keys', busyFixture, undefined, ['?']],
    ['folder', busyFixture, undefined, ['Control+o']],
  ];
  test.each(places)('%s', async (_name, make, at, keys) => {
    await show(make(), { colorScheme, ...(at ? { at } : {}) });
    await page.waitForLoadState('networkidle');
    for (const key of keys) await page.keyboard.press(key);
    if (keys.some((key) => key !== 'j')) await page.getByRole('dialog').waitFor();
    await clean();
    expect(problems).toEqual([]);
  });
});

test('at 200 % zoom the board and its dialog fit without sideways scrolling of the page', async () => {
  await show(busyFixture(), { viewport: { width: 720, height: 450 }, deviceScaleFactor: 2 });
  await page.keyboard.press('Control+n');
  await page.getByRole('dialog').waitFor();
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
});
