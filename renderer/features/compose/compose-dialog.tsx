import { useRef, useState, type KeyboardEvent } from 'react';
import {
  Prompt,
  toAppError,
  type AppError,
  type Effort,
  type ErrorCode,
  type ProjectId,
  type TurnKind,
} from '../../../agent-core/contract/index.ts';
import { runAction } from '../../actions/registry.ts';
import { useCore } from '../../state/hooks.ts';
import { rpc } from '../../state/store.ts';
import { attachFiles } from '../../state/attach.ts';
import { suggestFor } from '../../state/suggest.ts';
import { closeLayer, speak } from '../../state/ui.ts';
import { Button, ConfirmDialog, Dialog, ErrorNote, Field, Icon, Kbd, Segments, Select, CompletingArea } from '../../ui/index.ts';
import { KINDS, kindOf, nextKind } from '../../state/kinds.ts';
import { effortsOf, modelsFor } from '../../state/models.ts';
import { MODES, POLICIES } from '../../state/modes.ts';
import { baseOptions, parseBase, useFolder } from './use-folder.ts';

type Place = 'prompt' | 'project' | 'base' | 'model' | 'form';
/** Which field an error belongs to. */
const places: Partial<Record<ErrorCode, Place>> = {
  'invalid-input': 'prompt',
  'base-not-found': 'base',
  'fetch-failed': 'base',
  'no-model': 'model',
  'model-unknown': 'model',
  'no-folder': 'project',
  'not-a-repository': 'project',
  'no-commits': 'project',
  'bare-repository': 'project',
  'unsupported-repository': 'project',
  'not-found': 'project',
};

function useForm(preset: { projectId?: ProjectId | undefined; prompt?: string | undefined }) {
  const projects = useCore((state) => state.board!.projects);
  const settings = useCore((state) => state.board!.settings);
  const newest = Object.values(projects).sort((a, b) => b.openedAt - a.openedAt)[0];
  const [prompt, setPrompt] = useState(preset.prompt ?? '');
  const [projectId, setProject] = useState<ProjectId | null>(preset.projectId ?? newest?.id ?? null);
  const [base, setBase] = useState('');
  const [mode, setMode] = useState(settings.defaults.mode);
  const [approval, setApproval] = useState(settings.defaults.approval);
  const [model, setModel] = useState(settings.model || (settings.models[0]?.id ?? ''));
  const [effort, setEffort] = useState<Effort | ''>('');
  const [kind, setKind] = useState<TurnKind>('work');
  return {
    projects,
    settings,
    prompt,
    setPrompt,
    projectId,
    setProject,
    base,
    setBase,
    mode,
    setMode,
    approval,
    setApproval,
    model,
    setModel,
    kind,
    setKind,
    effort,
    setEffort,
  };
}
type Form = ReturnType<typeof useForm>;

/** Sends the form; closes the dialog when the task is there. The error says which field it belongs to. */
function useSend(form: Form) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<AppError | null>(null);
  const send = async (start: boolean) => {
    if (busy) return;
    const checked = Prompt.safeParse(form.prompt);
    if (!checked.success) {
      setError({ code: 'invalid-input', message: checked.error.issues[0]?.message ?? 'Say what should be done.' });
      return;
    }
    if (!form.projectId) {
      setError({ code: 'not-found', message: 'Open a folder first.' });
      return;
    }
    setBusy(true);
    setError(null);
    try {
      const base = parseBase(form.base);
      const { title } = await rpc().call('task/create', {
        projectId: form.projectId,
        prompt: form.prompt,
        mode: form.mode,
        approval: form.approval,
        kind: form.kind,
        start,
        ...(form.model ? { model: form.model } : {}),
        ...(form.effort ? { effort: form.effort } : {}),
        ...(base ? { base } : {}),
      });
      speak(`${start ? 'Started' : 'Queued'}: ${title}`);
      closeLayer();
    } catch (thrown) {
      setError(toAppError(thrown));
      setBusy(false);
    }
  };
  const attach = (files: readonly File[]) =>
    attachFiles(files).catch((thrown: unknown) => {
      setError(toAppError(thrown));
      return '';
    });
  return { busy, error, send, attach, place: error && (places[error.code] ?? 'form') };
}

function Choices({ form, at }: { form: Form; at: (place: Place) => string | undefined }) {
  const { settings } = form;
  const mode = MODES.find(({ id }) => id === form.mode);
  const policy = POLICIES.find(({ id }) => id === form.approval);
  const efforts = effortsOf(settings, form.model);
  const effort = efforts.some(({ id }) => id === form.effort) ? form.effort : '';
  return (
    <div className="fields">
      <Field label="Model" error={at('model')} hint={settings.models.find(({ id }) => id === form.model)?.source}>
        {(props) => <Select {...props} options={modelsFor(settings, form.model)} value={form.model} onChange={form.setModel} />}
      </Field>
      <Field label="Effort">
        {(props) => <Select {...props} options={efforts} value={effort} onChange={form.setEffort} disabled={efforts.length < 2} />}
      </Field>
      <Field label="Mode" hint={mode && <span className={form.mode === 'full' ? 'bad' : undefined}>{mode.hint}</span>}>
        {(props) => <Select {...props} options={MODES} value={form.mode} onChange={form.setMode} />}
      </Field>
      <Field label="Approvals" hint={policy?.hint}>
        {(props) => <Select {...props} options={POLICIES} value={form.approval} onChange={form.setApproval} />}
      </Field>
    </div>
  );
}

