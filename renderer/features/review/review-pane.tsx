import { useCallback, useEffect, useEffectEvent, useMemo, useRef, useState, type ReactNode, type RefObject } from 'react';
import type { DiffScope, TaskId } from '../../../agent-core/contract/index.ts';
import { ActionButton } from '../../actions/action-button.tsx';
import { Button, ConfirmDialog, Empty, ErrorNote, IconButton, Menu, Segments, Skeleton, plural } from '../../ui/index.ts';
import { visibleLine } from '../../ui/safe-text.ts';
import { useShownTheme } from '../../ui/use-theme.ts';
import { CommentEditor, CommentNote } from './comment-note.tsx';
import { DiffList, type DiffListHandle } from './diff-list.tsx';
import type { Note } from './diff-items.ts';
import { DraftFoot } from './draft-foot.tsx';
import { FileHead } from './file-head.tsx';
import { FileTree } from './file-tree.tsx';
import { FileView } from './file-view.tsx';
import { FindingNote } from './finding-note.tsx';
import { hunkAt } from './file-state.ts';
import { HunkHead } from './hunk-head.tsx';
import { useReview, type Review } from './use-review.ts';
import { useLeave } from './use-leave.ts';
import { useReviewKeys } from './use-review-keys.ts';
import { useWiderThan } from './use-width.ts';
import './review.css';

const scopes: readonly { id: DiffScope; label: string }[] = [
  { id: 'turn', label: 'Last turn' },
  { id: 'task', label: 'Whole task' },
  { id: 'uncommitted', label: 'Uncommitted' },
  { id: 'seen', label: 'Since I last looked' },
];
const emptyWords: Record<DiffScope, [title: string, text: string]> = {
  turn: ['The last turn changed nothing', 'Whole task shows everything since the task began.'],
  task: ['No changes yet', 'What the agent changes in the worktree shows here, whoever made the edit.'],
  uncommitted: ['Everything is committed', 'Changes that are not in a commit yet show here.'],
  seen: ['Nothing new since you last looked', 'What changes after you leave this pane shows here the next time.'],
};

/** Narrower than this two columns of code are of no use. */
const SPLIT_PX = 760;

interface View {
  scope: DiffScope;
  split: boolean;
  ignoreWhitespace: boolean;
}
const kept = (name: string): boolean => {
  try {
    return localStorage.getItem(name) === 'yes';
  } catch {
    return false;
  }
};
const keep = (name: string, value: boolean): void => {
  try {
    localStorage.setItem(name, value ? 'yes' : 'no');
  } catch {
    /* for this visit only */
  }
};

function Strip({
  taskId,
  review,
  view,
  roomy,
  onView,
}: {
  taskId: TaskId;
  review: Review;
  view: View;
  roomy: boolean;
  onView: (view: View) => void;
}) {
  return (
    <div className="strip">
      <Segments label="Scope" options={scopes} value={view.scope} onChange={(scope) => onView({ ...view, scope })} />
      <span className="grow" />
      {review.files.length > 0 && (
        <span className="xs faint" aria-live="polite">
          {review.viewedCount} of {review.files.length} viewed
        </span>
      )}
      <ActionButton id="task.findings" taskId={taskId} look="quiet" small />
      <IconButton
        icon="split"
        label={view.split ? 'Show unified' : 'Show side by side'}
        aria-pressed={view.split}
        disabled={!roomy}
        onClick={() => onView({ ...view, split: !view.split })}
      />
      <Menu
        label="View options"
        trigger={<IconButton icon="more" label="View options" />}
        entries={[
          {
            id: 'white',
            title: 'Hide white space',
            checked: view.ignoreWhitespace,
            run: () => onView({ ...view, ignoreWhitespace: !view.ignoreWhitespace }),
          },
          { id: 'split', title: 'Side by side', checked: view.split, run: () => onView({ ...view, split: !view.split }) },
        ]}
      />
    </div>
  );
}

