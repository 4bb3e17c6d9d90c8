import { useState } from 'react';
import {
  Effort,
  toAppError,
  type AppError,
  type ListedModel,
  type ModelChoice,
  type ModelFacts,
} from '../../../agent-core/contract/index.ts';
import { rpc } from '../../state/store.ts';
import { Button, Dialog, ErrorNote, Field, Select } from '../../ui/index.ts';

const TOOLS = [
  { id: 'function', label: 'Function (any model)' },
  { id: 'freeform', label: 'Freeform with a grammar' },
] as const;
const YES = [
  { id: 'yes', label: 'Takes images' },
  { id: 'no', label: 'Text only' },
] as const;

interface Form {
  window: string;
  input: string;
  cached: string;
  output: string;
  patchTool: 'freeform' | 'function';
  images: 'yes' | 'no';
  efforts: Effort[];
}

const formOf = ({ contextWindow, price, patchTool, images, efforts }: ModelFacts): Form => ({
  window: contextWindow === undefined ? '' : String(contextWindow),
  input: price ? String(price.input) : '',
  cached: price ? String(price.cached) : '',
  output: price ? String(price.output) : '',
  patchTool: patchTool ?? 'function',
  images: images === false ? 'no' : 'yes',
  efforts: efforts ?? ['low', 'medium', 'high'],
});

/** The facts that a form holds, or the field that makes no sense. */
function read(form: Form): { facts: ModelFacts } | { wrong: keyof Form } {
  const money = [form.input, form.cached || form.input, form.output].map((text) => (text.trim() ? Number(text) : null));
  const window = form.window.trim() ? Number(form.window.replaceAll(/[ ,_]/g, '')) : undefined;
  if (window !== undefined && (!Number.isInteger(window) || window < 1000)) return { wrong: 'window' };
  const bad = (['input', 'cached', 'output'] as const).find((_, at) => money[at] !== null && !(money[at]! >= 0));
  if (bad) return { wrong: bad };
  if ((money[0] === null) !== (money[2] === null)) return { wrong: money[0] === null ? 'input' : 'output' };
  const [input, cached, output] = money;
  return {
    facts: {
      ...(window === undefined ? {} : { contextWindow: window }),
      ...(input == null || output == null ? {} : { price: { input, cached: cached ?? input, output } }),
      patchTool: form.patchTool,
      images: form.images === 'yes',
      efforts: form.efforts,
    },
  };
}

function NumberField({
  label,
  value,
  error,
  hint,
  onChange,
}: {
  label: string;
  value: string;
  error?: string | undefined;
  hint?: string;
  onChange: (text: string) => void;
}) {
  return (
    <Field label={label} error={error} hint={hint}>
      {(props) => (
        <input {...props} className="input" inputMode="decimal" value={value} onChange={(event) => onChange(event.target.value)} />
      )}
    </Field>
  );
}

function Facts({ form, set, wrong }: { form: Form; set: (change: Partial<Form>) => void; wrong: keyof Form | null }) {
  const at = (name: keyof Form, words: string) => (wrong === name ? words : undefined);
  return (
    <>
      <NumberField
        label="Context window, in tokens"
        value={form.window}
        error={at('window', 'A whole number of 1,000 or more.')}
        hint="Empty: 128,000. The conversation is summarized when it is nearly full."
        onChange={(window) => set({ window })}
      />
      <div className="fields">
        <NumberField
          label="Input, $ per million"
          value={form.input}
          error={at('input', 'A price for the input.')}
          onChange={(input) => set({ input })}
        />
        <NumberField
          label="Cached input"
          value={form.cached}
          error={at('cached', 'A number, or empty.')}
          onChange={(cached) => set({ cached })}
        />
        <NumberField
          label="Output"
          value={form.output}
          error={at('output', 'A price for the output.')}
          onChange={(output) => set({ output })}
        />
      </div>
      <div className="fields">
        <Field label="Patch tool">
          {(props) => <Select {...props} options={TOOLS} value={form.patchTool} onChange={(patchTool) => set({ patchTool })} />}
        </Field>
        <Field label="Images">
          {(props) => <Select {...props} options={YES} value={form.images} onChange={(images) => set({ images })} />}
        </Field>
      </div>
      <fieldset className="efforts">
        <legend className="sm muted">Efforts that it takes</legend>
        {Effort.options.map((effort) => (
          <label key={effort}>
            <input
              type="checkbox"
              checked={form.efforts.includes(effort)}
              onChange={(event) =>
                set({ efforts: Effort.options.filter((each) => (each === effort ? event.target.checked : form.efforts.includes(each))) })
              }
            />
            {effort}
          </label>
        ))}
      </fieldset>
    </>
  );
}

/** What is known of one model, to be corrected. */
export function ModelEdit({ choice, entry, onClose }: { choice: ModelChoice; entry: ListedModel; onClose: () => void }) {
  const [form, setForm] = useState(() => formOf(choice.facts ?? {}));
  const [wrong, setWrong] = useState<keyof Form | null>(null);
  const [error, setError] = useState<AppError | null>(null);
  const set = (change: Partial<Form>) => {
    setForm((old) => ({ ...old, ...change }));
    setWrong(null);
  };
  const write = async (edited: ModelFacts) => {
    try {
      await rpc().call('model/save', { entry: { ...entry, edited } });
      onClose();
    } catch (thrown) {
      setError(toAppError(thrown));
    }
  };
  const save = () => {
    const done = read(form);
    if ('wrong' in done) setWrong(done.wrong);
    else void write(done.facts);
  };
  return (
    <Dialog
      open
      onClose={onClose}
      title={choice.label}
      foot={
        <>
          {entry.edited && (
            <Button look="quiet" onClick={() => void write({})}>
              Undo my changes
            </Button>
          )}
          <Button onClick={onClose}>Cancel</Button>
          <Button look="fill" onClick={save}>
            Save
          </Button>
        </>
      }
    >
      <Facts form={form} set={set} wrong={wrong} />
      {error && <ErrorNote error={error} />}
    </Dialog>
  );
}
