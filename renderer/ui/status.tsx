import { useEffect, useRef } from 'react';
import type { TaskStatus } from '../../agent-core/contract/index.ts';
import { Icon, type IconName } from './icons.tsx';
import { moment } from './format.ts';

const looks: Record<TaskStatus, { icon: IconName; label: string; tone: string }> = {
  'needs-approval': { icon: 'approval', label: 'Needs approval', tone: 's-approval' },
  'has-question': { icon: 'question', label: 'Has a question', tone: 's-question' },
  failed: { icon: 'failed', label: 'Failed', tone: 's-failed' },
  working: { icon: 'working', label: 'Working', tone: 's-working' },
  queued: { icon: 'queued', label: 'Queued', tone: 's-queued' },
  limited: { icon: 'limited', label: 'Limited', tone: 's-limited' },
  review: { icon: 'review', label: 'Ready for review', tone: 's-review' },
  done: { icon: 'done', label: 'Done', tone: 's-done' },
};

/** The eight words of UI.md as they are read out. `until` completes "Limited until 14:20". */
export function statusLabel(status: TaskStatus, until?: number | null): string {
  const { label } = looks[status];
  return status === 'limited' && until ? `${label} until ${moment(until, Date.now())}` : label;
}

const STEPS = 12;
const STEP_MS = 80;

/** A working indicator: steps 12 times a second, stops while the page is hidden or motion is unwelcome. */
export function Working({ className }: { className?: string }) {
  const ref = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    const still = matchMedia('(prefers-reduced-motion: reduce)');
    const timer = setInterval(() => {
      if (document.hidden || still.matches || !ref.current) return;
      const turn = Math.floor(Date.now() / STEP_MS) % STEPS;
      ref.current.style.transform = `rotate(${(turn * 360) / STEPS}deg)`;
    }, STEP_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <span ref={ref} className={`spin ${className ?? ''}`}>
      <Icon name="working" />
    </span>
  );
}

/** Shape, word and colour of a task's state. `quiet` keeps the word for screen readers only. */
export function StatusGlyph({ status, until, quiet }: { status: TaskStatus; until?: number | null; quiet?: boolean }) {
  const look = looks[status];
  const label = statusLabel(status, until);
  return (
    <span className={`status ${look.tone}`}>
      {status === 'working' ? <Working /> : <Icon name={look.icon} />}
      {quiet ? <span className="vh">{label}</span> : label}
    </span>
  );
}
