import { workspaceOf, type Activity, type TaskId } from '../../../agent-core/contract/index.ts';
import { ActionButton } from '../../actions/action-button.tsx';
import { runAction } from '../../actions/registry.ts';
import { useCore, useUi } from '../../state/hooks.ts';
import { setFailure } from '../../state/ui.ts';
import { Age, Button, ErrorNote, Progress } from '../../ui/index.ts';
import { visible } from '../../ui/safe-text.ts';

function Preparing({ activity }: { activity: Activity | undefined }) {
  const what = activity?.subject ? visible(activity.subject) : 'Making the worktree';
  return (
    <section className="workspace-note" aria-label="Preparing the workspace" aria-busy="true">
      <p className="sm muted row">
        <span>{what}</span>
        {activity && <Age since={activity.since} className="faint" />}
      </p>
      {activity?.progress !== undefined && activity.progress !== null ? (
        <Progress value={activity.progress} label={what} />
      ) : (
        <div className="progress" role="progressbar" aria-label={what} />
      )}
    </section>
  );
}

/** What stands above a conversation while its workspace isn't ready, and the last action of the task that failed. */
export function WorkspaceNote({ taskId }: { taskId: TaskId }) {
  const workspace = useCore((state) => {
    const task = state.board?.tasks[taskId];
    return state.board && task ? workspaceOf(state.board, task) : undefined;
  });
  const phase = useCore((state) => state.board?.tasks[taskId]?.phase);
  const activity = useCore((state) => state.activity[taskId]);
  const failure = useUi((state) => state.failures[taskId]);
  return (
    <>
      {workspace?.phase === 'preparing' && phase === 'active' && <Preparing activity={activity} />}
      {workspace?.phase === 'failed' && (
        <ErrorNote
          error={workspace.error ?? { code: 'internal', message: 'The workspace could not be made.' }}
          actions={
            <>
              <Button small icon="undo" onClick={() => void runAction('task.retry', taskId)}>
                {workspace.error?.code === 'setup-failed' ? 'Run setup again' : 'Retry'}
              </Button>
              {workspace.error?.code === 'setup-failed' && <ActionButton id="task.skipSetup" taskId={taskId} look="quiet" small />}
            </>
          }
        />
      )}
      {workspace?.phase === 'ready' && workspace.setup === 'undone' && phase === 'active' && (
        <p className="notice workspace-note">
          <span className="muted grow">The teardown script ran when this task was deleted.</span>
          <ActionButton id="task.runSetup" taskId={taskId} small />
        </p>
      )}
      {phase === 'trashed' && (
        <p className="notice workspace-note">
          <span className="muted grow">This task is in the trash. Its worktree is kept.</span>
          <Button small icon="undo" onClick={() => void runAction('task.restore', taskId)}>
            Restore
          </Button>
        </p>
      )}
      {failure && <ErrorNote error={failure} onDismiss={() => setFailure(taskId, null)} />}
    </>
  );
}
