import { z } from 'zod';
import {
  Approval,
  Attempt,
  Project,
  Question,
  Rule,
  SandboxStatus,
  Settings,
  Task,
  Thread,
  Workspace,
  type Column,
  type TaskStatus,
  type Usage,
} from './values.ts';
import { Activity, type StoredEvent } from './events.ts';
import type { TaskId, ThreadId } from './ids.ts';

const byId = <T extends z.ZodType>(value: T) => z.record(z.string(), value);

/** Everything the board, inbox and sidebar need; the conversations themselves are read page by page. */
export const Board = z.object({
  projects: byId(Project),
  tasks: byId(Task),
  attempts: byId(Attempt),
  workspaces: byId(Workspace),
  threads: byId(Thread),
  approvals: byId(Approval),
  questions: byId(Question),
  rules: byId(Rule),
  settings: Settings,
});
export type Board = z.infer<typeof Board>;

/** What a client starts from: the board at `seq`, and what is true now but not history. */
export const Snapshot = z.object({
  seq: z.number().int(),
  board: Board,
  activity: byId(Activity),
  sandbox: SandboxStatus,
  host: z.object({
    kind: z.enum(['electron', 'serve', 'cli', 'test']),
    home: z.string(),
    user: z.string(),
    platform: z.string(),
    version: z.string(),
    /** The folder the app was opened on, or null. */
    openOn: z.string().nullable(),
  }),
});
export type Snapshot = z.infer<typeof Snapshot>;

export const noUsage: Usage = { inputTokens: 0, cachedTokens: 0, outputTokens: 0, reasoningTokens: 0, cost: null };

export function addUsage(a: Usage, b: Usage): Usage {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    cachedTokens: a.cachedTokens + b.cachedTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    reasoningTokens: a.reasoningTokens + b.reasoningTokens,
    cost: a.cost === null && b.cost === null ? null : (a.cost ?? 0) + (b.cost ?? 0),
  };
}

export function emptyBoard(settings: Settings): Board {
  return { projects: {}, tasks: {}, attempts: {}, workspaces: {}, threads: {}, approvals: {}, questions: {}, rules: {}, settings };
}

function without<T>(record: Record<string, T>, key: string): Record<string, T> {
  const { [key]: _gone, ...rest } = record;
  return rest;
}

function patchTask(board: Board, id: TaskId, at: number, change: Partial<Task>): Board {
  const task = board.tasks[id];
  if (!task) return board;
  return { ...board, tasks: { ...board.tasks, [id]: { ...task, updatedAt: at, ...change } } };
}

function patchThread(board: Board, id: ThreadId, change: (thread: Thread) => Partial<Thread>): Board {
  const thread = board.threads[id];
  if (!thread) return board;
  return { ...board, threads: { ...board.threads, [id]: { ...thread, ...change(thread) } } };
}

function dropTask(board: Board, id: TaskId): Board {
  const keep = <T extends { taskId: TaskId | null }>(record: Record<string, T>) =>
    Object.fromEntries(Object.entries(record).filter(([, value]) => value.taskId !== id));
  return {
    ...board,
    tasks: without(board.tasks, id),
    attempts: keep(board.attempts),
    workspaces: keep(board.workspaces),
    threads: keep(board.threads),
    approvals: keep(board.approvals),
    questions: keep(board.questions),
    rules: keep(board.rules),
  };
}

