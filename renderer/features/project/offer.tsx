import { useCallback, useState } from 'react';
import { RECIPE_FILE, type Project, type RecipeChange } from '../../../agent-core/contract/index.ts';
import { attempt } from '../../actions/registry.ts';
import { rpc } from '../../state/store.ts';
import { Button, ErrorNote, Icon, visible } from '../../ui/index.ts';
import { useAsked } from './use-asked.ts';

function Script({ label, text }: { label: string; text: string }) {
  return (
    <div className="offer-script">
      <span className="xs faint">{label}</span>
      <pre className="cmd" tabIndex={0} aria-label={label}>
        {visible(text)}
      </pre>
    </div>
  );
}

function Change({ change }: { change: RecipeChange }) {
  return (
    <li>
      <p>{change.words}</p>
      {change.before && <Script label={change.after ? 'Now' : 'Removed'} text={change.before} />}
      {change.after && <Script label={change.before ? 'In the repository' : 'Added'} text={change.after} />}
    </li>
  );
}

/** A recipe that the repository brings along: what it would change, and nothing of it until the person says so. */
export function Offer({ project }: { project: Project }) {
  const { id, recipe } = project;
  // Asked again when the recipe in use changes, here or in another window.
  const ask = useCallback(() => rpc().call('recipe/offer', { projectId: id }), [id, recipe]); // eslint-disable-line react-hooks/exhaustive-deps
  const { value, error } = useAsked(ask);
  const [left, setLeft] = useState<string | null>(null);
  if (error) return <ErrorNote error={error} />;
  if (value?.problem)
    return (
      <p className="sm warn offer-problem">
        <Icon name="failed" /> {visible(value.problem)}
      </p>
    );
  const offer = value?.offer;
  if (!offer || left === offer.commit) return null;
  return (
    <section className="offer" aria-label="Recipe in the repository">
      <p className="b">
        The repository brings a recipe in <code>{RECIPE_FILE}</code>
      </p>
      <p className="sm muted">
        From commit <code>{offer.commit.slice(0, 10)}</code>. Its scripts run in the sandbox of every new task once you take it over. This
        is what would change:
      </p>
      <ul className="offer-changes">
        {offer.changes.map((change) => (
          <Change key={change.words} change={change} />
        ))}
      </ul>
      <div className="acts">
        <Button look="fill" onClick={() => void attempt(() => rpc().call('recipe/write', { projectId: id, recipe: offer.recipe }), null)}>
          Use this recipe
        </Button>
        <Button look="quiet" onClick={() => setLeft(offer.commit)}>
          Not now
        </Button>
      </div>
    </section>
  );
}
