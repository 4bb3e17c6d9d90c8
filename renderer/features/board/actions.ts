import { columnOf, type Column, type TaskId } from '../../../agent-core/contract/index.ts';
import type { Action, ActionContext } from '../../actions/registry.ts';
import { COLUMNS, boardView } from '../../state/board-view.ts';
import { rpc } from '../../state/store.ts';
import { ui } from '../../state/ui.ts';
import { moveOf, moveTo } from './moves.ts';
import { step } from './nav.ts';

const go = (id: string, title: string, keys: string[], rows: number, cols: number): Action => ({
  id: `board.${id}`,
  title,
  group: 'Board',
  keys,
  scope: 'board',
  hidden: true,
  run: () => step(rows, cols),
});

/** Moves the focused card one column on, as a drag would: the nearest column in that direction that is not its own. */
const carry = (id: string, title: string, keys: string[], by: 1 | -1): Action => ({
  id: `board.${id}`,
  title,
  group: 'Board',
  keys,
  scope: 'board',
  hidden: true,
  when: ({ status }) => status !== null,
  run: async ({ task, status }) => {
    const at = COLUMNS.findIndex((column) => column.id === columnOf(status!));
    const to = COLUMNS[at + by];
    if (to) await moveTo(task!.id, to.id);
  },
});

/** The same as a drop, by menu and palette. */
const moveAction = (column: Column, title: string): Action => ({
  id: `board.move.${column}`,
  title: `Move to ${title}`,
  group: 'Board',
  when: ({ status }) => {
    const move = status && moveOf(status, column);
    return move !== null && 'action' in move;
  },
  run: async ({ task }) => moveTo(task!.id, column),
});

const queued = ({ task, status }: ActionContext) => status === 'queued' && task !== null;

async function reorder({ board, task }: ActionContext, by: 1 | -1): Promise<void> {
  const line = boardView(board!).columns.queued;
  const at = line.indexOf(task!.id);
  const before: TaskId | null | undefined = by < 0 ? line[at - 1] : (line[at + 2] ?? null);
  if (before === undefined || at + by >= line.length) return;
  await rpc().call('task/reorder', { taskId: task!.id, before });
}

export const boardActions: readonly Action[] = [
  go('down', 'Next card', ['arrowdown', 'j'], 1, 0),
  go('up', 'Previous card', ['arrowup', 'k'], -1, 0),
  go('right', 'Next column', ['arrowright', 'l'], 0, 1),
  go('left', 'Previous column', ['arrowleft', 'h'], 0, -1),
  go('first', 'First card', ['home'], -1_000_000, 0),
  go('last', 'Last card', ['end'], 1_000_000, 0),
  carry('carryRight', 'Move card to the next column', ['shift+arrowright'], 1),
  carry('carryLeft', 'Move card to the previous column', ['shift+arrowleft'], -1),
  moveAction('working', 'Working'),
  moveAction('done', 'Done'),
  {
    id: 'board.sooner',
    title: 'Move up in the queue',
    group: 'Board',
    keys: ['shift+arrowup'],
    scope: 'board',
    when: queued,
    run: (context) => reorder(context, -1),
  },
  {
    id: 'board.later',
    title: 'Move down in the queue',
    group: 'Board',
    keys: ['shift+arrowdown'],
    scope: 'board',
    when: queued,
    run: (context) => reorder(context, 1),
  },
  {
    id: 'board.pick',
    title: 'Select more',
    group: 'Board',
    keys: ['space'],
    scope: 'board',
    footer: true,
    hidden: true,
    when: ({ task }) => task !== null,
    run: ({ task }) =>
      ui.setState(({ selected }) => ({
        selected: selected.includes(task!.id) ? selected.filter((id) => id !== task!.id) : [...selected, task!.id],
      })),
  },
];
