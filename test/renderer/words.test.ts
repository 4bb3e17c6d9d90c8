import { expect, test } from 'vitest';
import { fuzzy } from '../../renderer/app/fuzzy.ts';
import { moveOf } from '../../renderer/features/board/moves.ts';
import { boardView, sinceOf } from '../../renderer/state/board-view.ts';
import { asksOf } from '../../renderer/features/inbox/groups.ts';
import { parseRoute, printRoute } from '../../renderer/state/route.ts';
import { age, duration, money } from '../../renderer/ui/format.ts';
import { keysOf, printKeys } from '../../renderer/ui/keys.ts';
import { busyFixture, inboxFixture } from './support/fixtures.ts';

test('spans and money read as a person says them', () => {
  expect([age(4000), age(14 * 60_000), age(72 * 60_000), age(3_600_000), age(3 * 86_400_000), age(-5)]).toEqual([
    '4 s',
    '14 min',
    '1 h 12 min',
    '1 h',
    '3 d',
    '0 s',
  ]);
  expect([duration(21_800), duration(372_000)]).toEqual(['21.8 s', '6 min 12 s']);
  expect([money(0.31), money(0.004), money(0), money(null)]).toEqual(['$0.31', '<$0.01', '$0.00', '']);
});

test('keys print as the machine writes them', () => {
  expect(printKeys('mod+shift+p', true)).toBe('⌘⇧P');
  expect(printKeys('mod+shift+p', false)).toBe('Ctrl Shift P');
});

test('a press has one name, and none while composing', () => {
  const press = (init: Partial<KeyboardEvent>) =>
    keysOf({
      key: '',
      keyCode: 0,
      isComposing: false,
      ctrlKey: false,
      metaKey: false,
      altKey: false,
      shiftKey: false,
      ...init,
    } as KeyboardEvent);
  expect(press({ key: 'K', ctrlKey: true })).toBe('mod+k');
  expect(press({ key: 'P', ctrlKey: true, shiftKey: true })).toBe('mod+shift+p');
  expect(press({ key: '?', shiftKey: true })).toBe('?');
  expect(press({ key: ' ' })).toBe('space');
  expect(press({ key: 'a', isComposing: true })).toBeNull();
  expect(press({ key: 'Process', keyCode: 229 })).toBeNull();
});

test('a drop starts, retries or archives; anything else refuses with a reason', () => {
  expect(moveOf('queued', 'working')).toMatchObject({ action: 'task.start' });
  expect(moveOf('failed', 'working')).toMatchObject({ action: 'task.retry' });
  expect(moveOf('review', 'done')).toMatchObject({ action: 'task.archive' });
  expect(moveOf('review', 'review')).toBeNull();
  for (const [status, column] of [
    ['working', 'done'],
    ['working', 'queued'],
    ['queued', 'review'],
    ['needs-approval', 'working'],
    ['done', 'working'],
  ] as const) {
    expect(moveOf(status, column)).toMatchObject({ refuse: expect.stringMatching(/\w+.*\./) });
  }
});

test('columns are sorted by need: who waits longest comes first', () => {
  const { board } = busyFixture();
  const view = boardView(board);
  expect(Object.fromEntries(Object.entries(view.columns).map(([id, tasks]) => [id, tasks.length]))).toEqual({
    'needs-you': 3,
    queued: 5,
    working: 6,
    review: 6,
    done: 9,
  });
  for (const column of ['needs-you', 'working', 'review'] as const) {
    const since = view.columns[column].map((id) => sinceOf(board, board.tasks[id]!, view.status[id]!));
    expect(since).toEqual([...since].sort((a, b) => a - b));
  }
  expect(view.status[view.columns.queued[0]!]).toBe('limited');
});

test('the inbox groups what is the same and keeps the oldest first', () => {
  const asks = asksOf(inboxFixture().board);
  expect(asks.map((ask) => (ask.kind === 'approval' ? ask.approvals.length : 'question'))).toEqual([6, 1, 'question']);
});

test('addresses survive a round trip, and nonsense is the board', () => {
  for (const hash of ['#/inbox', '#/board?filter=waiting', '#/task/task_0123456789ab']) expect(printRoute(parseRoute(hash))).toBe(hash);
  expect(parseRoute('#/task/../../etc')).toEqual({ place: 'board', project: null, filter: null });
});

test('the palette finds by initials, prefers word starts and whole words', () => {
  expect(fuzzy('cer', 'Cache exchange rates per day')).not.toBeNull();
  expect(fuzzy('xyz', 'Cache exchange rates per day')).toBeNull();
  expect(fuzzy('rates', 'Cache exchange rates')!.score).toBeGreaterThan(fuzzy('rates', 'Return all the extras')?.score ?? -1);
});
