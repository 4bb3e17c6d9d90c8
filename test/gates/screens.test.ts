import { rmSync } from 'node:fs';
import AxeBuilder from '@axe-core/playwright';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Browser, BrowserContextOptions, Page } from 'playwright';
import type { Denial, DenialId, ItemId, Rule, RuleId, TerminalId, TerminalInfo } from '../../agent-core/contract/index.ts';
import { threadOf } from '../../agent-core/contract/index.ts';
import { newId } from '../../agent-core/support/ids.ts';
import { buildRenderer, launch, open } from '../renderer/support/browser.ts';
import { emptyFixture, project, type Fixture } from '../renderer/support/fixture-board.ts';
import { fixtureCore, type FixtureCore } from '../renderer/support/fixture-core.ts';
import { inboxFixture } from '../renderer/support/fixtures.ts';

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
  core.answer({
    'denial/read': () => ({
      files: [
        {
          path: '.vscode/tasks.json',
          text: '{\n  "version": "2.0.0",\n  "tasks": [{ "label": "build", "runOptions": { "runOn": "folderOpen" } }]\n}\n',
          truncated: false,
        },
      ],
      more: 0,
    }),
    'denial/decide': ({ denialIds, decision, scope }) => {
      for (const denialId of denialIds) {
        const { taskId } = core.board.denials[denialId]!;
        core.emit({ type: 'denial.decided', denialId, taskId, decision: decision === 'allow' ? 'allowed' : 'dismissed', scope });
      }
      return { decided: denialIds };
    },
    'task/mode': ({ taskId, mode }) => {
      core.emit({ type: 'task.moded', taskId, mode });
      return {};
    },
    'rule/revoke': ({ ruleId }) => {
      core.emit({ type: 'rule.revoked', ruleId });
      return {};
    },
  });
  ({ page, problems } = await open(browser, core, options));
  page.setDefaultTimeout(5000);
}

/** For the eye: where SHOTS names a folder. */
const shot = async (name: string): Promise<void> => {
  if (process.env['SHOTS']) await page.screenshot({ path: `${process.env['SHOTS']}/gates-${name}.png` });
};
const axe = async (): Promise<void> => {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
};
const asked = (method: string) => core.calls.filter((call) => call.method === method).map((call) => call.params);

function deny(fixture: Fixture, title: string, denial: Partial<Denial>): Denial {
  const task = Object.values(fixture.board.tasks).find((each) => each.title === title)!;
  const made: Denial = {
    id: newId<DenialId>('deny'),
    taskId: task.id,
    threadId: threadOf(fixture.board, task)!.id,
    itemId: newId<ItemId>('item'),
    kind: 'file',
    subject: '.vscode/tasks.json',
    command: 'npm run generate-editor-config',
    detail:
      'Set aside: VS Code takes tasks, tool paths and MCP servers from it when the folder is opened. The base’s version is back in its place. Allowing it brings it back.',
    scopes: ['once', 'task', 'project'],
    kept: 'x',
    at: Date.now() - 7 * 60_000,
    ...denial,
  };
  fixture.board.denials[made.id] = made;
  return made;
}

function mixed(): Fixture {
  const fixture = inboxFixture();
  deny(fixture, 'Split the report by month', {});
  deny(fixture, 'Rotate the signing keys', {});
  deny(fixture, 'Rotate the signing keys', {
    kind: 'host',
    subject: 'registry.npmjs.org:443',
    command: 'npm ci',
    detail: 'The sandbox has no network. Allowing it lets the task’s commands connect there.',
  });
  deny(fixture, 'Link decline e-mails to the help page', { subject: '.envrc', command: 'apply_patch', scopes: ['task', 'project'] });
  return fixture;
}

