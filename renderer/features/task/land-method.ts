import { createStore } from 'zustand/vanilla';
import { useStore } from 'zustand/react';
import type { Landing } from '../../../agent-core/contract/index.ts';

export type Method = Landing['method'];
const store = createStore<{ method: Method }>(() => ({ method: 'merge' }));

/** The way of landing that was last chosen, for the next dialog of this window. */
export const useMethod = (): Method => useStore(store, (state) => state.method);
export const setMethod = (method: Method): void => store.setState({ method });

export const methodWords: Record<Method, { title: string; button: string; text: string }> = {
  merge: { title: 'Merge commit', button: 'Merge', text: 'Keeps the agent’s commits and joins them with a merge commit.' },
  squash: { title: 'Squash', button: 'Squash and merge', text: 'One commit with everything, with your message.' },
  rebase: { title: 'Rebase', button: 'Rebase and merge', text: 'Puts the agent’s commits on top, without a merge commit.' },
};
