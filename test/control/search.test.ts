import { afterEach, expect, test, vi } from 'vitest';
import type { Hit, InputOf, Item, TaskId } from '../../agent-core/contract/index.ts';
import { snippetOf } from '../../agent-core/domain/snippet.ts';
import { matchOf } from '../../agent-core/storage/search.ts';
import { call, lastOutput, say, userTexts } from '../model-server/index.ts';
import { Rig } from '../runtime/support.ts';

let rig: Rig | null = null;
afterEach(async () => {
  await rig?.close();
  rig = null;
});

// Several turns of a real core, on a machine that does other things too.
vi.setConfig({ testTimeout: 60_000 });

test('words are found in messages, commands and outputs, of one conversation or all, the newest first, not what was undone', async () => {
  const of = (rig = await Rig.start((request) =>
    lastOutput(request) || userTexts(request).at(-1) !== 'Measure the Füllstand'
      ? [say(`All done with ${userTexts(request).at(-1)}.`)]
      : [call('exec_command', { cmd: 'echo "pressure: 42.5 bar"' })],
  ));
  const find = async (query: string, more: Partial<InputOf<'search/items'>> = {}): Promise<Hit[]> =>
    (await of.call('search/items', { query, ...more })).hits;
  const turn = (id: TaskId, number: number): Promise<void> =>
    of.until(() => of.thread(id).turn?.number === number && of.status(id) === 'review', `turn ${number}`);
  const { id } = await of.create('Measure the Füllstand');
  await turn(id, 1);
  const other = await of.create('Another pressure');
  await turn(other.id, 1);
  expect((await find('pressure')).map(({ taskId, type }) => [taskId, type])).toEqual([
    [other.id, 'agentMessage'],
    [other.id, 'userMessage'],
    [id, 'command'],
  ]);
  expect(await find('pressure', { threadId: of.thread(id).id })).toMatchObject([
    { taskId: id, before: 'echo "', match: 'pressure', after: ': 42.5 bar"' },
  ]);
  // Any form of a letter, the beginning of the last word, all words together.
  expect((await find('fullst')).map(({ type }) => type)).toEqual(['agentMessage', 'userMessage']);
  expect(await find('pressure Füllstand')).toEqual([]);
  expect(await find('42.5 bar', { limit: 1 })).toHaveLength(1);
  // Nothing that is typed is a query language.
  for (const odd of ['"', 'a OR', 'NEAR(', '-', '*', 'text:x', ')) --', '   ', '💥']) expect(await find(odd)).toEqual([]);
  await of.call('turn/start', { threadId: of.thread(id).id, text: 'zebra' });
  await turn(id, 2);
  expect(await find('zebra')).toHaveLength(2);
  const { undone } = await of.call('thread/undo', { threadId: of.thread(id).id, turnId: of.thread(id).turn!.id });
  expect(await find('zebra')).toEqual([]);
  await of.call('thread/redo', { threadId: of.thread(id).id, undoId: undone.id });
  await of.core.dispose();
  await of.open();
  expect(await find('zebra')).toHaveLength(2);
  await of.call('task/delete', { taskId: id });
  await of.call('task/purge', { taskId: id });
  expect(await find('zebra')).toEqual([]);
});

test('a query becomes words and nothing else', () => {
  expect(matchOf(' foo  "bar ')).toBe('"foo" """bar"*');
  expect(matchOf('… — ')).toBeNull();
});

test('a hit shows its line, cut around the word', () => {
  const item = (text: string): Item => ({ type: 'agentMessage', text }) as Item;
  expect(snippetOf(item('first line\nsecond naïve line\nthird'), 'naive')).toEqual({ before: 'second ', match: 'naïve', after: ' line' });
  const long = snippetOf(item(`${'a'.repeat(500)} needle ${'b'.repeat(500)}`), 'needle');
  expect([long.before.length, long.match, long.after.length]).toEqual([80, 'needle', 80]);
});
