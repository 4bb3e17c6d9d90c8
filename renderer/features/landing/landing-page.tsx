import { useMemo, useState } from 'react';
import { toAppError, workspaceOf, type AppError, type Task, type TaskId } from '../../../agent-core/contract/index.ts';
import { KeyFoot } from '../../actions/key-foot.tsx';
import { PageBar } from '../../actions/page-bar.tsx';
import { boardView } from '../../state/board-view.ts';
import { useCore, useCoreShallow } from '../../state/hooks.ts';
import { go, openTask } from '../../state/route.ts';
import { rpc } from '../../state/store.ts';
import { toast } from '../../state/ui.ts';
import { Age, Button, Diffstat, Empty, ErrorNote, Icon, Select, plural } from '../../ui/index.ts';
import { HostRun, Verdict } from './preview-words.tsx';
import { METHODS, usePreview, type Method } from './use-preview.ts';

function useMerge(taskId: TaskId) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<AppError | null>(null);
  const merge = (method: Method) => {
    setBusy(true);
    setError(null);
    rpc()
      .call('land/merge', { taskId, method })
      .then(
        ({ into }) => void toast(`Merged into ${into}`),
        (thrown: unknown) => {
          setError(toAppError(thrown));
          setBusy(false);
        },
      );
  };
  return { busy, error, merge, dismiss: () => setError(null) };
}

function Checks({ task }: { task: Task }) {
  if (!task.check) return <span className="faint">None ran</span>;
  const { passed, summary, stale } = task.check;
  return (
    <span className={`tag ${stale ? 'muted' : passed ? 'ok' : 'bad'}`} title={stale ? 'Ran before the last change' : undefined}>
      <Icon small name={passed ? 'check' : 'x'} />
      {summary ?? (passed ? 'Passed' : 'Failed')}
      {stale && ' before'}
    </span>
  );
}

function Row({ id, number }: { id: TaskId; number: number }) {
  const { task, branch } = useCoreShallow(({ board }) => {
    const found = board!.tasks[id]!;
    return { task: found, branch: workspaceOf(board!, found)?.branch ?? '' };
  });
  const { preview, error: unread } = usePreview(id);
  const { busy, error, merge, dismiss } = useMerge(id);
  const [method, setMethod] = useState<Method>('merge');
  const can = preview !== null && preview.clean && preview.blocked === null && !busy;
  return (
    <>
      <tr>
        <td className="num faint">{number}</td>
        <td>
          <button type="button" className="t cut link" onClick={() => openTask(id)}>
            {task.title}
          </button>
          <div className="row xs">
            {task.diff && <Diffstat {...task.diff} />}
            <code className="faint cut">{branch}</code>
          </div>
        </td>
        <td>
          {preview ? (
            <Verdict preview={preview} />
          ) : unread ? (
            <span className="tag bad">
              <Icon small name="x" />
              {unread.message}
            </span>
          ) : (
            <span className="faint">Looking…</span>
          )}
        </td>
        <td>
          <Checks task={task} />
        </td>
        <td className="num faint">
          <Age since={task.waitingSince ?? task.updatedAt} />
        </td>
        <td>
          <Select aria-label={`How to land ${task.title}`} options={METHODS} value={method} onChange={setMethod} />
        </td>
        <td className="num">
          <Button
            look={can ? 'edge' : 'quiet'}
            icon="merge"
            disabled={!can}
            aria-label={`Merge ${task.title}`}
            onClick={() => merge(method)}
          >
            {busy ? 'Merging…' : 'Merge'}
          </Button>
        </td>
      </tr>
      {(error || preview?.blocked || preview?.hostRun || (preview && !preview.clean)) && (
        <tr className="why">
          <td />
          <td colSpan={6}>
            {error ? (
              <ErrorNote error={error} onDismiss={dismiss} />
            ) : preview!.blocked ? (
              <p className="sm warn">{preview!.blocked}</p>
            ) : preview!.clean ? (
              <div className="sm">
                <HostRun preview={preview!} />
              </div>
            ) : (
              <p className="sm muted">
                Collides with {preview!.into} in <code>{preview!.conflicts.slice(0, 3).join(', ')}</code>
                {preview!.conflicts.length > 3 && ` and ${preview!.conflicts.length - 3} more`}. Ask the agent to rebase onto{' '}
                {preview!.into}.
              </p>
            )}
          </td>
        </tr>
      )}
    </>
  );
}

interface Group {
  key: string;
  project: string;
  into: string;
  ids: TaskId[];
}

/** What is ready, by project and base branch: each group lands into one place. */
function useGroups(): readonly Group[] {
  const board = useCore((state) => state.board!);
  return useMemo(() => {
    const groups = new Map<string, Group>();
    for (const id of boardView(board).columns.review) {
      const task = board.tasks[id]!;
      const key = `${task.projectId} ${task.base.ref}`;
      const group = groups.get(key) ?? { key, project: board.projects[task.projectId]?.name ?? '', into: task.base.ref, ids: [] };
      group.ids.push(id);
      groups.set(key, group);
    }
    return [...groups.values()];
  }, [board]);
}

/** Finished tasks on their way into their base branch, one row each, oldest first. */
export function LandingPage() {
  const groups = useGroups();
  const count = groups.reduce((sum, { ids }) => sum + ids.length, 0);
  return (
    <main className="main" data-scope="landing">
      <PageBar
        title="Landing"
        after={
          <p className="fleet">
            <span>{count} ready</span>
          </p>
        }
      />
      {count === 0 ? (
        <Empty
          title="Nothing to land"
          action={
            <Button onClick={() => go({ place: 'board', project: null, filter: null })} keys="escape">
              Go to the board
            </Button>
          }
        >
          Tasks that are ready for review come here, to be merged into the branch they started from.
        </Empty>
      ) : (
        <div className="page">
          {groups.map(({ key, project, into, ids }) => (
            <section key={key} aria-labelledby={`land-${key}`}>
              <div className="sect">
                <h2 id={`land-${key}`}>{project}</h2>
                <span className="muted">
                  {plural(ids.length, 'task')} into {into}
                </span>
              </div>
              <table className="land-table">
                <thead>
                  <tr>
                    <th className="c-n">
                      <span className="vh">Place</span>
                    </th>
                    <th>Task</th>
                    <th className="c-v">Against {into}</th>
                    <th className="c-c">Checks</th>
                    <th className="num c-a">Waiting</th>
                    <th className="c-m">Method</th>
                    <th className="c-b">
                      <span className="vh">Land</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {ids.map((id, index) => (
                    <Row key={id} id={id} number={index + 1} />
                  ))}
                </tbody>
              </table>
            </section>
          ))}
        </div>
      )}
      <KeyFoot scopes={['landing']} />
    </main>
  );
}
