import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useEffectEvent, useMemo, useRef, useState } from 'react';
import type { DiffFile } from '../../../agent-core/contract/index.ts';
import { Diffstat, Icon } from '../../ui/index.ts';
import { visibleLine } from '../../ui/safe-text.ts';
import { treeRows, type TreeRow } from './tree.ts';

const ROW_PX = 28;

function RowBody({ row, viewed }: { row: TreeRow; viewed: boolean }) {
  if (row.kind === 'folder')
    return (
      <>
        <Icon name={row.open ? 'down' : 'right'} />
        <span className="cut">{visibleLine(row.label)}</span>
      </>
    );
  return (
    <>
      <Icon name={viewed ? 'eye' : 'file'} />
      <span className="cut">{visibleLine(row.label)}</span>
      {viewed && <span className="vh">, viewed</span>}
      <Diffstat added={row.file.added ?? 0} removed={row.file.removed ?? 0} />
    </>
  );
}

function TreeItem({
  row,
  current,
  viewed,
  tabStop,
  start,
  place,
  size,
  onClick,
}: {
  row: TreeRow;
  current: boolean;
  viewed: boolean;
  tabStop: boolean;
  start: number;
  place: number;
  size: number;
  onClick: () => void;
}) {
  return (
    <li
      role="treeitem"
      aria-level={row.level}
      aria-setsize={size}
      aria-posinset={place + 1}
      aria-expanded={row.kind === 'folder' ? row.open : undefined}
      aria-selected={row.kind === 'file' ? current : undefined}
      tabIndex={tabStop ? 0 : -1}
      className={viewed ? 'seen' : ''}
      title={visibleLine(row.key)}
      onClick={onClick}
      style={{
        position: 'absolute',
        top: 0,
        left: 0,
        right: 0,
        transform: `translateY(${start}px)`,
        paddingLeft: 8 + (row.level - 1) * 14,
      }}
    >
      <RowBody row={row} viewed={viewed} />
    </li>
  );
}

interface Moves {
  rows: readonly TreeRow[];
  active: number;
  move: (to: number) => void;
  toggle: (key: string, open: boolean) => void;
  pick: (path: string) => void;
}

/** What a key does in a tree, by the pattern of the ARIA authoring practices. False when it isn't one of its keys. */
function treeKey(key: string, { rows, active, move, toggle, pick }: Moves): boolean {
  const row = rows[active];
  if (!row) return false;
  const folder = row.kind === 'folder' ? row : null;
  switch (key) {
    case 'ArrowDown':
      move(active + 1);
      break;
    case 'ArrowUp':
      move(active - 1);
      break;
    case 'Home':
      move(0);
      break;
    case 'End':
      move(rows.length - 1);
      break;
    case 'ArrowRight':
      if (!folder) return false;
      if (folder.open) move(active + 1);
      else toggle(folder.key, true);
      break;
    case 'ArrowLeft':
      if (folder?.open) toggle(folder.key, false);
      else move(rows.findLastIndex((other, index) => index < active && other.kind === 'folder' && other.level < row.level));
      break;
    case 'Enter':
    case ' ':
      if (folder) toggle(folder.key, !folder.open);
      else pick(row.key);
      break;
    default:
      return false;
  }
  return true;
}

/** The changed files as a tree: arrow keys move, right and left open and close, Enter shows. Only what is in view is drawn. */
export function FileTree({
  files,
  current,
  isViewed,
  onPick,
}: {
  files: readonly DiffFile[];
  current: string | null;
  isViewed: (file: DiffFile) => boolean;
  onPick: (path: string) => void;
}) {
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const rows = useMemo(() => treeRows(files, closed), [files, closed]);
  const [focus, setFocus] = useState<string | null>(null);
  const box = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_PX,
    overscan: 12,
    getItemKey: (index) => rows[index]?.key ?? index,
  });
  const active = Math.max(
    0,
    rows.findIndex((row) => row.key === (focus ?? current)),
  );
  const follow = useEffectEvent((path: string | null) => {
    const at = rows.findIndex((row) => row.key === path);
    if (at >= 0) virtual.scrollToIndex(at, { align: 'auto' });
  });
  useEffect(() => follow(current), [current]);
  const toggle = (key: string, open: boolean) =>
    setClosed((before) => {
      const next = new Set(before);
      if (open) next.delete(key);
      else next.add(key);
      return next;
    });
  const move = (to: number) => {
    const index = Math.min(Math.max(to, 0), rows.length - 1);
    setFocus(rows[index]?.key ?? null);
    virtual.scrollToIndex(index, { align: 'auto' });
    requestAnimationFrame(() => box.current?.querySelector<HTMLElement>('[role=treeitem][tabindex="0"]')?.focus());
  };
  const click = (row: TreeRow) => {
    setFocus(row.key);
    if (row.kind === 'folder') toggle(row.key, !row.open);
    else onPick(row.key);
  };
  return (
    <div
      className="tree-box"
      ref={box}
      onKeyDown={(event) => {
        if (treeKey(event.key, { rows, active, move, toggle, pick: onPick })) event.preventDefault();
      }}
    >
      <ul role="tree" aria-label="Changed files" style={{ height: virtual.getTotalSize(), position: 'relative' }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const row = rows[index];
          return (
            row && (
              <TreeItem
                key={row.key}
                row={row}
                current={row.key === current}
                viewed={row.kind === 'file' && isViewed(row.file)}
                tabStop={index === active}
                start={start}
                place={index}
                size={rows.length}
                onClick={() => click(row)}
              />
            )
          );
        })}
      </ul>
    </div>
  );
}
