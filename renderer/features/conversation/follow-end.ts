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
    let programmatic = 0;
    const scrolled = () => {
      if (performance.now() < programmatic) return;
      atEnd.current = at.scrollHeight - at.scrollTop - at.clientHeight < NEAR_PX;
      setAway(!atEnd.current);
    };
    const grown = new ResizeObserver(() => {
      if (!atEnd.current) return;
      programmatic = performance.now() + 50;
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
