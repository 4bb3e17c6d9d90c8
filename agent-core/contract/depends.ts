import { statusOf, threadOf, type Board } from './state.ts';
import type { TaskId } from './ids.ts';
import type { Task } from './values.ts';

/** How what a task waits for stands: `met` lets it begin, `coming` will by itself, the others are for a person to decide. */
export type Dependency = 'met' | 'coming' | 'stopped' | 'failed' | 'trashed' | 'gone';

/** Whether another task's work is there to build on: it landed, was called done, or its turn completed. */
export function dependencyOn(board: Board, id: TaskId): Dependency {
  const task = board.tasks[id];
  if (!task) return 'gone';
  if (task.landing) return 'met';
  if (task.phase === 'trashed') return 'trashed';
  const status = statusOf(board, task);
  if (status === 'done') return 'met';
  if (status === 'failed') return 'failed';
  if (status !== 'review') return 'coming';
  const turn = threadOf(board, task)?.turn;
  if (turn?.status === 'interrupted') return 'stopped';
  // A plan or an answer leaves nothing to build on.
  return (turn?.kind ?? 'work') === 'work' ? 'met' : 'coming';
}

/** The first of a task's dependencies that holds it back, and why; those that wait for a person first. Null where none does. */
export function heldBackBy(board: Board, task: Task): { id: TaskId; why: Exclude<Dependency, 'met'> } | null {
  const open = task.dependsOn.flatMap((id) => {
    const why = dependencyOn(board, id);
    return why === 'met' ? [] : [{ id, why }];
  });
  return open.find(({ why }) => why !== 'coming') ?? open[0] ?? null;
}
