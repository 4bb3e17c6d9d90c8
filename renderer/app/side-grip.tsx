import type { KeyboardEvent, PointerEvent } from 'react';
import { useUi } from '../state/hooks.ts';
import { ui } from '../state/ui.ts';

const MIN = 200;
const MAX = 360;
const STEP = 16;
const set = (width: number) => ui.setState({ sidebarWidth: Math.round(Math.min(MAX, Math.max(MIN, width))) });

/** The sidebar's edge: dragged, or moved with the arrow keys. */
export function SideGrip() {
  const width = useUi((state) => state.sidebarWidth);
  const drag = (event: PointerEvent<HTMLDivElement>) => {
    if (event.currentTarget.hasPointerCapture(event.pointerId)) set(event.clientX);
  };
  const press = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowLeft' ? -STEP : event.key === 'ArrowRight' ? STEP : 0;
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    set(width + step);
  };
  return (
    <div
      className="grip"
      role="separator"
      tabIndex={0}
      aria-orientation="vertical"
      aria-label="Width of the sidebar"
      aria-valuenow={width}
      aria-valuemin={MIN}
      aria-valuemax={MAX}
      style={{ left: width }}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={drag}
      onKeyDown={press}
      onDoubleClick={() => set(240)}
    />
  );
}
