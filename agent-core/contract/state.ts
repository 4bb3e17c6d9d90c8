import { z } from 'zod';
import { Attempt, Project, Task, Thread, Workspace, type Column, type TaskStatus, type Usage } from './values.ts';
import { Approval, Denial, Question, Rule } from './gates.ts';
import { McpServer } from './mcp.ts';
import { Review } from './findings.ts';
import { SandboxStatus, Settings } from './settings.ts';
import { Activity } from './events.ts';
import type { TaskId } from './ids.ts';

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
  denials: byId(Denial),
  rules: byId(Rule),
  reviews: byId(Review),
  mcpServers: byId(McpServer),
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
  return {
    projects: {},
    tasks: {},
    attempts: {},
    workspaces: {},
    threads: {},
    approvals: {},
    questions: {},
    denials: {},
    rules: {},
    reviews: {},
    mcpServers: {},
    settings,
  };
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

/** A task's reviews, newest first. */
export const reviewsOf = (board: Board, id: TaskId): Review[] =>
  Object.values(board.reviews)
    .filter((review) => review.taskId === id)
    .sort((a, b) => b.startedAt - a.startedAt);

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
