import { type Board, type TaskId } from '../contract/index.ts';
import { isBusy, isMet } from './tasks.ts';

/**
 * Which queued tasks start now: in queue order, those whose dependencies are met, as many as `concurrency` leaves room for.
 * `may` leaves some out without counting them. A task that waits for a person holds no place: its model and its commands are idle.
 */
export function nextToStart(board: Board, may: (id: TaskId) => boolean = () => true, concurrency = board.settings.concurrency): TaskId[] {
  const tasks = Object.values(board.tasks);
  const waiting = new Set<string>([...Object.values(board.approvals), ...Object.values(board.questions)].map((gate) => gate.taskId));
  const busy = tasks.filter((task) => isBusy(board, task) && !waiting.has(task.id)).length;
  const room = Math.max(0, concurrency - busy);
  return tasks
    .filter((task) => task.phase === 'queued' && may(task.id) && task.dependsOn.every((id) => isMet(board, id)))
    .sort((a, b) => a.order - b.order)
    .slice(0, room)
    .map((task) => task.id);
}
