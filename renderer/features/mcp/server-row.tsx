import { useState } from 'react';
import { toAppError, type AppError, type McpHealth, type McpServer, type McpToolChoice } from '../../../agent-core/contract/index.ts';
import { attempt } from '../../actions/registry.ts';
import { useCore } from '../../state/hooks.ts';
import { rpc } from '../../state/store.ts';
import { Button, ConfirmDialog, ErrorNote, Icon, Menu, IconButton, Select, plural, visible } from '../../ui/index.ts';
import { draftOf } from './draft.ts';
import { ServerForm } from './server-form.tsx';

const CHOICES: readonly { id: McpToolChoice; label: string }[] = [
  { id: 'auto', label: 'Ask unless it only reads' },
  { id: 'allow', label: 'Never ask' },
  { id: 'ask', label: 'Always ask' },
  { id: 'off', label: 'Not offered' },
];

const write = (server: McpServer, change: Partial<McpServer>) =>
  void attempt(() => rpc().call('mcp/save', { server: { ...server, ...change } }), null);

/** How it is, in a glyph and words: never by colour alone. */
function State({ server, health }: { server: McpServer; health: McpHealth | undefined }) {
  if (!server.enabled) return <span className="xs faint">Off</span>;
  if (!health) return <span className="xs faint">Not started yet</span>;
  if (health.state === 'starting') return <span className="xs muted">Starting…</span>;
  if (health.state === 'ready')
    return (
      <span className="health ok row">
        <Icon small name="check" />
        {plural(health.tools.length, 'tool')}
      </span>
    );
  return (
    <span className="health bad row">
      <Icon small name="failed" />
      {health.state === 'sign-in' ? 'Sign in' : 'Does not start'}
    </span>
  );
}

function Tools({ server, health }: { server: McpServer; health: McpHealth }) {
  return (
    <ul className="mcp-tools" aria-label={`Tools of ${server.name}`}>
      {health.tools.map((tool) => (
        <li key={tool.name}>
          <div className="grow">
            <code>{visible(tool.name)}</code> {tool.readOnly && <span className="xs faint">only reads</span>}
            <p className="xs muted">{visible(tool.description)}</p>
          </div>
          <Select
            aria-label={`When ${tool.name} is called`}
            options={CHOICES}
            value={server.tools[tool.name] ?? 'auto'}
            onChange={(choice) => write(server, { tools: { ...server.tools, [tool.name]: choice } })}
          />
        </li>
      ))}
    </ul>
  );
}

/** The page of the account opens in the browser; its tab comes back to this computer by itself. */
function SignIn({ server }: { server: McpServer }) {
  const [url, setUrl] = useState('');
  const [error, setError] = useState<AppError | null>(null);
  const begin = () => {
    setError(null);
    rpc()
      .call('mcp/signin', { serverId: server.id })
      .then(
        (page) => setUrl(page.url),
        (thrown: unknown) => setError(toAppError(thrown)),
      );
  };
  return (
    <div className="stack-8">
      {error && <ErrorNote error={error} />}
      {url && /^https?:/.test(url) ? (
        <a className="btn btn-fill" href={url} target="_blank" rel="noreferrer">
          Open the sign-in page
        </a>
      ) : (
        <Button onClick={begin}>Sign in</Button>
      )}
    </div>
  );
}

export function ServerRow({ server, health }: { server: McpServer; health: McpHealth | undefined }) {
  const project = useCore((state) => (server.projectId ? state.board!.projects[server.projectId]?.name : undefined));
  const [open, setOpen] = useState<'no' | 'tools' | 'form'>('no');
  const [removing, setRemoving] = useState(false);
  const { transport } = server;
  const busy = health?.state === 'starting';
  return (
    <li className="provider">
      <div className="provider-head">
        <span className="who">
          <b>{server.name}</b>
          <span className="xs faint cut">
            <code>{visible(transport.kind === 'http' ? transport.url : [transport.command, ...transport.args].join(' '))}</code> ·{' '}
            {project ?? 'all projects'}
          </span>
        </span>
        <span role="status">
          <State server={server} health={health} />
        </span>
        {health?.state === 'ready' && open !== 'form' && (
          <Button small look="quiet" aria-expanded={open === 'tools'} onClick={() => setOpen(open === 'tools' ? 'no' : 'tools')}>
            Tools
          </Button>
        )}
        {server.enabled && (
          <Button
            small
            disabled={busy}
            aria-label={`Test ${server.name}`}
            onClick={() => void attempt(() => rpc().call('mcp/test', { serverId: server.id }), null)}
          >
            {busy ? 'Testing…' : 'Test'}
          </Button>
        )}
        <Menu
          label={`More for ${server.name}`}
          trigger={<IconButton icon="more" small label={`More for ${server.name}`} />}
          entries={[
            { id: 'edit', title: 'Edit', run: () => setOpen('form') },
            { id: 'switch', title: server.enabled ? 'Turn off' : 'Turn on', run: () => write(server, { enabled: !server.enabled }) },
            ...(transport.kind === 'http' && !server.secrets.length
              ? [{ id: 'out', title: 'Sign out', run: () => void attempt(() => rpc().call('mcp/signout', { serverId: server.id }), null) }]
              : []),
            { id: 'remove', title: 'Remove', run: () => setRemoving(true) },
          ]}
        />
      </div>
      {server.enabled && health?.state === 'failed' && health.error && open !== 'form' && <ErrorNote error={health.error} />}
      {server.enabled && health?.state === 'sign-in' && <SignIn server={server} />}
      {open === 'tools' && health?.state === 'ready' && <Tools server={server} health={health} />}
      {open === 'form' && <ServerForm initial={draftOf(server)} onDone={() => setOpen('no')} />}
      <ConfirmDialog
        open={removing}
        title={`Remove “${server.name}”?`}
        action={`Remove ${server.name}`}
        danger
        onClose={() => setRemoving(false)}
        onConfirm={() => void attempt(() => rpc().call('mcp/remove', { serverId: server.id }), null)}
      >
        <p>Agents lose its tools at their next turn. Its settings, its secrets and its sign-in are forgotten.</p>
      </ConfirmDialog>
    </li>
  );
}
