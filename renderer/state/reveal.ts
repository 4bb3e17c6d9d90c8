import { createStore } from 'zustand/vanilla';
import type { ItemId, ThreadId } from '../../agent-core/contract/index.ts';

/** An item that someone wants to see: the conversation that holds it shows it as soon as it can, and clears it. */
export const reveal = createStore<{ at: { threadId: ThreadId; itemId: ItemId } | null }>(() => ({ at: null }));
