import { useEffect, useRef, useState } from 'react';
import { toAppError, type AppError, type TaskId } from '../../../agent-core/contract/index.ts';
import { rpc } from '../../state/store.ts';
import { Button, ErrorNote, IconButton, Skeleton } from '../../ui/index.ts';
import { visible, visibleLine } from '../../ui/safe-text.ts';

/** Lines drawn together, so that the browser can leave out those that can't be seen. */
const CHUNK = 200;

function Lines({ text, line }: { text: string; line: number | undefined }) {
  const lines = text.replace(/\n$/, '').split('\n');
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    box.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'center' });
  }, [text, line]);
  return (
    <div className="file-lines" ref={box} tabIndex={0} role="region" aria-label="Lines">
      {Array.from({ length: Math.ceil(lines.length / CHUNK) }, (_, chunk) => (
        <div key={chunk} className="file-chunk" style={{ containIntrinsicSize: `auto ${CHUNK * 20}px` }}>
          {lines.slice(chunk * CHUNK, (chunk + 1) * CHUNK).map((words, index) => {
            const number = chunk * CHUNK + index + 1;
            return (
              <div key={number} className="file-line" aria-current={number === line || undefined}>
                <span aria-hidden="true">{number}</span>
                <code>{visible(words.replace(/\r$/, ''))}</code>
              </div>
            );
          })}
        </div>
      ))}
    </div>
  );
}

/** A file of the worktree as it is now, at a line: what a message or a finding points at and the diff doesn't show. */
export function FileView({ taskId, path, line, onClose }: { taskId: TaskId; path: string; line: number | undefined; onClose: () => void }) {
  const [read, setRead] = useState<{ path: string; text: string; binary: boolean } | null>(null);
  const [error, setError] = useState<AppError | null>(null);
  useEffect(() => {
    let mine = true;
    setError(null);
    rpc()
      .call('file/read', { taskId, path })
      .then(
        (found) => mine && setRead({ ...found, path }),
        (thrown: unknown) => mine && setError(toAppError(thrown)),
      );
    return () => {
      mine = false;
    };
  }, [taskId, path]);
  return (
    <section className="file-view" aria-label={`File ${visibleLine(path)}`}>
      <header className="row">
        <IconButton icon="left" small label="Back to the changes" onClick={onClose} />
        <h2 className="mono cut">
          {visibleLine(path)}
          {line ? `:${line}` : ''}
        </h2>
        <span className="xs faint nowrap">as it is now</span>
      </header>
      {error ? (
        <div className="review-note">
          <ErrorNote
            error={error}
            actions={
              <Button small onClick={onClose}>
                Back to the changes
              </Button>
            }
          />
        </div>
      ) : read?.path !== path ? (
        <Skeleton lines={8} label="Reading the file" />
      ) : read.binary ? (
        <p className="review-note muted">This is a binary file.</p>
      ) : (
        <Lines text={read.text} line={line} />
      )}
    </section>
  );
}
