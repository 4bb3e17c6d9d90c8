import { expect, test } from 'vitest';
import { nextToStart } from '../../agent-core/domain/scheduling.ts';
import {
  archiveTask,
  createTask,
  purgeTask,
  reorderTask,
  restoreTask,
  startTask,
  trashTask,
  unarchiveTask,
} from '../../agent-core/domain/tasks.ts';
import { titleOf } from '../../agent-core/domain/title.ts';
import { checkOf, isCheck, summaryOf } from '../../agent-core/domain/checks.ts';
import { heldBackBy, type ItemId, type ItemOf, type ThreadId, type TurnId } from '../../agent-core/contract/index.ts';
import { BoardBuilder } from '../support/board.ts';

const code = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return (error as { detail: { code: string } }).detail.code;
  }
  return 'nothing thrown';
};

test('queued tasks start in order, as many as there is room for; one that waits for a person holds no place', () => {
  const builder = new BoardBuilder();
  const project = builder.project();
  const tasks = Array.from({ length: 4 }, () => builder.task(project.id));
  builder.apply({ type: 'settings.changed', settings: { ...builder.board.settings, concurrency: 2 } });
  expect(nextToStart(builder.board)).toEqual([tasks[0]!.id, tasks[1]!.id]);
  for (const task of tasks.slice(0, 2)) {
    builder.workspace(task, 'ready');
    builder.turn(task);
  }
  expect(nextToStart(builder.board)).toEqual([]);
  builder.approval(tasks[0]!);
  expect(nextToStart(builder.board)).toEqual([tasks[2]!.id]);
});

test('a dependent task waits until the other has work to build on, and goes on waiting when that failed', () => {
  const builder = new BoardBuilder();
  const project = builder.project();
  const first = builder.task(project.id);
  const second = builder.task(project.id, { dependsOn: [first.id] });
  expect(nextToStart(builder.board)).toEqual([first.id]);
  builder.workspace(first, 'ready');
  const turn = builder.turn(first);
  builder.end(first, turn, { status: 'failed' });
  expect(nextToStart(builder.board)).toEqual([]);
  builder.end(first, turn);
  expect(nextToStart(builder.board)).toEqual([second.id]);
});

test('a dependency that a person stopped or put in the trash is not met: the task waits, says why, and is started anyway', () => {
  const builder = new BoardBuilder();
  const project = builder.project();
  const first = builder.task(project.id);
  const second = builder.task(project.id, { dependsOn: [first.id] });
  builder.workspace(first, 'ready');
  const turn = builder.turn(first);
  const held = () => heldBackBy(builder.board, builder.board.tasks[second.id]!)?.why ?? null;
  expect(held()).toBe('coming');
  builder.end(first, turn, { status: 'interrupted', interruptedBy: 'person' });
  expect([nextToStart(builder.board), held()]).toEqual([[], 'stopped']);
  builder.end(first, turn);
  expect([nextToStart(builder.board), held()]).toEqual([[second.id], null]);
  builder.apply({ type: 'task.trashed', taskId: first.id });
  expect([nextToStart(builder.board), held()]).toEqual([[], 'trashed']);
  builder.apply({ type: 'task.purged', taskId: first.id });
  expect([nextToStart(builder.board), held()]).toEqual([[], 'gone']);
  builder.apply(...startTask(builder.board, second.id));
  expect([nextToStart(builder.board), held(), builder.board.tasks[second.id]!.dependsOn]).toEqual([[second.id], null, []]);
});

test('start puts a task at the head of the queue; reorder moves it anywhere', () => {
  const builder = new BoardBuilder();
  const project = builder.project();
  const [a, b, c] = Array.from({ length: 3 }, () => builder.task(project.id)) as [
    ReturnType<BoardBuilder['task']>,
    ReturnType<BoardBuilder['task']>,
    ReturnType<BoardBuilder['task']>,
  ];
  builder.apply(...startTask(builder.board, c.id));
  expect(nextToStart(builder.board)).toEqual([c.id, a.id, b.id]);
  builder.apply(...reorderTask(builder.board, c.id, b.id));
  expect(nextToStart(builder.board)).toEqual([a.id, c.id, b.id]);
  builder.apply(...reorderTask(builder.board, a.id, null));
  expect(nextToStart(builder.board)).toEqual([c.id, b.id, a.id]);
});