function Notes({ review, path, note }: { review: Review; path: string; note: Note }) {
  const loaded = review.diff.loaded.get(path);
  if (note.kind === 'comment') {
    return (
      <CommentNote
        comment={note.comment}
        onEdit={(text) => review.editComment(note.comment.id, text)}
        onRemove={() => review.editComment(note.comment.id, null)}
      />
    );
  }
  if (note.kind === 'finding') return <FindingNote review={note.review} finding={note.finding} />;
  if (note.kind === 'write')
    return <CommentEditor side={note.side} line={note.line} text="" onCancel={() => review.write(null)} onSave={review.comment} />;
  const hunk = loaded?.raw.hunks[note.index];
  if (!hunk) return null;
  const place = { path, hunk: note.index };
  return (
    <HunkHead
      hunk={hunk}
      number={note.index + 1}
      of={loaded.raw.hunks.length}
      canDiscard={review.canDiscard}
      current={review.place?.path === path && review.place.hunk === note.index}
      accepted={review.accepted(place)}
      onAccept={() => review.accept(place)}
      onDiscard={() => review.discard(place)}
      onPick={() => review.pick(place, false)}
    />
  );
}

function Lines({
  review,
  list,
  view,
  onDiscardFile,
}: {
  review: Review;
  list: RefObject<DiffListHandle | null>;
  view: View;
  onDiscardFile: (path: string) => void;
}) {
  const theme = useShownTheme();
  const byPath = useMemo(() => new Map(review.files.map((file) => [file.path, file])), [review.files]);
  const { store } = review;
  const seen = useCallback((path: string) => store.want([path]), [store]);
  const head = (path: string) => {
    const file = byPath.get(path);
    if (!file) return null;
    const loaded = review.diff.loaded.get(path);
    return (
      <FileHead
        file={file}
        loaded={loaded}
        error={review.diff.failed.get(path)}
        viewed={review.viewed(file)}
        opened={review.opened.has(path)}
        current={review.place?.path === path}
        canDiscard={review.canDiscard && loaded !== undefined && !file.binary}
        onSeen={seen}
        onViewed={() => review.toggleViewed(path)}
        onOpen={() => {
          review.open(path);
          seen(path);
        }}
        onRetry={() => store.retry(path)}
        onDiscard={() => onDiscardFile(path)}
        onPick={() => review.pick({ path, hunk: review.place?.path === path ? review.place.hunk : 0 }, false)}
      />
    );
  };
  return (
    <DiffList
      ref={list}
      views={review.views}
      split={view.split}
      theme={theme}
      renderHead={head}
      renderNote={(path, note) => <Notes review={review} path={path} note={note} />}
      onComment={review.write}
    />
  );
}

function Body({ taskId, review, list, view }: { taskId: TaskId; review: Review; list: RefObject<DiffListHandle | null>; view: View }) {
  const [asked, setAsked] = useState<string | null>(null);
  const { diff } = review;
  const file = review.files.find((known) => known.path === asked);
  const discardFile = () => {
    const loaded = asked === null ? undefined : diff.loaded.get(asked);
    if (file && loaded) review.discarding.file(file, loaded);
  };
  if (diff.error && diff.trees === null) {
    return (
      <div className="review-note">
        <ErrorNote
          error={diff.error}
          actions={
            <Button small onClick={() => void review.store.read(view)}>
              Try again
            </Button>
          }
        />
      </div>
    );
  }
  if (diff.trees === null)
    return (
      <div className="review-note">
        <Skeleton lines={8} label="Reading the changes" />
      </div>
    );
  if (review.files.length === 0) return <Empty title={emptyWords[view.scope][0]}>{emptyWords[view.scope][1]}</Empty>;
  return (
    <>
      {diff.error && (
        <div className="review-note">
          <ErrorNote
            error={diff.error}
            actions={
              <Button small onClick={() => void review.store.read(view)}>
                Try again
              </Button>
            }
          />
        </div>
      )}
      {review.discarding.error && (
        <div className="review-note">
          <ErrorNote error={review.discarding.error} onDismiss={review.discarding.dismiss} />
        </div>
      )}
      <div className="review">
        <nav className="tree" aria-label="Files">
          <FileTree
            files={review.files}
            current={review.place?.path ?? null}
            isViewed={review.viewed}
            onPick={(path) => review.pick({ path, hunk: 0 })}
          />
          <DraftFoot taskId={taskId} comments={review.marks.comments} onSent={review.clearComments} />
        </nav>
        <section className="file" aria-label="Diff">
          <Lines review={review} list={list} view={view} onDiscardFile={setAsked} />
        </section>
      </div>
      <ConfirmDialog
        open={asked !== null}
        danger
        title="Discard the file’s changes?"
        action={`Discard ${visibleLine(asked?.slice(asked.lastIndexOf('/') + 1) ?? '')}`}
        onClose={() => setAsked(null)}
        onConfirm={discardFile}
      >
        <p className="muted">{visibleLine(asked ?? '')} goes back to what it was. A checkpoint is made first, and Undo follows.</p>
      </ConfirmDialog>
    </>
  );
}

