import { useState } from 'react';
import type { Mode, TaskId } from '../../../agent-core/contract/index.ts';
import { attempt } from '../../actions/registry.ts';
import { useCore } from '../../state/hooks.ts';
import { MODES } from '../../state/modes.ts';
import { rpc } from '../../state/store.ts';
import { closeLayer } from '../../state/ui.ts';
import { Button, Dialog, Icon } from '../../ui/index.ts';
import './gates.css';

/** How much of the sandbox holds for a task. Full access is confirmed each time it is chosen. */
export function ModeDialog({ taskId }: { taskId: TaskId }) {
  const task = useCore((state) => state.board?.tasks[taskId]);
  const [mode, setMode] = useState<Mode>(task?.mode ?? 'workspace');
  if (!task) return null;
  const full = mode === 'full' && task.mode !== 'full';
  const save = () => {
    closeLayer();
    if (mode !== task.mode)
      void attempt(
        () =>
          rpc()
            .call('task/mode', { taskId, mode })
            .then(() => undefined),
        taskId,
      );
  };
  return (
    <Dialog
      open
      title="Change the mode"
      onClose={closeLayer}
      foot={
        <>
          <Button onClick={closeLayer}>Cancel</Button>
          <Button look={full ? 'bad' : 'fill'} disabled={mode === task.mode} onClick={save}>
            {full ? 'Give full access' : 'Change mode'}
          </Button>
        </>
      }
    >
      <fieldset className="modes">
        <legend className="muted sm">For “{task.title}”, from its next turn on.</legend>
        {MODES.map(({ id, label, hint }) => (
          <label key={id} className={`mode-row${id === 'full' ? ' is-bad' : ''}`}>
            <input type="radio" name="mode" value={id} checked={mode === id} onChange={() => setMode(id)} />
            <span>
              <span className="b">{label}</span>
              <span className="muted sm">{hint}</span>
            </span>
          </label>
        ))}
      </fieldset>
      {full && (
        <p className="full-note bad" role="alert">
          <Icon name="unlock" />
          Its agent will run every command as you, without a sandbox and without being asked, until you change this again.
        </p>
      )}
    </Dialog>
  );
}