/** What an event does to the parts of the board that are not tasks' waiting clocks. */
function apply(board: Board, { at, event }: StoredEvent): Board {
  switch (event.type) {
    case 'project.opened':
      return { ...board, projects: { ...board.projects, [event.project.id]: event.project } };
    case 'project.closed':
      return { ...board, projects: without(board.projects, event.projectId) };
    case 'task.created':
      return { ...board, tasks: { ...board.tasks, [event.task.id]: event.task } };
    case 'task.renamed':
      return patchTask(board, event.taskId, at, { title: event.title });
    case 'task.phased':
      return patchTask(board, event.taskId, at, { phase: event.phase });
    case 'task.ordered':
      return patchTask(board, event.taskId, at, { order: event.order });
    case 'task.based':
      return patchTask(board, event.taskId, at, { base: event.base });
    case 'task.trashed':
      return patchTask(board, event.taskId, at, { phase: 'trashed', phaseBefore: board.tasks[event.taskId]?.phase ?? null });
    case 'task.restored':
      return patchTask(board, event.taskId, at, { phase: board.tasks[event.taskId]?.phaseBefore ?? 'active', phaseBefore: null });
    case 'task.purged':
      return dropTask(board, event.taskId);
    case 'task.diffed':
      return patchTask(board, event.taskId, at, { diff: event.diff });
    case 'task.checked':
      return patchTask(board, event.taskId, at, { check: event.check });
    case 'task.seen':
      return patchTask(board, event.taskId, board.tasks[event.taskId]?.updatedAt ?? at, { seen: event.tree });
    case 'task.landed':
      return patchTask(board, event.taskId, at, { landing: event.landing });
    case 'attempt.created':
      return patchTask(
        {
          ...board,
          attempts: { ...board.attempts, [event.attempt.id]: event.attempt },
          threads: { ...board.threads, [event.thread.id]: event.thread },
        },
        event.attempt.taskId,
        at,
        { attempt: event.attempt.id },
      );
    case 'workspace.changed':
      return { ...board, workspaces: { ...board.workspaces, [event.workspace.id]: event.workspace } };
    case 'workspace.purged':
      return { ...board, workspaces: without(board.workspaces, event.workspaceId) };
    case 'turn.started':
    case 'turn.ended':
      return patchThread(patchTask(board, event.taskId, at, {}), event.turn.threadId, () => ({ turn: event.turn, limitedUntil: null }));
    case 'turn.spent': {
      const task = board.tasks[event.taskId];
      return task ? patchTask(board, event.taskId, at, { usage: addUsage(task.usage, event.usage) }) : board;
    }
    case 'thread.limited':
      return patchThread(board, event.threadId, () => ({ limitedUntil: event.until }));
    case 'queue.added':
      return patchThread(board, event.threadId, (thread) => ({ queue: [...thread.queue, event.message] }));
    case 'queue.removed':
      return patchThread(board, event.threadId, (thread) => ({ queue: thread.queue.filter((message) => message.id !== event.messageId) }));
    case 'approval.requested':
      return { ...board, approvals: { ...board.approvals, [event.approval.id]: event.approval } };
    case 'approval.decided':
      return { ...board, approvals: without(board.approvals, event.approvalId) };
    case 'question.asked':
      return { ...board, questions: { ...board.questions, [event.question.id]: event.question } };
    case 'question.answered':
      return { ...board, questions: without(board.questions, event.questionId) };
    case 'rule.saved':
      return { ...board, rules: { ...board.rules, [event.rule.id]: event.rule } };
    case 'rule.revoked':
      return { ...board, rules: without(board.rules, event.ruleId) };
    case 'settings.changed':
      return { ...board, settings: event.settings };
    case 'item.started':
    case 'item.updated':
    case 'item.completed':
      return board;
  }
}

const taskOf = (event: StoredEvent['event']): TaskId | null =>
  'taskId' in event
    ? event.taskId
    : event.type === 'approval.requested'
      ? event.approval.taskId
      : event.type === 'question.asked'
        ? event.question.taskId
        : event.type === 'workspace.changed'
          ? event.workspace.taskId
          : null;

/**
 * Folds one event into the board. Pure and total: an event about something unknown changes nothing.
 * The core and every client run this same function, so they can't disagree.
 */
export function project(board: Board, stored: StoredEvent): Board {
  const next = apply(board, stored);
  const id = taskOf(stored.event);
  const task = id ? next.tasks[id] : undefined;
  if (!task || next === board) return next;
  const waits = columnOf(statusOf(next, task)) === 'needs-you' || statusOf(next, task) === 'review';
  if (waits === (task.waitingSince !== null)) return next;
  return { ...next, tasks: { ...next.tasks, [task.id]: { ...task, waitingSince: waits ? stored.at : null } } };
}

export function workspaceOf(board: Board, task: Task): Workspace | undefined {
  const attempt = task.attempt ? board.attempts[task.attempt] : undefined;
  return attempt ? board.workspaces[attempt.workspaceId] : undefined;
}

export function threadOf(board: Board, task: Task): Thread | undefined {
  const attempt = task.attempt ? board.attempts[task.attempt] : undefined;
  return attempt ? board.threads[attempt.threadId] : undefined;
}

export const approvalsOf = (board: Board, id: TaskId): Approval[] =>
  Object.values(board.approvals).filter((approval) => approval.taskId === id);
export const questionsOf = (board: Board, id: TaskId): Question[] =>
  Object.values(board.questions).filter((question) => question.taskId === id);

/** The one of eight words that a task's card shows. Strongest first: what needs a person wins. */
export function statusOf(board: Board, task: Task): TaskStatus {
  if (task.phase === 'archived') return 'done';
  if (approvalsOf(board, task.id).length) return 'needs-approval';
  if (questionsOf(board, task.id).length) return 'has-question';
  const workspace = workspaceOf(board, task);
  const thread = threadOf(board, task);
  if (thread?.limitedUntil) return 'limited';
  if (task.phase === 'held' || task.phase === 'queued') return workspace?.phase === 'failed' ? 'failed' : 'queued';
  if (workspace?.phase === 'failed') return 'failed';
  if (workspace?.phase === 'preparing' || !thread?.turn || thread.turn.status === 'running') return 'working';
  if (thread.turn.status === 'failed') return 'failed';
  if (thread.turn.status === 'interrupted' && thread.turn.interruptedBy === 'crash') return 'failed';
  return 'review';
}

const columns: Record<TaskStatus, Column> = {
  'needs-approval': 'needs-you',
  'has-question': 'needs-you',
  failed: 'needs-you',
  queued: 'queued',
  limited: 'queued',
  working: 'working',
  review: 'review',
  done: 'done',
};
export const columnOf = (status: TaskStatus): Column => columns[status];
