import { useState, type FormEvent, type ReactNode } from 'react';
import { toAppError } from '../../agent-core/contract/index.ts';
import { Button } from './button.tsx';
import { Field } from './field.tsx';
import { visible } from './safe-text.ts';

/** A list of short machine words, each with a way to take it out. Draws nothing when there are none. */
export function Entries({
  label,
  entries,
  note,
  onRemove,
}: {
  label: string;
  entries: readonly string[];
  note?: (entry: string) => ReactNode;
  onRemove: (entry: string) => void;
}) {
  if (entries.length === 0) return null;
  return (
    <ul className="rules rows" aria-label={label}>
      {entries.map((entry) => (
        <li key={entry}>
          <code className="cut">{visible(entry)}</code>
          <span className="grow cut faint xs">{note?.(entry)}</span>
          <Button small look="quiet" aria-label={`Remove ${visible(entry)}`} onClick={() => onRemove(entry)}>
            Remove
          </Button>
        </li>
      ))}
    </ul>
  );
}

/** A line to type one more into. What is wrong with it, as the core says, stands under it and it stays. */
export function AddEntry({
  label,
  hint,
  placeholder,
  add,
}: {
  label: string;
  hint: ReactNode;
  placeholder: string;
  add: (text: string) => Promise<unknown>;
}) {
  const [text, setText] = useState('');
  const [wrong, setWrong] = useState<string | undefined>(undefined);
  const [busy, setBusy] = useState(false);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (text.trim() === '' || busy) return;
    setBusy(true);
    add(text.trim())
      .then(
        () => {
          setText('');
          setWrong(undefined);
        },
        (thrown: unknown) => {
          const { message, fix } = toAppError(thrown);
          setWrong([message, fix].filter(Boolean).join(' '));
        },
      )
      .finally(() => setBusy(false));
  };
  return (
    <form onSubmit={submit}>
      <Field label={label} hint={hint} error={wrong}>
        {(props) => (
          <div className="row">
            <input
              {...props}
              className="input mono grow"
              spellCheck={false}
              autoCapitalize="off"
              autoComplete="off"
              placeholder={placeholder}
              value={text}
              onChange={(event) => {
                setText(event.target.value);
                setWrong(undefined);
              }}
            />
            <Button type="submit" disabled={text.trim() === '' || busy}>
              Add
            </Button>
          </div>
        )}
      </Field>
    </form>
  );
}
