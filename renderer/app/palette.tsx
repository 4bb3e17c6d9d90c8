import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import { Dialog as Base } from '@base-ui/react/dialog';
import type { TaskId } from '../../agent-core/contract/index.ts';
import { useAllActions } from '../actions/hooks.ts';
import { applies, contextOf, keyHere, runAction, titleOf, type ActionContext } from '../actions/registry.ts';
import { boardView } from '../state/board-view.ts';
import { useCore } from '../state/hooks.ts';
import { openTask } from '../state/route.ts';
import { closeLayer, ui } from '../state/ui.ts';
import { Icon, Kbd, StatusGlyph, type IconName } from '../ui/index.ts';
import { fuzzy } from './fuzzy.ts';

interface Row {
  key: string;
  group: string;
  title: string;
  at: readonly number[];
  icon?: IconName | undefined;
  keys?: string | undefined;
  task?: TaskId;
  run: () => void;
}
const LIMIT = 60;

/** Runs after the palette has closed and given the focus back. */
const later = (run: () => void) => () => {
  closeLayer();
  requestAnimationFrame(run);
};

function actionRows(context: ActionContext, actions: ReturnType<typeof useAllActions>, query: string): (Row & { score: number })[] {
  return actions
    .filter((action) => !action.hidden && applies(action, context))
    .flatMap((action) => {
      const about = action.group === 'Task' && context.task;
      const title = titleOf(action, context);
      const match = fuzzy(query, title);
      if (!match) return [];
      const near = about || (action.scope ?? 'global') !== 'global';
      return [
        {
          key: action.id,
          group: about ? `${context.task!.title}` : 'Actions',
          title,
          at: match.at,
          icon: action.icon,
          keys: keyHere(action, context),
          score: match.score + (near ? 2 : 0),
          run: later(() => void runAction(action.id, context.task?.id ?? null)),
        },
      ];
    });
}

function taskRows({ board, ui: { recent } }: ActionContext, query: string): (Row & { score: number })[] {
  if (!board) return [];
  const { status } = boardView(board);
  return Object.values(board.tasks).flatMap((task) => {
    const match = status[task.id] ? fuzzy(query, task.title) : null;
    if (!match) return [];
    const place = recent.indexOf(task.id);
    return [
      {
        key: task.id,
        group: 'Tasks',
        title: task.title,
        at: match.at,
        task: task.id,
        score: match.score + (place >= 0 ? 3 - place / 10 : 0) + (task.waitingSince ? 1 : 0),
        run: later(() => openTask(task.id)),
      },
    ];
  });
}

/** What fits the context first, then recent tasks; with a query the best match first in each group. */
function useRows(query: string): readonly Row[] {
  const actions = useAllActions();
  // Tasks come, go and are renamed while it is open.
  const board = useCore((state) => state.board);
  const context = useMemo(() => ({ ...contextOf(), board }), [board]);
  return useMemo(() => {
    const found = [actionRows(context, actions, query), taskRows(context, query)].map((rows) => rows.sort((a, b) => b.score - a.score));
    const [doable = [], tasks = []] = found;
    const about = doable.filter((row) => row.group !== 'Actions');
    const rest = doable.filter((row) => row.group === 'Actions');
    const ordered =
      query && (tasks[0]?.score ?? 0) > (doable[0]?.score ?? 0) ? [tasks, about, rest] : [about, query ? rest : rest.slice(0, 8), tasks];
    return (query ? ordered : [about, rest.slice(0, 8), tasks]).flat().slice(0, LIMIT);
  }, [actions, context, query]);
}

function Marked({ text, at }: { text: string; at: readonly number[] }) {
  return <>{Array.from(text, (letter, index) => (at.includes(index) ? <em key={index}>{letter}</em> : letter))}</>;
}

function Option({
  row,
  id,
  on,
  head,
  status,
}: {
  row: Row;
  id: string;
  on: boolean;
  head: boolean;
  status: ReturnType<typeof boardView>['status'];
}) {
  const word = row.task && status[row.task];
  return (
    <>
      {head && (
        <div className="group" role="presentation">
          {row.group}
        </div>
      )}
      <div id={id} role="option" aria-selected={on} className="menu-item" onClick={row.run}>
        {word ? <StatusGlyph status={word} quiet /> : <Icon name={row.icon ?? 'right'} />}
        <span className="cut">
          <Marked text={row.title} at={row.at} />
        </span>
        {row.keys && <Kbd keys={row.keys} />}
      </div>
    </>
  );
}

/** Every action and every task, one key away. */
export function Palette() {
  const [query, setQuery] = useState('');
  const rows = useRows(query);
  const [at, setAt] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  const board = contextOf().board;
  const status = board ? boardView(board).status : {};
  const chosen = Math.min(at, rows.length - 1);
  useEffect(() => {
    document.getElementById(`${id}-${chosen}`)?.scrollIntoView({ block: 'nearest' });
  }, [chosen, id]);
  const press = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    const by = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (by) setAt((chosen + by + rows.length) % Math.max(1, rows.length));
    else if (event.key === 'Enter') rows[chosen]?.run();
    else return;
    event.preventDefault();
  };
  return (
    <Base.Root
      open
      onOpenChange={(open) => {
        if (!open) ui.setState({ layer: null });
      }}
    >
      <Base.Portal>
        <Base.Backdrop className="backdrop" />
        <Base.Popup className="dialog palette" aria-label="Search tasks and actions" initialFocus={input}>
          <div className="palette-input">
            <Icon name="search" />
            <input
              ref={input}
              role="combobox"
              aria-label="Search tasks and actions"
              aria-expanded="true"
              aria-controls={`${id}-list`}
              aria-activedescendant={rows.length ? `${id}-${chosen}` : undefined}
              aria-autocomplete="list"
              placeholder="Search tasks and actions"
              value={query}
              onChange={(event) => {
                setQuery(event.target.value);
                setAt(0);
              }}
              onKeyDown={press}
              spellCheck={false}
            />
          </div>
          <div className="palette-list" role="listbox" id={`${id}-list`} aria-label="Tasks and actions" ref={list}>
            {rows.map((row, index) => (
              <Option
                key={row.key}
                row={row}
                id={`${id}-${index}`}
                on={index === chosen}
                head={row.group !== rows[index - 1]?.group}
                status={status}
              />
            ))}
          </div>
          {rows.length === 0 && (
            <p className="palette-none" role="status">
              Nothing is called “{query}”.
            </p>
          )}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}
