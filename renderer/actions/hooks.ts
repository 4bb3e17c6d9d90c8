import { useEffect, useSyncExternalStore } from 'react';
import type { TaskId } from '../../agent-core/contract/index.ts';
import { useCore, useUi } from '../state/hooks.ts';
import { allActions, applies, contextOf, keyHere, onActions, register, titleOf, type Action } from './registry.ts';

/** Registers actions while the component is shown. Give a stable array (module constant or `useMemo`). */
export function useActions(actions: readonly Action[]): void {
  useEffect(() => register(actions), [actions]);
}

export const useAllActions = (): readonly Action[] => useSyncExternalStore(onActions, allActions);

/** An action as a button needs it: title, first key, whether it applies now. Undefined when nobody registered it. */
export function useAction(
  id: string,
  taskId?: TaskId,
): { action: Action; title: string; keys: string | undefined; enabled: boolean } | undefined {
  const actions = useAllActions();
  useCore((state) => state.board);
  useUi((state) => state.route);
  const action = actions.find((known) => known.id === id);
  if (!action) return undefined;
  const context = contextOf(taskId);
  return { action, title: titleOf(action, context), keys: keyHere(action, context), enabled: applies(action, context) };
}
