import { memo, useEffect, useRef } from 'react';
import { useDroppable } from '@dnd-kit/core';
import { defaultRangeExtractor, useVirtualizer, type Range } from '@tanstack/react-virtual';
import type { Column as ColumnId, TaskId } from '../../../agent-core/contract/index.ts';
import { Card } from './card.tsx';
import type { Move } from './moves.ts';
import { setScroller } from './nav.ts';

const CARD = 132;
const DONE_CARD = 78;
const NONE: Record<ColumnId, string> = {
  'needs-you': 'Approvals, questions and failures show up here.',
  queued: 'Tasks wait here for a free place.',
  working: 'No agent is at work.',
  review: 'Finished work waits here for you.',
  done: 'Landed and archived tasks.',
};

/** One column: a region named by its title, its cards drawn only where they can be seen. */
export const Column = memo(function Column({
  id,
  title,
  tasks,
  stop,
  move,
}: {
  id: ColumnId;
  title: string;
  tasks: readonly TaskId[];
  stop: TaskId | null;
  move: Move;
}) {
  const scroll = useRef<HTMLDivElement>(null);
  const { setNodeRef, isOver } = useDroppable({ id });
  const pinned = stop === null ? -1 : tasks.indexOf(stop);
  // eslint-disable-next-line react-hooks/incompatible-library -- the virtualizer's functions are meant to be called in render
  const rows = useVirtualizer({
    count: tasks.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => (id === 'done' ? DONE_CARD : CARD),
    overscan: 4,
    getItemKey: (index) => tasks[index]!,
    // the tab stop stays drawn, so that Tab finds the board wherever it was scrolled to
    rangeExtractor: (range: Range) => {
      const seen = defaultRangeExtractor(range);
      return pinned < 0 || seen.includes(pinned) ? seen : [...seen, pinned].sort((a, b) => a - b);
    },
  });
  useEffect(() => setScroller(id, (index) => rows.scrollToIndex(index, { align: 'auto' })), [id, rows]);
  const over = move === null ? '' : 'refuse' in move ? ' is-no' : isOver ? ' is-over' : '';
  return (
    <section ref={setNodeRef} className={`col${over}`} aria-labelledby={`col-${id}`}>
      <header className="col-head">
        <h2 id={`col-${id}`}>{title}</h2>
        <span className="faint">{tasks.length}</span>
      </header>
      {move !== null && isOver && <p className="col-note">{'refuse' in move ? move.refuse : move.says}</p>}
      <div className="scroll" ref={scroll}>
        {tasks.length === 0 ? (
          <p className="none">{NONE[id]}</p>
        ) : (
          <ol className="cards" aria-label={title} style={{ height: rows.getTotalSize() }}>
            {rows.getVirtualItems().map(({ key, index, start }) => (
              <li
                key={key}
                ref={rows.measureElement}
                data-index={index}
                aria-setsize={tasks.length}
                aria-posinset={index + 1}
                style={{ transform: `translateY(${start}px)` }}
              >
                <Card id={tasks[index]!} stop={tasks[index] === stop} />
              </li>
            ))}
          </ol>
        )}
      </div>
    </section>
  );
});
