import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import type { TerminalInfo } from '../../agent-core/contract/index.ts';
import { ids } from './support/fixtures.ts';
import { Failure, type StandInCore } from './support/core.ts';
import { axe, shutBrowser, soon, stage, type Setting, type Stage } from './support/stage.ts';

let open: Stage[] = [];
afterEach(async () => {
  await Promise.all(open.map((made) => made.close()));
  open = [];
});
afterAll(shutBrowser);
// A page, a browser and axe on a machine that does other things too.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 });

const info = (number: number, change: Partial<TerminalInfo> = {}): TerminalInfo => ({
  id: `term_${String(number).padStart(12, '0')}` as TerminalInfo['id'],
  taskId: ids.task,
  title: `bash ${number}`,
  cols: 80,
  rows: 12,
  running: true,
  exitCode: null,
  ...change,
});

/** Terminals as the core keeps them: attach answers with the screen, write is recorded. */
async function show(list: TerminalInfo[], screen = 'signalbox $ ', more: Setting = {}): Promise<Stage> {
  let next = list.length;
  const terminals = new Map<string, TerminalInfo>(list.map((one) => [one.id, one]));
  const made = await stage({
    tabs: ['terminal'],
    ...more,
    answers: {
      'terminal/list': () => ({ terminals: [...terminals.values()] }),
      'terminal/open': () => {
        const fresh = info(++next);
        terminals.set(fresh.id, fresh);
        return fresh;
      },
      'terminal/attach': ({ terminalId }) => ({ info: terminals.get(terminalId) ?? info(1), screen }),
      ...more.answers,
    },
  });
  open.push(made);
  return made;
}
const written = (core: StandInCore): string =>
  core
    .called('terminal/write')
    .map((input) => input.data)
    .join('');

describe('a terminal', () => {
  it('draws the snapshot, types, acknowledges what it drew, and its text can be read', async () => {
    const { page, core, problems } = await show([info(1)]);
    const box = page.getByRole('group', { name: 'Terminal' });
    await soon(() => box.textContent()).toContain('signalbox $');
    await box.click();
    await page.keyboard.type('ls');
    await soon(() => written(core)).toBe('ls');
    core.transient({ type: 'terminal.output', terminalId: info(1).id, data: 'ls\r\n\u001b[32mREADME.md\u001b[0m\r\n' });
    await soon(() => box.textContent()).toContain('README.md');
    const drawn = () => core.called('terminal/ack').reduce((sum, input) => sum + input.chars, 0);
    await soon(drawn).toBe('ls\r\n\u001b[32mREADME.md\u001b[0m\r\n'.length);
    core.transient({ type: 'terminal.output', terminalId: info(1).id, data: 'y'.repeat(200_000) });
    await soon(drawn).toBe(200_000 + 'ls\r\n\u001b[32mREADME.md\u001b[0m\r\n'.length);
    expect(await core.until('terminal/resize')).toMatchObject({ terminalId: info(1).id });
    expect(await axe(page)).toEqual([]);
    expect(problems).toEqual([]);
  });

  it('opens one when there is none, in tabs with new and close', async () => {
    const { page, core } = await show([]);
    await page.getByRole('tab', { name: 'bash 1' }).waitFor();
    await page.getByRole('button', { name: 'New terminal' }).click();
    await soon(() => page.getByRole('tab', { name: 'bash 2' }).getAttribute('aria-selected')).toBe('true');
    expect(await page.getByRole('group', { name: 'Terminal' }).count()).toBe(1);
    expect(await axe(page)).toEqual([]);
    await page.getByRole('button', { name: 'Close bash 2' }).click();
    expect(await core.until('terminal/close')).toEqual({ terminalId: info(2).id });
    await soon(() => page.getByRole('tab', { name: 'bash 1' }).getAttribute('aria-selected')).toBe('true');
    await page.getByText('Inside the sandbox').waitFor();
  });

  it('is a dock under the task that Ctrl+J opens and closes, and keeps a shell’s keys', async () => {
    const { page, core } = await show([info(1)], 'signalbox $ ', { tabs: ['conversation'] });
    await page.keyboard.press('Control+j');
    const box = page.getByRole('group', { name: 'Terminal' });
    await soon(() => box.textContent()).toContain('signalbox $');
    await soon(() => page.evaluate(() => document.activeElement?.className)).toContain('xterm-helper-textarea');
    for (const key of ['k', 'n', 'b', 'i', 'o']) await page.keyboard.press(`Control+${key}`);
    await page.keyboard.press('Escape');
    await soon(() => written(core)).toBe('\u000b\u000e\u0002\t\u000f\u001b');
    expect(await page.getByRole('dialog').count()).toBe(0);
    await page.keyboard.press('Control+j');
    await soon(() => box.count()).toBe(0);
    expect(await core.until('terminal/detach')).toEqual({ terminalId: info(1).id });
    expect(written(core)).not.toContain('\n');
  });

  it('asks before several lines are pasted and takes escapes out', async () => {
    const { page, core } = await show([info(1)]);
    const box = page.getByRole('group', { name: 'Terminal' });
    await soon(() => box.textContent()).toContain('signalbox $');
    const paste = (text: string) =>
      box.locator('textarea').evaluate((field, value) => {
        const data = new DataTransfer();
        data.setData('text/plain', value);
        field.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
      }, text);
    await paste('echo \u001b[201~one');
    await soon(() => written(core)).toBe('echo [201~one');
    await paste('rm -rf a\nrm -rf b\n');
    const dialog = page.getByRole('dialog', { name: 'Paste 2 lines into the terminal?' });
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    expect(written(core)).toBe('echo [201~one');
    await paste('a\nb');
    await page.getByRole('button', { name: 'Paste 2 lines' }).click();
    await soon(() => written(core)).toBe('echo [201~onea\rb');
  });

  it('lets a program neither set the title nor reach the clipboard', async () => {
    const { page, core } = await show([info(1)]);
    const title = await page.title();
    const box = page.getByRole('group', { name: 'Terminal' });
    await soon(() => box.textContent()).toContain('signalbox $');
    core.transient({ type: 'terminal.output', terminalId: info(1).id, data: '\u001b]0;owned\u0007\u001b]52;c;b3duZWQ=\u0007\u0007after' });
    await soon(() => box.textContent()).toContain('after');
    expect(await page.title()).toBe(title);
    expect(await page.getByRole('tab', { name: 'bash 1' }).count()).toBe(1);
    expect(written(core)).toBe('');
  });

  it('says how the shell ended and opens another', async () => {
    const { page, core } = await show([info(1)]);
    await soon(() => page.getByRole('group', { name: 'Terminal' }).textContent()).toContain('signalbox $');
    core.transient({ type: 'terminal.exited', terminalId: info(1).id, exitCode: 3 });
    await page.getByText('The shell ended with code 3.').waitFor();
    await page.getByRole('button', { name: 'Reopen' }).click();
    await page.getByRole('tab', { name: 'bash 2' }).waitFor();
  });

  it('shows why it can’t be opened', async () => {
    const { page } = await show([], '', {
      answers: {
        'terminal/open': () => {
          throw new Failure('cannot-confine', 'The sandbox could not start.', { fix: 'Run signalbox doctor.' });
        },
      },
    });
    await page.getByText('The sandbox could not start.').waitFor();
    await page.getByText('Run signalbox doctor.').waitFor();
  });
});