test('what does not fit the state is refused with a reason', () => {
  const builder = new BoardBuilder();
  const task = builder.task(builder.project().id);
  expect(code(() => purgeTask(builder.board, task.id))).toBe('conflict');
  builder.workspace(task, 'ready');
  const turn = builder.turn(task);
  expect(code(() => startTask(builder.board, task.id))).toBe('conflict');
  expect(code(() => archiveTask(builder.board, task.id))).toBe('conflict');
  builder.end(task, turn).apply(...archiveTask(builder.board, task.id));
  builder.apply(...unarchiveTask(builder.board, task.id));
  expect(builder.board.tasks[task.id]!.phase).toBe('active');
  builder.apply(...trashTask(builder.board, task.id));
  expect(code(() => archiveTask(builder.board, task.id))).toBe('conflict');
  builder.apply(...restoreTask(builder.board, task.id));
  expect(builder.board.tasks[task.id]!.phase).toBe('active');
  expect(
    code(() =>
      createTask(
        builder.board,
        { projectId: 'proj_0000000000' as never, prompt: 'x', start: true, dependsOn: [], origin: 'app', inPlace: false },
        { base: { ref: 'main', kind: 'local' }, model: 'demo' },
        {} as never,
        1,
      ),
    ),
  ).toBe('not-found');
});

test.each([
  ['Fix the failing test', 'Fix the failing test'],
  ['# Fix it now\n\nlong story', 'Fix it now'],
  ['Every invoice render fetches exchange rates. Cache them per day.', 'Every invoice render fetches exchange rates'],
  ['Use v1.2.3 of the `parser`: it is faster', 'Use v1.2.3 of the parser: it is faster'],
  ['   \n\n', 'Untitled task'],
  ['a\u0007b\u001b[31m', 'a b [31m'],
])('a title from %j is %j', (prompt, title) => expect(titleOf(prompt)).toBe(title));

test('a long title is cut at a word', () => {
  const title = titleOf('word '.repeat(40));
  expect(title.length).toBeLessThanOrEqual(73);
  expect(title).toMatch(/word…$/);
});

test.each([
  'npm test',
  'cd app && pnpm run test -- --run',
  'node --test',
  'cargo test -q',
  'go vet ./...',
  'CI=1 npx vitest run',
  'npm run lint',
])('%s is a check', (command) => {
  expect(isCheck(command)).toBe(true);
});
test.each(['ls test', 'cat package.json', 'git commit -m "npm tests"x', 'echo vitesting'])('%s is no check', (command) =>
  expect(isCheck(command)).toBe(false),
);

test.each([
  ['ℹ tests 4\nℹ suites 0\nℹ pass 3\nℹ fail 1\n', '1 of 4 failed'],
  ['# pass 4\n# fail 0\n', '4 passed'],
  ['      Tests  1 failed | 23 passed (24)', '1 of 24 failed'],
  ['Tests:       128 passed, 128 total', '128 passed'],
  ['test result: ok. 12 passed; 0 failed; 0 ignored', '12 passed'],
  ['==== 1 failed, 12 passed in 0.31s ====', '1 of 13 failed'],
  ['hello', null],
])('reads a count from %j', (output, summary) => expect(summaryOf(output)).toBe(summary));

test('a check says what its command said, and nothing is claimed of one that has not ended', () => {
  const item: ItemOf<'command'> = {
    id: 'item_0000000000' as ItemId,
    threadId: 'thr_0000000000' as ThreadId,
    turnId: 'turn_0000000000' as TurnId,
    startedAt: 1,
    endedAt: 9,
    type: 'command',
    command: 'npm test',
    cwd: '/w',
    status: 'completed',
    exitCode: 1,
    output: '# pass 1\n# fail 2\n',
    outputBytes: 18,
    sessionId: null,
    outside: false,
  };
  expect(checkOf(item)).toEqual({ itemId: item.id, command: 'npm test', passed: false, summary: '2 of 3 failed', at: 9, stale: false });
  expect(checkOf({ ...item, exitCode: null })).toBeNull();
});
