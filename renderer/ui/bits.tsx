import type { ReactNode } from 'react';
import { money } from './format.ts';
import { printKeys } from './keys.ts';

/** "+38 −12" with words for those who hear it; nothing at all when nothing changed. */
export function Diffstat({ added, removed }: { added: number; removed: number }) {
  if (!added && !removed) return null;
  return (
    <span className="pm" role="img" aria-label={`${added} added, ${removed} removed`}>
      {added > 0 && <span className="added">+{added}</span>}
      {removed > 0 && <span className="removed">−{removed}</span>}
    </span>
  );
}

/** US dollars, tabular; empty where the model's price isn't known. */
export function Money({ dollars, className }: { dollars: number | null; className?: string }) {
  return dollars === null ? null : <span className={className}>{money(dollars)}</span>;
}

/** A shortcut as this machine prints it: `mod+k` is ⌘K on macOS and Ctrl K elsewhere. */
export function Kbd({ keys }: { keys: string }) {
  return <kbd>{printKeys(keys)}</kbd>;
}

/** An empty state: what will be here and one action. */
export function Empty({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="empty">
      <h2>{title}</h2>
      {children && <p>{children}</p>}
      {action}
    </div>
  );
}

/** A determinate bar for work over a second; `value` is 0–1. */
export function Progress({ value, label }: { value: number; label: string }) {
  const percent = Math.round(value * 100);
  return (
    <div className="progress" role="progressbar" aria-label={label} aria-valuenow={percent} aria-valuemin={0} aria-valuemax={100}>
      <i style={{ transform: `scaleX(${value})` }} />
    </div>
  );
}
