import { useRef, useState, type KeyboardEvent } from 'react';
import { Prompt, toAppError, type AppError, type ProjectId, type Settings } from '../../../agent-core/contract/index.ts';
import { runAction } from '../../actions/registry.ts';
import { useCore } from '../../state/hooks.ts';
import { go } from '../../state/route.ts';
import { rpc } from '../../state/store.ts';
import { Button, ErrorNote, Icon, ProbeList, SandboxVerdict, Skeleton } from '../../ui/index.ts';
import { ProjectChoice, useProjectChoice } from './project-choice.tsx';
import { useSuggestions, type Suggestion } from './use-suggestions.ts';

function Head() {
  return (
    <header className="bar">
      <span className="mark">
        <Icon name="mark" />
      </span>
      <span className="b" style={{ marginLeft: -4 }}>
        Signalbox
      </span>
      <span className="grow" />
      <Button look="quiet" keys="mod+," onClick={() => go({ place: 'settings' })}>
        Settings
      </Button>
      <Button icon="plus" keys="mod+n" onClick={() => void runAction('task.new')}>
        New task
      </Button>
    </header>
  );
}

function ModelChoices({ settings, model, setModel }: { settings: Settings; model: string; setModel: (id: string) => void }) {
  return (
    <section aria-labelledby="start-model">
      <div className="block-h">
        <h2 id="start-model">Model</h2>
        <span className="xs faint">{settings.models.length} found</span>
      </div>
      <div className="rows" role="radiogroup" aria-labelledby="start-model">
        {settings.models.map(({ id, label, source }) => (
          <button key={id} type="button" className="opt" role="radio" aria-checked={id === model} onClick={() => setModel(id)}>
            <span className="radio" />
            <span className="grow cut">{label}</span>
            <span className="xs faint cut">{source}</span>
          </button>
        ))}
        <button type="button" className="opt muted" onClick={() => go({ place: 'settings' })}>
          <span className="opt-plus">
            <Icon name="plus" />
          </span>
          <span className="grow">Use another model</span>
        </button>
      </div>
    </section>
  );
}

function Sandbox() {
  const sandbox = useCore((state) => state.sandbox);
  return (
    <section aria-labelledby="start-sandbox">
      <div className="block-h">
        <h2 id="start-sandbox">Sandbox</h2>
        <SandboxVerdict sandbox={sandbox} />
      </div>
      {sandbox && sandbox.probes.length > 0 ? (
        <ProbeList probes={sandbox.probes} />
      ) : (
        <Skeleton lines={8} label="The sandbox tests itself" />
      )}
      {sandbox?.driver && (
        <p className="xs faint" style={{ marginTop: 8 }}>
          {sandbox.driver}. Check again with <code>signalbox doctor</code>.
        </p>
      )}
    </section>
  );
}

function useStart(projectId: ProjectId | null, model: string) {
  const [error, setError] = useState<AppError | null>(null);
  const [busy, setBusy] = useState(false);
  const start = async (prompt: string, known?: Suggestion) => {
    const checked = Prompt.safeParse(prompt);
    if (busy) return;
    if (!projectId) return setError({ code: 'not-found', message: 'Choose a project first.' });
    if (!checked.success)
      return setError({ code: 'invalid-input', message: checked.error.issues[0]?.message ?? 'Say what should be done.' });
    setBusy(true);
    setError(null);
    try {
      await rpc().call('task/create', {
        projectId,
        prompt,
        ...(known ? { title: known.title, kind: known.kind } : {}),
        ...(model ? { model } : {}),
      });
    } catch (thrown) {
      setError(toAppError(thrown));
      setBusy(false);
    }
  };
  return { error, busy, start };
}

function FirstPrompt({ projectId, projectName, model }: { projectId: ProjectId | null; projectName: string; model: string }) {
  const [prompt, setPrompt] = useState('');
  const field = useRef<HTMLTextAreaElement>(null);
  const suggestions = useSuggestions(projectId);
  const { error, busy, start } = useStart(projectId, model);
  const known = suggestions.find((each) => each.prompt === prompt);
  const press = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || !(event.metaKey || event.ctrlKey) || event.nativeEvent.isComposing) return;
    event.preventDefault();
    void start(prompt, known);
  };
  return (
    <section aria-labelledby="start-prompt">
      <div className="block-h">
        <h2 id="start-prompt">First prompt</h2>
        {suggestions.length > 0 && <span className="xs faint">Found in {projectName}</span>}
      </div>
      {suggestions.length > 0 && (
        <div className="sugg">
          {suggestions.map((suggestion) => (
            <button
              key={suggestion.title}
              type="button"
              aria-pressed={prompt === suggestion.prompt}
              onClick={() => {
                setPrompt(suggestion.prompt);
                field.current?.focus();
              }}
            >
              <span className="b">{suggestion.title}</span>
              <span className="sm muted">{suggestion.detail}</span>
            </button>
          ))}
        </div>
      )}
      <div className="prompt" style={{ marginTop: suggestions.length ? 12 : 0 }}>
        <textarea
          ref={field}
          rows={1}
          aria-label="Task"
          placeholder="Or describe a task"
          value={prompt}
          onChange={(event) => setPrompt(event.target.value)}
          onKeyDown={press}
        />
        <Button look="fill" disabled={busy} keys="mod+enter" onClick={() => void start(prompt, known)}>
          {busy ? 'Starting…' : 'Start task'}
        </Button>
      </div>
      {error && (
        <div style={{ marginTop: 8 }}>
          <ErrorNote error={error} />
        </div>
      )}
    </section>
  );
}

/** The first run, and a board without tasks: project, model, what the sandbox proves, and a first prompt. */
export function Onboarding() {
  const settings = useCore((state) => state.board!.settings);
  const choice = useProjectChoice();
  const [picked, setModel] = useState<string | null>(null);
  const model = picked ?? (settings.model || settings.models[0]?.id || '');
  return (
    <>
      <Head />
      <main data-scope="board">
        <header>
          <h1>Start your first task</h1>
          <p className="muted">
            Each task works in its own worktree, inside its own sandbox. Your checkout stays as it is until you merge.
          </p>
        </header>
        <div className="two">
          <div className="stack">
            <ProjectChoice choice={choice} />
            <ModelChoices settings={settings} model={model} setModel={setModel} />
          </div>
          <Sandbox />
        </div>
        <FirstPrompt key={choice.projectId} projectId={choice.projectId} projectName={choice.name} model={model} />
      </main>
    </>
  );
}
