import { useCallback, useMemo, useState, type RefObject } from 'react';
import { reviewsOf, type DiffFile, type DiffScope, type TaskId } from '../../../agent-core/contract/index.ts';
import { useCore } from '../../state/hooks.ts';
import type { DiffListHandle } from './diff-list.tsx';
import { viewMaker, type FileView, type ShownFinding, type Writing } from './diff-items.ts';
import type { Comment } from './draft.ts';
import { firstChange, foldReason, hunkAt, lineText, type LoadedFile } from './file-state.ts';
import { contentOf, hunkId, isViewed, useMarks, type Marks } from './marks.ts';
import { inTreeOrder } from './tree.ts';
import { useDiff } from './use-diff.ts';
import { useDiscard, type Discarding } from './use-discard.ts';
import type { PatchStore, DiffState } from './patch-store.ts';

/** Where the keys act: a file, and one of its hunks. */
export interface Place {
  path: string;
  hunk: number;
}

export interface Review {
  store: PatchStore;
  diff: DiffState;
  files: readonly DiffFile[];
  views: readonly FileView[];
  marks: Marks;
  place: Place | null;
  writing: Writing | null;
  discarding: Discarding;
  viewedCount: number;
  canDiscard: boolean;
  opened: ReadonlySet<string>;
  viewed: (file: DiffFile) => boolean;
  goFile: (step: number) => void;
  goHunk: (step: number) => void;
  pick: (place: Place, reveal?: boolean) => void;
  toggleViewed: (path: string) => void;
  open: (path: string) => void;
  accept: (place: Place) => void;
  accepted: (place: Place) => boolean;
  discard: (place: Place) => void;
  write: (writing: Writing | null) => void;
  comment: (text: string) => void;
  editComment: (id: string, text: string | null) => void;
  clearComments: () => void;
}

function useMoves(
  files: readonly DiffFile[],
  diff: DiffState,
  place: Place | null,
  setPlace: (place: Place) => void,
  list: RefObject<DiffListHandle | null>,
) {
  const pick = useCallback(
    (next: Place, reveal = true) => {
      setPlace(next);
      if (!reveal) return;
      const hunk = diff.loaded.get(next.path)?.raw.hunks[next.hunk];
      if (hunk && next.hunk > 0) {
        const at = firstChange(hunk);
        list.current?.reveal(next.path, at);
      } else list.current?.reveal(next.path);
    },
    [diff.loaded, list, setPlace],
  );
  const goFile = useCallback(
    (step: number) => {
      const at = files.findIndex((file) => file.path === place?.path);
      const next = files[at < 0 ? 0 : Math.min(Math.max(at + step, 0), files.length - 1)];
      if (next) pick({ path: next.path, hunk: 0 });
    },
    [files, pick, place?.path],
  );
  const goHunk = useCallback(
    (step: number) => {
      const at = Math.max(
        0,
        files.findIndex((file) => file.path === place?.path),
      );
      const hunk = (place?.hunk ?? -1) + step;
      const file = files[at];
      if (!file) return;
      if (hunk >= 0 && hunk < (diff.loaded.get(file.path)?.raw.hunks.length ?? 0)) {
        pick({ path: file.path, hunk });
        return;
      }
      const next = files[at + step];
      if (next) pick({ path: next.path, hunk: step > 0 ? 0 : Math.max(0, (diff.loaded.get(next.path)?.raw.hunks.length ?? 1) - 1) });
    },
    [files, diff.loaded, pick, place],
  );
  return { pick, goFile, goHunk };
}

function useComments(change: (make: (marks: Marks) => Marks) => void, diff: DiffState) {
  const [writing, setWriting] = useState<Writing | null>(null);
  const comment = useCallback(
    (text: string) => {
      if (!writing) return;
      const quote = lineText(
        diff.loaded.get(writing.path)?.raw ?? { path: '', oldPath: null, head: [], hunks: [], binary: false },
        writing.side,
        writing.line,
      );
      change((marks) => ({ ...marks, comments: [...marks.comments, { ...writing, id: crypto.randomUUID(), quote, text }] }));
      setWriting(null);
    },
    [change, diff.loaded, writing],
  );
  const editComment = useCallback(
    (id: string, text: string | null) =>
      change((marks) => ({
        ...marks,
        comments:
          text === null
            ? marks.comments.filter((known) => known.id !== id)
            : marks.comments.map((known) => (known.id === id ? { ...known, text } : known)),
      })),
    [change],
  );
  const clearComments = useCallback(() => change((marks) => ({ ...marks, comments: [] })), [change]);
  return { writing, write: setWriting, comment, editComment, clearComments };
}

