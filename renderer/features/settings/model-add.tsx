import { useEffect, useState } from 'react';
import { providersOf, toAppError, type AppError, type OfferedModel, type Settings } from '../../../agent-core/contract/index.ts';
import { rpc } from '../../state/store.ts';
import { Button, Dialog, ErrorNote, Field, Icon, Select, Skeleton } from '../../ui/index.ts';
import { windowWords } from './model-words.ts';

const SHOWN = 200;

/** A model for the list: one that the provider offers, or any name typed. */
export function ModelAdd({ settings, onClose }: { settings: Settings; onClose: () => void }) {
  const providers = providersOf(settings).map(({ id, name }) => ({ id, label: name }));
  const [provider, setProvider] = useState(providers[0]!.id);
  const [search, setSearch] = useState('');
  const [offered, setOffered] = useState<readonly OfferedModel[] | null>(null);
  const [error, setError] = useState<AppError | null>(null);
  useEffect(() => {
    let gone = false;
    setOffered(null);
    setError(null);
    rpc()
      .call('provider/offers', { provider })
      .then(
        ({ models }) => gone || setOffered(models),
        (thrown: unknown) => gone || setError(toAppError(thrown)),
      );
    return () => {
      gone = true;
    };
  }, [provider]);
  const add = async (model: string, found?: OfferedModel['facts']) => {
    try {
      await rpc().call('model/save', { entry: { model, provider, ...(found ? { found } : {}) } });
      onClose();
    } catch (thrown) {
      setError(toAppError(thrown));
    }
  };
  const word = search.trim().toLowerCase();
  const fits = offered?.filter(({ model }) => model.toLowerCase().includes(word)) ?? [];
  const known = new Set(settings.models.filter((choice) => choice.provider === provider).map(({ model }) => model));
  return (
    <Dialog open onClose={onClose} title="Add a model" wide foot={<Button onClick={onClose}>Cancel</Button>}>
      <div className="fields">
        <Field label="Provider">{(props) => <Select {...props} options={providers} value={provider} onChange={setProvider} />}</Field>
        <Field label="Model" hint="Choose below, or type the name that the provider has for it.">
          {(props) => (
            <input {...props} className="input" spellCheck={false} value={search} onChange={(event) => setSearch(event.target.value)} />
          )}
        </Field>
      </div>
      {error ? <ErrorNote error={error} /> : !offered && <Skeleton lines={4} label="Asking the provider what it offers" />}
      {(fits.length > 0 || word) && (
        <div className="offers">
          {word && !fits.some(({ model }) => model.toLowerCase() === word) && (
            <button type="button" className="opt" onClick={() => void add(search.trim())}>
              <Icon name="plus" />
              <span className="grow cut">Add “{search.trim()}”</span>
            </button>
          )}
          {fits.slice(0, SHOWN).map(({ model, facts }) => (
            <button key={model} type="button" className="opt" disabled={known.has(model)} onClick={() => void add(model, facts)}>
              <span className="grow cut">{model}</span>
              <span className="xs faint">{known.has(model) ? 'on the list' : windowWords(facts)}</span>
            </button>
          ))}
        </div>
      )}
      {offered && !offered.length && <p className="sm muted">The provider offers nothing. Type a name.</p>}
    </Dialog>
  );
}
