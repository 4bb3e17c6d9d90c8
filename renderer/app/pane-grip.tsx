import type { KeyboardEvent, PointerEvent } from 'react';
import { ui } from '../state/ui.ts';

const STEP = 16;

/** The edge between two panes: dragged, or moved with the arrow keys. `from` is the pane's fixed side in px of the window. */
export function PaneGrip({
  name,
  label,
  value,
  min,
  max,
  fallback,
  rows,
  measure,
}: {
  name: string;
  label: string;
  value: number;
  min: number;
  max: number;
  fallback: number;
  /** The edge is horizontal: it changes a height. */
  rows?: boolean;
  /** The size that the pane would have with the pointer here. */
  measure: (event: { clientX: number; clientY: number }) => number;
}) {
  const set = (size: number) =>
    ui.setState(({ panes }) => ({ panes: { ...panes, [name]: Math.round(Math.min(max, Math.max(min, size))) } }));
  const drag = (event: PointerEvent<HTMLDivElement>) => {
    if (event.currentTarget.hasPointerCapture(event.pointerId)) set(measure(event));
  };
  const press = (event: KeyboardEvent) => {
    const bigger = rows ? 'ArrowUp' : 'ArrowRight';
    const smaller = rows ? 'ArrowDown' : 'ArrowLeft';
    const step = event.key === bigger ? STEP : event.key === smaller ? -STEP : 0;
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    set(value + step);
  };
  return (
    <div
      className={`pane-grip${rows ? ' grip-row' : ''}`}
      role="separator"
      tabIndex={0}
      aria-label={label}
      aria-orientation={rows ? 'horizontal' : 'vertical'}
      aria-valuenow={value}
      aria-valuemin={min}
      aria-valuemax={max}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={drag}
      onKeyDown={press}
      onDoubleClick={() => set(fallback)}
    />
  );
}
