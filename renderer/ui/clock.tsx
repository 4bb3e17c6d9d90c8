import { useSyncExternalStore } from 'react';
import { age, moment } from './format.ts';

/**
 * One clock for every age on screen. It ticks each second while the page is visible and someone looks;
 * a label re-renders only when its own text changes, so a board of 500 cards doesn't.
 */
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();

const tick = () => {
  now = Date.now();
  for (const listener of listeners) listener();
};
const run = () => {
  clearInterval(timer);
  timer = undefined;
  if (listeners.size === 0 || document.hidden) return;
  timer = setInterval(tick, 1000);
};
if (typeof document !== 'undefined')
  document.addEventListener('visibilitychange', () => {
    tick();
    run();
  });

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (!timer) {
    now = Date.now();
    run();
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) run();
  };
}

/** The shared clock's time, for code that isn't a label. */
export const clockNow = (): number => (timer ? now : Date.now());

/** Text made from the shared clock; renders again only when the text differs. */
export function useClockText(text: (now: number) => string): string {
  return useSyncExternalStore(subscribe, () => text(clockNow()));
}

/** How long since `since`, ticking: `<Age since={task.waitingSince} prefix="waiting " />`. */
export function Age({ since, prefix = '', className }: { since: number; prefix?: string; className?: string }) {
  const text = useClockText((at) => prefix + age(at - since));
  return (
    <time className={className} dateTime={new Date(since).toISOString()}>
      {text}
    </time>
  );
}

/** A point in time: "14:20", or the day when it wasn't today. */
export function Time({ at, className }: { at: number; className?: string }) {
  const text = useClockText((today) => moment(at, today));
  return (
    <time className={className} dateTime={new Date(at).toISOString()} title={new Date(at).toLocaleString()}>
      {text}
    </time>
  );
}
