import { memo, useEffect, type MouseEvent } from 'react';
import { useDraggable } from '@dnd-kit/core';
import { columnOf, threadOf, type Board, type Task, type TaskId, type TaskStatus } from '../../../agent-core/contract/index.ts';
import { TaskMenu } from '../../actions/action-button.tsx';
import { useAction } from '../../actions/hooks.ts';
import { runAction } from '../../actions/registry.ts';
import { attemptsOf, boardView, sinceOf } from '../../state/board-view.ts';
import { useCore, useCoreShallow, useUi } from '../../state/hooks.ts';
import { openTask } from '../../state/route.ts';
import { setFailure, ui } from '../../state/ui.ts';
import { Age, Diffstat, ErrorNote, Icon, IconButton, Money, StatusGlyph, Time } from '../../ui/index.ts';
import { CardBody } from './card-body.tsx';
import { CardFacts } from './card-facts.tsx';
import { Denied } from './denied.tsx';

/** What of the board a card shows: picked so that only its own card renders when one task changes. */
export function pick(board: Board | null, id: TaskId) {
  const task = board?.tasks[id];
  if (!board || !task) return null;
  const status = boardView(board).status[id];
  if (!status) return null;
  return {
    task,
    status,
    project: board.projects[task.projectId]?.name ?? '',
    since: sinceOf(board, task, status),
    until: threadOf(board, task)?.limitedUntil ?? null,
    attempts: attemptsOf(board, id),
  };
}

/** The words before an age: only waiting for a person is called so. */
const prefix = (status: TaskStatus) => (columnOf(status) === 'needs-you' ? 'waiting ' : '');

/** One glyph of the hover row: an action of the registry that applies. */
function OverButton({ id, taskId }: { id: string; taskId: TaskId }) {
  const found = useAction(id, taskId);
  if (!found?.enabled || !found.action.icon) return null;
  return (
    <IconButton
      small
      icon={found.action.icon}
      label={found.title}
      tabIndex={-1}
      onClick={(event) => {
        event.stopPropagation();
        void runAction(id, taskId);
      }}
    />
  );
}

const OVER: Partial<Record<TaskStatus, readonly string[]>> = {
  working: ['task.stop', 'task.terminal'],
  queued: ['task.start'],
  limited: ['task.stop'],
  review: ['task.terminal', 'task.merge'],
  done: ['task.unarchive'],
};

function Over({ task, status, current }: { task: Task; status: TaskStatus; current: boolean }) {
  const inRow = current && (status === 'review' || status === 'working' || status === 'queued');
  return (
    <span className="over">
      {!inRow && OVER[status]?.map((id) => <OverButton key={id} id={id} taskId={task.id} />)}
      <TaskMenu
        taskId={task.id}
        trigger={
          <button
            type="button"
            className="btn btn-quiet btn-icon btn-24"
            aria-label="More actions"
            tabIndex={current ? 0 : -1}
            onClick={(event) => event.stopPropagation()}
          >
            <Icon name="more" />
          </button>
        }
      />
    </span>
  );
}

function DoneCard({ task, project }: { task: Task; project: string }) {
  return (
    <>
      <div className="row card-top">
        <StatusGlyph status="done" quiet />
        <h3>{task.title}</h3>
        <Over task={task} status="done" current={false} />
      </div>
      <div className="meta" style={{ paddingLeft: 22 }}>
        <span className="cut" title={task.landing ? `Landed in ${task.landing.into}` : undefined}>
          {project}
        </span>
        <Time at={task.landing?.at ?? task.updatedAt} />
      </div>
    </>
  );
}

/** What a click on a card means: open it; with ⌘ or Ctrl pick it, to act on several at once. */
function click(event: MouseEvent, id: TaskId) {
  if (event.target instanceof Element && event.target.closest('button, a, input, [role=menu], .error')) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey) {
    ui.setState(({ selected }) => ({
      focused: id,
      selected: selected.includes(id) ? selected.filter((known) => known !== id) : [...selected, id],
    }));
    return;
  }
  openTask(id);
}

/** A card that changes its column is drawn anew there: the focus that it had goes with it, unless it is elsewhere by now. */
function useKeepFocus(id: TaskId) {
  useEffect(() => {
    if (ui.getState().focused !== id || document.activeElement !== document.body) return;
    document.querySelector<HTMLElement>(`[data-task="${id}"]`)?.focus({ preventScroll: true });
  }, [id]);
}

/** A task on the board: `li > article`, because an option couldn't hold buttons. */
export const Card = memo(function Card({ id, stop }: { id: TaskId; stop: boolean }) {
  const shown = useCoreShallow(({ board }) => pick(board, id));
  const current = useUi((state) => state.focused === id);
  const picked = useUi((state) => state.selected.includes(id));
  const failure = useUi((state) => state.failures[id]);
  const { setNodeRef, listeners, isDragging } = useDraggable({ id });
  useKeepFocus(id);
  if (!shown) return null;
  const { task, status, project, since, until, attempts } = shown;
  const done = status === 'done';
  const classes = [
    'card',
    done && 'card-done',
    task.mode === 'full' && !done && 'card-full',
    isDragging && 'is-lift',
    picked && 'is-picked',
  ]
    .filter(Boolean)
    .join(' ');
  return (
    <article
      ref={setNodeRef}
      className={classes}
      data-task={id}
      tabIndex={stop ? 0 : -1}
      aria-current={current || undefined}
      aria-label={task.title}
      {...listeners}
      aria-describedby={picked ? 'picked-words' : undefined}
      onFocus={(event) => {
        if (event.target === event.currentTarget) ui.setState({ focused: id });
      }}
      onClick={(event) => click(event, id)}
    >
      {done ? (
        <DoneCard task={task} project={project} />
      ) : (
        <>
          {task.mode === 'full' && (
            <div className="full">
              <Icon name="unlock" />
              Full access, no sandbox
            </div>
          )}
          <div className="card-top">
            <StatusGlyph status={status} until={until} />
            <Age since={since} prefix={prefix(status)} />
            {status !== 'needs-approval' && <Over task={task} status={status} current={current} />}
          </div>
          <h3>{task.title}</h3>
          <CardBody task={task} status={status} current={current} />
          <Denied taskId={id} />
          {failure && <ErrorNote error={failure} onDismiss={() => setFailure(id, null)} />}
          <CardFacts task={task} project={project} attempts={attempts} status={status} />
        </>
      )}
    </article>
  );
});

/** What hangs at the pointer while a card is dragged. */
export function FloatingCard({ id }: { id: TaskId }) {
  const shown = useCore(({ board }) => board?.tasks[id]);
  return shown ? (
    <div className="card card-float">
      <h3>{shown.title}</h3>
      <div className="meta">
        {shown.diff && <Diffstat {...shown.diff} />}
        <Money dollars={shown.usage.cost} />
      </div>
    </div>
  ) : null;
}
