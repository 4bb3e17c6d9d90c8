import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import type { Board, Item, TerminalInfo, TurnId } from '../../agent-core/contract/index.ts';
import { board, ids, item } from './support/fixtures.ts';
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

/** For the eye: where SHOTS names a folder. */
const shot = async ({ page }: Stage, name: string): Promise<void> => {
  if (process.env['SHOTS']) await page.screenshot({ path: `${process.env['SHOTS']}/task-${name}.png` });
};
const turnId = 'turn_setup0000000' as TurnId;
const setup = (change: object): Item => item('command', { turnId, command: 'npm ci\nnpm run build', script: 'setup', ...change });
const before = (): Board => {
  const made = board();
  const workspace = made.workspaces[ids.workspace]!;
  return {
    ...made,
    workspaces: { [ids.workspace]: { ...workspace, phase: 'preparing' } },
    threads: { [ids.thread]: { ...made.threads[ids.thread]!, turn: null } },
  };
};
const terminal: TerminalInfo = {
  id: 'term_000000000001' as TerminalInfo['id'],
  taskId: ids.task,
  title: 'Dev server',
  cols: 80,
  rows: 12,
  running: true,
  exitCode: null,
  action: 'Dev server',
};
const recipe = {
  setup: '',
  teardown: '',
  setupMinutes: 20,
  actions: [
    { name: 'Dev server', command: 'npm run dev' },
    { name: 'Test', command: 'npm test' },
  ],
};

describe('the recipe in a task', () => {
  it('shows what setup does and prints while it runs, and its line afterwards', async () => {
    const running = setup({ status: 'running', exitCode: null, endedAt: null, output: 'added 213 packages\n' });
    const made = await show({ board: before(), items: [running], turns: [] });
    const { page, core } = made;
    core.transient({
      type: 'activity',
      taskId: ids.task,
      activity: { verb: 'preparing', subject: 'Setup script: added 213 packages', since: Date.now(), progress: null },
    });
    await page.getByRole('region', { name: 'Preparing the workspace' }).getByText('Setup script: added 213 packages').waitFor();
    await page.getByText('Running the setup script').waitFor();
    await page
      .getByLabel(/^Output of npm ci/)
      .getByText('added 213 packages')
      .waitFor();
    core.transient({ type: 'item.delta', threadId: ids.thread, itemId: running.id, text: 'built in 2.1 s\n' });
    await page.getByText('built in 2.1 s').waitFor();
    expect(await axe(page)).toEqual([]);
    await shot(made, 'setup-running');
    core.emit({
      type: 'item.completed',
      taskId: ids.task,
      item: { ...running, status: 'completed', endedAt: Date.now(), exitCode: 0 } as Item,
    });
    await page.getByText('Ran the setup script').waitFor();
    await soon(() => page.getByLabel(/^Output of npm ci/).count()).toBe(0);
  });

  it('shows a failed setup with its output, and runs it again or starts without it', async () => {
    const failing = before();
    failing.workspaces[ids.workspace] = {
      ...failing.workspaces[ids.workspace]!,
      phase: 'failed',
      error: {
        code: 'setup-failed',
        message: 'The setup script ended with code 1.',
        command: 'npm ci\nnpm run build',
        output: 'npm error code ERESOLVE\nnpm error could not resolve\n',
        fix: 'Its output says why. Change the script in the project’s settings if need be, then retry.',
      },
    };
    const made = await show({
      board: failing,
      items: [setup({ status: 'failed', exitCode: 1, output: 'npm error code ERESOLVE\n' })],
      turns: [],
    });
    const { page, core, problems } = made;
    await page.getByText('The setup script ended with code 1.').waitFor();
    await page.getByText('npm error could not resolve').waitFor();
    expect(await axe(page)).toEqual([]);
    await shot(made, 'setup-failed');
    await page.getByRole('button', { name: 'Run setup again' }).click();
    await core.until('task/retry');
    await page.getByRole('button', { name: 'Start without setup' }).click();
    expect(await core.until('setup/skip')).toEqual({ taskId: ids.task });
    expect(problems).toEqual([]);
  });

  it('offers setup to a restored task whose teardown ran', async () => {
    const restored = board();
    restored.workspaces[ids.workspace] = { ...restored.workspaces[ids.workspace]!, setup: 'undone' };
    restored.projects[ids.project] = { ...restored.projects[ids.project]!, recipe: { ...recipe, setup: 'npm ci' } };
    const { page, core, problems } = await show({ board: restored });
    await page.getByText('The teardown script ran when this task was deleted.').waitFor();
    expect(await axe(page)).toEqual([]);
    await page.getByRole('button', { name: 'Run setup again' }).click();
    expect(await core.until('setup/run')).toEqual({ taskId: ids.task });
    expect(problems).toEqual([]);
  });

  it('starts an action by name in a tab of its own, says that it runs, and stops it', async () => {
    const made = await show({
      answers: {
        'terminal/list': () => ({ terminals: [terminal] }),
        'terminal/attach': () => ({ info: terminal, screen: 'ready on http://127.0.0.1:5173\r\n' }),
        'action/start': () => terminal,
      },
    });
    const { page, core, problems } = made;
    expect(await page.getByRole('button', { name: 'Run', exact: true }).count()).toBe(0);
    core.emit({ type: 'project.recipe', projectId: ids.project, recipe });
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Start Dev server' }).click();
    expect(await core.until('action/start')).toMatchObject({ taskId: ids.task, name: 'Dev server' });
    core.emit({ type: 'task.running', taskId: ids.task, running: [{ name: 'Dev server', terminalId: terminal.id }] });
    await page.getByRole('button', { name: 'Dev server runs' }).waitFor();
    await page.getByRole('tab', { name: 'Dev server' }).waitFor();
    await soon(() => page.getByRole('group', { name: 'Terminal' }).textContent()).toContain('ready on');
    expect(await axe(page)).toEqual([]);
    await shot(made, 'action');
    // A terminal keeps Ctrl+K for its shell.
    await page.getByRole('tab', { name: 'Conversation' }).focus();
    await page.keyboard.press('Control+k');
    await page.getByRole('dialog').getByRole('combobox').fill('stop dev');
    await page.getByRole('option', { name: 'Stop Dev server' }).click();
    expect(await core.until('action/stop')).toEqual({ taskId: ids.task, name: 'Dev server' });
    await page.goto(`${core.url}/?x#/board`);
    await page.getByText('Dev server running').waitFor();
    await shot(made, 'card');
    expect(problems).toEqual([]);
  });
});
