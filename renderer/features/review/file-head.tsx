import { useEffect } from 'react';
import type { AppError, DiffFile } from '../../../agent-core/contract/index.ts';
import { Button, Diffstat, ErrorNote, IconButton, Menu, Skeleton, visibleLine } from './kit.ts';
import { foldReason, type LoadedFile } from './file-state.ts';

export interface FileHeadProps {
  file: DiffFile;
  loaded: LoadedFile | undefined;
  error: AppError | undefined;
  current: boolean;
  viewed: boolean;
  opened: boolean;
  canDiscard: boolean;
  onSeen: (path: string) => void;
  onViewed: () => void;
  onOpen: () => void;
  onRetry: () => void;
  onDiscard: () => void;
  onPick: () => void;
}

function Path({ path, oldPath }: { path: string; oldPath: string | null }) {
  const cut = path.lastIndexOf('/') + 1;
  return (
    <span className="file-path cut mono" title={visibleLine(path)}>
      {oldPath !== null && <span className="faint">{visibleLine(oldPath)} → </span>}
      <span className="muted">{visibleLine(path.slice(0, cut))}</span>
      <span className="b">{visibleLine(path.slice(cut))}</span>
    </span>
  );
}

const statusWords: Partial<Record<DiffFile['status'], string>> = {
  added: 'New',
  deleted: 'Deleted',
  renamed: 'Renamed',
  typechange: 'Changed kind',
};

/** Why no lines stand below, and how to see them. */
function Placeholder({ file, loaded, opened, onOpen }: Pick<FileHeadProps, 'file' | 'loaded' | 'opened' | 'onOpen'>) {
  const reason = foldReason(file) ?? (loaded?.longLine ? 'Very long lines' : null);
  if (loaded?.truncated)
    return <p className="file-note">This patch is too large to show here. Open the file in the worktree to read it.</p>;
  if (file.binary) return <p className="file-note">Binary file: it has no lines to show.</p>;
  if (reason && !opened)
    return (
      <p className="file-note">
        {reason}.{' '}
        <Button look="quiet" small onClick={onOpen}>
          Show it
        </Button>
      </p>
    );
  if (loaded && loaded.raw.hunks.length === 0)
    return <p className="file-note">{file.status === 'renamed' ? 'Renamed without other changes.' : 'No changed lines to show.'}</p>;
  return null;
}

/** The bar of one file in the diff. Being drawn is what asks for the file's patch. */
export function FileHead({
  file,
  loaded,
  error,
  current,
  viewed,
  opened,
  canDiscard,
  onSeen,
  onViewed,
  onOpen,
  onRetry,
  onDiscard,
  onPick,
}: FileHeadProps) {
  const wanted = !viewed && !file.binary && (opened || foldReason(file) === null);
  const { path } = file;
  useEffect(() => {
    if (wanted && !loaded && !error) onSeen(path);
  }, [wanted, loaded, error, path, onSeen]);
  const entries = [
    { id: 'viewed', title: viewed ? 'Mark as not viewed' : 'Mark as viewed', keys: 'v', run: onViewed },
    { id: 'path', title: 'Copy path', run: () => void navigator.clipboard.writeText(file.path) },
    ...(canDiscard ? [{ id: 'discard', title: 'Discard the file’s changes', danger: true, rule: true, run: onDiscard }] : []),
  ];
  return (
    <div className="file-box">
      <div className="file-head" role="group" aria-label={visibleLine(path)} aria-current={current || undefined} onClick={onPick}>
        <Path path={path} oldPath={file.oldPath} />
        <Diffstat added={file.added ?? 0} removed={file.removed ?? 0} />
        {statusWords[file.status] && <span className="xs faint">{statusWords[file.status]}</span>}
        <span className="grow" />
        <Button
          look="quiet"
          small
          icon={viewed ? 'check' : undefined}
          keys={current ? 'v' : undefined}
          aria-pressed={viewed}
          onClick={onViewed}
        >
          Viewed
        </Button>
        <Menu label="File actions" entries={entries} trigger={<IconButton icon="more" label="File actions" small />} />
      </div>
      {!viewed && error && (
        <ErrorNote
          error={error}
          actions={
            <Button small onClick={onRetry}>
              Try again
            </Button>
          }
        />
      )}
      {!viewed && !error && <Placeholder file={file} loaded={loaded} opened={opened} onOpen={onOpen} />}
      {wanted && !loaded && !error && (
        <div className="file-note">
          <Skeleton lines={3} label={`Reading ${visibleLine(path)}`} />
        </div>
      )}
    </div>
  );
}
