import { useState } from 'react';
import { toAppError, type AppError, type Settings } from '../../../agent-core/contract/index.ts';
import { rpc } from '../../state/store.ts';
import { Button, ErrorNote, Field, Icon, Select } from '../../ui/index.ts';

const KEYS: Record<Settings['keySource'], string> = {
  none: 'No key is set. Without one, the demo model works offline.',
  settings: 'A key is saved. It is never shown again.',
  environment: 'The key comes from OPENAI_API_KEY. One typed here wins over it.',
};

/** Who the name stands for; for an empty field the model that is used instead. */
const modelHint = ({ models }: Settings, name: string): string | undefined =>
  name ? models.find(({ id }) => id === name)?.label : models[0] && `Empty: ${models[0].label}`;

const WIRES = [
  { id: 'responses', label: 'Responses' },
  { id: 'chat', label: 'Chat Completions' },
] as const;

/** The test's answer, beside the button that asked. */
function Answer({ busy, answer, error }: { busy: boolean; answer: string; error: AppError | null }) {
  if (error) return <ErrorNote error={error} />;
  if (busy)
    return (
      <p className="sm muted" role="status">
        Asking the model…
      </p>
    );
  return answer ? (
    <p className="sm ok row" role="status">
      <Icon small name="check" />
      {answer}
    </p>
  ) : null;
}

interface Form {
  baseUrl: string;
  model: string;
  key: string;
  wire: Settings['wire'];
}

function useModelForm(settings: Settings) {
  const [form, setForm] = useState<Form>({ baseUrl: settings.baseUrl, model: settings.model, key: '', wire: settings.wire });
  // What was saved elsewhere shows here too, but never over what is being typed.
  const [known, setKnown] = useState(settings);
  if (known.baseUrl !== settings.baseUrl || known.model !== settings.model || known.wire !== settings.wire) {
    setKnown(settings);
    setForm((old) => ({
      ...old,
      baseUrl: old.baseUrl === known.baseUrl ? settings.baseUrl : old.baseUrl,
      model: old.model === known.model ? settings.model : old.model,
      wire: old.wire === known.wire ? settings.wire : old.wire,
    }));
  }
  const [busy, setBusy] = useState(false);
  const [answer, setAnswer] = useState('');
  const [error, setError] = useState<AppError | null>(null);
  const run = async (work: () => Promise<string>) => {
    setBusy(true);
    setError(null);
    setAnswer('');
    try {
      setAnswer(await work());
    } catch (thrown) {
      setError(toAppError(thrown));
    }
    setBusy(false);
  };
  const key = form.key ? { key: form.key } : {};
  const save = () =>
    run(async () => {
      await rpc().call('settings/write', { change: { baseUrl: form.baseUrl.trim(), model: form.model.trim(), wire: form.wire }, ...key });
      setForm((old) => ({ ...old, key: '' }));
      return 'Saved.';
    });
  const forget = () =>
    run(async () => {
      await rpc().call('settings/write', { change: {}, key: '' });
      return 'The key is forgotten.';
    });
  const test = () =>
    run(async () => {
      const { model, ms } = await rpc().call('model/test', {
        ...(form.baseUrl.trim() ? { baseUrl: form.baseUrl.trim() } : {}),
        ...(form.model.trim() ? { model: form.model.trim() } : {}),
        wire: form.wire,
        ...key,
      });
      return `${model} answered in ${ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`}.`;
    });
  const set = (change: Partial<Form>) => {
    setForm((old) => ({ ...old, ...change }));
    // An answer to other values would be no answer to these.
    setError(null);
    setAnswer('');
  };
  return { form, set, busy, answer, error, save, forget, test };
}

/** Where the model is and what it is called there. */
function Names({ settings, form, set }: { settings: Settings; form: Form; set: (change: Partial<Form>) => void }) {
  return (
    <div className="fields">
      <Field label="Base URL" hint="Empty: OPENAI_BASE_URL, or api.openai.com. Ollama: http://localhost:11434/v1">
        {(props) => (
          <input
            {...props}
            className="input"
            type="url"
            spellCheck={false}
            placeholder="https://api.openai.com/v1"
            value={form.baseUrl}
            onChange={(event) => set({ baseUrl: event.target.value })}
          />
        )}
      </Field>
      <Field label="Model" hint={modelHint(settings, form.model)}>
        {(props) => (
          <>
            <input
              {...props}
              className="input"
              list="known-models"
              spellCheck={false}
              value={form.model}
              onChange={(event) => set({ model: event.target.value })}
            />
            <datalist id="known-models">
              {settings.models.map(({ id, label }) => (
                <option key={id} value={id}>
                  {label}
                </option>
              ))}
            </datalist>
          </>
        )}
      </Field>
    </div>
  );
}

/** Which model works, where it is and with what key: any server that speaks one of the two wires. */
export function ModelForm({ settings }: { settings: Settings }) {
  const { form, set, busy, answer, error, save, forget, test } = useModelForm(settings);
  return (
    <form
      className="stack-12"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <Names settings={settings} form={form} set={set} />
      <Field label="API" hint="Responses where the server has it; Chat Completions for servers that have only that.">
        {(props) => <Select {...props} options={WIRES} value={form.wire} onChange={(wire) => set({ wire })} />}
      </Field>
      <Field label="API key" hint={KEYS[settings.keySource]}>
        {(props) => (
          <input
            {...props}
            className="input"
            type="password"
            autoComplete="off"
            spellCheck={false}
            placeholder={settings.hasKey ? '••••••••' : ''}
            value={form.key}
            onChange={(event) => set({ key: event.target.value })}
          />
        )}
      </Field>
      <div className="row">
        <Button look="fill" type="submit" disabled={busy}>
          Save
        </Button>
        <Button disabled={busy} onClick={() => void test()}>
          Test
        </Button>
        {settings.keySource === 'settings' && (
          <Button look="quiet" disabled={busy} onClick={() => void forget()}>
            Forget key
          </Button>
        )}
      </div>
      <Answer busy={busy} answer={answer} error={error} />
    </form>
  );
}