function Where({ form, at }: { form: Form; at: (place: Place) => string | undefined }) {
  const { folder, error } = useFolder(form.projectId);
  const bases = baseOptions(folder);
  const projects = Object.values(form.projects)
    .sort((a, b) => b.openedAt - a.openedAt)
    .map(({ id, name, sample }) => ({ id: id as string, label: sample ? `${name} (sample)` : name }));
  const choose = (id: string) => {
    form.setProject(id as ProjectId);
    form.setBase('');
  };
  return (
    <>
      <div className="fields">
        <Field label="Project" error={at('project') ?? error?.message}>
          {(props) =>
            projects.length ? (
              <Select {...props} options={projects} value={form.projectId ?? ''} onChange={choose} />
            ) : (
              <Button {...props} icon="folder" onClick={() => void runAction('project.open')}>
                Open a folder
              </Button>
            )
          }
        </Field>
        <Field label="Base branch" error={at('base')} hint={folder && !folder.branch ? 'No branch is checked out.' : undefined}>
          {(props) => (
            <Select {...props} options={bases} value={form.base || (bases[0]?.id ?? '')} onChange={form.setBase} disabled={!bases.length} />
          )}
        </Field>
      </div>
      {folder?.warnings.map((warning) => (
        <p key={warning} className="sm warn row">
          <Icon name="info" />
          {warning}
        </p>
      ))}
    </>
  );
}

/** A new task: what, where, and how far the agent may go. ⌘↵ starts it. */
export function ComposeDialog({ projectId, prompt }: { projectId?: ProjectId | undefined; prompt?: string | undefined }) {
  const form = useForm({ projectId, prompt });
  const { busy, error, send, attach, place } = useSend(form);
  const first = useRef<HTMLTextAreaElement>(null);
  // Full access is confirmed each time, the default or not.
  const [asked, setAsked] = useState<boolean | null>(null);
  const go = (start: boolean) => (form.mode === 'full' ? setAsked(start) : void send(start));
  const at = (wanted: Place) => (place === wanted ? [error!.message, error!.fix].filter(Boolean).join(' ') : undefined);
  const press = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || !(event.metaKey || event.ctrlKey) || event.nativeEvent.isComposing) return;
    event.preventDefault();
    event.stopPropagation();
    go(!event.shiftKey);
  };
  const cycle = (event: KeyboardEvent) => {
    if (event.key !== 'Tab' || !event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    form.setKind(nextKind(form.kind));
    speak(`What it is for: ${kindOf(nextKind(form.kind)).label}`);
  };
  const foot = (
    <>
      <Button look="edge" keys="mod+shift+enter" disabled={busy} onClick={() => go(false)}>
        Queue
      </Button>
      <Button look="fill" keys="mod+enter" disabled={busy} onClick={() => go(true)}>
        Start
      </Button>
    </>
  );
  return (
    <Dialog open onClose={closeLayer} title="New task" initialFocus={first} wide foot={foot} onKeyDown={press}>
      <Field label="Task" error={at('prompt')}>
        {(props) => (
          <CompletingArea
            {...props}
            field={first}
            className="area"
            rows={5}
            text={form.prompt}
            setText={form.setPrompt}
            placeholder="What should be done? @ names a file, / a skill or a saved prompt."
            suggest={(asking) => suggestFor({ projectId: form.projectId }, asking)}
            attach={attach}
            onKeyDown={cycle}
          />
        )}
      </Field>
      <div className="row kinds">
        <Segments label="What it is for" options={KINDS} value={form.kind} onChange={form.setKind} />
        <span className="sm muted">{kindOf(form.kind).hint}</span>
        <span className="grow" />
        <Kbd keys="shift+tab" />
      </div>
      <Where form={form} at={at} />
      <Choices form={form} at={at} />
      {error && place === 'form' && <ErrorNote error={error} />}
      <ConfirmDialog
        open={asked !== null}
        danger
        title="Give this task full access?"
        action="Give full access"
        onClose={() => setAsked(null)}
        onConfirm={() => void send(asked ?? true)}
      >
        <p>Its agent runs every command as you, without a sandbox: with your files, your keys and your network. Nothing asks you first.</p>
      </ConfirmDialog>
    </Dialog>
  );
}
