import { useEffect, useState } from 'react';
import { toAppError, type AppError, type LandPreview, type TaskId } from '../../../agent-core/contract/index.ts';
import { rpc } from '../../state/store.ts';
import { useCore } from '../../state/hooks.ts';

/** What landing a task would do now; read again when its diff, its state or what landed elsewhere changes. */
export function usePreview(taskId: TaskId): { preview: LandPreview | null; error: AppError | null } {
  const stamp = useCore(({ board }) => {
    const task = board?.tasks[taskId];
    const landed = Object.values(board?.tasks ?? {}).filter((other) => other.projectId === task?.projectId && other.landing).length;
    return `${task?.diff?.added ?? 0}/${task?.diff?.removed ?? 0}/${task?.phase ?? ''}/${landed}`;
  });
  const [state, setState] = useState<{ preview: LandPreview | null; error: AppError | null }>({ preview: null, error: null });
  useEffect(() => {
    let live = true;
    rpc()
      .call('land/preview', { taskId })
      .then(
        (preview) => {
          if (live) setState({ preview, error: null });
        },
        (thrown: unknown) => {
          if (live) setState({ preview: null, error: toAppError(thrown) });
        },
      );
    return () => {
      live = false;
    };
  }, [taskId, stamp]);
  return state;
}

export type Method = 'merge' | 'squash' | 'rebase';
export const METHODS: readonly { id: Method; label: string; hint: string }[] = [
  { id: 'merge', label: 'Merge', hint: 'A merge commit; every commit of the task stays.' },
  { id: 'squash', label: 'Squash', hint: 'One new commit with the whole change.' },
  { id: 'rebase', label: 'Rebase', hint: 'The task’s commits on top of the base, in a straight line.' },
];
