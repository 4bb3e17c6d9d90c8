import { useState } from 'react';
import type { InputOf, Settings } from '../../../agent-core/contract/index.ts';
import { effortsOf, modelsFor } from '../../state/models.ts';
import { MODES, POLICIES } from '../../state/modes.ts';
import { Field, Select } from '../../ui/index.ts';
import { RetentionField } from './retention-field.tsx';

type Change = InputOf<'settings/write'>['change'];

/** What new tasks start with, how many run at once and where their worktrees are. */
export function DefaultsForm({ settings, write }: { settings: Settings; write: (change: Change) => void }) {
  const [root, setRoot] = useState(settings.worktreeRoot ?? '');
  const [many, setMany] = useState(String(settings.concurrency));
  const count = Number(many);
  const valid = Number.isInteger(count) && count >= 1 && count <= 64;
  const { mode, approval, effort } = settings.defaults;
  const change = (next: Partial<Settings['defaults']>) => write({ defaults: { ...settings.defaults, ...next } });
  const usual = settings.models[0]?.label ?? '';
  const models = [{ id: '', label: usual ? `Automatic: ${usual}` : 'Automatic' }, ...modelsFor(settings, settings.model)];
  return (
    <>
      <div className="fields">
        <Field label="Model">
          {(props) => <Select {...props} options={models} value={settings.model} onChange={(model) => write({ model })} />}
        </Field>
        <Field label="Effort" hint="For models that reason.">
          {(props) => (
            <Select
              {...props}
              options={effortsOf({ ...settings, defaults: { mode, approval } }, settings.model || (settings.models[0]?.id ?? ''))}
              value={effort ?? ''}
              onChange={(next) => change({ effort: next || undefined })}
            />
          )}
        </Field>
      </div>
      <div className="fields">
        <Field label="Mode" hint={MODES.find(({ id }) => id === mode)?.hint}>
          {(props) => <Select {...props} options={MODES} value={mode} onChange={(next) => change({ mode: next })} />}
        </Field>
        <Field label="Approvals" hint={POLICIES.find(({ id }) => id === approval)?.hint}>
          {(props) => <Select {...props} options={POLICIES} value={approval} onChange={(next) => change({ approval: next })} />}
        </Field>
      </div>
      <div className="fields">
        <Field label="Tasks at once" error={valid ? undefined : 'A whole number from 1 to 64.'} hint="The others wait in the queue.">
          {(props) => (
            <input
              {...props}
              className="input narrow"
              type="number"
              min={1}
              max={64}
              value={many}
              onChange={(event) => setMany(event.target.value)}
              onBlur={() => {
                if (valid && count !== settings.concurrency) write({ concurrency: count });
              }}
            />
          )}
        </Field>
        <RetentionField settings={settings} write={write} />
        <Field label="Folder for worktrees" hint="Empty: inside Signalbox’s own data. Another disk is fine.">
          {(props) => (
            <input
              {...props}
              className="input"
              spellCheck={false}
              value={root}
              onChange={(event) => setRoot(event.target.value)}
              onBlur={() => {
                const next = root.trim() || null;
                if (next !== settings.worktreeRoot) write({ worktreeRoot: next });
              }}
            />
          )}
        </Field>
      </div>
    </>
  );
}
