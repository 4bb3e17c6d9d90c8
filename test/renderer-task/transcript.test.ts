import { readFileSync } from 'node:fs';
import { afterAll, afterEach, expect, it, vi } from 'vitest';
import { board, ids, item } from './support/fixtures.ts';
import { axe, shutBrowser, stage, type Stage } from './support/stage.ts';

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

it('a search goes to a message that was not read yet, from the page or from anywhere', async () => {
  const given = board();
  const old = item('userMessage', { text: 'The needle from last week' });
  const newest = item('agentMessage', { text: 'The newest' });
  made = await stage({
    board: given,
    answers: {
      'thread/read': ({ before }) => ({
        thread: given.threads[ids.thread]!,
        items: before ? [old] : [newest],
        turns: [],
        more: !before,
        seq: 1,
      }),
      'search/items': ({ query }) => ({
        hits: query.includes('needle')
          ? [
              {
                itemId: old.id,
                threadId: ids.thread,
                taskId: ids.task,
                turnId: ids.turn,
                type: 'userMessage',
                at: 1,
                before: 'The ',
                match: 'needle',
                after: ' from last week',
              },
            ]
          : [],
      }),
    },
  });
  const { page, core, problems } = made;
  await page.getByText('The newest').waitFor();
  await page.keyboard.press('Control+F');
  await page.getByLabel('Words to look for').fill('nothing');
  await page.getByText('Nothing found').waitFor();
  await page.getByLabel('Words to look for').fill('needle');
  await page.getByRole('option', { name: /The needle from last week/ }).waitFor();
  if (process.env['SIGNALBOX_SHOTS']) await page.screenshot({ path: `${process.env['SIGNALBOX_SHOTS']}/search.png` });
  expect(await axe(page)).toEqual([]);
  await page.keyboard.press('Enter');
  await page.getByText('The needle from last week').waitFor();
  expect(core.called('search/items').at(-1)).toMatchObject({ query: 'needle', threadId: ids.thread });
  await page.keyboard.press('Control+Shift+F');
  await page.getByRole('dialog', { name: 'Search all conversations' }).waitFor();
  await page.getByLabel('Words to look for').fill('needle');
  await page.getByRole('option', { name: /Cache exchange rates per day/ }).waitFor();
  expect(core.called('search/items').at(-1)).toMatchObject({ query: 'needle' });
  expect(core.called('search/items').at(-1)?.threadId).toBeUndefined();
  expect(problems).toEqual([]);
});
