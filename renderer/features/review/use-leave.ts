import { useEffect, useRef } from 'react';
import type { TaskId } from '../../../agent-core/contract/index.ts';
import { rpc } from '../../state/store.ts';

/**
 * Tells the core, when the person leaves a task's changes, up to which tree they were shown: *since I last looked*
 * begins there the next time. A tree that came while the page was hidden counts once the page is looked at again.
 */
export function useLeave(taskId: TaskId, tree: string | null): void {
  const shown = useRef<string | null>(null);
  useEffect(() => {
    const look = () => {
      if (tree !== null && document.visibilityState === 'visible') shown.current = tree;
    };
    look();
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, [tree]);
  useEffect(() => {
    const leave = () => {
      const seen = shown.current;
      shown.current = null;
      // Who leaves because the task was deleted or the core is away loses nothing but this mark.
      if (seen !== null)
        rpc()
          .call('diff/seen', { taskId, tree: seen })
          .catch(() => {});
    };
    globalThis.addEventListener('pagehide', leave);
    return () => {
      globalThis.removeEventListener('pagehide', leave);
      leave();
    };
  }, [taskId]);
}
