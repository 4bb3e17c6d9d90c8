import type { CodeViewItem, DiffLineAnnotation } from '@pierre/diffs';
import type { DiffFile, Finding, Review } from '../../../agent-core/contract/index.ts';
import { emptyMeta, headAnchor, type LoadedFile } from './file-state.ts';
import type { Comment } from './draft.ts';

/** What stands between lines: a hunk's head, a comment of the draft, or one being written. */
export type Note =
  | { kind: 'hunk'; index: number }
  | { kind: 'comment'; comment: Comment }
  | { kind: 'write'; side: Comment['side']; line: number }
  | { kind: 'finding'; review: Review; finding: Finding };

export interface Writing {
  path: string;
  side: Comment['side'];
  line: number;
}

export interface ShownFinding {
  review: Review;
  finding: Finding;
}

export interface FileView {
  file: DiffFile;
  loaded: LoadedFile | undefined;
  /** Lines are not drawn: viewed, folded until asked for, or not here yet. */
  folded: boolean;
  comments: readonly Comment[];
  findings: readonly ShownFinding[];
  writing: Writing | null;
}

type Annotation = DiffLineAnnotation<Note>;

function annotationsOf({ file, loaded, comments, findings, writing }: FileView): Annotation[] {
  if (!loaded) return [];
  const own: Annotation[] = comments.map((comment) => ({
    side: comment.side,
    lineNumber: comment.line,
    metadata: { kind: 'comment', comment },
  }));
  for (const { review, finding } of findings)
    own.push({ side: 'additions', lineNumber: finding.endLine, metadata: { kind: 'finding', review, finding } });
  if (writing?.path === file.path)
    own.push({ side: writing.side, lineNumber: writing.line, metadata: { kind: 'write', side: writing.side, line: writing.line } });
  // Heads come last: a comment on a hunk's last line stands above the next hunk's head.
  return [
    ...own,
    ...loaded.raw.hunks.map((_hunk, index): Annotation => ({
      ...headAnchor(loaded.raw, index, file.status === 'deleted'),
      metadata: { kind: 'hunk', index },
    })),
  ];
}

/** Everything that changes how a file is drawn, as text: a new text is a new version for the diff view. */
const signature = ({ file, loaded, folded, comments, findings, writing }: FileView): string =>
  [
    loaded?.meta.cacheKey ?? '',
    folded,
    comments.map((comment) => `${comment.id}${comment.line}${comment.text}`).join(),
    findings.map(({ review, finding }) => `${review.id}${finding.id}${finding.state}`).join(),
    writing?.path === file.path ? `${writing.side}${writing.line}` : '',
  ].join('|');

/** Keeps the view of a file that nothing changed about, so that five thousand files cost what the changed ones do. */
export function viewMaker(): (next: readonly FileView[]) => FileView[] {
  let known = new Map<string, FileView>();
  return (next) => {
    const views = next.map((view) => {
      const before = known.get(view.file.path);
      return before &&
        before.file === view.file &&
        before.loaded === view.loaded &&
        before.folded === view.folded &&
        before.comments === view.comments &&
        before.findings === view.findings &&
        before.writing === view.writing
        ? before
        : view;
    });
    known = new Map(views.map((view) => [view.file.path, view]));
    return views;
  };
}

/** Makes the diff view's items, and keeps one's identity and version for as long as nothing of it changed. */
export function itemMaker(): (views: readonly FileView[]) => CodeViewItem<Note>[] {
  const known = new Map<string, { view: FileView; text: string; item: CodeViewItem<Note> }>();
  return (views) =>
    views.map((view) => {
      const before = known.get(view.file.path);
      if (before?.view === view) return before.item;
      const text = signature(view);
      if (before && before.text === text) {
        before.view = view;
        return before.item;
      }
      const item: CodeViewItem<Note> = {
        id: view.file.path,
        type: 'diff',
        fileDiff: view.loaded?.meta ?? emptyMeta('file'),
        annotations: annotationsOf(view),
        collapsed: view.folded || !view.loaded,
        version: (before?.item.version ?? 0) + 1,
      };
      known.set(view.file.path, { view, text, item });
      return item;
    });
}
