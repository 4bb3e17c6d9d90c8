import { useEffect, useState, type RefObject } from 'react';

/** Whether an element is at least this wide, px. Told when it crosses the line only. */
export function useWiderThan(element: RefObject<HTMLElement | null>, px: number): boolean {
  const [wide, setWide] = useState(true);
  useEffect(() => {
    if (!element.current) return undefined;
    const watch = new ResizeObserver(([entry]) => {
      if (entry) setWide(entry.contentRect.width >= px);
    });
    watch.observe(element.current);
    return () => watch.disconnect();
  }, [element, px]);
  return wide;
}
