import type { ReactNode } from 'react';
import { threadOf, workspaceOf, type Task, type TaskId } from '../../../agent-core/contract/index.ts';
import { ActionButton, taskEntries } from '../../actions/action-button.tsx';
import { useAllActions } from '../../actions/hooks.ts';
import { runAction } from '../../actions/registry.ts';
import { useCore, useStatus, useUi } from '../../state/hooks.ts';
import { goBack } from '../../state/route.ts';
import { openLayer } from '../../state/ui.ts';
import { Button, CopyButton, Diffstat, Icon, IconButton, Menu, StatusGlyph, type MenuEntry } from '../../ui/index.ts';
import { RunMenu } from './run-menu.tsx';
import { visibleLine } from '../../ui/safe-text.ts';
import { BudgetBar } from './budget-bar.tsx';

function More({ task, path }: { task: Task; path: string | undefined }) {
  useAllActions();
  useCore((state) => state.board);
  const copies: MenuEntry[] = path
    ? [{ id: 'copy.path', title: 'Copy path', icon: 'copy', run: () => void navigator.clipboard.writeText(path) }]
    : [];
  // Danger stays last, behind its line.
  const entries = taskEntries(task.id, ['task.open', 'task.merge', 'task.review', 'task.stop']);
  const safe = entries.filter((entry) => !entry.danger);
  return (
    <Menu
      label="More actions"
      trigger={<IconButton icon="more" label="More actions" />}
      entries={[...safe, ...copies, ...entries.filter((entry) => entry.danger)]}
    />
  );
}

const ways = [
  { id: 'merge', title: 'Merge commit' },
  { id: 'squash', title: 'Squash and merge' },
  { id: 'rebase', title: 'Rebase and merge' },
] as const;

function MergeButton({ task }: { task: Task }) {
  const status = useStatus(task.id);
  if (task.landing)
    return (
      <span className="status s-done">
        <Icon name="done" />
        In {visibleLine(task.landing.into)}
      </span>
    );
  const nothing = task.diff?.files === 0;
  const disabled = status !== 'review' || nothing;
  const why = nothing
    ? 'Nothing has changed, so there is nothing to merge'
    : disabled
      ? 'Can be merged once the agent has finished its turn'
      : undefined;
  return (
    <span className="btn-split" role="group" aria-label="Landing">
      <Button
        look={disabled ? 'edge' : 'fill'}
        icon="merge"
        disabled={disabled}
        title={why}
        onClick={() => void runAction('task.merge', task.id)}
      >
        Merge into {visibleLine(task.base.ref)}
      </Button>
      <Menu
        label="Other ways to land"
        trigger={<IconButton icon="down" look={disabled ? 'edge' : 'fill'} label="Other ways to land" disabled={disabled} />}
        entries={ways.map(({ id, title }) => ({ id, title, run: () => openLayer({ kind: 'merge', taskId: task.id, method: id }) }))}
      />
    </span>
  );
}

/** The task's name, state and what can be done with it. */
export function TaskHeader({ task }: { task: Task }) {
  const status = useStatus(task.id);
  const sidebar = useUi((state) => state.sidebar);
  const path = useCore((state) => (state.board ? workspaceOf(state.board, task)?.path : undefined));
  const until = useCore((state) => (state.board ? threadOf(state.board, task)?.limitedUntil : null));
  return (
    <header className="bar task-bar">
      {!sidebar && <IconButton icon="split" label="Show sidebar" keys="mod+b" onClick={() => void runAction('view.sidebar')} />}
      <IconButton icon="left" label="Back to the board" keys="escape" onClick={goBack} />
      <h1 className="cut" title={visibleLine(task.title)}>
        <button
          type="button"
          className="title-btn cut"
          aria-label={`${visibleLine(task.title)}, rename`}
          onClick={() => void runAction('task.rename', task.id)}
        >
          {visibleLine(task.title)}
        </button>
      </h1>
      {status && <StatusGlyph status={status} until={until ?? null} />}
      {task.mode === 'full' && (
        <span className="tag bad">
          <Icon name="unlock" />
          Full access
        </span>
      )}
      <span className="grow" />
      <More task={task} path={path} />
      <RunMenu task={task} />
      <ActionButton id="task.retry" taskId={task.id} icon />
      <ActionButton id="task.start" taskId={task.id} icon />
      <ActionButton id="task.stop" taskId={task.id} icon disabledWhy="Nothing is running" />
      <MergeButton task={task} />
    </header>
  );
}

/** What a task is made of: branch, lines, model, cost. */
export function TaskFacts({ taskId }: { taskId: TaskId }): ReactNode {
  const task = useCore((state) => state.board?.tasks[taskId]);
  const branch = useCore((state) => (state.board && task ? workspaceOf(state.board, task)?.branch : undefined));
  const model = useCore((state) => state.board?.settings.models.find((known) => known.id === task?.model)?.label ?? task?.model ?? '');
  if (!task) return null;
  return (
    <div className="facts">
      {branch && (
        <span className="fact-branch" title={`Branch ${visibleLine(branch)}`}>
          <Icon name="branch" />
          <code className="cut">{visibleLine(branch)}</code>
          <CopyButton text={() => branch} label="Copy branch" />
        </span>
      )}
      {task.diff && <Diffstat added={task.diff.added} removed={task.diff.removed} />}
      <span title="Model">
        <Icon name="chip" />
        <span className="cut">{visibleLine(model)}</span>
      </span>
      <BudgetBar taskId={taskId} />
    </div>
  );
}
