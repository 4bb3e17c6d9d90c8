import type { Approval, DomainEvent, Item, ItemId, Question, ThreadId } from '../contract/index.ts';
import { closeItem, withdraw } from '../domain/turns.ts';
import type { OpenIntent } from '../storage/intents.ts';
import type { Store } from '../storage/store.ts';

export type Answered = OpenIntent & { kind: 'answered' };

/** What stands of a thread's gates while no turn runs there, or before one has taken it up: open ones, and answers not taken yet. */
export interface Standing {
  approvals: readonly (Approval & { callId: string })[];
  questions: readonly (Question & { callId: string })[];
  answered: readonly Answered[];
}

/** A call that acts on what no longer is after a restart: typing into a command. */
const bound = new Set(['write_stdin']);

/** The model's calls that have no output yet, by id. */
function openCalls(store: Store, threadId: ThreadId): Map<string, string> {
  const open = new Map<string, string>();
  for (const entry of store.history(threadId) as { type?: string; call_id?: string; name?: string }[]) {
    if (!entry.call_id) continue;
    if (entry.type === 'function_call' || entry.type === 'custom_tool_call') open.set(entry.call_id, entry.name ?? '');
    else open.delete(entry.call_id);
  }
  return open;
}

const withCall = <T extends { threadId: ThreadId; callId?: string | undefined }>(all: Record<string, T>, threadId: ThreadId) =>
  Object.values(all).filter((gate): gate is T & { callId: string } => gate.threadId === threadId && gate.callId !== undefined);

export function standing(store: Store, threadId: ThreadId): Standing {
  return {
    approvals: withCall(store.board.approvals, threadId),
    questions: withCall(store.board.questions, threadId),
    answered: store.openIntents().filter((intent): intent is Answered => intent.kind === 'answered' && intent.threadId === threadId),
  };
}

/** Whether a person's answer is what a thread waits for. */
export const stands = (store: Store, threadId: ThreadId): boolean =>
  withCall(store.board.approvals, threadId).length + withCall(store.board.questions, threadId).length > 0;

/** The part of what stands whose calls can go on after a restart. */
export function resumable(store: Store, threadId: ThreadId): Standing {
  const all = standing(store, threadId);
  const calls = openCalls(store, threadId);
  const can = ({ callId }: { callId: string }): boolean => calls.has(callId) && !bound.has(calls.get(callId)!);
  return { approvals: all.approvals.filter(can), questions: all.questions.filter(can), answered: all.answered.filter(can) };
}

/** Whether a thread waits for nothing but its gates: then it goes on by itself once they are answered. */
export function onlyGates(store: Store, threadId: ThreadId): boolean {
  const { approvals, questions, answered } = resumable(store, threadId);
  const gated = new Set([...approvals, ...questions, ...answered].map(({ callId }) => callId));
  return gated.size > 0 && [...openCalls(store, threadId).keys()].every((id) => gated.has(id));
}

/** Whether an item belongs to a gate that stands: it has no end yet. */
export function belongs(item: Item, { approvals, questions, answered }: Standing): boolean {
  if (item.type === 'approval' || item.type === 'question') {
    const id: string = item.type === 'approval' ? item.approvalId : item.questionId;
    return [...approvals, ...questions].some((gate) => gate.id === id) || answered.some((intent) => intent.gateId === id);
  }
  return approvals.some(({ itemId }) => itemId === item.id) || answered.some(({ itemId }) => itemId === item.id);
}

/** The calls of a thread that wait for a gate, or whose answer is there, with the item that goes on with each. */
export function waitingCalls(store: Store, threadId: ThreadId): Map<string, Item | null> {
  const { approvals, questions, answered } = resumable(store, threadId);
  const item = (id: ItemId): Item | null => {
    const found = store.item(id);
    return found && found.type !== 'question' && found.endedAt === null ? found : null;
  };
  return new Map([...approvals, ...questions, ...answered].map(({ callId, itemId }) => [callId, item(itemId)]));
}

/** Takes back all that stands in a thread, with its items: the person stopped the task. */
export function dropStanding(store: Store, threadId: ThreadId, now: number): { events: DomainEvent[]; done: number[] } {
  const all = standing(store, threadId);
  const taskId = store.board.threads[threadId]?.taskId;
  if (!taskId) return { events: [], done: [] };
  const gates = { approvals: all.approvals.map(({ id }) => id), questions: all.questions.map(({ id }) => id) };
  const items = store.openItems(threadId).filter((item) => belongs(item, all));
  return {
    events: [
      ...items.map((item): DomainEvent => ({ type: 'item.completed', taskId, item: closeItem(item, now) })),
      ...withdraw(taskId, gates),
    ],
    done: all.answered.map(({ id }) => id),
  };
}
