import { useState } from 'react';
import type { TaskId } from '../../../agent-core/contract/index.ts';
import { attemptsOf } from '../../state/board-view.ts';
import { useCore } from '../../state/hooks.ts';
import { Age, Icon } from '../../ui/index.ts';

/** One of several that ask the same. */
export interface Asker {
  id: string;
  taskId: TaskId;
  at: number;
}

/** The tasks behind one ask, each with its tick. */
export function Askers({
  asks,
  off,
  toggle,
  all,
  since = 'waiting',
}: {
  asks: readonly Asker[];
  off: ReadonlySet<string>;
  toggle: (id: string) => void;
  all: () => void;
  /** Over the ages. */
  since?: string;
}) {
  const board = useCore((state) => state.board!);
  const on = asks.length - asks.filter(({ id }) => off.has(id)).length;
  return (
    <section aria-label="Tasks that ask">
      <ul className="rows">
        <li className="head">
          <button
            type="button"
            className="check"
            role="checkbox"
            aria-checked={on === asks.length ? true : on ? 'mixed' : false}
            aria-label={`All ${asks.length} tasks`}
            onClick={all}
          >
            <Icon small name={on && on < asks.length ? 'minus' : 'check'} />
          </button>
          <span className="grow">
            {on} of {asks.length} tasks
          </span>
          <span className="xs faint">{since}</span>
        </li>
        {asks.map(({ id, taskId, at }) => {
          const attempts = attemptsOf(board, taskId);
          const name = board.tasks[taskId]?.title ?? '';
          return (
            <li key={id}>
              <button
                type="button"
                className="check"
                role="checkbox"
                aria-checked={!off.has(id)}
                aria-label={name}
                onClick={() => toggle(id)}
              >
                {!off.has(id) && <Icon small name="check" />}
              </button>
              <span className="cut grow">{name}</span>
              {attempts > 1 && <span className="xs faint">attempt {attempts}</span>}
              <span className="faint num" style={{ minWidth: 48 }}>
                <Age since={at} />
              </span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

/** Which askers the answer is for: all, until some are unticked. */
export function useTicks(asks: readonly Asker[]) {
  const [off, setOff] = useState<ReadonlySet<string>>(new Set());
  const toggle = (id: string) =>
    setOff((old) => {
      const next = new Set(old);
      if (!next.delete(id)) next.add(id);
      return next;
    });
  const all = () => setOff((old) => (asks.some(({ id }) => old.has(id)) ? new Set() : new Set(asks.map(({ id }) => id))));
  return { off, toggle, all };
}