/** A place to be seen; a new object asks again. */
interface Reveal {
  path: string;
  line?: number | undefined;
}

/** What was asked to be seen: in the diff where its lines are there, else the file itself. */
function useReveal(reveal: Reveal | null | undefined, review: Review, list: RefObject<DiffListHandle | null>) {
  const [file, setFile] = useState<Reveal | null>(null);
  const [asked, setAsked] = useState<Reveal | null>(null);
  useEffect(() => setAsked(reveal ?? null), [reveal]);
  const { store, diff, files } = review;
  const settled = diff.trees !== null && !diff.reading;
  const inDiff = asked !== null && files.some(({ path }) => path === asked.path);
  const loaded = asked ? diff.loaded.get(asked.path) : undefined;
  const go = useEffectEvent(() => {
    if (!asked) return;
    const hunk = asked.line && loaded ? hunkAt(loaded.raw, 'additions', asked.line) : 0;
    if (!inDiff || hunk < 0) setFile(asked);
    else {
      setFile(null);
      review.pick({ path: asked.path, hunk }, asked.line === undefined);
      if (asked.line !== undefined) list.current?.reveal(asked.path, { side: 'additions', line: asked.line });
    }
    setAsked(null);
  });
  const wanted = asked?.line !== undefined && inDiff && !loaded && !diff.failed.has(asked.path);
  useEffect(() => {
    if (wanted && asked) store.want([asked.path]);
    else if (settled) go();
  }, [asked, settled, wanted, store]);
  return { file, close: () => setFile(null) };
}

/** A task's changes, as git's trees tell them: read, judged hunk by hunk, commented and sent back to the agent. */
export function ReviewPane({ taskId, reveal, above }: { taskId: TaskId; reveal?: Reveal | null; above?: ReactNode }) {
  const [view, setView] = useState<View>(() => ({ scope: 'task', split: kept('signalbox.diff.split'), ignoreWhitespace: false }));
  const list = useRef<DiffListHandle>(null);
  const review = useReview(taskId, view.scope, view.ignoreWhitespace, list);
  const change = (next: View) => {
    if (next.split !== view.split) keep('signalbox.diff.split', next.split);
    setView(next);
  };
  useReviewKeys(review);
  useLeave(taskId, review.diff.trees?.to ?? null);
  const pane = useRef<HTMLElement>(null);
  const roomy = useWiderThan(pane, SPLIT_PX);
  const { file, close } = useReveal(reveal, review, list);
  return (
    <section className="changes-pane" ref={pane} data-scope="review" aria-label={`Changes, ${plural(review.files.length, 'file')}`}>
      <Strip taskId={taskId} review={review} view={view} roomy={roomy} onView={change} />
      {above}
      {file ? (
        <FileView taskId={taskId} path={file.path} line={file.line} onClose={close} />
      ) : (
        <Body taskId={taskId} review={review} list={list} view={roomy ? view : { ...view, split: false }} />
      )}
    </section>
  );
}
