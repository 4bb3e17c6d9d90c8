import { useState } from 'react';
import { threadOf, toAppError, type AppError, type TaskId } from '../../../agent-core/contract/index.ts';
import { useCore } from '../../state/hooks.ts';
import { rpc } from '../../state/store.ts';
import { toast } from '../../state/ui.ts';
import { Button, ErrorNote, plural } from '../../ui/index.ts';
import { draftMessage, type Comment } from './draft.ts';

/** The draft's count and the button that sends all of it to the agent as one message. A running turn gets it next. */
export function DraftFoot({ taskId, comments, onSent }: { taskId: TaskId; comments: readonly Comment[]; onSent: () => void }) {
  const threadId = useCore((state) => {
    const task = state.board?.tasks[taskId];
    return state.board && task ? threadOf(state.board, task)?.id : undefined;
  });
  const [error, setError] = useState<AppError | null>(null);
  const [busy, setBusy] = useState(false);
  if (comments.length === 0) return null;
  const send = async (): Promise<void> => {
    if (!threadId) return;
    setBusy(true);
    try {
      const { queued } = await rpc().call('turn/start', { threadId, text: draftMessage(comments) });
      setError(null);
      onSent();
      toast(
        queued
          ? `${plural(comments.length, 'comment')} queued for the next turn`
          : `${plural(comments.length, 'comment')} sent to the agent`,
      );
    } catch (thrown) {
      setError(toAppError(thrown));
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="draft-foot">
      {error && <ErrorNote error={error} />}
      <p className="xs faint">Draft: {plural(comments.length, 'comment')}</p>
      <Button disabled={busy || !threadId} onClick={() => void send()}>
        Send to agent
      </Button>
    </div>
  );
}
