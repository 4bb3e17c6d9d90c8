import { expect, test } from 'vitest';
import { columnOf, statusOf, type Task } from '../../agent-core/contract/index.ts';
import { BoardBuilder } from '../support/board.ts';

const status = (builder: BoardBuilder, task: Task) => statusOf(builder.board, builder.board.tasks[task.id]!);

test('a task goes through its life in the eight words of the board', () => {
  const builder = new BoardBuilder();
  const task = builder.task(builder.project().id);
  expect(status(builder, task)).toBe('queued');
  const workspace = builder.workspace(task, 'preparing');
  expect(status(builder, task)).toBe('working');
  builder.apply({ type: 'workspace.changed', workspace: { ...workspace, phase: 'ready' } });
  const turn = builder.turn(task);
  expect(status(builder, task)).toBe('working');
  const approval = builder.approval(task);
  expect(status(builder, task)).toBe('needs-approval');
  builder.apply({ type: 'approval.decided', approvalId: approval.id, taskId: task.id, decision: 'approved', scope: 'once', note: '' });
  expect(status(builder, task)).toBe('working');
  builder.apply({ type: 'thread.limited', threadId: turn.threadId, taskId: task.id, until: 5000 });
  expect(status(builder, task)).toBe('limited');
  builder.apply({ type: 'thread.limited', threadId: turn.threadId, taskId: task.id, until: null });
  builder.end(task, turn);
  expect(status(builder, task)).toBe('review');
  builder.apply({ type: 'task.phased', taskId: task.id, phase: 'archived' });
  expect(status(builder, task)).toBe('done');
});

test('a turn that failed or that a crash cut off needs a person; one that the person stopped is for review', () => {
  const builder = new BoardBuilder();
  const task = builder.task(builder.project().id);
  builder.workspace(task, 'ready');
  const turn = builder.turn(task);
  builder.end(task, turn, { status: 'failed' });
  expect(columnOf(status(builder, task))).toBe('needs-you');
  builder.end(task, turn, { status: 'interrupted', interruptedBy: 'crash' });
  expect(columnOf(status(builder, task))).toBe('needs-you');
  builder.end(task, turn, { status: 'interrupted', interruptedBy: 'person' });
  expect(columnOf(status(builder, task))).toBe('review');
});

test('the waiting clock starts when a task begins to need a person and is cleared when it goes on', () => {
  const builder = new BoardBuilder();
  const task = builder.task(builder.project().id);
  builder.workspace(task, 'ready');
  builder.turn(task);
  builder.at = 2000;
  const first = builder.approval(task);
  expect(builder.board.tasks[task.id]!.waitingSince).toBe(2000);
  builder.at = 3000;
  const second = builder.approval(task);
  expect(builder.board.tasks[task.id]!.waitingSince).toBe(2000);
  for (const { id } of [first, second])
    builder.apply({ type: 'approval.decided', approvalId: id, taskId: task.id, decision: 'declined', scope: 'once', note: '' });
  expect(builder.board.tasks[task.id]!.waitingSince).toBeNull();
});

test('purging a task leaves nothing of it on the board', () => {
  const builder = new BoardBuilder();
  const project = builder.project();
  const keep = builder.task(project.id);
  const before = builder.board;
  const task = builder.task(project.id);
  builder.workspace(task, 'ready');
  builder.turn(task);
  builder.approval(task);
  builder.apply({ type: 'task.trashed', taskId: task.id }, { type: 'task.purged', taskId: task.id });
  expect(builder.board).toEqual(before);
  expect(Object.keys(builder.board.tasks)).toEqual([keep.id]);
});
