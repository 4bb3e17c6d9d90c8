import { useEffect, useState } from 'react';

/** True once `ms` have passed: what is quick shows nothing in between. */
export function useLate(ms = 150): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), ms);
    return () => clearTimeout(timer);
  }, [ms]);
  return late;
}

/** Grey bars where text will be, only after 150 ms. */
export function Skeleton({ lines = 3, label = 'Loading' }: { lines?: number; label?: string }) {
  if (!useLate()) return null;
  return (
    <div role="status" aria-label={label} style={{ display: 'grid', gap: 8 }}>
      {Array.from({ length: lines }, (_, line) => (
        <div key={line} className="skel" style={{ width: `${90 - ((line * 23) % 45)}%` }} />
      ))}
    </div>
  );
}
