import { useEffect, useState } from 'react';
import { threadOf, toAppError, type AppError, type ContextPart, type OutputOf, type TaskId } from '../../../agent-core/contract/index.ts';
import { useCore } from '../../state/hooks.ts';
import { rpc } from '../../state/store.ts';
import { closeLayer } from '../../state/ui.ts';
import { Dialog, ErrorNote, Skeleton, plural, tokens, visible } from '../../ui/index.ts';

function Part({ part, total }: { part: ContextPart; total: number }) {
  const share = total ? (part.tokens / total) * 100 : 0;
  return (
    <details className="context-part">
      <summary>
        <span className="grow">
          {part.title} {part.count > 1 && <span className="xs faint">{part.count}</span>}
        </span>
        <span className="context-bar" aria-hidden="true">
          <i style={{ width: `${Math.max(share, 1)}%` }} />
        </span>
        <span className="num">{tokens(part.tokens)}</span>
      </summary>
      <pre className="cmd" tabIndex={0} aria-label={part.title}>
        {visible(part.text)}
      </pre>
    </details>
  );
}

/** What the next request would hold and how much of the model's window each part takes. */
export function ContextDialog({ taskId }: { taskId: TaskId }) {
  const threadId = useCore(({ board }) => (board?.tasks[taskId] ? threadOf(board, board.tasks[taskId])?.id : undefined));
  const [read, setRead] = useState<OutputOf<'thread/context'> | null>(null);
  const [error, setError] = useState<AppError | null>(null);
  useEffect(() => {
    if (!threadId) return;
    rpc()
      .call('thread/context', { threadId })
      .then(setRead, (thrown: unknown) => setError(toAppError(thrown)));
  }, [threadId]);
  const total = read?.parts.reduce((sum, part) => sum + part.tokens, 0) ?? 0;
  return (
    <Dialog open onClose={closeLayer} title="What the model sees" wide className="context-dialog">
      {error && <ErrorNote error={error} />}
      {!read && !error && <Skeleton lines={5} />}
      {read && (
        <>
          <p className="sm muted">
            About {tokens(total)} of {tokens(read.window)} tokens ({Math.round((total / read.window) * 100)} %), estimated. At 90 % the
            conversation is summarized; <code>/compact</code> does it now.
          </p>
          <div role="group" aria-label={plural(read.parts.length, 'part')}>
            {read.parts.map((part) => (
              <Part key={part.kind} part={part} total={total} />
            ))}
          </div>
        </>
      )}
    </Dialog>
  );
}
