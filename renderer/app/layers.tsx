import { useState } from 'react';
import type { TaskId } from '../../agent-core/contract/index.ts';
import { attempt } from '../actions/registry.ts';
import { archiveTasks, deleteTasks, purgeTasks } from '../actions/task.ts';
import { ComposeDialog } from '../features/compose/compose-dialog.tsx';
import { ReviewDialog } from '../features/findings/review-dialog.tsx';
import { MergeDialog } from '../features/landing/merge-dialog.tsx';
import { ModeDialog } from '../features/gates/mode-dialog.tsx';
import { FolderDialog } from '../features/sidebar/folder-dialog.tsx';
import { BudgetDialog } from '../features/task/budget-bar.tsx';
import { SearchDialog } from '../features/transcript/search-dialog.tsx';
import { ContextDialog } from '../features/task/context-dialog.tsx';
import { useCore, useUi } from '../state/hooks.ts';
import { core, rpc } from '../state/store.ts';
import { closeLayer, ui } from '../state/ui.ts';
import { Button, ConfirmDialog, Dialog, Field } from '../ui/index.ts';
import { KeysDialog } from './keys-dialog.tsx';
import { Palette } from './palette.tsx';

/** "the task “…”" or "3 tasks": what a dialog is about. */
function Names({ ids }: { ids: readonly TaskId[] }) {
  const board = useCore((state) => state.board);
  return ids.length === 1 ? <>“{board?.tasks[ids[0]!]?.title}”</> : <>{ids.length} tasks</>;
}

const count = (ids: readonly TaskId[], verb: string) => `${verb} ${ids.length === 1 ? 'task' : `${ids.length} tasks`}`;
const running = (ids: readonly TaskId[]) => {
  const { board } = core.getState();
  return ids.filter((id) => Object.values(board?.threads ?? {}).some((thread) => thread.taskId === id && thread.turn?.status === 'running'))
    .length;
};

function Rename({ taskId }: { taskId: TaskId }) {
  const [title, setTitle] = useState(core.getState().board?.tasks[taskId]?.title ?? '');
  const save = () => {
    if (!title.trim()) return;
    closeLayer();
    void attempt(() => rpc().call('task/rename', { taskId, title: title.trim() }), taskId);
  };
  return (
    <Dialog
      open
      onClose={closeLayer}
      title="Rename"
      foot={
        <>
          <Button onClick={closeLayer}>Cancel</Button>
          <Button look="fill" onClick={save} disabled={!title.trim()}>
            Rename
          </Button>
        </>
      }
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          save();
        }}
      >
        <Field label="Title">
          {(props) => (
            <input
              {...props}
              className="input"
              value={title}
              maxLength={200}
              onChange={(event) => setTitle(event.target.value)}
              onFocus={(event) => event.target.select()}
            />
          )}
        </Field>
      </form>
    </Dialog>
  );
}

const done = (work: Promise<boolean>) => void work.then(() => ui.setState({ selected: [] }));

/** The one layer that is open, if any. */
export function Layers() {
  const layer = useUi((state) => state.layer);
  const ready = useCore((state) => state.board !== null);
  if (!layer || !ready) return null;
  switch (layer.kind) {
    case 'palette':
      return <Palette />;
    case 'keys':
      return <KeysDialog />;
    case 'search':
      return <SearchDialog taskId={layer.taskId} />;
    case 'compose':
      return <ComposeDialog projectId={layer.projectId} prompt={layer.prompt} />;
    case 'folder':
      return <FolderDialog />;
    case 'merge':
      return <MergeDialog taskId={layer.taskId} {...(layer.method ? { method: layer.method } : {})} />;
    case 'review':
      return <ReviewDialog taskId={layer.taskId} />;
    case 'budget':
      return <BudgetDialog taskId={layer.taskId} />;
    case 'mode':
      return <ModeDialog taskId={layer.taskId} />;
    case 'terminal-outside':
      return null;
    case 'context':
      return <ContextDialog taskId={layer.taskId} />;
    case 'rename':
      return <Rename taskId={layer.taskId} />;
    case 'confirm-delete':
      return (
        <ConfirmDialog
          open
          danger
          onClose={closeLayer}
          title={`${count(layer.taskIds, 'Delete')}?`}
          action={count(layer.taskIds, 'Delete')}
          onConfirm={() => done(attempt(() => deleteTasks(layer.taskIds), layer.taskIds[0] ?? null))}
        >
          <p>
            <Names ids={layer.taskIds} /> {layer.taskIds.length === 1 ? 'goes' : 'go'} to the trash with the whole worktree, ignored files
            included. You can restore {layer.taskIds.length === 1 ? 'it' : 'them'} from there.
          </p>
          {running(layer.taskIds) > 0 && <p className="muted">What is running there is stopped.</p>}
        </ConfirmDialog>
      );
    case 'confirm-purge':
      return (
        <ConfirmDialog
          open
          danger
          onClose={closeLayer}
          title={`${count(layer.taskIds, 'Delete')} forever?`}
          action={`${count(layer.taskIds, 'Delete')} forever`}
          onConfirm={() => done(attempt(() => purgeTasks(layer.taskIds), null))}
        >
          <p>
            <Names ids={layer.taskIds} />: the conversation, the worktree and its checkpoints are removed from this disk. This can’t be
            undone. Commits on the branch stay in your repository.
          </p>
        </ConfirmDialog>
      );
    case 'confirm-archive':
      return (
        <ConfirmDialog
          open
          onClose={closeLayer}
          title={`${count(layer.taskIds, 'Archive')}?`}
          action={count(layer.taskIds, 'Archive')}
          onConfirm={() => done(attempt(() => archiveTasks(layer.taskIds), layer.taskIds[0] ?? null))}
        >
          <p>
            <Names ids={layer.taskIds} /> {layer.taskIds.length === 1 ? 'moves' : 'move'} to Done without being merged. The branch and the
            worktree stay as they are.
          </p>
        </ConfirmDialog>
      );
  }
}
