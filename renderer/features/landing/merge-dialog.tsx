import { useState, type KeyboardEvent } from 'react';
import { toAppError, type AppError, type TaskId } from '../../../agent-core/contract/index.ts';
import { useCore } from '../../state/hooks.ts';
import { openTask } from '../../state/route.ts';
import { rpc } from '../../state/store.ts';
import { closeLayer, toast } from '../../state/ui.ts';
import { Button, Dialog, Diffstat, ErrorNote, Field, Segments, Skeleton, plural } from '../../ui/index.ts';
import { METHODS, usePreview, type Method } from './use-preview.ts';
import { PreviewWords } from './preview-words.tsx';

function useLanding(taskId: TaskId) {
  const [error, setError] = useState<AppError | null>(null);
  const [busy, setBusy] = useState(false);
  const land = async (method: Method, message: string) => {
    setBusy(true);
    setError(null);
    try {
      const { into } = await rpc().call('land/merge', { taskId, method, ...(message.trim() ? { message: message.trim() } : {}) });
      closeLayer();
      toast(`Merged into ${into}`);
    } catch (thrown) {
      setError(toAppError(thrown));
      setBusy(false);
    }
  };
  return { error, busy, land };
}

/** Asks how to land one task, says what will happen or why it can't. */
export function MergeDialog({ taskId, method: first = 'merge' }: { taskId: TaskId; method?: Method }) {
  const task = useCore(({ board }) => board?.tasks[taskId]);
  const { preview, error: unread } = usePreview(taskId);
  const { error, busy, land } = useLanding(taskId);
  const [method, setMethod] = useState<Method>(first);
  const [message, setMessage] = useState('');
  if (!task) return null;
  const can = preview !== null && preview.clean && preview.blocked === null;
  const into = preview?.into ?? task.base.ref;
  const foot = (
    <>
      <Button onClick={closeLayer}>Cancel</Button>
      {preview && !preview.clean && <Button onClick={() => openTask(taskId)}>Open task</Button>}
      <Button look="fill" icon="merge" keys="mod+enter" disabled={!can || busy} onClick={() => void land(method, message)}>
        {busy ? `Merging into ${into}…` : `Merge into ${into}`}
      </Button>
    </>
  );
  const press = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || !(event.metaKey || event.ctrlKey) || !can || busy) return;
    event.preventDefault();
    void land(method, message);
  };
  return (
    <Dialog open onClose={closeLayer} title={`Merge “${task.title}”`} foot={foot} onKeyDown={press}>
      {preview ? (
        <PreviewWords preview={preview} />
      ) : unread ? (
        <ErrorNote error={unread} />
      ) : (
        <Skeleton lines={2} label="Looking whether it can be merged" />
      )}
      {task.diff && (
        <p className="row sm muted">
          <Diffstat {...task.diff} />
          in {plural(task.diff.files, 'file')}
        </p>
      )}
      <Segments label="How" options={METHODS} value={method} onChange={setMethod} />
      <p className="hint">{METHODS.find(({ id }) => id === method)!.hint}</p>
      {method !== 'rebase' && (
        <Field label="Message" hint="Left empty: the task’s title.">
          {(props) => (
            <textarea
              {...props}
              className="area"
              style={{ minHeight: 56 }}
              value={message}
              onChange={(event) => setMessage(event.target.value)}
            />
          )}
        </Field>
      )}
      {error && <ErrorNote error={error} />}
    </Dialog>
  );
}
