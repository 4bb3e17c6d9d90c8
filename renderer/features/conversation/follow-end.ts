import { useCallback, useEffect, useLayoutEffect, useRef, useState, type RefObject } from 'react';

const NEAR_PX = 24;

/**
 * Keeps a scrolling list at its end while the reader is at the end, and never moves it otherwise. When something is put
 * in at the top (`topKey` changes), what is being read stays where it is.
 */
export function useFollowEnd(topKey: string | undefined): {
  box: RefObject<HTMLDivElement | null>;
  inner: RefObject<HTMLDivElement | null>;
  away: boolean;
  toEnd: () => void;
} {
  const box = useRef<HTMLDivElement>(null);
  const inner = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const [away, setAway] = useState(false);
  const before = useRef<{ key: string | undefined; height: number }>({ key: undefined, height: 0 });
  const toEnd = useCallback(() => {
    const at = box.current;
    if (!at) return;
    atEnd.current = true;
    at.scrollTop = at.scrollHeight;
    setAway(false);
  }, []);
  useEffect(() => {
    const at = box.current;
    const content = inner.current;
    if (!at || !content) return undefined;
    let last = at.scrollTop;
    // Only who scrolls up leaves the end: text that grows or wraps anew moves the end, not the reader.
    const scrolled = () => {
      const top = at.scrollTop;
      if (at.scrollHeight - top - at.clientHeight < NEAR_PX) atEnd.current = true;
      else if (top < last) atEnd.current = false;
      last = top;
      setAway(!atEnd.current);
    };
    const grown = new ResizeObserver(() => {
      if (!atEnd.current) return;
      at.scrollTop = at.scrollHeight;
    });
    grown.observe(content);
    grown.observe(at);
    at.addEventListener('scroll', scrolled, { passive: true });
    return () => {
      grown.disconnect();
      at.removeEventListener('scroll', scrolled);
    };
  }, []);
  useLayoutEffect(() => {
    const at = box.current;
    if (!at) return;
    const last = before.current;
    if (last.key !== undefined && topKey !== last.key && !atEnd.current) at.scrollTop += at.scrollHeight - last.height;
    before.current = { key: topKey, height: at.scrollHeight };
  });
  return { box, inner, away, toEnd };
}
