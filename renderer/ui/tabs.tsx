import { useRef, type KeyboardEvent, type ReactNode } from 'react';

export interface Tab {
  id: string;
  label: string;
  extra?: ReactNode;
}

/**
 * A row of tabs. `selected` may hold two ids when two panels stand side by side; panels carry
 * `id={`${idPrefix}-panel-${id}`}` and `aria-labelledby={`${idPrefix}-tab-${id}`}`.
 */
export function Tabs({
  tabs,
  selected,
  onSelect,
  label,
  idPrefix,
}: {
  tabs: readonly Tab[];
  selected: readonly string[];
  onSelect: (id: string) => void;
  label: string;
  idPrefix: string;
}) {
  const row = useRef<HTMLDivElement>(null);
  const move = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    const all = [...(row.current?.querySelectorAll<HTMLElement>('[role=tab]') ?? [])];
    const at = all.indexOf(document.activeElement as HTMLElement);
    if (!step || at < 0) return;
    event.preventDefault();
    all[(at + step + all.length) % all.length]?.focus();
  };
  return (
    <div
      className="tabs"
      role="tablist"
      aria-label={label}
      aria-multiselectable={selected.length > 1 || undefined}
      ref={row}
      onKeyDown={move}
    >
      {tabs.map((tab, index) => {
        const on = selected.includes(tab.id);
        const first = on ? selected[0] === tab.id : !selected.length && index === 0;
        return (
          <button
            key={tab.id}
            type="button"
            role="tab"
            className="tab"
            id={`${idPrefix}-tab-${tab.id}`}
            aria-controls={on ? `${idPrefix}-panel-${tab.id}` : undefined}
            aria-selected={on}
            aria-label={tab.label}
            tabIndex={first ? 0 : -1}
            onClick={() => onSelect(tab.id)}
          >
            {tab.label}
            {tab.extra}
          </button>
        );
      })}
    </div>
  );
}

/** One of a few: a radio group that looks like a switch. */
export function Segments<T extends string>({
  options,
  value,
  onChange,
  label,
}: {
  options: readonly { id: T; label: string }[];
  value: T;
  onChange: (id: T) => void;
  label: string;
}) {
  const move = (event: KeyboardEvent<HTMLDivElement>) => {
    const step = ['ArrowRight', 'ArrowDown'].includes(event.key) ? 1 : ['ArrowLeft', 'ArrowUp'].includes(event.key) ? -1 : 0;
    if (!step) return;
    event.preventDefault();
    const next = (options.findIndex((option) => option.id === value) + step + options.length) % options.length;
    onChange(options[next]!.id);
    event.currentTarget.querySelectorAll('button')[next]?.focus();
  };
  return (
    <div className="seg" role="radiogroup" aria-label={label} onKeyDown={move}>
      {options.map((option) => (
        <button
          key={option.id}
          type="button"
          role="radio"
          aria-checked={option.id === value}
          tabIndex={option.id === value ? 0 : -1}
          onClick={() => onChange(option.id)}
        >
          {option.label}
        </button>
      ))}
    </div>
  );
}
