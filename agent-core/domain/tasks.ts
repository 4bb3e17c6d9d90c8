import {
  dependencyOn,
  Failure,
  noUsage,
  threadOf,
  workspaceOf,
  type AttemptId,
  type Board,
  type DomainEvent,
  type ParsedInputOf,
  type Task,
  type TaskId,
  type ThreadId,
  type WorkspaceId,
} from '../contract/index.ts';
import { titleOf } from './title.ts';

/** Ids for a new task, made by the caller: the domain has no clock and no chance. */
export interface NewTaskIds {
  task: TaskId;
  attempt: AttemptId;
  thread: ThreadId;
  workspace: WorkspaceId;
}

/** The task, or `not-found`. */
export function getTask(board: Board, id: TaskId): Task {
  const task = board.tasks[id];
  if (!task)
    throw new Failure('not-found', 'This task does not exist any more.', { fix: 'It may have been deleted for good in another window.' });
  return task;
}

/** A new task with its first attempt. `base` and `model` are resolved by the caller. */
export function createTask(
  board: Board,
  input: ParsedInputOf<'task/create'>,
  resolved: { base: Task['base']; model: string },
  ids: NewTaskIds,
  now: number,
): DomainEvent[] {
  if (!board.projects[input.projectId]) throw new Failure('not-found', 'This project is not open.', { fix: 'Open its folder first.' });
  for (const id of input.dependsOn) getTask(board, id);
  const order = Math.max(0, ...Object.values(board.tasks).map((task) => task.order)) + 1;
  const task: Task = {
    id: ids.task,
    projectId: input.projectId,
    title: input.title?.trim() || titleOf(input.prompt),
    prompt: input.prompt,
    base: resolved.base,
    mode: input.mode ?? board.settings.defaults.mode,
    approval: input.approval ?? board.settings.defaults.approval,
    ...(input.kind && input.kind !== 'work' ? { kind: input.kind } : {}),
    model: resolved.model,
    ...(input.effort ? { effort: input.effort } : {}),
    phase: input.start ? 'queued' : 'held',
    phaseBefore: null,
    order,
    dependsOn: input.dependsOn,
    origin: input.origin,
    inPlace: input.inPlace,
    attempt: null,
    createdAt: now,
    updatedAt: now,
    waitingSince: null,
    diff: null,
    usage: noUsage,
    check: null,
    landing: null,
    seen: null,
  };
  return [
    { type: 'task.created', task },
    {
      type: 'attempt.created',
      attempt: { id: ids.attempt, taskId: ids.task, number: 1, threadId: ids.thread, workspaceId: ids.workspace },
      thread: { id: ids.thread, taskId: ids.task, attemptId: ids.attempt, parent: null, turn: null, queue: [], limitedUntil: null },
    },
  ];
}

const refuse = (message: string, fix?: string): never => {
  throw new Failure('conflict', message, fix ? { fix } : {});
};

/** Whether something runs for this task now: its workspace is being made, or a turn is under way. */
export function isBusy(board: Board, task: Task): boolean {
  return task.phase === 'active' && (workspaceOf(board, task)?.phase === 'preparing' || threadOf(board, task)?.turn?.status === 'running');
}

/** Held or queued → the head of the queue, without the dependencies that are not met. `again`: one that went back to its beginning, whatever it was. */
export function startTask(board: Board, id: TaskId, again = false): DomainEvent[] {
  const task = getTask(board, id);
  if (task.phase === 'active' && !again) return refuse(`“${task.title}” has started already.`);
  if (!again && (task.phase === 'archived' || task.phase === 'trashed'))
    return refuse(`“${task.title}” is ${task.phase}.`, 'Bring it back first.');
  const first = Math.min(
    0,
    ...Object.values(board.tasks)
      .filter((other) => other.phase === 'queued')
      .map((other) => other.order),
  );
  // Who starts a task by hand doesn't want it to wait for others any longer.
  const met = task.dependsOn.filter((other) => isMet(board, other));
  return [
    ...(met.length < task.dependsOn.length ? [{ type: 'task.depends', taskId: id, dependsOn: met } as const] : []),
    { type: 'task.ordered', taskId: id, order: first - 1 },
    { type: 'task.phased', taskId: id, phase: 'queued' },
  ];
}

export function archiveTask(board: Board, id: TaskId): DomainEvent[] {
  const task = getTask(board, id);
  if (task.phase === 'archived') return [];
  if (task.phase === 'trashed') return refuse(`“${task.title}” is in the trash.`, 'Restore it first.');
  if (isBusy(board, task)) return refuse(`“${task.title}” is still working.`, 'Stop it first, or wait until it is done.');
  return [{ type: 'task.phased', taskId: id, phase: 'archived' }];
}

export function unarchiveTask(board: Board, id: TaskId): DomainEvent[] {
  const task = getTask(board, id);
  if (task.phase !== 'archived') return [];
  return [{ type: 'task.phased', taskId: id, phase: threadOf(board, task)?.turn ? 'active' : 'held' }];
}

/** Moves a task in the queue before another, or to its end. */
export function reorderTask(board: Board, id: TaskId, before: TaskId | null): DomainEvent[] {
  getTask(board, id);
  const queue = Object.values(board.tasks)
    .filter((task) => task.id !== id && (task.phase === 'queued' || task.phase === 'held'))
    .sort((a, b) => a.order - b.order);
  const at = before ? queue.findIndex((task) => task.id === before) : queue.length;
  if (at < 0) return refuse('The task to put it before is not in the queue any more.');
  const low = queue[at - 1]?.order ?? (queue[at]?.order ?? 1) - 1;
  const high = queue[at]?.order ?? low + 1;
  return [{ type: 'task.ordered', taskId: id, order: (low + high) / 2 }];
}

export function trashTask(board: Board, id: TaskId): DomainEvent[] {
  const task = getTask(board, id);
  return task.phase === 'trashed' ? [] : [{ type: 'task.trashed', taskId: id }];
}

export function restoreTask(board: Board, id: TaskId): DomainEvent[] {
  const task = getTask(board, id);
  return task.phase === 'trashed' ? [{ type: 'task.restored', taskId: id }] : [];
}

export function purgeTask(board: Board, id: TaskId): DomainEvent[] {
  const task = getTask(board, id);
  if (task.phase !== 'trashed')
    return refuse(`“${task.title}” is not in the trash.`, 'Delete it first; from the trash it can be removed for good.');
  return [{ type: 'task.purged', taskId: id }];
}

/** A dependency is met once its work is there to build on. */
export const isMet = (board: Board, id: TaskId): boolean => dependencyOn(board, id) === 'met';
