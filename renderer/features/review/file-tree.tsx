import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import type { DiffFile } from '../../../agent-core/contract/index.ts';
import { Diffstat, Icon } from '../../ui/index.ts';
import { visibleLine } from '../../ui/safe-text.ts';
import { treeRows, type TreeRow } from './tree.ts';

const ROW_PX = 28;

function RowBody({ row, viewed }: { row: TreeRow; viewed: boolean }) {
  if (row.kind === 'folder') return <><Icon name={row.open ? 'down' : 'right'} /><span className="cut">{visibleLine(row.label)}</span></>;
  return (
    <>
      <Icon name={viewed ? 'eye' : 'file'} /><span className="cut">{visibleLine(row.label)}</span>
      {viewed && <span className="vh">, viewed</span>}
      <Diffstat added={row.file.added ?? 0} removed={row.file.removed ?? 0} />
    </>
  );
}

/** The changed files as a tree: arrow keys move, right and left open and close, Enter shows. Only what is in view is drawn. */
export function FileTree({ files, current, isViewed, onPick }: {
  files: readonly DiffFile[]; current: string | null; isViewed: (file: DiffFile) => boolean; onPick: (path: string) => void;
}) {
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const rows = useMemo(() => treeRows(files, closed), [files, closed]);
  const [focus, setFocus] = useState<string | null>(null);
  const box = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => box.current, estimateSize: () => ROW_PX, overscan: 12, getItemKey: (index) => rows[index]?.key ?? index });
  const active = Math.max(0, rows.findIndex((row) => row.key === (focus ?? current)));
  useEffect(() => {
    const at = rows.findIndex((row) => row.key === current);
    if (at >= 0) virtual.scrollToIndex(at, { align: 'auto' });
    // The virtualizer is a new object on each render; only the current file moves the tree.
    // eslint-disable-next-line react/exhaustive-deps
  }, [current]);
  const toggle = (key: string, open: boolean) => setClosed((before) => {
    const next = new Set(before);
    if (open) next.delete(key); else next.add(key);
    return next;
  });
  const move = (to: number) => {
    const row = rows[Math.min(Math.max(to, 0), rows.length - 1)];
    if (!row) return;
    setFocus(row.key);
    virtual.scrollToIndex(rows.indexOf(row), { align: 'auto' });
    requestAnimationFrame(() => box.current?.querySelector<HTMLElement>('[role=treeitem][tabindex="0"]')?.focus());
  };
  const keys = (event: KeyboardEvent) => {
    const row = rows[active];
    if (!row) return;
    const done = { ArrowDown: () => move(active + 1), ArrowUp: () => move(active - 1), Home: () => move(0), End: () => move(rows.length - 1) }[event.key];
    if (done) done();
    else if (event.key === 'ArrowRight' && row.kind === 'folder') { if (row.open) move(active + 1); else toggle(row.key, true); }
    else if (event.key === 'ArrowLeft') {
      if (row.kind === 'folder' && row.open) toggle(row.key, false);
      else move(rows.findLastIndex((other, index) => index < active && other.kind === 'folder' && other.level < row.level));
    } else if (event.key === 'Enter' || event.key === ' ') { if (row.kind === 'folder') toggle(row.key, !row.open); else onPick(row.key); }
    else return;
    event.preventDefault();
  };
  return (
    <div className="tree-box" ref={box} onKeyDown={keys}>
      <ul role="tree" aria-label="Changed files" style={{ height: virtual.getTotalSize(), position: 'relative' }}>
        {virtual.getVirtualItems().map((place) => {
          const row = rows[place.index];
          if (!row) return null;
          const viewed = row.kind === 'file' && isViewed(row.file);
          return (
            <li key={row.key} role="treeitem" aria-level={row.level} aria-setsize={rows.length} aria-posinset={place.index + 1}
              aria-expanded={row.kind === 'folder' ? row.open : undefined} aria-selected={row.kind === 'file' ? row.key === current : undefined}
              tabIndex={place.index === active ? 0 : -1} className={viewed ? 'seen' : ''} title={visibleLine(row.key)}
              style={{ position: 'absolute', top: 0, left: 0, right: 0, transform: `translateY(${place.start}px)`, paddingLeft: 8 + (row.level - 1) * 14 }}
              onClick={() => { setFocus(row.key); if (row.kind === 'folder') toggle(row.key, !row.open); else onPick(row.key); }}>
              <RowBody row={row} viewed={viewed} />
            </li>
          );
        })}
      </ul>
    </div>
  );
}
