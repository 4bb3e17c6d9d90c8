import { useCallback, useState, type FormEvent } from 'react';
import { toAppError, type AppError, type Credential, type Project } from '../../../agent-core/contract/index.ts';
import { attempt } from '../../actions/registry.ts';
import { rpc } from '../../state/store.ts';
import { Button, ErrorNote, Field, Icon, Select, visible } from '../../ui/index.ts';
import { useAsked } from './use-asked.ts';

type Kind = Credential['kind'];
const KINDS: readonly { id: Kind; label: string }[] = [
  { id: 'bearer', label: 'Bearer token' },
  { id: 'basic', label: 'User and password' },
  { id: 'header', label: 'A header of its own' },
];
const words = ({ kind, header, user }: Credential): string =>
  kind === 'bearer' ? 'Bearer token' : kind === 'basic' ? `password of ${visible(user) || 'no user'}` : `header ${visible(header)}`;

/** Where the secrets are, said where that is not the system's own key store. */
function Kept() {
  const ask = useCallback(() => rpc().call('credential/store', {}), []);
  const { value } = useAsked(ask);
  if (value?.kept !== 'file') return null;
  return (
    <p className="sm warn offer-problem">
      <Icon name="failed" />
      <span>
        This computer offers Signalbox no key store: secrets are in <code>{value.path}</code>, which only you can read, not encrypted.
      </span>
    </p>
  );
}

const blank = { host: '', kind: 'bearer' as Kind, header: '', user: '', secret: '' };

function Form({ project, done }: { project: Project; done: () => void }) {
  const [draft, setDraft] = useState(blank);
  const [error, setError] = useState<AppError | null>(null);
  const [busy, setBusy] = useState(false);
  const set = (part: Partial<typeof blank>) => setDraft((now) => ({ ...now, ...part }));
  const input =
    (name: 'host' | 'header' | 'user' | 'secret', placeholder = '') =>
    (props: { id: string }) => (
      <input
        {...props}
        className="input mono"
        type={name === 'secret' ? 'password' : 'text'}
        spellCheck={false}
        autoCapitalize="off"
        autoComplete="off"
        placeholder={placeholder}
        value={draft[name]}
        onChange={(event) => set({ [name]: event.target.value })}
      />
    );
  const save = (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    const { header, ...rest } = draft;
    rpc()
      .call('credential/save', { projectId: project.id, ...rest, ...(header ? { header } : {}) })
      .then(done, (thrown: unknown) => setError(toAppError(thrown)))
      .finally(() => setBusy(false));
  };
  const ready = draft.host.trim() !== '' && draft.secret !== '' && (draft.kind !== 'header' || draft.header.trim() !== '');
  return (
    <form className="stack-12" onSubmit={save} aria-label="New credential">
      <div className="fields">
        <Field label="For the host" hint="Over https; without a port, 443.">
          {input('host', 'npm.example.com')}
        </Field>
        <Field label="Sent as">
          {(props) => <Select {...props} options={KINDS} value={draft.kind} onChange={(kind) => set({ kind })} />}
        </Field>
      </div>
      <div className="fields">
        {draft.kind === 'basic' && <Field label="User">{input('user', 'git')}</Field>}
        {draft.kind === 'header' && <Field label="Header">{input('header', 'X-Api-Key')}</Field>}
        <Field label={draft.kind === 'basic' ? 'Password or token' : 'Secret'}>{input('secret')}</Field>
      </div>
      {error && <ErrorNote error={error} />}
      <div className="row">
        <Button type="submit" look="fill" disabled={!ready || busy}>
          Save credential
        </Button>
        <Button look="quiet" onClick={done}>
          Cancel
        </Button>
      </div>
    </form>
  );
}

/** Secrets that the proxy adds to requests for single hosts. No task ever sees them. */
export function Credentials({ project }: { project: Project }) {
  const [adding, setAdding] = useState(false);
  const list = project.grants?.credentials ?? [];
  const remove = (id: string) => void attempt(() => rpc().call('credential/remove', { projectId: project.id, id }), null);
  return (
    <div className="stack-8" role="group" aria-label="Credentials">
      <span className="label xs muted">Credentials</span>
      <p className="sm muted">
        Added on the way out to requests for one host, so that installs and clones work; no command, file or agent sees the secret.
        Signalbox reads those requests to do so, with a certificate that is trusted in the sandbox alone.
      </p>
      {list.length > 0 && (
        <ul className="rules rows" aria-label="Kept credentials">
          {list.map((credential) => (
            <li key={credential.id}>
              <code className="cut">{visible(credential.host)}</code>
              <span className="grow cut faint xs">{words(credential)}</span>
              <Button
                small
                look="quiet"
                aria-label={`Remove the credential for ${visible(credential.host)}`}
                onClick={() => remove(credential.id)}
              >
                Remove
              </Button>
            </li>
          ))}
        </ul>
      )}
      {(adding || list.length > 0) && <Kept />}
      {adding ? (
        <Form project={project} done={() => setAdding(false)} />
      ) : (
        <div>
          <Button small icon="plus" onClick={() => setAdding(true)}>
            Add a credential
          </Button>
        </div>
      )}
    </div>
  );
}
