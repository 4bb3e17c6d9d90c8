import { useCallback, useEffect, useState } from 'react';
import { toAppError, type AppError, type TaskId, type WorkspacePort } from '../../../agent-core/contract/index.ts';
import { attempt } from '../../actions/registry.ts';
import { rpc } from '../../state/store.ts';
import { Button, ErrorNote, Icon, visible } from '../../ui/index.ts';

/** Servers come and go without telling: looked for this often while they are shown. */
const LOOK_MS = 2000;

function usePorts(taskId: TaskId): { ports: readonly WorkspacePort[]; error: AppError | null; look: () => void } {
  const [ports, setPorts] = useState<readonly WorkspacePort[]>([]);
  const [error, setError] = useState<AppError | null>(null);
  const look = useCallback(() => {
    rpc()
      .call('port/list', { taskId })
      .then(
        (found) => {
          setPorts(found.ports);
          setError(null);
        },
        (thrown: unknown) => setError(toAppError(thrown)),
      );
  }, [taskId]);
  useEffect(() => {
    look();
    const timer = setInterval(() => {
      if (!document.hidden) look();
    }, LOOK_MS);
    return () => clearInterval(timer);
  }, [look]);
  return { ports, error, look };
}

function Row({ taskId, entry, look }: { taskId: TaskId; entry: WorkspacePort; look: () => void }) {
  const { port, command, open } = entry;
  const change = (work: () => Promise<unknown>) => void attempt(work, taskId).then(look);
  const address = `127.0.0.1:${open}`;
  return (
    <li className="net-row">
      <code className="net-port">{port}</code>
      <span className="grow cut muted sm" title={visible(command)}>
        {command ? <code>{visible(command)}</code> : 'Nothing listens there now'}
      </span>
      {open === null ? (
        <Button small aria-label={`Open port ${port}`} onClick={() => change(() => rpc().call('port/open', { taskId, port }))}>
          Open
        </Button>
      ) : (
        <>
          <a className="net-link" href={`http://${address}/`} target="_blank" rel="noopener noreferrer">
            {address}
            <Icon name="external" />
          </a>
          <Button
            small
            look="quiet"
            aria-label={`Close port ${port}`}
            onClick={() => change(() => rpc().call('port/close', { taskId, port }))}
          >
            Close
          </Button>
        </>
      )}
    </li>
  );
}

/** What the workspace listens on, and the way to look at it from the person's own browser. */
export function Ports({ taskId }: { taskId: TaskId }) {
  const { ports, error, look } = usePorts(taskId);
  return (
    <section aria-labelledby="net-ports">
      <h2 id="net-ports">Ports</h2>
      {error && <ErrorNote error={error} />}
      {ports.length === 0 ? (
        <p className="muted sm">
          When a command in this workspace starts a server, its port is listed here. Open it to look at it in your browser; nobody else can
          reach it, and it opens no way out.
        </p>
      ) : (
        <ul aria-label="Ports">
          {ports.map((entry) => (
            <Row key={entry.port} {...{ taskId, entry, look }} />
          ))}
        </ul>
      )}
    </section>
  );
}
