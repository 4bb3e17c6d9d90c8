import {
  noUsage,
  type AppError,
  type DomainEvent,
  type Item,
  type TaskId,
  type Thread,
  type Turn,
  type TurnId,
} from '../contract/index.ts';

/** The next turn of a thread. */
export function nextTurn(thread: Thread, id: TurnId, now: number): Turn {
  return {
    id,
    threadId: thread.id,
    number: (thread.turn?.number ?? 0) + 1,
    status: 'running',
    startedAt: now,
    endedAt: null,
    usage: noUsage,
    error: null,
    interruptedBy: null,
    treeBefore: null,
    treeAfter: null,
  };
}

/** Closes an item that a stop or a crash left open; what it held so far is kept. */
export function closeItem(item: Item, now: number): Item {
  if (item.endedAt !== null) return item;
  switch (item.type) {
    case 'command':
      return { ...item, endedAt: now, sessionId: null, status: item.status === 'running' ? 'interrupted' : item.status };
    case 'fileChange':
    case 'toolCall':
      return { ...item, endedAt: now, status: item.status === 'running' ? 'interrupted' : item.status };
    case 'approval':
      return {
        ...item,
        endedAt: now,
        decision: item.decision === 'pending' ? 'declined' : item.decision,
        note: item.note || 'Withdrawn: the turn ended.',
      };
    default:
      return { ...item, endedAt: now };
  }
}

/** What ends a turn that was cut off: its open items, its open gates, then the turn itself. */
export function interrupt(
  taskId: TaskId,
  turn: Turn,
  open: readonly Item[],
  gates: { approvals: readonly string[]; questions: readonly string[] },
  by: 'person' | 'crash',
  now: number,
  error: AppError | null = null,
): DomainEvent[] {
  return [
    ...open
      .filter((item) => item.endedAt === null)
      .map((item): DomainEvent => ({ type: 'item.completed', taskId, item: closeItem(item, now) })),
    ...withdraw(taskId, gates),
    { type: 'turn.ended', taskId, turn: { ...turn, status: 'interrupted', interruptedBy: by, endedAt: now, error } },
  ];
}

/** Takes back every gate of a task: nobody waits behind it any more. */
export function withdraw(taskId: TaskId, gates: { approvals: readonly string[]; questions: readonly string[] }): DomainEvent[] {
  return [
    ...gates.approvals.map(
      (id) => ({ type: 'approval.decided', approvalId: id, taskId, decision: 'withdrawn', scope: 'once', note: '' }) as DomainEvent,
    ),
    ...gates.questions.map((id) => ({ type: 'question.answered', questionId: id, taskId, answers: null }) as DomainEvent),
  ];
}
