import type { Approval, Board, Denial, Question, TaskId } from '../../../agent-core/contract/index.ts';
import { boardView } from '../../state/board-view.ts';

/** One row of the inbox: the same thing asked by one or several tasks, one question, or what was kept out. Oldest first. */
export type Ask =
  | { kind: 'approval'; key: string; at: number; approvals: readonly Approval[] }
  | { kind: 'question'; key: string; at: number; question: Question }
  | { kind: 'denial'; key: string; at: number; denials: readonly Denial[] };

/** The same command with the same consequence, so that one answer is right for all. */
const sameAs = (board: Board, { kind, subject, effect, prefix, taskId }: Approval) =>
  JSON.stringify([kind, subject, effect, prefix, board.tasks[taskId]?.projectId]);

const lists = new WeakMap<Board, readonly Ask[]>();

/** What was kept out, the same of several tasks in one row. Nothing waits for it, so it comes after what does. */
function deniedOf(board: Board): Ask[] {
  const groups = new Map<string, Denial[]>();
  for (const denial of Object.values(board.denials).sort((a, b) => a.at - b.at)) {
    const task = board.tasks[denial.taskId];
    if (!task || task.phase === 'trashed') continue;
    const same = JSON.stringify(['denial', denial.kind, denial.subject, denial.digest, denial.scopes, task.projectId]);
    groups.set(same, [...(groups.get(same) ?? []), denial]);
  }
  return [...groups].map(([key, denials]): Ask => ({ kind: 'denial', key, at: denials[0]!.at, denials }));
}

/** Every approval and question of every task, grouped. The key of a group stays while its first asker waits. */
export function asksOf(board: Board): readonly Ask[] {
  const known = lists.get(board);
  if (known) return known;
  const { approvals, questions } = boardView(board);
  const groups = new Map<string, Approval[]>();
  for (const approval of approvals) {
    const same = sameAs(board, approval);
    groups.set(same, [...(groups.get(same) ?? []), approval]);
  }
  const asks: Ask[] = [
    ...[...groups].map(([key, group]): Ask => ({ kind: 'approval', key, at: group[0]!.at, approvals: group })),
    ...questions.map((question): Ask => ({ kind: 'question', key: question.id, at: question.at, question })),
  ].sort((a, b) => a.at - b.at);
  asks.push(...deniedOf(board));
  lists.set(board, asks);
  return asks;
}

export const taskIdsOf = (ask: Ask): readonly TaskId[] =>
  ask.kind === 'question' ? [ask.question.taskId] : (ask.kind === 'approval' ? ask.approvals : ask.denials).map(({ taskId }) => taskId);
