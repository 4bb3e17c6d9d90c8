import { useEffect } from 'react';
import { useStore } from 'zustand/react';
import { useShallow } from 'zustand/react/shallow';
import type { Task, TaskId, TaskStatus, ThreadId } from '../../agent-core/contract/index.ts';
import { core, openThread, type CoreState } from './store.ts';
import type { ThreadState } from './threads.ts';
import { boardView } from './board-view.ts';
import { ui, type UiState } from './ui.ts';

/** Reads from the core's store; renders again when the selected value changed (`Object.is`). */
export const useCore = <T>(select: (state: CoreState) => T): T => useStore(core, select);
/** The same for a fresh array or object each time: compared one level deep. */
export const useCoreShallow = <T>(select: (state: CoreState) => T): T => useStore(core, useShallow(select));
export const useUi = <T>(select: (state: UiState) => T): T => useStore(ui, select);

export const useTask = (id: TaskId): Task | undefined => useCore((state) => state.board?.tasks[id]);
export const useStatus = (id: TaskId): TaskStatus | undefined =>
  useCore((state) => (state.board ? boardView(state.board).status[id] : undefined));

/** A thread's conversation, read and followed while this component is shown. Undefined for the first moment. */
export function useThread(id: ThreadId | undefined): ThreadState | undefined {
  useEffect(() => (id ? openThread(id) : undefined), [id]);
  return useCore((state) => (id ? state.threads[id] : undefined));
}
