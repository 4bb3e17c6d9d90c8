import { useState } from 'react';
import { toAppError, type AppError, type ProjectId } from '../../../agent-core/contract/index.ts';
import { useCore } from '../../state/hooks.ts';
import { rpc } from '../../state/store.ts';
import { Button, ErrorNote, Field, IconButton, Segments, Select } from '../../ui/index.ts';
import { fromReadme, serverOf, type Draft } from './draft.ts';

const KINDS = [
  { id: 'stdio', label: 'A program here' },
  { id: 'http', label: 'At an address' },
] as const;
const WORKTREE = [
  { id: 'none', label: 'Not at all' },
  { id: 'read', label: 'To read' },
  { id: 'write', label: 'To read and write' },
] as const;

interface Part {
  draft: Draft;
  problems: Record<string, string>;
  change: (part: Partial<Draft>) => void;
}

type TextKey = 'name' | 'command' | 'url' | 'startSeconds' | 'callSeconds' | 'args' | 'values' | 'hosts' | 'read';

function Line({ draft, problems, change, label, at, path, hint, placeholder, narrow }: Part & LineOptions) {
  return (
    <Field label={label} error={problems[path ?? at]} hint={hint}>
      {(props) => (
        <input
          {...props}
          className={`input${narrow ? ' narrow' : ''}`}
          spellCheck={false}
          autoCapitalize="off"
          placeholder={placeholder}
          value={draft[at]}
          onChange={(event) => change({ [at]: event.target.value })}
        />
      )}
    </Field>
  );
}
interface LineOptions {
  label: string;
  at: TextKey;
  path?: string;
  hint?: string;
  placeholder?: string;
  narrow?: boolean;
  rows?: number;
}

function Lines({ draft, problems, change, label, at, path, hint, placeholder, rows = 2 }: Part & LineOptions) {
  return (
    <Field label={label} error={problems[path ?? at]} hint={hint}>
      {(props) => (
        <textarea
          {...props}
          className="area code-area"
          rows={rows}
          spellCheck={false}
          autoCapitalize="off"
          placeholder={placeholder}
          value={draft[at]}
          onChange={(event) => change({ [at]: event.target.value })}
        />
      )}
    </Field>
  );
}

function Secrets({ draft, problems, change }: Part) {
  const set = (index: number, part: Partial<Draft['secrets'][number]>) =>
    change({ secrets: draft.secrets.map((secret, at) => (at === index ? { ...secret, ...part } : secret)) });
  return (
    <div className="field" role="group" aria-label="Secrets">
      <span className="label">Secrets</span>
      {draft.secrets.map(({ name, value }, index) => (
        <div className="fields secret" key={index}>
          <input
            className="input mono"
            aria-label="Name of the secret"
            spellCheck={false}
            placeholder={draft.kind === 'http' ? 'Authorization' : 'API_KEY'}
            value={name}
            onChange={(event) => set(index, { name: event.target.value })}
          />
          <input
            className="input"
            type="password"
            autoComplete="off"
            aria-label={`Value of ${name || 'the secret'}`}
            placeholder={draft.id ? 'Saved. Type to replace it' : draft.kind === 'http' ? 'Bearer …' : ''}
            value={value}
            onChange={(event) => set(index, { value: event.target.value })}
          />
          <IconButton
            icon="trash"
            label={`Remove ${name || 'this secret'}`}
            onClick={() => change({ secrets: draft.secrets.filter((_, at) => at !== index) })}
          />
        </div>
      ))}
      {Object.entries(problems).map(
        ([path, words]) =>
          path.startsWith('secrets') && (
            <p className="wrong" key={path}>
              {words}
            </p>
          ),
      )}
      <div className="row">
        <Button small icon="plus" onClick={() => change({ secrets: [...draft.secrets, { name: '', value: '' }] })}>
          Add a secret
        </Button>
        <span className="hint">
          {draft.kind === 'http' ? 'A header' : 'A variable'} that only this server gets. Kept in the key store, never shown again.
        </span>
      </div>
    </div>
  );
}

