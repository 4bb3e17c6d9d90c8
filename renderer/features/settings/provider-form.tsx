import { useState } from 'react';
import { MAIN_PROVIDER, PRESETS, toAppError, type AppError, type Provider, type Settings } from '../../../agent-core/contract/index.ts';
import { rpc } from '../../state/store.ts';
import { Button, ErrorNote, Field, Icon, Select } from '../../ui/index.ts';

const KEYS: Record<Settings['keySource'], string> = {
  none: 'No key is set.',
  settings: 'A key is saved. It is never shown again.',
  environment: 'The key comes from OPENAI_API_KEY. One typed here wins over it.',
};

const WIRES = [
  { id: 'responses', label: 'Responses' },
  { id: 'chat', label: 'Chat Completions' },
] as const;

/** How a provider answered when it was last asked. */
export type Health = { state: 'busy' } | { state: 'ok'; words: string } | { state: 'failed'; error: AppError };

export const inSeconds = (ms: number): string => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

/** One small question to a provider's model; what a form holds that is not saved yet goes with it. */
export async function ask(provider: string, form: Partial<Provider> & { key?: string } = {}): Promise<Health> {
  try {
    const { model, ms } = await rpc().call('model/test', {
      provider,
      ...(form.baseUrl?.trim() ? { baseUrl: form.baseUrl.trim() } : {}),
      ...(form.wire ? { wire: form.wire } : {}),
      ...(form.apiVersion ? { apiVersion: form.apiVersion } : {}),
      ...(form.key ? { key: form.key } : {}),
    });
    return { state: 'ok', words: `${model} answered in ${inSeconds(ms)}.` };
  } catch (thrown) {
    return { state: 'failed', error: toAppError(thrown) };
  }
}

export function Verdict({ health }: { health: Health | undefined }) {
  if (!health) return null;
  if (health.state === 'failed') return <ErrorNote error={health.error} />;
  return (
    <p className={`sm row ${health.state === 'ok' ? 'ok' : 'muted'}`} role="status">
      {health.state === 'ok' && <Icon small name="check" />}
      {health.state === 'ok' ? health.words : 'Asking the model…'}
    </p>
  );
}

function Fields({
  form,
  set,
  main,
  keySource,
}: {
  form: Provider & { key: string };
  set: (change: Partial<Provider & { key: string }>) => void;
  main: boolean;
  keySource: Settings['keySource'];
}) {
  const preset = PRESETS.find(({ kind }) => kind === form.kind)!;
  return (
    <>
      <div className="fields">
        {!main && (
          <Field label="Name">
            {(props) => (
              <input
                {...props}
                className="input"
                maxLength={60}
                value={form.name}
                onChange={(event) => set({ name: event.target.value })}
              />
            )}
          </Field>
        )}
        <Field label="Base URL" hint={main ? 'Empty: OPENAI_BASE_URL, or api.openai.com.' : preset.hint}>
          {(props) => (
            <input
              {...props}
              className="input"
              type="url"
              spellCheck={false}
              placeholder={preset.baseUrl || 'https://example.com/v1'}
              value={form.baseUrl}
              onChange={(event) => set({ baseUrl: event.target.value })}
            />
          )}
        </Field>
      </div>
      <div className="fields">
        <Field label="API" hint="Responses where the server has it; Chat Completions else.">
          {(props) => <Select {...props} options={WIRES} value={form.wire} onChange={(wire) => set({ wire })} />}
        </Field>
        <Field label="API key" hint={keySource === 'none' && preset.local ? 'Most servers of your own need none.' : KEYS[keySource]}>
          {(props) => (
            <input
              {...props}
              className="input"
              type="password"
              autoComplete="off"
              spellCheck={false}
              placeholder={keySource === 'none' ? '' : '••••••••'}
              value={form.key}
              onChange={(event) => set({ key: event.target.value })}
            />
          )}
        </Field>
        {(form.kind === 'azure' || form.apiVersion) && (
          <Field label="API version" hint="Only where your address asks for one.">
            {(props) => (
              <input
                {...props}
                className="input"
                spellCheck={false}
                value={form.apiVersion ?? ''}
                onChange={(event) => set({ apiVersion: event.target.value })}
              />
            )}
          </Field>
        )}
      </div>
    </>
  );
}

/** What is typed, and what came of saving or testing it. */
function useProviderForm(provider: Provider, onDone: (() => void) | undefined) {
  const [typed, setTyped] = useState<Partial<Provider & { key: string }>>({});
  const [health, setHealth] = useState<Health>();
  const [said, setSaid] = useState('');
  const form = { ...provider, key: '', ...typed };
  const busy = health?.state === 'busy';
  const set = (change: Partial<Provider & { key: string }>) => {
    setTyped((old) => ({ ...old, ...change }));
    // An answer to other values would be no answer to these.
    setHealth(undefined);
    setSaid('');
  };
  const run = async (work: () => Promise<Health | undefined>) => {
    setSaid('');
    setHealth({ state: 'busy' });
    setHealth(await work().catch((thrown: unknown): Health => ({ state: 'failed', error: toAppError(thrown) })));
  };
  const save = () =>
    run(async () => {
      const { key, apiVersion, ...rest } = form;
      const next = { ...rest, name: rest.name.trim() || 'Provider', baseUrl: rest.baseUrl.trim(), ...(apiVersion ? { apiVersion } : {}) };
      await rpc().call('provider/save', { provider: next, ...(key ? { key } : {}) });
      setTyped({});
      setSaid('Saved.');
      onDone?.();
      return undefined;
    });
  const forget = () =>
    run(async () => {
      await rpc().call('provider/save', { provider, key: '' });
      setSaid('The key is forgotten.');
      return undefined;
    });
  return { form, set, busy, health, said, save, forget, test: () => run(() => ask(provider.id, form)) };
}

/** Where a provider is, how it is spoken to and with what key. */
export function ProviderForm({
  provider,
  fresh,
  keySource,
  onDone,
}: {
  provider: Provider;
  /** It isn't saved yet. */
  fresh?: boolean;
  keySource: Settings['keySource'];
  onDone?: () => void;
}) {
  const { form, set, busy, health, said, save, forget, test } = useProviderForm(provider, onDone);
  return (
    <form
      className="stack-12"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <Fields form={form} set={set} main={provider.id === MAIN_PROVIDER} keySource={keySource} />
      <div className="row">
        <Button look="fill" type="submit" disabled={busy}>
          {fresh ? 'Add provider' : 'Save'}
        </Button>
        {!fresh && (
          <Button disabled={busy} onClick={() => void test()}>
            Test
          </Button>
        )}
        {keySource === 'settings' && (
          <Button look="quiet" disabled={busy} onClick={() => void forget()}>
            Forget key
          </Button>
        )}
        {onDone && (
          <Button look="quiet" onClick={onDone}>
            {fresh ? 'Cancel' : 'Close'}
          </Button>
        )}
      </div>
      {said ? (
        <p className="sm ok row" role="status">
          <Icon small name="check" />
          {said}
        </p>
      ) : (
        <Verdict health={health} />
      )}
    </form>
  );
}
