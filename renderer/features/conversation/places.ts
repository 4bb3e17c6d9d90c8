import { useEffect, useRef, useState, type Dispatch, type SetStateAction } from 'react';
import { useStore } from 'zustand/react';
import type { Thread } from '../../../agent-core/contract/index.ts';
import { attempt } from '../../actions/registry.ts';
import { reveal } from '../../state/reveal.ts';
import { readBackTo, trimThread } from '../../state/store.ts';
import { toast } from '../../state/ui.ts';

/** Opens an item, brings it into view and gives it the focus; a new object asks again. */
export function useShown(at: { itemId: string } | null | undefined, setOpened: Dispatch<SetStateAction<ReadonlySet<string>>>): void {
  useEffect(() => {
    if (!at) return;
    requestAnimationFrame(() => {
      setOpened((before) => new Set(before).add(at.itemId));
      const row = document.getElementById(`item-${at.itemId}`);
      row?.scrollIntoView({ block: 'center' });
      row?.querySelector('button')?.focus({ preventScroll: true });
    });
  }, [at, setOpened]);
}

/** Live, a conversation may grow for hours: at its end only so much of it is kept on the page. */
const MANY = 1200;
const ENOUGH = 600;

/** What was read back on purpose stays: that comes by whole pages, what is live one by one. */
const BY_ITSELF = 20;

export function useTrim(threadId: Thread['id'], count: number, away: boolean): void {
  const before = useRef(count);
  useEffect(() => {
    const grown = count - before.current;
    before.current = count;
    if (!away && count > MANY && grown > 0 && grown < BY_ITSELF) trimThread(threadId, ENOUGH);
  }, [threadId, count, away]);
}

/** An item that a search found, once it has been read. */
export function useRevealed(threadId: Thread['id'], ready: boolean): { itemId: string } | null {
  const at = useStore(reveal, (state) => state.at);
  const [found, setFound] = useState<{ itemId: string } | null>(null);
  useEffect(() => {
    if (!ready || at?.threadId !== threadId) return;
    reveal.setState({ at: null });
    void attempt(async () => {
      if (await readBackTo(threadId, at.itemId)) setFound({ itemId: at.itemId });
      else toast('This is not in the conversation any more: it was undone.');
    }, null);
  }, [at, threadId, ready]);
  return found;
}
