import {
  columnOf,
  statusOf,
  threadOf,
  type Approval,
  type Board,
  type Column,
  type ProjectId,
  type Question,
  type Task,
  type TaskId,
  type TaskStatus,
} from '../../agent-core/contract/index.ts';

export const COLUMNS: readonly { id: Column; title: string }[] = [
  { id: 'needs-you', title: 'Needs you' },
  { id: 'queued', title: 'Queued' },
  { id: 'working', title: 'Working' },
  { id: 'review', title: 'Review' },
  { id: 'done', title: 'Done' },
];

/** What the board's rows are made of, computed once for each board. */
export interface BoardView {
  status: Readonly<Record<string, TaskStatus>>;
  /** Sorted by need: who waits longest first; the queue in its order; done newest first. */
  columns: Readonly<Record<Column, readonly TaskId[]>>;
  /** Newest first. */
  trash: readonly TaskId[];
  /** Oldest first. */
  approvals: readonly Approval[];
  questions: readonly Question[];
}

const views = new WeakMap<Board, BoardView>();
let last: BoardView | null = null;

/** The old list where nothing in it changed, so that a column whose rows are the same doesn't render. */
const keep = <T>(old: readonly T[] | undefined, next: readonly T[]): readonly T[] =>
  old && old.length === next.length && old.every((value, index) => value === next[index]) ? old : next;

/** When a task began to be what it is, for sorting and for its age. */
export function sinceOf(board: Board, task: Task, status: TaskStatus): number {
  if (task.waitingSince !== null && status !== 'done') return task.waitingSince;
  if (status === 'working') return threadOf(board, task)?.turn?.startedAt ?? task.updatedAt;
  if (status === 'done') return task.landing?.at ?? task.updatedAt;
  return task.createdAt;
}

function sortColumn(board: Board, column: Column, tasks: Task[], status: Record<string, TaskStatus>): TaskId[] {
  const since = new Map(tasks.map((task) => [task.id, sinceOf(board, task, status[task.id]!)]));
  const byAge = (a: Task, b: Task) => since.get(a.id)! - since.get(b.id)! || (a.id < b.id ? -1 : 1);
  const limitedFirst = (task: Task) => (status[task.id] === 'limited' ? 0 : 1);
  const order =
    column === 'done'
      ? (a: Task, b: Task) => byAge(b, a)
      : column === 'queued'
        ? (a: Task, b: Task) => limitedFirst(a) - limitedFirst(b) || a.order - b.order || byAge(a, b)
        : byAge;
  return tasks.sort(order).map((task) => task.id);
}

function compute(board: Board): BoardView {
  const status: Record<string, TaskStatus> = {};
  const rows: Record<Column, Task[]> = { 'needs-you': [], queued: [], working: [], review: [], done: [] };
  const trash: Task[] = [];
  for (const task of Object.values(board.tasks)) {
    if (task.phase === 'trashed') {
      trash.push(task);
      continue;
    }
    const word = statusOf(board, task);
    status[task.id] = word;
    rows[columnOf(word)].push(task);
  }
  const columns = Object.fromEntries(
    COLUMNS.map(({ id }) => [id, keep(last?.columns[id], sortColumn(board, id, rows[id], status))]),
  ) as unknown as Record<Column, readonly TaskId[]>;
  const live = <T extends { taskId: TaskId; at: number }>(all: T[]) =>
    all.filter(({ taskId }) => status[taskId]).sort((a, b) => a.at - b.at);
  return (last = {
    status,
    columns,
    trash: trash.sort((a, b) => b.updatedAt - a.updatedAt).map((task) => task.id),
    approvals: live(Object.values(board.approvals)),
    questions: live(Object.values(board.questions)),
  });
}

export function boardView(board: Board): BoardView {
  let view = views.get(board);
  if (!view) views.set(board, (view = compute(board)));
  return view;
}

/** A place to narrow the board down to, beside a project. */
export const FILTERS = [
  { id: 'waiting', title: 'Waiting over 10 min' },
  { id: 'batch', title: 'From a batch' },
  { id: 'attempts', title: 'Several attempts' },
  { id: 'full', title: 'Full access' },
] as const;
export type FilterId = (typeof FILTERS)[number]['id'];

const WAIT_MS = 10 * 60_000;

export function attemptsOf(board: Board, id: TaskId): number {
  let count = 0;
  for (const attempt of Object.values(board.attempts)) if (attempt.taskId === id) count++;
  return count;
}

/** Whether a task passes the sidebar's choice. */
export function passes(board: Board, task: Task, filter: { project: ProjectId | null; filter: FilterId | null }, now: number): boolean {
  if (filter.project && task.projectId !== filter.project) return false;
  switch (filter.filter) {
    case null:
      return true;
    case 'waiting':
      return task.waitingSince !== null && now - task.waitingSince > WAIT_MS;
    case 'batch':
      return task.origin === 'batch';
    case 'attempts':
      return attemptsOf(board, task.id) > 1;
    case 'full':
      return task.mode === 'full';
  }
}
