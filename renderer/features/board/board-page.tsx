import { useEffect, useMemo, useState } from 'react';
import { DndContext, DragOverlay, PointerSensor, useSensor, useSensors, type DragEndEvent, type DragStartEvent } from '@dnd-kit/core';
import type { Column as ColumnId, TaskId } from '../../../agent-core/contract/index.ts';
import { KeyFoot } from '../../actions/key-foot.tsx';
import { PageBar } from '../../actions/page-bar.tsx';
import { useActions } from '../../actions/hooks.ts';
import { runAction } from '../../actions/registry.ts';
import { COLUMNS, FILTERS, boardView } from '../../state/board-view.ts';
import { useCore, useUi } from '../../state/hooks.ts';
import { go } from '../../state/route.ts';
import type { Route } from '../../state/ui.ts';
import { Button, Empty, useClockText } from '../../ui/index.ts';
import { visibleLine } from '../../ui/safe-text.ts';
import { boardActions } from './actions.ts';
import { FloatingCard } from './card.tsx';
import { Column } from './column.tsx';
import { moveOf, moveTo } from './moves.ts';
import { focusCard, shownColumns, tabStop } from './nav.ts';

type BoardRoute = Extract<Route, { place: 'board' }>;
const DRAG_PX = 6;

function useShown(route: BoardRoute) {
  const board = useCore((state) => state.board!);
  // a filter by age changes with time, not with events
  const minute = useClockText((now) => (route.filter === 'waiting' ? String(Math.floor(now / 10_000)) : ''));
  const view = boardView(board);
  // oxlint-disable-next-line react/exhaustive-deps -- the view stands for the board, `minute` for the clock
  return useMemo(() => shownColumns(board, route), [view, route, minute]);
}

/** What is looked at, when it isn't everything. */
function Narrowed({ route }: { route: BoardRoute }) {
  const project = useCore(({ board }) => (route.project ? board?.projects[route.project]?.name : undefined));
  const names = [project, FILTERS.find(({ id }) => id === route.filter)?.title].filter(Boolean).join(', ');
  if (!names) return null;
  return (
    <Button small look="quiet" icon="x" onClick={() => go({ place: 'board', project: null, filter: null })}>
      {names}
    </Button>
  );
}

/** A project without tasks asks for its first; a filter that finds nothing is left again. */
function Nothing({ route }: { route: BoardRoute }) {
  const project = useCore(({ board }) => (route.project && !route.filter ? board?.projects[route.project]?.name : undefined));
  if (project !== undefined)
    return (
      <Empty
        title={`No tasks in ${visibleLine(project)} yet`}
        action={
          <Button look="fill" icon="plus" keys="mod+n" onClick={() => void runAction('task.new')}>
            New task
          </Button>
        }
      >
        Its tasks show up here, each in a worktree and a sandbox of its own.
      </Empty>
    );
  return (
    <Empty
      title="No tasks here"
      action={
        <Button onClick={() => go({ place: 'board', project: null, filter: null })} keys="escape">
          Show all tasks
        </Button>
      }
    >
      Tasks that match what you chose in the sidebar will show up here.
    </Empty>
  );
}

/** Comes back to the card that was open. */
function useReturnFocus() {
  const last = useUi((state) => state.recent[0] ?? null);
  useEffect(() => {
    if (document.activeElement === document.body && last) focusCard(last);
    // oxlint-disable-next-line react/exhaustive-deps -- only on arrival
  }, []);
}

/** The board: five columns of cards, sorted by need. */
export function BoardPage({ route }: { route: BoardRoute }) {
  useActions(boardActions);
  useReturnFocus();
  const columns = useShown(route);
  const status = useCore((state) => boardView(state.board!).status);
  const focused = useUi((state) => state.focused);
  const [dragged, setDragged] = useState<TaskId | null>(null);
  const sensors = useSensors(useSensor(PointerSensor, { activationConstraint: { distance: DRAG_PX } }));
  const stop = tabStop(columns, focused);
  const empty = COLUMNS.every(({ id }) => columns[id].length === 0);
  const draggedStatus = dragged && status[dragged];
  const end = ({ active, over }: DragEndEvent) => {
    setDragged(null);
    if (over) void moveTo(active.id as TaskId, over.id as ColumnId);
  };
  return (
    <main className="main" data-scope="board">
      <PageBar title="Board" actions={<Narrowed route={route} />} />
      <span className="vh" id="picked-words">
        Picked
      </span>
      {empty && (route.project || route.filter) ? (
        <Nothing route={route} />
      ) : (
        <DndContext
          sensors={sensors}
          onDragStart={({ active }: DragStartEvent) => setDragged(active.id as TaskId)}
          onDragEnd={end}
          onDragCancel={() => setDragged(null)}
          accessibility={{ screenReaderInstructions: { draggable: '' } }}
        >
          <div className="board">
            {COLUMNS.map(({ id, title }) => (
              <Column
                key={id}
                id={id}
                title={title}
                tasks={columns[id]}
                stop={stop}
                move={draggedStatus ? moveOf(draggedStatus, id) : null}
              />
            ))}
          </div>
          <DragOverlay dropAnimation={null}>{dragged && <FloatingCard id={dragged} />}</DragOverlay>
        </DndContext>
      )}
      <KeyFoot scopes={['board']} extra={stop ? [['enter', 'Open']] : []} />
    </main>
  );
}
