import type { DatabaseSync } from 'node:sqlite';
import {
  Attempt,
  Thread,
  Turn,
  Workspace,
  noUsage,
  type AppError,
  type Board,
  type Task,
  type ThreadId,
  type TurnId,
  type WorkspaceId,
} from '../contract/index.ts';
import { newId } from '../support/ids.ts';

const parsed = <T>(schema: { safeParse(value: unknown): { success: true; data: T } | { success: false } }, value: unknown): T | null => {
  const result = schema.safeParse(value);
  return result.success ? result.data : null;
};

/**
 * Tasks whose attempt, thread or worktree's record was spoilt get it back from the event log and from what hangs on it, or
 * a new one: no card may stand for good in a state that nothing can change. What was lost shows as the failure of its
 * newest turn. `spoilt` are the lines of {@link loadBoard}.
 */
export function mend(db: DatabaseSync, board: Board, spoilt: readonly string[]): Board {
  const next: Board = { ...board, attempts: { ...board.attempts }, threads: { ...board.threads }, workspaces: { ...board.workspaces } };
  const put = db.prepare('INSERT INTO doc (kind, id, json) VALUES (?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET json = excluded.json');
  const log = (type: string, id: string): unknown[] =>
    (
      db.prepare('SELECT json FROM event WHERE type = ? AND instr(json, ?) > 0 ORDER BY seq DESC LIMIT 20').all(type, id) as {
        json: string;
      }[]
    ).map(({ json }) => read(json));
  for (const task of Object.values(board.tasks)) {
    if (!task.attempt || (board.attempts[task.attempt] && board.threads[board.attempts[task.attempt]!.threadId])) continue;
    const created = log('attempt.created', task.attempt).find((event) => idOf(event, 'attempt') === task.attempt) as
      | { attempt?: unknown; thread?: unknown }
      | undefined;
    const attempt = board.attempts[task.attempt] ?? parsed(Attempt, created?.attempt) ?? standIn(board, task);
    const thread = board.threads[attempt.threadId] ?? threadAnew(db, task, attempt);
    next.attempts[attempt.id] = attempt;
    next.threads[thread.id] = thread;
    put.run('attempts', attempt.id, JSON.stringify(attempt));
    put.run('threads', thread.id, JSON.stringify(thread));
  }
  for (const { workspaceId } of Object.values(next.attempts)) {
    // One that was never made has no record either: only what was set aside just now is looked for in the log.
    if (!spoilt.some((line) => line.startsWith(`workspaces/${workspaceId}:`)) || log('workspace.purged', workspaceId).length) continue;
    const event = log('workspace.changed', workspaceId).find((each) => idOf(each, 'workspace') === workspaceId) as { workspace?: unknown };
    const workspace = parsed(Workspace, event?.workspace);
    if (!workspace) continue;
    next.workspaces[workspaceId] = workspace;
    put.run('workspaces', workspaceId, JSON.stringify(workspace));
  }
  return next;
}

function read(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}

const idOf = (event: unknown, key: string): unknown => (event as Record<string, { id?: unknown } | undefined> | null)?.[key]?.id;

/** An attempt of which nothing is left but its name. */
function standIn(board: Board, task: Task): Attempt {
  const attemptId = task.attempt!;
  return {
    id: attemptId,
    taskId: task.id,
    number: 1,
    threadId: Object.values(board.threads).find((thread) => thread.attemptId === attemptId)?.id ?? newId<ThreadId>('thr'),
    workspaceId: Object.values(board.workspaces).find((workspace) => workspace.attemptId === attemptId)?.id ?? newId<WorkspaceId>('ws'),
  };
}

const LOST: AppError = {
  code: 'internal',
  message: 'The record of this conversation was spoilt. It was made anew from what is left: messages that waited in its queue are lost.',
  fix: 'Retry goes on from the last turn that can be read; or delete the task.',
};

function threadAnew(db: DatabaseSync, task: Task, attempt: Attempt): Thread {
  const rows = db.prepare('SELECT json FROM turn WHERE thread = ? ORDER BY number DESC').all(attempt.threadId) as { json: string }[];
  const last = rows.map(({ json }) => parsed(Turn, read(json))).find((turn) => turn !== null);
  const now = Date.now();
  const blank: Turn = {
    id: newId<TurnId>('turn'),
    threadId: attempt.threadId,
    number: 1,
    status: 'failed',
    startedAt: task.createdAt,
    endedAt: now,
    usage: noUsage,
    error: LOST,
    interruptedBy: null,
    treeBefore: null,
    treeAfter: null,
  };
  const turn: Turn = { ...(last ?? blank), status: 'failed', endedAt: last?.endedAt ?? now, error: LOST, interruptedBy: null };
  // A task that never began begins as it would have.
  const begun = last || task.phase === 'active' || task.phase === 'archived';
  return {
    id: attempt.threadId,
    taskId: task.id,
    attemptId: attempt.id,
    parent: null,
    turn: begun ? turn : null,
    queue: [],
    limitedUntil: null,
  };
}
