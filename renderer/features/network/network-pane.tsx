import { noGrants, type Connection, type Grants, type TaskId } from '../../../agent-core/contract/index.ts';
import { attempt } from '../../actions/registry.ts';
import { useCore, useTask } from '../../state/hooks.ts';
import { go } from '../../state/route.ts';
import { rpc } from '../../state/store.ts';
import { AddEntry, Button, Entries, ErrorNote, Icon, Skeleton, Time, bytes, plural, visible } from '../../ui/index.ts';
import { Ports } from './ports.tsx';
import { useLog } from './use-log.ts';
import './network.css';

const words: Record<Connection['verdict'], string> = { allowed: 'Allowed', blocked: 'Blocked', failed: 'Failed' };
const glyphs = { allowed: 'check', blocked: 'block', failed: 'failed' } as const;
const tones: Record<Connection['verdict'], string> = { allowed: 'ok', blocked: 'warn', failed: 'bad' };

/** What this task may reach: its project's grants, and its own. */
function Reach({ taskId }: { taskId: TaskId }) {
  const task = useTask(taskId);
  const project = useCore(({ board }) => (task ? board?.projects[task.projectId] : undefined));
  if (!task) return null;
  const own = task.grants ?? noGrants;
  const shared = project?.grants ?? noGrants;
  const count = shared.hosts.length + shared.services.length;
  const grant = (change: { add?: Partial<Grants>; remove?: Partial<Grants> }) => rpc().call('task/grant', { taskId, ...change });
  if (task.mode === 'full')
    return (
      <section aria-labelledby="net-reach">
        <h2 id="net-reach">Allowed hosts</h2>
        <p className="bad sm">This task has full access: its commands use your network as they like, and nothing is logged.</p>
      </section>
    );
  return (
    <section aria-labelledby="net-reach">
      <h2 id="net-reach">Allowed hosts</h2>
      <p className="muted sm">
        {count === 0 ? 'Its project allows none.' : `${plural(count, 'host or service', 'hosts and services')} from its project.`}{' '}
        <Button small look="quiet" onClick={() => go({ place: 'project', projectId: task.projectId })}>
          Project settings
        </Button>
      </p>
      <Entries
        label="Hosts of this task"
        entries={own.hosts}
        onRemove={(host) => void attempt(() => grant({ remove: { hosts: [host] } }), taskId)}
      />
      <Entries
        label="Services of this task"
        entries={own.services}
        note={() => 'service'}
        onRemove={(service) => void attempt(() => grant({ remove: { services: [service] } }), taskId)}
      />
      <AddEntry
        label="Host for this task alone"
        hint="It works from the next connection on."
        placeholder="registry.npmjs.org:443"
        add={(host) => grant({ add: { hosts: [host] } })}
      />
    </section>
  );
}

function Line({ entry }: { entry: Connection }) {
  const { host, port, verdict, reason, command } = entry;
  return (
    <li className="net-row">
      <Icon name={glyphs[verdict]} className={tones[verdict]} />
      <div className="grow net-what">
        <p className="cut">
          <code>
            {visible(host)}:{port}
          </code>
        </p>
        {verdict === 'allowed' ? (
          <p className="xs faint">
            {bytes(entry.bytesIn)} in, {bytes(entry.bytesOut)} out
          </p>
        ) : (
          <p className="xs faint">
            <span className={tones[verdict]}>{words[verdict]}.</span> {visible(reason)}
            {command && (
              <>
                {' '}
                By <code>{visible(command)}</code>
              </>
            )}
          </p>
        )}
      </div>
      <Time at={entry.time} className="xs faint" />
    </li>
  );
}

function Connections({ taskId }: { taskId: TaskId }) {
  const { entries, more, error, older } = useLog(taskId);
  return (
    <section aria-labelledby="net-log">
      <h2 id="net-log">Connections</h2>
      {error && <ErrorNote error={error} />}
      {!entries && !error && <Skeleton lines={3} label="Reading the connections" />}
      {entries?.length === 0 && (
        <p className="muted sm">None yet. Every connection that this task’s commands ask for is listed here, blocked ones too.</p>
      )}
      {entries && entries.length > 0 && (
        <ul aria-label="Connections">
          {entries.map((entry) => (
            <Line key={entry.number} entry={entry} />
          ))}
        </ul>
      )}
      {more && (
        <Button small onClick={older}>
          Show older
        </Button>
      )}
    </section>
  );
}

/** What comes in and goes out of one task's sandbox. */
export function NetworkPane({ taskId }: { taskId: TaskId }) {
  return (
    <div className="network-pane">
      <Ports taskId={taskId} />
      <Reach taskId={taskId} />
      <Connections taskId={taskId} />
    </div>
  );
}
