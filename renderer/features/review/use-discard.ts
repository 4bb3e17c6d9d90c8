import { useCallback, useState } from 'react';
import { toAppError, type AppError, type DiffFile, type TaskId } from '../../../agent-core/contract/index.ts';
import { attempt } from '../../actions/registry.ts';
import { rpc } from '../../state/store.ts';
import { dismissToast, toast } from '../../state/ui.ts';
import { visibleLine } from '../../ui/safe-text.ts';
import type { LoadedFile } from './file-state.ts';
import { hunkPatch, patchOf, reversed, reversedHunk } from './patch.ts';

export interface Discarding {
  error: AppError | null;
  dismiss: () => void;
  hunk: (file: DiffFile, loaded: LoadedFile, index: number) => void;
  file: (file: DiffFile, loaded: LoadedFile) => void;
}

/** Takes changes back out of the worktree and offers to put them in again. `changed` is told after either. */
export function useDiscard(taskId: TaskId, changed: () => void): Discarding {
  const [error, setError] = useState<AppError | null>(null);
  const run = useCallback(
    async (patch: string, back: string | null, what: string): Promise<void> => {
      setError(null);
      try {
        await rpc().call('diff/discard', { taskId, patch });
      } catch (thrown) {
        setError(toAppError(thrown));
        return;
      }
      changed();
      if (back === null) {
        toast(`${what} discarded. A checkpoint keeps it.`);
        return;
      }
      const id = toast(`${what} discarded`, {
        action: {
          title: 'Undo',
          run: () => {
            dismissToast(id);
            void attempt(async () => {
              await rpc().call('diff/discard', { taskId, patch: back });
              changed();
            }, taskId);
          },
        },
      });
    },
    [taskId, changed],
  );
  const hunk = useCallback(
    (file: DiffFile, loaded: LoadedFile, index: number) => {
      const found = loaded.raw.hunks[index];
      if (found) void run(hunkPatch(loaded.raw, found), reversedHunk(loaded.raw, found), `Hunk ${index + 1} of ${visibleLine(file.path)}`);
    },
    [run],
  );
  const file = useCallback(
    (which: DiffFile, loaded: LoadedFile) => {
      void run(patchOf(loaded.raw), reversed(loaded.raw), `Changes of ${visibleLine(which.path)}`);
    },
    [run],
  );
  return { error, dismiss: () => setError(null), hunk, file };
}
