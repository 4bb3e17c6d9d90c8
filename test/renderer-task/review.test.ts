import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { ids } from './support/fixtures.ts';
import { DiffRepo, type Files } from './support/repo.ts';
import { axe, shutBrowser, soon, stage, type Setting, type Stage } from './support/stage.ts';
import { storyAfter, storyBefore } from './support/story.ts';

let open: (Stage | { close: () => Promise<void> })[] = [];
async function show(before: Files, after: Files, more: Setting = {}): Promise<Stage & { repo: DiffRepo }> {
  const repo = new DiffRepo(before, after);
  const made = await stage({ repo, tabs: ['changes'], ...more });
  open.push(made, { close: async () => repo.remove() });
  return { ...made, repo };
}
afterEach(async () => {
  await Promise.all(open.map((made) => made.close()));
  open = [];
});
afterAll(shutBrowser);
// A page, a browser and axe on a machine that does other things too.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 });

describe('the review pane', () => {
  it('shows git’s patch with files, hunks and words, unified and split, and passes axe', async () => {
    const { page, problems } = await show(storyBefore, storyAfter);
    const pane = page.getByRole('region', { name: 'Changes, 5 files' });
    await pane.getByText('once per pair and UTC day').first().waitFor();
    await page
      .getByRole('treeitem', { name: /rates\.ts/ })
      .last()
      .click();
    await pane.getByText('utcDay(now())', { exact: false }).first().waitFor();
    expect(await pane.getByRole('group', { name: 'Hunk 1 of 3' }).count()).toBe(1);
    expect(await pane.getByText('package-lock.json').first().isVisible()).toBe(true);
    expect(await axe(page)).toEqual([]);
    await pane.getByRole('button', { name: 'Show side by side' }).click();
    await page.locator('diffs-container [data-diff-type=split]').first().waitFor();
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await axe(page)).toEqual([]);
    expect(problems).toEqual([]);
  });

  it('takes content and names of files as data', async () => {
    const name = 'src/<img src=x onerror=window.hit=1>\u001b[31m\n\u202e.ts';
    const { page } = await show(
      { [name]: 'const a = 1\n' },
      { [name]: '<script>window.hit=1</script><img src=x onerror="window.hit=1">\n// \u202e hidden \u001b]0;x\u0007\n' },
    );
    await page.getByText('<script>window.hit=1</script>', { exact: false }).first().waitFor();
    const text = await page
      .locator('diffs-container')
      .first()
      .evaluate((host) => host.shadowRoot?.textContent ?? '');
    expect(text).toContain('⟨U+202E⟩ hidden ␛]0;x␇');
    expect(await page.getByRole('treeitem', { name: /img src=x/ }).textContent()).toContain('␛[31m␊⟨U+202E⟩.ts');
    expect(
      await page
        .locator('diffs-container')
        .evaluateAll((all) => all.reduce((sum, host) => sum + (host.shadowRoot?.querySelectorAll('img, script').length ?? 0), 0)),
    ).toBe(0);
    expect(await page.evaluate(() => (window as { hit?: number }).hit)).toBeUndefined();
  });

  it('moves by keys, marks files viewed, accepts and discards hunks and puts them back', async () => {
    const { page, core } = await show(storyBefore, storyAfter);
    await page.getByRole('group', { name: 'Hunk 1 of 1' }).first().waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    const rates = page.getByRole('group', { name: 'src/billing/rates.ts', exact: true });
    await soon(() => rates.getAttribute('aria-current')).toBe('true');
    await page.getByRole('group', { name: 'Hunk 2 of 3' }).waitFor();
    await page.keyboard.press('n');
    await soon(() => page.getByRole('group', { name: 'Hunk 2 of 3' }).getAttribute('aria-current')).toBe('true');
    await page.keyboard.press('a');
    await page.getByRole('group', { name: 'Hunk 2 of 3' }).getByRole('button', { name: 'Accepted' }).waitFor();
    await page.keyboard.press('d');
    const { patch } = await core.until('diff/discard');
    expect(patch).toContain('+  const hit = pairs.get(key)');
    expect(patch).not.toContain('utcDay');
    await page.getByRole('button', { name: 'Undo' }).click();
    const back = await core.until('diff/discard', (input) => input.patch !== patch);
    expect(back.patch).toContain('-  const hit = pairs.get(key)');
    await page.keyboard.press('p');
    await page.keyboard.press('v');
    await page.getByText('1 of 5 viewed').waitFor();
    await soon(() => page.getByText('const hit = pairs.get(key)', { exact: false }).count()).toBe(0);
    await page.reload();
    await page.getByText('1 of 5 viewed').waitFor();
  });

  it('gathers comments on lines and sends them as one message', async () => {
    const { page, core } = await show(storyBefore, storyAfter, { answers: { 'turn/start': () => ({ turnId: ids.turn, queued: null }) } });
    await page.getByRole('group', { name: 'Hunk 1 of 1' }).first().waitFor();
    await page.keyboard.press('c');
    await page.getByRole('textbox', { name: 'Comment' }).fill('jk is not a move here');
    await page.keyboard.press('Escape');
    await soon(() => page.getByRole('textbox', { name: 'Comment' }).count()).toBe(0);
    await page.getByRole('region', { name: 'Diff' }).click({ position: { x: 60, y: 18 } });
    await page.keyboard.press('c');
    await page.getByRole('textbox', { name: 'Comment' }).fill('Say which provider.');
    await page.keyboard.press('Control+Enter');
    await page.getByText('Draft: 1 comment').waitFor();
    await page.getByRole('button', { name: 'Send to agent' }).click();
    const { text } = await core.until('turn/start');
    expect(text).toBe(
      'A comment on your changes:\n\ndocs/billing.md:3\n> Rates come from the provider, once per pair and UTC day.\nSay which provider.',
    );
    await soon(() => page.getByText(/^Draft:/).count()).toBe(0);
  });

  it('keeps its place when the task changes, and says what went wrong beside it', async () => {
    const { page, core, repo } = await show(storyBefore, storyAfter);
    await page.getByRole('treeitem', { name: /month-end/ }).click();
    await page.getByText('await rate(inv.ccy, base)', { exact: false }).first().waitFor();
    repo.to = repo.tree({ 'docs/new.md': 'fresh\n' });
    core.emit({ type: 'task.diffed', taskId: ids.task, diff: { files: 6, added: 300, removed: 36 } });
    await page.getByRole('treeitem', { name: /new\.md/ }).waitFor();
    await soon(() => page.getByRole('treeitem', { name: /month-end/ }).getAttribute('aria-selected')).toBe('true');
    expect(await page.getByText('await rate(inv.ccy, base)', { exact: false }).first().isVisible()).toBe(true);
    core.answers['diff/discard'] = () => {
      throw Object.assign(new Error('the hunk does not apply'), {});
    };
    await page.keyboard.press('d');
    await page.getByText('the hunk does not apply').waitFor();
  });

  it('tells the core what was looked at when the pane is left, not before, and shows what came since', async () => {
    const { page, core, repo } = await show(storyBefore, storyAfter, { tabs: ['changes'] });
    await page.getByRole('region', { name: 'Changes, 5 files' }).waitFor();
    await page.getByRole('radio', { name: 'Since I last looked' }).click();
    await core.until('diff/read', (input) => input.scope === 'seen');
    expect(core.called('diff/seen')).toEqual([]);
    const first = repo.to;
    await page.getByRole('tab', { name: 'Checks' }).click();
    expect(await core.until('diff/seen')).toEqual({ taskId: ids.task, tree: first });
    // What came while the pane was closed was not looked at; what came while it was open was.
    await page.getByRole('tab', { name: 'Changes' }).click();
    await page.getByRole('region', { name: 'Changes, 5 files' }).waitFor();
    repo.to = repo.tree({ 'docs/new.md': 'fresh\n' });
    core.emit({ type: 'task.diffed', taskId: ids.task, diff: { files: 6, added: 300, removed: 36 } });
    await page.getByRole('treeitem', { name: /new\.md/ }).waitFor();
    await page.getByRole('tab', { name: 'Checks' }).click();
    await core.until('diff/seen', (input) => input.tree === repo.to);
    expect(core.called('diff/seen').length).toBe(2);
  });

  it('folds what nobody reads until asked, and asks git for what is in view only', async () => {
    const before: Files = { 'package-lock.json': '{}\n', 'pic.bin': Buffer.from([0, 1]), 'min.js': 'a\n' };
    const after: Files = { 'package-lock.json': '{"a":1}\n', 'pic.bin': Buffer.from([0, 2]), 'min.js': `${'x=1;'.repeat(3000)}\n` };
    for (let index = 0; index < 400; index++)
      after[`many/file-${String(index).padStart(4, '0')}.ts`] = `export const x = ${index}\n`.repeat(20);
    const { page, core } = await show(before, after);
    await page.getByRole('group', { name: 'many/file-0000.ts', exact: true }).waitFor();
    await page.getByText('export const x = 0', { exact: false }).first().waitFor();
    expect(core.called('diff/patch').flatMap((input) => input.paths).length).toBeLessThan(120);
    await page
      .getByRole('tree')
      .focus()
      .catch(() => undefined);
    await page.getByRole('treeitem').first().focus();
    await page.keyboard.press('End');
    await page.getByRole('treeitem', { name: /pic\.bin/ }).click();
    await page.getByText('Binary file: it has no lines to show.').waitFor();
    await page.getByRole('treeitem', { name: /package-lock/ }).click();
    await page.getByRole('group', { name: 'package-lock.json', exact: true }).waitFor();
    await page.getByText('Generated file.').waitFor();
    expect(core.called('diff/patch').flatMap((input) => input.paths)).not.toContain('package-lock.json');
    await page.getByRole('button', { name: 'Show it' }).last().click();
    await page.getByText('{"a":1}', { exact: false }).first().waitFor();
  });

  it('reads another scope and hides white space', async () => {
    const { page, core } = await show({ 'a.ts': 'if (x) {\n  y()\n}\n' }, { 'a.ts': 'if (x) {\n      y()\n}\n' });
    await page.getByText('y()', { exact: false }).first().waitFor();
    await page.getByRole('button', { name: 'View options' }).click();
    await page.getByRole('menuitem', { name: 'Hide white space' }).click();
    await page.getByText('No changed lines to show.').waitFor();
    await page.getByRole('radio', { name: 'Uncommitted' }).click();
    expect(await core.until('diff/read', (input) => input.scope === 'uncommitted')).toBeTruthy();
  });
});
