import type { Board, DiffStat, DomainEvent, QueuedMessage, TaskId, ThreadId, Turn, Undone, UndoId } from '../contract/index.ts';
import { getTask } from './tasks.ts';

export interface Rewound {
  taskId: TaskId;
  threadId: ThreadId;
  from: number;
  hidden: Undone | null;
  shown: UndoId | null;
  say: { model: string | null } | null;
}

/**
 * What happens when a conversation goes back (or forth again): its turns, the task's state without them, and what is
 * said next at the head of the queue. A task that lost its first turn is held, with what it is about said anew.
 */
export function rewound(
  board: Board,
  { taskId, threadId, from, hidden, shown, say }: Rewound,
  turn: Turn | null,
  diff: DiffStat,
  message: QueuedMessage | null,
): DomainEvent[] {
  const task = getTask(board, taskId);
  const first = board.threads[threadId]?.queue[0];
  const phase = turn === null ? 'held' : 'active';
  return [
    { type: 'thread.rewound', taskId, threadId, from, hidden, shown, turn },
    { type: 'task.diffed', taskId, diff },
    ...(task.check && !task.check.stale ? [{ type: 'task.checked', taskId, check: { ...task.check, stale: true } } as const] : []),
    ...(say?.model && say.model !== task.model ? [{ type: 'task.modelled', taskId, model: say.model } as const] : []),
    ...(message && turn === null ? [{ type: 'task.prompted', taskId, prompt: message.text } as const] : []),
    ...(message && turn !== null ? [{ type: 'queue.added', threadId, message } as const] : []),
    ...(message && turn !== null && first ? [{ type: 'queue.moved', threadId, messageId: message.id, before: first.id } as const] : []),
    ...(task.phase !== phase ? [{ type: 'task.phased', taskId, phase } as const] : []),
  ];
}
