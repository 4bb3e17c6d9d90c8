import { useEffect, useMemo, useSyncExternalStore } from 'react';
import { threadOf, type DiffScope, type TaskId } from '../../../agent-core/contract/index.ts';
import { useCore } from '../../state/hooks.ts';
import { rpc } from '../../state/store.ts';
import { PatchStore, type DiffState } from './patch-store.ts';

const SETTLE_MS = 250;

/** What makes a diff old: the task's own count, the newest turn and its state, and the landing. */
const useDiffClock = (taskId: TaskId): string =>
  useCore((state) => {
    const task = state.board?.tasks[taskId];
    if (!state.board || !task) return '';
    const turn = threadOf(state.board, task)?.turn;
    return [task.diff?.files, task.diff?.added, task.diff?.removed, turn?.id, turn?.status, turn?.treeAfter, task.landing?.commit].join();
  });

/** The diff of a task in one scope, read again when it may have changed, without blanking what is shown. */
export function useDiff(taskId: TaskId, scope: DiffScope, ignoreWhitespace: boolean): { store: PatchStore; state: DiffState } {
  const store = useMemo(() => new PatchStore((method, input) => rpc().call(method, input), taskId), [taskId]);
  const state = useSyncExternalStore(store.subscribe, () => store.state);
  const clock = useDiffClock(taskId);
  useEffect(() => {
    const first = store.state.trees === null && !store.state.reading;
    const timer = setTimeout(() => void store.read({ scope, ignoreWhitespace }), first ? 0 : SETTLE_MS);
    return () => clearTimeout(timer);
  }, [store, scope, ignoreWhitespace, clock]);
  return { store, state };
}
