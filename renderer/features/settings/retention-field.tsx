import { useState } from 'react';
import { RETENTION_DAYS, type InputOf, type Settings } from '../../../agent-core/contract/index.ts';
import { Field } from '../../ui/index.ts';

/** How long deleted tasks and old checkpoints stay. */
export function RetentionField({ settings, write }: { settings: Settings; write: (change: InputOf<'settings/write'>['change']) => void }) {
  const now = settings.retentionDays ?? RETENTION_DAYS;
  const [text, setText] = useState(String(now));
  const days = Number(text);
  const valid = Number.isInteger(days) && days >= 1 && days <= 3650;
  return (
    <Field
      label="Days in the trash"
      hint="For deleted tasks and old checkpoints. What has uncommitted work stays longer."
      error={valid ? undefined : 'A whole number from 1 to 3650.'}
    >
      {(props) => (
        <input
          {...props}
          className="input narrow"
          type="number"
          min={1}
          max={3650}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onBlur={() => {
            if (valid && days !== now) write({ retentionDays: days });
          }}
        />
      )}
    </Field>
  );
}
