import type { Board, Column, TaskId } from '../../../agent-core/contract/index.ts';
import { COLUMNS, boardView, passes } from '../../state/board-view.ts';
import { core } from '../../state/store.ts';
import { ui, type Route } from '../../state/ui.ts';
import { clockNow } from '../../ui/clock.tsx';

/** The rows as they stand on screen: filtered. */
export function shownColumns(board: Board, route: Extract<Route, { place: 'board' }>): Record<Column, readonly TaskId[]> {
  const { columns } = boardView(board);
  if (!route.project && !route.filter) return columns;
  const now = clockNow();
  return Object.fromEntries(
    COLUMNS.map(({ id }) => [id, columns[id].filter((task) => passes(board, board.tasks[task]!, route, now))]),
  ) as unknown as Record<Column, readonly TaskId[]>;
}

/** Each column tells how to bring one of its rows into view. */
const scrollers = new Map<Column, (index: number) => void>();
export function setScroller(column: Column, scroll: (index: number) => void): () => void {
  scrollers.set(column, scroll);
  return () => {
    if (scrollers.get(column) === scroll) scrollers.delete(column);
  };
}

/** Gives a card the focus, scrolled into view even when it wasn't drawn yet. */
export function focusCard(id: TaskId): void {
  const { route } = ui.getState();
  const { board } = core.getState();
  if (!board || route.place !== 'board') return;
  const columns = shownColumns(board, route);
  const column = COLUMNS.find(({ id: known }) => columns[known].includes(id));
  if (!column) return;
  ui.setState({ focused: id });
  scrollers.get(column.id)?.(columns[column.id].indexOf(id));
  const take = (tries: number) => {
    const card = document.querySelector<HTMLElement>(`[data-task="${id}"]`);
    if (card) card.focus({ preventScroll: false });
    else if (tries > 0) requestAnimationFrame(() => take(tries - 1));
  };
  take(5);
}

/** Moves the focus by rows or columns; past the end it stays. */
export function step(rows: number, cols: number): void {
  const { route, focused } = ui.getState();
  const { board } = core.getState();
  if (!board || route.place !== 'board') return;
  const columns = shownColumns(board, route);
  const filled = COLUMNS.map(({ id }) => columns[id]).filter((ids) => ids.length > 0);
  const at = filled.findIndex((ids) => focused !== null && ids.includes(focused));
  if (at < 0) {
    const first = filled[0]?.[0];
    if (first) focusCard(first);
    return;
  }
  const row = filled[at]!.indexOf(focused!);
  const column = filled[Math.min(filled.length - 1, Math.max(0, at + cols))]!;
  const next = column[Math.min(column.length - 1, Math.max(0, row + rows))];
  if (next) focusCard(next);
}

/** The tab stop of the board: the focused card while it is there, else the first. */
export function tabStop(columns: Record<Column, readonly TaskId[]>, focused: TaskId | null): TaskId | null {
  if (focused && COLUMNS.some(({ id }) => columns[id].includes(focused))) return focused;
  return COLUMNS.map(({ id }) => columns[id][0]).find((id) => id !== undefined) ?? null;
}