function useJudging(change: (make: (marks: Marks) => Marks) => void, marks: Marks, diff: DiffState, files: readonly DiffFile[]) {
  const toggleViewed = useCallback(
    (path: string) => {
      const file = files.find((known) => known.path === path);
      if (!file) return;
      change((before) => {
        const { [path]: was, ...rest } = before.viewed;
        return { ...before, viewed: was === contentOf(file) ? rest : { ...rest, [path]: contentOf(file) } };
      });
    },
    [change, files],
  );
  const keyOf = useCallback(
    (place: Place): string | null => {
      const hunk = diff.loaded.get(place.path)?.raw.hunks[place.hunk];
      return hunk ? hunkId(place.path, hunk) : null;
    },
    [diff.loaded],
  );
  const accepted = useCallback(
    (place: Place): boolean => {
      const key = keyOf(place);
      return key !== null && key in marks.accepted;
    },
    [keyOf, marks.accepted],
  );
  const accept = useCallback(
    (place: Place) => {
      const key = keyOf(place);
      if (key === null) return;
      change((before) => {
        const { [key]: was, ...rest } = before.accepted;
        return { ...before, accepted: was ? rest : { ...rest, [key]: true } };
      });
    },
    [change, keyOf],
  );
  return { toggleViewed, accepted, accept };
}

const noComments: readonly Comment[] = [];

function commentsByPath(comments: readonly Comment[]): Map<string, readonly Comment[]> {
  const byPath = new Map<string, Comment[]>();
  for (const comment of comments) byPath.set(comment.path, [...(byPath.get(comment.path) ?? []), comment]);
  return byPath;
}

/** A comment is drawn where its line still is in a hunk; the draft keeps the others. */
function shownComments(comments: readonly Comment[] | undefined, loaded: LoadedFile | undefined): readonly Comment[] {
  if (!comments || !loaded) return noComments;
  const shown = comments.filter((comment) => hunkAt(loaded.raw, comment.side, comment.line) >= 0);
  return shown.length === comments.length ? comments : shown;
}

const noFindings: readonly ShownFinding[] = [];

/** The newest review's findings by the file in whose diff they stand; dismissed ones are left out. */
function useFindings(taskId: TaskId): Map<string, readonly ShownFinding[]> {
  const review = useCore((state) => (state.board ? reviewsOf(state.board, taskId)[0] : undefined));
  return useMemo(() => {
    const byPath = new Map<string, ShownFinding[]>();
    for (const finding of review?.findings ?? [])
      if (finding.place === 'diff' && finding.state !== 'dismissed')
        byPath.set(finding.path, [...(byPath.get(finding.path) ?? []), { review: review!, finding }]);
    return byPath;
  }, [review]);
}

/** A finding is drawn where its last line still is in a hunk; the list above keeps the others. */
function shownFindings(found: readonly ShownFinding[] | undefined, loaded: LoadedFile | undefined): readonly ShownFinding[] {
  if (!found || !loaded) return noFindings;
  const shown = found.filter(({ finding }) => hunkAt(loaded.raw, 'additions', finding.endLine) >= 0);
  return shown.length === found.length ? found : shown;
}

/** Everything the review pane knows and can do, apart from how it is drawn. */
export function useReview(taskId: TaskId, scope: DiffScope, ignoreWhitespace: boolean, list: RefObject<DiffListHandle | null>): Review {
  const { store, state: diff } = useDiff(taskId, scope, ignoreWhitespace);
  const files = useMemo(() => inTreeOrder(diff.files), [diff.files]);
  const [marks, change] = useMarks(taskId);
  const [placed, setPlace] = useState<Place | null>(null);
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const first = files[0];
  const place = placed && files.some((file) => file.path === placed.path) ? placed : first ? { path: first.path, hunk: 0 } : null;
  const viewed = useCallback((file: DiffFile) => isViewed(marks, file), [marks]);
  const comments = useComments(change, diff);
  const judging = useJudging(change, marks, diff, files);
  const moves = useMoves(files, diff, place, setPlace, list);
  const reread = useCallback(() => {
    void store.read({ scope, ignoreWhitespace });
  }, [store, scope, ignoreWhitespace]);
  const discarding = useDiscard(taskId, reread);
  const [steady] = useState(viewMaker);
  const found = useFindings(taskId);
  const byPath = useMemo(() => commentsByPath(marks.comments), [marks.comments]);
  const views = useMemo(
    (): FileView[] =>
      steady(
        files.map((file) => {
          const loaded = diff.loaded.get(file.path);
          return {
            file,
            loaded,
            comments: shownComments(byPath.get(file.path), loaded),
            findings: shownFindings(found.get(file.path), loaded),
            writing: comments.writing?.path === file.path ? comments.writing : null,
            folded: viewed(file) || file.binary || (!opened.has(file.path) && (foldReason(file) !== null || (loaded?.longLine ?? false))),
          };
        }),
      ),
    [steady, files, diff.loaded, comments.writing, viewed, opened, byPath, found],
  );
  const discard = useCallback(
    (at: Place) => {
      const file = files.find((known) => known.path === at.path);
      const loaded = diff.loaded.get(at.path);
      if (file && loaded) discarding.hunk(file, loaded, at.hunk);
    },
    [files, diff.loaded, discarding],
  );
  return {
    store,
    diff,
    files,
    views,
    marks,
    place,
    discarding,
    opened,
    viewed,
    discard,
    ...comments,
    ...judging,
    ...moves,
    viewedCount: files.filter(viewed).length,
    // A patch without its white space changes doesn't fit the file.
    canDiscard: !ignoreWhitespace,
    open: useCallback((path: string) => setOpened((before) => new Set(before).add(path)), []),
  };
}
