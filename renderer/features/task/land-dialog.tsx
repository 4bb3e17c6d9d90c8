import { useCallback, useEffect, useRef, useState } from 'react';
import { toAppError, type AppError, type OutputOf, type Task, type TaskId } from '../../../agent-core/contract/index.ts';
import { useTask } from '../../state/hooks.ts';
import { rpc } from '../../state/store.ts';
import { toast } from '../../state/ui.ts';
import { Button, Dialog, Diffstat, ErrorNote, Icon, Skeleton, plural } from '../../ui/index.ts';
import { visibleLine } from '../../ui/safe-text.ts';
import { methodWords, setMethod, useMethod, type Method } from './land-method.ts';

type Preview = OutputOf<'land/preview'>;

function usePreview(taskId: TaskId): { preview: Preview | null; error: AppError | null; read: () => void } {
  const [preview, setPreview] = useState<Preview | null>(null);
  const [error, setError] = useState<AppError | null>(null);
  const read = useCallback(() => {
    setError(null);
    rpc().call('land/preview', { taskId }).then(setPreview, (thrown: unknown) => setError(toAppError(thrown)));
  }, [taskId]);
  useEffect(read, [read]);
  return { preview, error, read };
}

function Facts({ preview, task }: { preview: Preview; task: Task }) {
  return (
    <dl className="land-facts">
      <dt>Into</dt><dd><code>{visibleLine(preview.into)}</code> of your checkout</dd>
      <dt>Commits</dt><dd>{preview.ahead} ahead{preview.behind > 0 && `, ${preview.behind} behind`}</dd>
      {task.diff && <><dt>Changes</dt><dd className="row">{plural(task.diff.files, 'file')} <Diffstat added={task.diff.added} removed={task.diff.removed} /></dd></>}
      {preview.uncommitted > 0 && <><dt>Uncommitted</dt><dd>{plural(preview.uncommitted, 'file')}, committed first as the branch’s last commit</dd></>}
    </dl>
  );
}

function Conflicts({ paths }: { paths: readonly string[] }) {
  if (paths.length === 0) return null;
  return (
    <section className="land-conflicts" aria-label="Conflicts">
      <p className="b row"><Icon name="block" className="warn" />{plural(paths.length, 'file')} would conflict</p>
      <ul>{paths.slice(0, 12).map((path) => <li key={path}><code>{visibleLine(path)}</code></li>)}</ul>
      {paths.length > 12 && <p className="xs faint">and {paths.length - 12} more</p>}
      <p className="sm muted">Ask the agent to bring the branch up to date and resolve them, then merge.</p>
    </section>
  );
}

function Methods({ method }: { method: Method }) {
  return (
    <fieldset className="land-methods">
      <legend className="label">How</legend>
      {(Object.keys(methodWords) as Method[]).map((id) => (
        <label key={id} className="option">
          <input type="radio" name="land-method" checked={method === id} onChange={() => setMethod(id)} />
          <span>{methodWords[id].title} <span className="sm faint">{methodWords[id].text}</span></span>
        </label>
      ))}
    </fieldset>
  );
}

/** Shows what landing would do before it does it. What keeps it from landing is said, with the reason. */
function Open({ task, onClose }: { task: Task; onClose: () => void }) {
  const { preview, error, read } = usePreview(task.id);
  const method = useMethod();
  const [message, setMessage] = useState(task.title);
  const [failed, setFailed] = useState<AppError | null>(null);
  const [busy, setBusy] = useState(false);
  const cancel = useRef<HTMLButtonElement>(null);
  const blocked = preview !== null && (preview.blocked !== null || preview.conflicts.length > 0);
  const into = preview?.into ?? task.base.ref;
  const land = async (): Promise<void> => {
    setBusy(true);
    setFailed(null);
    try {
      const landing = await rpc().call('land/merge', { taskId: task.id, method, ...(method === 'squash' ? { message } : {}) });
      onClose();
      toast(`${visibleLine(task.title)} is in ${landing.into} (${landing.commit.slice(0, 7)})`);
    } catch (thrown) {
      setFailed(toAppError(thrown));
      read();
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog open onClose={onClose} title={`Merge into ${visibleLine(into)}`} initialFocus={cancel} foot={<>
      <Button ref={cancel} onClick={onClose}>Cancel</Button>
      <Button look="fill" icon="merge" disabled={busy || preview === null || blocked} onClick={() => void land()}>
        {busy ? 'Merging' : `${methodWords[method].button} into ${visibleLine(into)}`}
      </Button>
    </>}>
      <p className="b">{visibleLine(task.title)}</p>
      {error && <ErrorNote error={error} actions={<Button small onClick={read}>Try again</Button>} />}
      {!preview && !error && <Skeleton lines={4} label="Looking at what would be merged" />}
      {preview && <Facts preview={preview} task={task} />}
      {preview?.blocked && <p className="land-blocked row"><Icon name="block" className="warn" /><span>{visibleLine(preview.blocked)}</span></p>}
      {preview && <Conflicts paths={preview.conflicts} />}
      <Methods method={method} />
      {method === 'squash' && (
        <div className="field"><label htmlFor="land-message">Commit message</label>
          <textarea id="land-message" className="area" rows={3} value={message} onChange={(event) => setMessage(event.target.value)} /></div>
      )}
      {failed && <ErrorNote error={failed} />}
    </Dialog>
  );
}

/** The question before a task's work joins the person's branch. */
export function LandDialog({ taskId, onClose }: { taskId: TaskId; onClose: () => void }) {
  const task = useTask(taskId);
  return task ? <Open task={task} onClose={onClose} /> : null;
}
