import { useEffect, useState } from 'react';
import { Recipe, noRecipe, toAppError, type AppError, type Project, type RecipeAction } from '../../../agent-core/contract/index.ts';
import { rpc } from '../../state/store.ts';
import { Button, ErrorNote, Field, IconButton } from '../../ui/index.ts';

type Draft = Omit<Recipe, 'setupMinutes'> & { setupMinutes: string };
const draftOf = (recipe: Recipe): Draft => ({ ...recipe, setupMinutes: String(recipe.setupMinutes) });
const recipeOf = (draft: Draft) => Recipe.safeParse({ ...draft, setupMinutes: Number(draft.setupMinutes) });
const same = (a: Draft, b: Draft): boolean => JSON.stringify(a) === JSON.stringify(b);

/** What is wrong, by the path of the field: `setup`, `actions.0.name`. */
function problemsOf(draft: Draft): Record<string, string> {
  const { error } = recipeOf(draft);
  return Object.fromEntries((error?.issues ?? []).map((issue) => [issue.path.join('.'), issue.message]));
}

function ScriptField({
  label,
  hint,
  value,
  error,
  onChange,
}: {
  label: string;
  hint: string;
  value: string;
  error: string | undefined;
  onChange: (value: string) => void;
}) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(props) => (
        <textarea
          {...props}
          className="area code-area"
          rows={4}
          spellCheck={false}
          autoCapitalize="off"
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

function ActionRow({
  action,
  index,
  problems,
  onChange,
  onRemove,
}: {
  action: RecipeAction;
  index: number;
  problems: Record<string, string>;
  onChange: (action: RecipeAction) => void;
  onRemove: () => void;
}) {
  return (
    <li className="recipe-action">
      <Field label="Name" error={problems[`actions.${index}.name`]}>
        {(props) => (
          <input
            {...props}
            className="input"
            value={action.name}
            placeholder="Dev server"
            onChange={(event) => onChange({ ...action, name: event.target.value })}
          />
        )}
      </Field>
      <Field label="Command" error={problems[`actions.${index}.command`]}>
        {(props) => (
          <input
            {...props}
            className="input mono"
            spellCheck={false}
            value={action.command}
            placeholder="npm run dev"
            onChange={(event) => onChange({ ...action, command: event.target.value })}
          />
        )}
      </Field>
      <IconButton icon="trash" label={`Remove ${action.name || 'this action'}`} onClick={onRemove} />
    </li>
  );
}

function Actions({ draft, problems, change }: { draft: Draft; problems: Record<string, string>; change: (part: Partial<Draft>) => void }) {
  const { actions } = draft;
  return (
    <div className="field" role="group" aria-label="Actions">
      <span className="label">Actions</span>
      {actions.length > 0 && (
        <ul className="stack-8">
          {actions.map((action, index) => (
            <ActionRow
              key={index}
              {...{ action, index, problems }}
              onChange={(next) => change({ actions: actions.map((each, at) => (at === index ? next : each)) })}
              onRemove={() => change({ actions: actions.filter((_, at) => at !== index) })}
            />
          ))}
        </ul>
      )}
      {problems['actions'] && <p className="wrong">{problems['actions']}</p>}
      <div className="row">
        <Button
          small
          icon="plus"
          disabled={actions.length >= 20}
          onClick={() => change({ actions: [...actions, { name: '', command: '' }] })}
        >
          Add an action
        </Button>
        <span className="hint">A dev server, the tests, a linter: started by name from a task, in its sandbox.</span>
      </div>
    </div>
  );
}

/** What is typed stays here until it is saved; a change from elsewhere is taken over where nothing was typed. */
function useDraft(project: Project) {
  const stored = draftOf(project.recipe ?? noRecipe);
  const [base, setBase] = useState(stored);
  const [draft, setDraft] = useState(stored);
  const changedElsewhere = !same(stored, base);
  useEffect(() => {
    if (!changedElsewhere) return;
    setBase(stored);
    if (same(draft, base)) setDraft(stored);
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [changedElsewhere]);
  return { stored, draft, setDraft, dirty: !same(draft, stored) };
}

/** Setup, teardown and named actions. */
export function RecipeForm({ project }: { project: Project }) {
  const { stored, draft, setDraft, dirty } = useDraft(project);
  const [error, setError] = useState<AppError | null>(null);
  const [shown, setShown] = useState(false);
  const problems = shown ? problemsOf(draft) : {};
  const change = (part: Partial<Draft>) => setDraft((before) => ({ ...before, ...part }));
  const save = () => {
    setShown(true);
    setError(null);
    const parsed = recipeOf(draft);
    if (!parsed.success) return;
    rpc()
      .call('recipe/write', { projectId: project.id, recipe: parsed.data })
      .then(
        () => setDraft(draftOf(parsed.data)),
        (thrown: unknown) => setError(toAppError(thrown)),
      );
  };
  return (
    <>
      <ScriptField
        label="Setup script"
        hint="Runs in each new worktree before the first turn, inside the sandbox, up to the first command that fails. SIGNALBOX_WORKTREE, SIGNALBOX_BRANCH and SIGNALBOX_NAME are set."
        value={draft.setup}
        error={problems['setup']}
        onChange={(setup) => change({ setup })}
      />
      <Field label="Minutes until setup is stopped" error={problems['setupMinutes']}>
        {(props) => (
          <input
            {...props}
            className="input narrow"
            type="number"
            min={1}
            max={240}
            value={draft.setupMinutes}
            onChange={(event) => change({ setupMinutes: event.target.value })}
          />
        )}
      </Field>
      <ScriptField
        label="Teardown script"
        hint="Runs before a worktree goes to the trash, for two minutes at most. When it fails the worktree goes all the same."
        value={draft.teardown}
        error={problems['teardown']}
        onChange={(teardown) => change({ teardown })}
      />
      <Actions {...{ draft, problems, change }} />
      {error && <ErrorNote error={error} />}
      <div className="row">
        <Button look={dirty ? 'fill' : 'edge'} disabled={!dirty} onClick={save}>
          Save recipe
        </Button>
        {dirty && (
          <Button look="quiet" onClick={() => setDraft(stored)}>
            Discard changes
          </Button>
        )}
        <span className="hint" role="status">
          {dirty ? 'Not saved yet. Tasks that were set up before keep what they have.' : ''}
        </span>
      </div>
    </>
  );
}