function Program(part: Part) {
  const { draft, change } = part;
  return (
    <>
      <div className="fields">
        <Line {...part} label="Program" at="command" path="transport.command" placeholder="npx" />
        <Field label="Sees the task’s worktree">
          {(props) => <Select {...props} options={WORKTREE} value={draft.worktree} onChange={(worktree) => change({ worktree })} />}
        </Field>
      </div>
      <Lines
        {...part}
        label="Arguments, one a line"
        at="args"
        path="transport.args"
        rows={3}
        placeholder={'-y\n@modelcontextprotocol/server-memory'}
      />
      <div className="fields">
        <Lines
          {...part}
          label="Hosts it may reach"
          at="hosts"
          path="transport.hosts"
          placeholder="registry.npmjs.org:443"
          hint="One a line. None: no network."
        />
        <Lines {...part} label="Folders it may read" at="read" path="transport.read" placeholder="/opt/data" hint="Absolute, one a line." />
      </div>
      <Lines {...part} label="Variables" at="values" path="transport.env" placeholder="NAME=value" />
    </>
  );
}

function Address(part: Part) {
  return (
    <>
      <Line
        {...part}
        label="Address"
        at="url"
        path="transport.url"
        placeholder="https://example.com/mcp"
        hint="Streamable HTTP. Where it wants an account, you sign in afterwards."
      />
      <Lines {...part} label="Headers" at="values" path="transport.headers" placeholder="Name=value" />
    </>
  );
}

function Readme({ onRead }: { onRead: (draft: Draft) => void }) {
  const [wrong, setWrong] = useState(false);
  return (
    <Field
      label="Paste from a readme"
      error={wrong ? 'There is no server in this. It looks like {"mcpServers": {"name": {"command": …}}}.' : undefined}
      hint="Optional: the JSON that servers show in their readme fills the fields below."
    >
      {(props) => (
        <textarea
          {...props}
          className="area code-area"
          rows={2}
          spellCheck={false}
          placeholder='{"mcpServers": {…}}'
          onChange={(event) => {
            const text = event.target.value.trim();
            const found = text ? fromReadme(text) : null;
            setWrong(text !== '' && !found);
            if (found) onRead(found);
          }}
        />
      )}
    </Field>
  );
}

function useForm(initial: Draft, onDone: () => void) {
  const [draft, setDraft] = useState(initial);
  const [shown, setShown] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<AppError | null>(null);
  const { server, problems } = serverOf(draft);
  const save = async () => {
    setShown(true);
    setError(null);
    if (!server) return;
    setBusy(true);
    try {
      const values = Object.fromEntries(draft.secrets.filter(({ value }) => value).map(({ name, value }) => [name.trim(), value]));
      const { id } = await rpc().call('mcp/save', { server, values });
      onDone();
      if (server.enabled) await rpc().call('mcp/test', { serverId: id });
    } catch (thrown) {
      setError(toAppError(thrown));
    } finally {
      setBusy(false);
    }
  };
  const change = (part: Partial<Draft>) => setDraft((before) => ({ ...before, ...part }));
  return { draft, change, problems: shown ? problems : {}, busy, error, save };
}

/** Adds a server, or changes one. Saved as a whole; then it is started once to see what it offers. */
export function ServerForm({ initial, onDone }: { initial: Draft; onDone: () => void }) {
  const projects = useCore((state) => state.board!.projects);
  const { busy, error, save, ...part } = useForm(initial, onDone);
  const { draft, change } = part;
  const scopes = [{ id: '', label: 'All projects' }, ...Object.values(projects).map(({ id, name }) => ({ id: id as string, label: name }))];
  return (
    <form
      className="stack-12"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      {!draft.id && <Readme onRead={(read) => change({ ...read, projectId: draft.projectId })} />}
      <div className="fields">
        <Line {...part} label="Name" at="name" placeholder="memory" hint="Its tools are named after it." />
        <Field label="For">
          {(props) => (
            <Select
              {...props}
              options={scopes}
              value={draft.projectId ?? ''}
              onChange={(id) => change({ projectId: (id || null) as ProjectId | null })}
            />
          )}
        </Field>
      </div>
      <Segments label="Where it is" options={KINDS} value={draft.kind} onChange={(kind) => change({ kind })} />
      {draft.kind === 'stdio' ? <Program {...part} /> : <Address {...part} />}
      <Secrets {...part} />
      <div className="fields">
        <Line {...part} narrow label="Seconds to start" at="startSeconds" />
        <Line {...part} narrow label="Seconds for a call" at="callSeconds" />
      </div>
      {error && <ErrorNote error={error} />}
      <div className="row">
        <Button look="fill" type="submit" disabled={busy}>
          {draft.id ? 'Save' : 'Add server'}
        </Button>
        <Button look="quiet" onClick={onDone}>
          Cancel
        </Button>
      </div>
    </form>
  );
}
