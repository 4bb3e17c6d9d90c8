import { useState } from 'react';
import { MAIN_PROVIDER, type ListedModel, type ModelChoice, type Settings } from '../../../agent-core/contract/index.ts';
import { attempt } from '../../actions/registry.ts';
import { rpc } from '../../state/store.ts';
import { Button, IconButton } from '../../ui/index.ts';
import { ModelAdd } from './model-add.tsx';
import { ModelEdit } from './model-edit.tsx';
import { effortWords, priceWords, windowWords } from './model-words.ts';

const entryOf = (settings: Settings, { model, provider, id }: ModelChoice): ListedModel =>
  settings.listed?.find((each) => each.model === (model ?? id) && each.provider === (provider ?? MAIN_PROVIDER)) ?? {
    model: model ?? id,
    provider: provider ?? MAIN_PROVIDER,
  };

const unknown = <span className="faint">?</span>;

/** The models to choose from and what is known of each; a question mark is what nobody knows. */
export function ModelTable({ settings }: { settings: Settings }) {
  const [editing, setEditing] = useState<string | null>(null);
  const [adding, setAdding] = useState(false);
  const choices = settings.models.filter(({ kind }) => kind === 'remote');
  const edited = choices.find(({ id }) => id === editing);
  return (
    <>
      {choices.length ? (
        <div className="models-box" tabIndex={0} role="region" aria-label="Table of models">
          <table className="models">
            <thead>
              <tr>
                <th scope="col">Model</th>
                <th scope="col" className="num">
                  Window
                </th>
                <th scope="col">Effort</th>
                <th scope="col">Images</th>
                <th scope="col">Patch tool</th>
                <th scope="col" className="num">
                  $ per million in / cached / out
                </th>
                <th scope="col">
                  <span className="vh">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {choices.map((choice) => {
                const { id, label, facts = {} } = choice;
                const entry = entryOf(settings, choice);
                const listed = settings.listed?.includes(entry);
                return (
                  <tr key={id}>
                    <td title={id}>{label}</td>
                    <td className="num">{windowWords(facts) || unknown}</td>
                    <td>{effortWords(facts) || unknown}</td>
                    <td>{facts.images === undefined ? unknown : facts.images ? 'Yes' : 'No'}</td>
                    <td>{facts.patchTool ?? unknown}</td>
                    <td className="num">{priceWords(facts) || unknown}</td>
                    <td>
                      <span className="acts">
                        <Button small look="quiet" aria-label={`Edit ${label}`} onClick={() => setEditing(id)}>
                          Edit
                        </Button>
                        {listed && (
                          <IconButton
                            icon="x"
                            small
                            label={`Take ${label} off the list`}
                            onClick={() =>
                              void attempt(() => rpc().call('model/remove', { model: entry.model, provider: entry.provider }), null)
                            }
                          />
                        )}
                      </span>
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      ) : (
        <p className="muted sm">None yet: enter a key above, or add a provider. Until then the demo model works offline.</p>
      )}
      <div className="row">
        <Button icon="plus" onClick={() => setAdding(true)}>
          Add a model
        </Button>
      </div>
      {edited && <ModelEdit choice={edited} entry={entryOf(settings, edited)} onClose={() => setEditing(null)} />}
      {adding && <ModelAdd settings={settings} onClose={() => setAdding(false)} />}
    </>
  );
}
