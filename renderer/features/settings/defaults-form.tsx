import { useState } from 'react';
import type { InputOf, Settings } from '../../../agent-core/contract/index.ts';
import { MODES, POLICIES } from '../../state/modes.ts';
import { Field, Select } from '../../ui/index.ts';

type Change = InputOf<'settings/write'>['change'];

/** What new tasks start with, how many run at once and where their worktrees are. */
export function DefaultsForm({ settings, write }: { settings: Settings; write: (change: Change) => void }) {
  const [root, setRoot] = useState(settings.worktreeRoot ?? '');
  const [many, setMany] = useState(String(settings.concurrency));
  const count = Number(many);
  const valid = Number.isInteger(count) && count >= 1 && count <= 64;
  const { mode, approval } = settings.defaults;
  return (
    <>
      <div className="fields">
        <Field label="Mode" hint={MODES.find(({ id }) => id === mode)?.hint}>
          {(props) => <Select {...props} options={MODES} value={mode} onChange={(next) => write({ defaults: { mode: next, approval } })} />}
        </Field>
        <Field label="Approvals" hint={POLICIES.find(({ id }) => id === approval)?.hint}>
          {(props) => (
            <Select {...props} options={POLICIES} value={approval} onChange={(next) => write({ defaults: { mode, approval: next } })} />
          )}
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