test.each(['dark', 'light'] as const)(
  'the inbox has what was kept out below what waits, answered for several tasks at once (%s)',
  async (colorScheme) => {
    await show(mixed(), { at: '#/inbox', colorScheme });
    const list = page.getByRole('list', { name: /Approvals and questions/ });
    await list.getByRole('heading', { name: 'Kept out by the sandbox' }).waitFor();
    await shot(`inbox-${colorScheme}`);
    // Everything that waits comes first.
    const kinds = await list
      .locator('li')
      .evaluateAll((rows) => rows.map((row) => (row.textContent.includes('Kept out') ? 'denial' : 'waits')));
    expect(kinds.lastIndexOf('waits')).toBeLessThan(kinds.indexOf('denial'));
    await axe();
    await list.getByRole('article').filter({ hasText: '.vscode/tasks.json' }).click();
    await page.getByRole('heading', { name: 'Set aside: .vscode/tasks.json' }).waitFor();
    await page.getByText('"runOn": "folderOpen"').waitFor();
    await shot(`denial-${colorScheme}`);
    await axe();
    await page.keyboard.press('p');
    await expect.poll(() => asked('denial/decide')).toHaveLength(1);
    expect(asked('denial/decide')[0]).toMatchObject({ decision: 'allow', scope: 'project' });
    expect((asked('denial/decide')[0] as { denialIds: string[] }).denialIds).toHaveLength(2);
    await page.getByRole('button', { name: 'Dismiss all 2' }).click();
    await list.getByRole('heading', { name: 'Kept out by the sandbox' }).waitFor({ state: 'detached' });
    expect(problems).toEqual([]);
  },
);

test('an approval can be allowed everywhere and refused for good', async () => {
  const fixture = inboxFixture();
  for (const approval of Object.values(fixture.board.approvals)) Object.assign(approval, { argv: approval.subject.split(' ') });
  await show(fixture, { at: '#/inbox' });
  await page.getByRole('article').filter({ hasText: 'asked by 6 tasks' }).click();
  await page.getByRole('button', { name: 'More answers: everywhere, never' }).click();
  await page.getByRole('menuitem', { name: 'Never on this computer' }).waitFor();
  await shot('longer');
  await page.getByRole('menuitem', { name: 'Allow “pnpm test …” in every project' }).click();
  await expect.poll(() => asked('approval/decide')).toHaveLength(1);
  expect(asked('approval/decide')[0]).toMatchObject({ decision: 'approve', scope: 'machine' });
});

test('a card counts what was kept out and answers it from a menu', async () => {
  await show(mixed());
  const card = page.getByRole('article', { name: 'Rotate the signing keys' });
  await axe();
  await card.getByRole('button', { name: '2 things kept out' }).click();
  await shot('card-menu');
  await page.getByRole('menuitem', { name: 'Allow for this task: registry.npmjs.org:443' }).click();
  await card.getByRole('button', { name: '1 thing kept out' }).waitFor();
  expect(asked('denial/decide')[0]).toMatchObject({ decision: 'allow', scope: 'task' });
  expect(problems).toEqual([]);
});

test('full access is asked for each time and shows in red on the card and the header', async () => {
  await show(inboxFixture());
  const { id, title } = Object.values(core.board.tasks).find((task) => task.title === 'Rotate the signing keys')!;
  await page.getByRole('article', { name: title }).click();
  await page.locator('.task-bar').getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: 'Change mode' }).click();
  const dialog = page.getByRole('dialog', { name: 'Change the mode' });
  expect(await dialog.getByRole('button', { name: 'Change mode' }).isDisabled()).toBe(true);
  await dialog.getByRole('radio', { name: /Full access/ }).check();
  await dialog.getByRole('alert').waitFor();
  await shot('mode');
  await axe();
  await dialog.getByRole('button', { name: 'Give full access' }).click();
  await expect.poll(() => asked('task/mode')).toEqual([{ taskId: id, mode: 'full' }]);
  await page.locator('.task-bar').getByText('Full access').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('article', { name: title }).getByText('Full access, no sandbox').waitFor();
  expect(problems).toEqual([]);
});

