import { columnOf, type Column, type TaskId, type TaskStatus } from '../../../agent-core/contract/index.ts';
import { contextOf, runAction } from '../../actions/registry.ts';
import { COLUMNS } from '../../state/board-view.ts';
import { speak, toast } from '../../state/ui.ts';

/** What moving a card onto a column would do: an action, nothing (its own column), or a refusal with its reason. */
export type Move = { action: string; says: string } | { refuse: string } | null;

const title = (column: Column) => COLUMNS.find(({ id }) => id === column)!.title;

/** A drop is an action, never a change of state by itself: only starting and archiving can be asked for. */
export function moveOf(status: TaskStatus, to: Column): Move {
  const from = columnOf(status);
  if (from === to) return null;
  if (to === 'working') {
    if (status === 'queued') return { action: 'task.start', says: 'Drop to start now' };
    if (status === 'failed') return { action: 'task.retry', says: 'Drop to retry' };
    if (status === 'done') return { refuse: 'This task is done. Move it back to review, then send the agent a message.' };
    if (status === 'limited') return { refuse: 'The model’s limit holds this task back. It goes on by itself when the limit has passed.' };
    if (status === 'review') return { refuse: 'The agent has finished. Send it a message and it works again.' };
    return { refuse: 'This task waits for your answer. Approve, decline or reply, and it works again.' };
  }
  if (to === 'done') {
    if (status === 'review' || status === 'failed' || status === 'queued') return { action: 'task.archive', says: 'Drop to archive' };
    return { refuse: 'This task is under way. Stop it first, then archive it.' };
  }
  if (status === 'done' && to === 'review') return { action: 'task.unarchive', says: 'Drop to move back to review' };
  return { refuse: `Tasks come to ${title(to)} by what their agent does. Drop on Working to start, on Done to archive.` };
}

/** Does what a drop means, or says why not. The same for mouse, keys and menu. */
export async function moveTo(taskId: TaskId, to: Column): Promise<void> {
  const { status } = contextOf(taskId);
  const move = status && moveOf(status, to);
  if (!move) return;
  if ('refuse' in move) {
    speak(move.refuse);
    toast(move.refuse);
    return;
  }
  await runAction(move.action, taskId);
}
