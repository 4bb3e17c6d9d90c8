import { useState } from 'react';
import { toAppError, type AppError, type ReviewTarget, type TaskId } from '../../../agent-core/contract/index.ts';
import { useCore, useTask } from '../../state/hooks.ts';
import { rpc } from '../../state/store.ts';
import { closeLayer, speak, ui } from '../../state/ui.ts';
import { Button, Dialog, ErrorNote, Field, Select } from '../../ui/index.ts';

const TARGETS: readonly { id: ReviewTarget['kind']; label: string }[] = [
  { id: 'task', label: 'Whole task' },
  { id: 'turn', label: 'Last turn' },
  { id: 'commit', label: 'One commit' },
  { id: 'branch', label: 'Changes against a branch' },
];

/** Asks what a model should review, and which model. */
export function ReviewDialog({ taskId }: { taskId: TaskId }) {
  const task = useTask(taskId);
  const settings = useCore((state) => state.board!.settings);
  const project = useCore((state) => (task ? state.board?.projects[task.projectId] : undefined));
  const [kind, setKind] = useState<ReviewTarget['kind']>('task');
  const [ref, setRef] = useState('');
  const [model, setModel] = useState(project?.review?.model ?? task?.model ?? settings.model);
  const [error, setError] = useState<AppError | null>(null);
  const [busy, setBusy] = useState(false);
  const named = kind === 'commit' || kind === 'branch';
  const start = () => {
    const target: ReviewTarget = named ? { kind, ref: ref.trim() || (kind === 'commit' ? 'HEAD' : (task?.base.ref ?? 'main')) } : { kind };
    setBusy(true);
    rpc()
      .call('review/start', { taskId, target, ...(model ? { model } : {}) })
      .then(
        () => {
          ui.setState(({ tabs }) => (tabs.includes('changes') ? {} : { tabs: ['changes'] }));
          speak('Review started');
          closeLayer();
        },
        (thrown: unknown) => {
          setError(toAppError(thrown));
          setBusy(false);
        },
      );
  };
  const models =
    settings.models.some(({ id }) => id === model) || !model ? settings.models : [{ id: model, label: model }, ...settings.models];
  return (
    <Dialog
      open
      onClose={closeLayer}
      title="Review with a model"
      foot={
        <Button look="fill" keys="mod+enter" disabled={busy} onClick={start}>
          Start review
        </Button>
      }
      onKeyDown={(event) => {
        if (event.key !== 'Enter' || !(event.metaKey || event.ctrlKey) || event.nativeEvent.isComposing) return;
        event.preventDefault();
        event.stopPropagation();
        if (!busy) start();
      }}
    >
      <p className="muted">A second pass over the changes. It only looks; what it finds shows beside the lines.</p>
      <Field label="What">{(props) => <Select {...props} options={TARGETS} value={kind} onChange={setKind} />}</Field>
      {named && (
        <Field
          label={kind === 'commit' ? 'Commit' : 'Branch'}
          hint={kind === 'commit' ? 'HEAD is the newest of this task.' : 'From where the task left it.'}
        >
          {(props) => (
            <input
              {...props}
              className="input mono"
              value={ref}
              placeholder={kind === 'commit' ? 'HEAD' : task?.base.ref}
              onChange={(event) => setRef(event.target.value)}
            />
          )}
        </Field>
      )}
      <Field label="Model" hint="Another model than the author’s sees other things.">
        {(props) => <Select {...props} options={models} value={model} onChange={setModel} />}
      </Field>
      {error && <ErrorNote error={error} />}
    </Dialog>
  );
}