test.each(['dark', 'light'] as const)('a terminal outside is confirmed each time, red, and says what it is (%s)', async (colorScheme) => {
  const fixture = inboxFixture();
  await show(fixture, { colorScheme });
  const task = Object.values(core.board.tasks).find(
    (each) => core.board.workspaces[core.board.attempts[each.attempt!]!.workspaceId]?.phase === 'ready',
  )!;
  const all: TerminalInfo[] = [];
  core.answer({
    'terminal/list': () => ({ terminals: all }),
    'terminal/open': ({ taskId, outside }) => {
      const info: TerminalInfo = {
        id: newId<TerminalId>('term'),
        taskId,
        title: outside ? 'Outside the sandbox' : 'zsh',
        cols: 100,
        rows: 24,
        running: true,
        exitCode: null,
        ...(outside ? { outside } : {}),
      };
      all.push(info);
      return info;
    },
    'terminal/attach': ({ terminalId }) => ({
      info: all.find(({ id }) => id === terminalId)!,
      screen: '\u001b[1;34mtree\u001b[0m $ git push origin HEAD',
    }),
    'terminal/resize': () => ({}),
    'terminal/detach': () => ({}),
  });
  await page.evaluate((hash) => {
    location.hash = hash;
  }, `#/task/${task.id}`);
  await page.locator('.task-bar').waitFor();
  await page.keyboard.press('Control+j');
  await page.getByText('Inside the sandbox').waitFor();
  await page.getByRole('button', { name: 'Open a terminal outside the sandbox' }).click();
  const dialog = page.getByRole('dialog', { name: 'Open a terminal outside the sandbox?' });
  await dialog.waitFor();
  await shot(`outside-ask-${colorScheme}`);
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  expect(asked('terminal/open')).toHaveLength(1);
  await page.getByRole('button', { name: 'Open a terminal outside the sandbox' }).click();
  await dialog.getByRole('button', { name: 'Open outside terminal' }).click();
  await page.getByRole('note').filter({ hasText: 'This shell is yours' }).waitFor();
  expect(asked('terminal/open')[1]).toMatchObject({ outside: true });
  await page.getByRole('tab', { name: 'Outside the sandbox' }).waitFor();
  await shot(`outside-${colorScheme}`);
  await axe();
  // Another one is asked for anew, from the palette too.
  await page.keyboard.press('Escape');
  await page.locator('h1').first().click();
  expect(asked('terminal/open')).toHaveLength(2);
  expect(problems).toEqual([]);
});

test('rules are listed where they hold, the strictest first, and revoked there', async () => {
  const fixture = emptyFixture();
  const web = { ...project('atlas-web', 1), grants: { hosts: [], services: [], files: ['.vscode'] } };
  const other = project('other', 2);
  fixture.board.projects[web.id] = web;
  fixture.board.projects[other.id] = other;
  const rule = (prefix: string, more: Partial<Rule>): void => {
    const made: Rule = {
      id: newId<RuleId>('rule'),
      scope: 'project',
      taskId: null,
      projectId: web.id,
      prefix: prefix.split(' '),
      at: Date.now(),
      ...more,
    };
    fixture.board.rules[made.id] = made;
  };
  rule('gh pr', {});
  rule('git push', { scope: 'machine', projectId: null, effect: 'refuse' });
  rule('gh issue', { projectId: other.id });
  await show(fixture, { at: `#/project/${web.id}` });
  const section = page.getByRole('region', { name: 'Rules' });
  await section.getByText('git push').waitFor();
  expect(await section.getByRole('listitem').evaluateAll((rows) => rows.map((row) => row.querySelector('code')!.textContent))).toEqual([
    'git push …',
    'gh pr …',
    '.vscode',
  ]);
  await section.scrollIntoViewIfNeeded();
  await shot('rules');
  await axe();
  await section.getByRole('button', { name: 'Revoke gh pr' }).click();
  await section.getByText('gh pr').waitFor({ state: 'detached' });
  await page.evaluate(() => {
    location.hash = '#/settings';
  });
  await page.getByText('gh issue').waitFor();
});
