import type { TaskStatus } from '../../agent-core/contract/index.ts';
import { boardView } from '../state/board-view.ts';
import { core, onEvents } from '../state/store.ts';
import { speak } from '../state/ui.ts';
import { statusLabel } from '../ui/status.tsx';

const worth: readonly TaskStatus[] = ['needs-approval', 'has-question', 'failed', 'review', 'done'];

/** Says "needs you" and "done" through the live region and, in the app, as a notification: never a token of a stream. */
export function announce(): void {
  onEvents((events, before) => {
    const { board } = core.getState();
    if (!board || events.every(({ event }) => event.type.startsWith('item.'))) return;
    const [old, now] = [boardView(before).status, boardView(board).status];
    const news = Object.entries(now).filter(([id, status]) => old[id] !== status && old[id] !== undefined && worth.includes(status));
    if (!news.length) return;
    const lines = news.map(([id, status]) => {
      const title = board.tasks[id]?.title ?? '';
      return {
        id,
        title,
        text:
          status === 'done' ? 'Done' : status === 'review' ? 'Done, ready for review' : `Needs you: ${statusLabel(status).toLowerCase()}`,
      };
    });
    speak(
      lines.length > 3
        ? `${lines.length} tasks changed, ${boardView(board).columns['needs-you'].length} need you`
        : lines.map(({ title, text }) => `${text}: ${title}`).join('. '),
    );
    for (const { id, title, text } of lines.slice(0, 3))
      window.signalbox?.notify({ title: text, body: title, command: { action: 'task.open', subject: id } });
  });
}
