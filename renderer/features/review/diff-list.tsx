import { CodeView, WorkerPoolContext, type CodeViewHandle, type CodeViewItem } from '@pierre/diffs/react';
import { useImperativeHandle, useMemo, useRef, useState, type ReactNode, type Ref } from 'react';
import { codeThemes, diffPool } from '../../workers/diff-pool.ts';
import { itemMaker, type FileView, type Note, type Writing } from './diff-items.ts';
import { diffCss } from './diff-style.ts';

/** Moves the diff. Without a line it goes to the top of the file. */
export interface DiffListHandle {
  reveal(path: string, at?: { side: Writing['side']; line: number }): void;
}

const metrics = { lineHeight: 20, diffHeaderHeight: 36, hunkSeparatorHeight: 0, spacing: 0, hunkLineCount: 50, paddingTop: 0, paddingBottom: 0 };
const layout = { paddingTop: 0, paddingBottom: 160, gap: 0 };

/**
 * The files' lines, drawn by the diff library from git's patches and only where they can be seen. Heads and notes are
 * ours, in slots: the page's styles and focus order hold for them.
 */
export function DiffList({ views, split, theme, renderHead, renderNote, onComment, ref }: {
  views: readonly FileView[]; split: boolean; theme: 'dark' | 'light';
  renderHead: (path: string) => ReactNode; renderNote: (path: string, note: Note) => ReactNode;
  onComment: (writing: Writing) => void; ref: Ref<DiffListHandle>;
}) {
  const code = useRef<CodeViewHandle<Note, undefined>>(null);
  const [make] = useState(itemMaker);
  const items = useMemo(() => make(views), [make, views]);
  const [pool] = useState(diffPool);
  useImperativeHandle(ref, () => ({
    reveal: (path, at) => code.current?.scrollTo(at
      ? { type: 'line', id: path, lineNumber: at.line, side: at.side, align: 'center', behavior: 'instant' }
      : { type: 'item', id: path, align: 'start', behavior: 'instant' }),
  }), []);
  const options = useMemo(() => ({
    theme: codeThemes, themeType: theme, diffStyle: split ? 'split' as const : 'unified' as const,
    diffIndicators: 'classic' as const, hunkSeparators: 'simple' as const, lineDiffType: 'word' as const,
    overflow: 'scroll' as const, unsafeCSS: diffCss, itemMetrics: metrics, layout, stickyHeaders: true,
    enableGutterUtility: true, lineHoverHighlight: 'number' as const, tokenizeMaxLineLength: 2000,
    onGutterUtilityClick: (range: { start: number; side?: Writing['side'] }, context: { item: CodeViewItem<Note> }) => {
      onComment({ path: context.item.id, side: range.side ?? 'additions', line: range.start });
    },
  }), [split, theme, onComment]);
  return (
    <WorkerPoolContext.Provider value={pool}>
      <CodeView<Note> ref={code} className="diff" items={items} options={options} style={{ height: '100%', overflow: 'auto' }}
        renderCustomHeader={(item) => renderHead(item.id)}
        renderAnnotation={(annotation, _file, item) => renderNote(item.id, annotation.metadata)} />
    </WorkerPoolContext.Provider>
  );
}
