import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { tabsAfter } from '../../renderer/state/task-tabs.ts';
import { START, board, ids, item, turn } from './support/fixtures.ts';
import { axe, shutBrowser, soon, stage, type Setting, type Stage } from './support/stage.ts';

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
// A page, a browser and axe on a machine that does other things too.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 });

describe('the task page', () => {
  it('joins conversation and changes side by side where there is room', () => {
    expect(tabsAfter(['conversation'], 'changes', true)).toEqual(['conversation', 'changes']);
    expect(tabsAfter(['conversation'], 'changes', false)).toEqual(['changes']);
    expect(tabsAfter(['conversation', 'changes'], 'changes', true)).toEqual(['changes']);
    expect(tabsAfter(['conversation', 'changes'], 'terminal', true)).toEqual(['terminal']);
  });

  it('has a header with name, state, branch, lines and what can be done', async () => {
    const { page, core } = await show({});
    await page.getByRole('heading', { name: 'Cache exchange rates per day' }).waitFor();
    const header = page.locator('.task-page > header');
    expect(await header.getByText('Ready for review').isVisible()).toBe(true);
    expect(await page.getByText('signalbox/cache-exchange-rates').isVisible()).toBe(true);
    expect(await page.getByRole('img', { name: '214 added, 36 removed' }).isVisible()).toBe(true);
    expect(await page.getByRole('tab').allTextContents()).toEqual(['Conversation', 'Changes', 'Terminal', 'Checks', 'Network']);
    expect(await header.getByRole('button', { name: 'Stop' }).isDisabled()).toBe(true);
    await header.getByRole('button', { name: 'More actions' }).click();
    for (const name of ['Delete task', 'Archive', 'Open terminal', 'Copy path']) await page.getByRole('menuitem', { name }).waitFor();
    await page.keyboard.press('Escape');
    core.emit({ type: 'turn.started', taskId: ids.task, turn: turn({ status: 'running', endedAt: null }) });
    await header.getByRole('button', { name: 'Stop' }).click();
    await core.until('task/stop');
    expect(await header.getByRole('button', { name: /^Merge into main/ }).isDisabled()).toBe(true);
  });

  it('asks before it merges, with the method that was picked', async () => {
    const { page, core } = await show({
      answers: {
        'land/preview': () => ({ into: 'main', ahead: 2, behind: 1, clean: true, conflicts: [], blocked: null, uncommitted: 3 }),
        'land/merge': ({ method }) => ({ method, into: 'main', commit: 'abcdef1234', at: START }),
      },
    });
    await page.getByRole('button', { name: 'Other ways to land' }).click();
    await page.getByRole('menuitem', { name: 'Squash and merge' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Merge into main' }).click();
    expect(await core.until('land/merge')).toMatchObject({ method: 'squash' });
    await soon(() => dialog.count()).toBe(0);
  });

  it('shows a workspace in the making with its progress, and how to go on when it failed', async () => {
    const given = board({ workspace: { phase: 'preparing' }, thread: { turn: null } });
    const { page, core } = await show({ board: given, turns: [] });
    core.transient({
      type: 'activity',
      taskId: ids.task,
      activity: { verb: 'preparing', subject: 'Checking out main', since: Date.now(), progress: 0.4 },
    });
    const bar = page.getByRole('progressbar', { name: 'Checking out main' });
    await soon(() => bar.getAttribute('aria-valuenow')).toBe('40');
    const failed = {
      ...given.workspaces[ids.workspace]!,
      phase: 'failed' as const,
      error: { code: 'git-failed' as const, message: 'git worktree add failed', command: 'git worktree add x', output: 'fatal: no space' },
    };
    core.emit({ type: 'workspace.changed', workspace: failed });
    await page.getByText('fatal: no space').waitFor();
    await page.getByRole('tabpanel').getByRole('button', { name: 'Retry' }).click();
    await core.until('task/retry');
    expect(await axe(page)).toEqual([]);
  });

  it('lists checks with their result and opens their output', async () => {
    const failing = item('command', { command: 'npm test', exitCode: 1, output: '1 failed, 4 passed\n', outputBytes: 19 });
    const check = { itemId: failing.id, command: 'npm test', passed: false, summary: '1 of 5 failed', at: START, stale: true };
    const { page } = await show({ board: board({ task: { check } }), items: [item('userMessage'), failing], tabs: ['checks'] });
    const row = page.getByRole('list', { name: 'Checks' }).getByRole('listitem');
    await row.getByText('1 of 5 failed').waitFor();
    await row.getByText('Stale').waitFor();
    expect(await axe(page)).toEqual([]);
    await row.getByRole('button', { name: 'Show output' }).click();
    await soon(() => page.getByLabel('Output of npm test').textContent()).toContain('1 failed, 4 passed');
  });

  it('fits a narrow window and one at 200 %', async () => {
    const { page } = await show({
      tabs: ['conversation', 'changes'],
      sidebar: false,
      context: { viewport: { width: 720, height: 450 }, deviceScaleFactor: 2 },
      items: [item('userMessage')],
    });
    expect(await page.getByRole('tabpanel').count()).toBe(1);
    for (const name of ['Changes', 'Terminal', 'Checks', 'Conversation']) {
      await page.getByRole('tab', { name }).click();
      await soon(() => page.getByRole('tab', { name }).getAttribute('aria-selected')).toBe('true');
    }
    const past = await page.evaluate(() =>
      [...document.querySelectorAll('.task-frame button')]
        .filter((button) => {
          const box = button.getBoundingClientRect();
          return box.width > 0 && (box.right > innerWidth + 1 || box.left < -1);
        })
        .map((button) => button.textContent),
    );
    expect(past).toEqual([]);
  });
});
