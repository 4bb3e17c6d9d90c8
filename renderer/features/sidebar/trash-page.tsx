import { workspaceOf, type TaskId } from '../../../agent-core/contract/index.ts';
import { ActionButton } from '../../actions/action-button.tsx';
import { KeyFoot } from '../../actions/key-foot.tsx';
import { PageBar } from '../../actions/page-bar.tsx';
import { boardView } from '../../state/board-view.ts';
import { useCore, useCoreShallow, useUi } from '../../state/hooks.ts';
import { setFailure } from '../../state/ui.ts';
import { Diffstat, Empty, ErrorNote, Time } from '../../ui/index.ts';

function Row({ id }: { id: TaskId }) {
  const task = useCore(({ board }) => board?.tasks[id]);
  const project = useCore(({ board }) => (task ? board?.projects[task.projectId]?.name : ''));
  const branch = useCore(({ board }) => (task && board ? workspaceOf(board, task)?.branch : ''));
  const failure = useUi((state) => state.failures[id]);
  if (!task) return null;
  return (
    <li className="trash-row">
      <article aria-label={task.title}>
        <div className="row">
          <div className="grow">
            <h3 className="cut">{task.title}</h3>
            <p className="xs faint cut">
              {project}
              {branch && (
                <>
                  {' '}
                  · <code>{branch}</code>
                </>
              )}{' '}
              · deleted <Time at={task.updatedAt} />
            </p>
          </div>
          {task.diff && <Diffstat {...task.diff} />}
          <ActionButton id="task.restore" taskId={id} icon />
          <ActionButton id="task.purge" taskId={id} look="quiet" />
        </div>
        {failure && <ErrorNote error={failure} onDismiss={() => setFailure(id, null)} />}
      </article>
    </li>
  );
}

/** Deleted tasks, kept whole until they are restored or deleted forever. */
export function TrashPage() {
  const ids = useCoreShallow(({ board }) => (board ? boardView(board).trash : []));
  return (
    <main className="main" data-scope="trash">
      <PageBar
        title="Trash"
        after={
          <p className="fleet">
            <span>Restored as they were, ignored files included</span>
          </p>
        }
      />
      {ids.length === 0 ? (
        <Empty title="The trash is empty">
          Deleted tasks wait here, with their worktrees, until you restore them or delete them forever.
        </Empty>
      ) : (
        <div className="page">
          <ul className="trash" aria-label="Deleted tasks, newest first">
            {ids.map((id) => (
              <Row key={id} id={id} />
            ))}
          </ul>
        </div>
      )}
      <KeyFoot scopes={['trash']} />
    </main>
  );
}
