import { readFileSync } from 'node:fs';
import { afterAll, afterEach, expect, it, vi } from 'vitest';
import { board, ids, item } from './support/fixtures.ts';
import { shutBrowser, stage, type Stage } from './support/stage.ts';

let made: Stage | null = null;
afterEach(() => made?.close());
afterAll(shutBrowser);
vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 });

it('a transcript is saved part by part from the task’s menu, and imported from the palette', async () => {
  const given = board();
  made = await stage({
    board: given,
    items: [item('userMessage')],
    answers: {
      'thread/export': ({ from }) => ({ name: 'Cache.md', text: from ? 'second\n' : 'first\n', next: from ? null : 'i1' }),
      'thread/import': () => given.tasks[ids.task]!,
    },
  });
  const { page, core, problems } = made;
  await page.getByRole('button', { name: 'More actions' }).first().click();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('menuitem', { name: 'Export the transcript as Markdown' }).click(),
  ]);
  expect(download.suggestedFilename()).toBe('Cache.md');
  expect(readFileSync(await download.path(), 'utf8')).toBe('first\nsecond\n');
  await page.getByText('Saved as Cache.md').waitFor();
  await page.keyboard.press('Control+K');
  await page.keyboard.type('Import a transcript');
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.keyboard.press('Enter')]);
  await chooser.setFiles({ name: 'x.jsonl', mimeType: 'application/jsonl', buffer: Buffer.from('{"a":1}\n') });
  expect(await core.until('thread/import')).toEqual({ projectId: ids.project, text: '{"a":1}\n' });
  expect(problems).toEqual([]);
});
