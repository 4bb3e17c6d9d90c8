import { useEffect, useState } from 'react';
import { KeyFoot } from '../../actions/key-foot.tsx';
import { PageBar } from '../../actions/page-bar.tsx';
import { attempt } from '../../actions/registry.ts';
import { useCore } from '../../state/hooks.ts';
import { loadServers } from '../../state/store.ts';
import { Button, Empty } from '../../ui/index.ts';
import { emptyDraft } from './draft.ts';
import { ServerForm } from './server-form.tsx';
import { ServerRow } from './server-row.tsx';
import './mcp.css';

/** Servers of the Model Context Protocol: what there is, how each is, and what may be called without asking. */
export function ServersPage() {
  const servers = useCore((state) => state.board!.mcpServers);
  const health = useCore((state) => state.servers);
  const [adding, setAdding] = useState(false);
  useEffect(() => void attempt(loadServers, null), []);
  const all = Object.values(servers).toSorted((a, b) => a.name.localeCompare(b.name));
  return (
    <main className="main" data-scope="servers">
      <PageBar title="MCP servers" />
      <div className="page">
        <div className="page-in mcp">
          {all.length === 0 && !adding ? (
            <Empty
              title="No MCP servers yet"
              action={
                <Button look="fill" icon="plus" onClick={() => setAdding(true)}>
                  Add server
                </Button>
              }
            >
              A server gives agents more tools: an issue tracker, a database, a browser. Each runs in a sandbox of its own and reaches only
              what you name.
            </Empty>
          ) : (
            <>
              {all.length > 0 && (
                <ul className="rows-free models-box" aria-label="Servers">
                  {all.map((server) => (
                    <ServerRow key={server.id} server={server} health={health[server.id]} />
                  ))}
                </ul>
              )}
              {adding ? (
                <section className="mcp-new" aria-label="New server">
                  <ServerForm initial={emptyDraft} onDone={() => setAdding(false)} />
                </section>
              ) : (
                <div className="row">
                  <Button icon="plus" onClick={() => setAdding(true)}>
                    Add server
                  </Button>
                  <span className="hint">Agents have a new server’s tools from their next turn.</span>
                </div>
              )}
            </>
          )}
        </div>
      </div>
      <KeyFoot scopes={['servers']} extra={[['escape', 'Back to the board']]} />
    </main>
  );
}
