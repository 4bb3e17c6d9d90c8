import { CodeView, WorkerPoolContext, type CodeViewHandle, type CodeViewItem } from '@pierre/diffs/react';
import { useCallback, useEffect, useImperativeHandle, useMemo, useRef, useState, type ReactNode, type Ref, type RefObject } from 'react';
import { codeThemes, diffPool } from '../../workers/diff-pool.ts';
import { itemMaker, type FileView, type Note, type Writing } from './diff-items.ts';
import { diffCss } from './diff-style.ts';

/** Moves the diff. Without a line it goes to the top of the file. */
export interface DiffListHandle {
  reveal(path: string, at?: { side: Writing['side']; line: number }): void;
}

interface Pin {
  path: string;
  at: { side: Writing['side']; line: number } | undefined;
}

/**
 * Holds the place that was jumped to while files above it arrive and grow, until the reader scrolls. A jump to the same
 * place is made again with each change of the items.
 */
function usePin(items: readonly CodeViewItem<Note>[], code: RefObject<CodeViewHandle<Note, undefined> | null>) {
  const box = useRef<HTMLDivElement>(null);
  const held = useRef<Pin | null>(null);
  const jump = useCallback(() => {
    const pin = held.current;
    if (!pin) return;
    code.current?.scrollTo(
      pin.at
        ? { type: 'line', id: pin.path, lineNumber: pin.at.line, side: pin.at.side, align: 'center', behavior: 'instant' }
        : { type: 'item', id: pin.path, align: 'start', behavior: 'instant' },
    );
  }, [code]);
  const pin = useCallback(
    (next: Pin) => {
      held.current = next;
      jump();
    },
    [jump],
  );
  useEffect(() => {
    const frame = requestAnimationFrame(jump);
    return () => cancelAnimationFrame(frame);
  }, [items, jump]);
  useEffect(() => {
    const at = box.current;
    const free = () => {
      held.current = null;
    };
    const kinds = ['wheel', 'pointerdown', 'touchmove', 'keydown'] as const;
    for (const kind of kinds) at?.addEventListener(kind, free, { passive: true });
    return () => {
      for (const kind of kinds) at?.removeEventListener(kind, free);
    };
  }, []);
  return { box, pin };
}

const metrics = {
  lineHeight: 20,
  diffHeaderHeight: 36,
  hunkSeparatorHeight: 0,
  spacing: 0,
  hunkLineCount: 50,
  paddingTop: 0,
  paddingBottom: 0,
};
const layout = { paddingTop: 0, paddingBottom: 160, gap: 0 };

/**
 * The files' lines, drawn by the diff library from git's patches and only where they can be seen. Heads and notes are
 * ours, in slots: the page's styles and focus order hold for them.
 */
export function DiffList({
  views,
  split,
  theme,
  renderHead,
  renderNote,
  onComment,
  ref,
}: {
  views: readonly FileView[];
  split: boolean;
  theme: 'dark' | 'light';
  renderHead: (path: string) => ReactNode;
  renderNote: (path: string, note: Note) => ReactNode;
  onComment: (writing: Writing) => void;
  ref: Ref<DiffListHandle>;
}) {
  const code = useRef<CodeViewHandle<Note, undefined>>(null);
  const [make] = useState(itemMaker);
  const items = useMemo(() => make(views), [make, views]);
  const [pool] = useState(diffPool);
  const { box, pin } = usePin(items, code);
  useImperativeHandle(ref, () => ({ reveal: (path, at) => pin({ path, at }) }), [pin]);
  const options = useMemo(
    () => ({
      theme: codeThemes,
      themeType: theme,
      diffStyle: split ? ('split' as const) : ('unified' as const),
      diffIndicators: 'classic' as const,
      hunkSeparators: 'simple' as const,
      lineDiffType: 'word-alt' as const,
      overflow: 'scroll' as const,
      unsafeCSS: diffCss,
      itemMetrics: metrics,
      layout,
      stickyHeaders: true,
      enableGutterUtility: true,
      lineHoverHighlight: 'number' as const,
      tokenizeMaxLineLength: 2000,
      onGutterUtilityClick: (range: { start: number; side?: Writing['side'] }, context: { item: CodeViewItem<Note> }) => {
        onComment({ path: context.item.id, side: range.side ?? 'additions', line: range.start });
      },
    }),
    [split, theme, onComment],
  );
  return (
    <WorkerPoolContext.Provider value={pool}>
      <CodeView<Note>
        ref={code}
        containerRef={box}
        className="diff"
        items={items}
        options={options}
        style={{ height: '100%', overflow: 'auto' }}
        renderCustomHeader={(item) => renderHead(item.id)}
        renderAnnotation={(annotation, _file, item) => renderNote(item.id, annotation.metadata)}
      />
    </WorkerPoolContext.Provider>
  );
}
