import type { ReactNode } from 'react';

const dot = (cx: number, cy: number, r: number) => <circle className="f" cx={cx} cy={cy} r={r} />;

/** Every glyph is drawn on 16×16 with a 1.25 stroke in the colour of its text. */
const glyphs = {
  mark: (
    <>
      <path d="M8 14V6.5M5 14h6" />
      <rect x="5" y="1.5" width="6" height="5" rx="1" />
      <path d="M11 4h3" />
    </>
  ),
  split: (
    <>
      <rect x="2" y="3" width="12" height="10" rx="1.5" />
      <path d="M8 3v10" />
    </>
  ),
  board: (
    <>
      <rect x="2.5" y="3" width="3" height="10" rx="1" />
      <rect x="6.5" y="3" width="3" height="7" rx="1" />
      <rect x="10.5" y="3" width="3" height="4.5" rx="1" />
    </>
  ),
  chart: <path d="M2.5 13.5h11M4.5 11V7.5M8 11V3.5M11.5 11V6" />,
  inbox: (
    <>
      <path d="M2.5 9.5 4.3 4a1 1 0 0 1 1-.7h5.4a1 1 0 0 1 1 .7l1.8 5.5v2.2a1 1 0 0 1-1 1h-9a1 1 0 0 1-1-1z" />
      <path d="M2.5 9.5h3l1 1.5h3l1-1.5h3" />
    </>
  ),
  land: <path d="M8 2.5v7.5M5 7l3 3 3-3M3 13.5h10" />,
  filter: <path d="M2.5 4.5h11M4.5 8h7M6.5 11.5h3" />,
  folder: <path d="M2.5 11.7V4.3a1 1 0 0 1 1-1h2.7l1.5 1.7h4.8a1 1 0 0 1 1 1v5.7a1 1 0 0 1-1 1h-9a1 1 0 0 1-1-1z" />,
  plus: <path d="M8 3.5v9M3.5 8h9" />,
  fenceok: (
    <>
      <path d="M8 2 3 3.8v3.7c0 3 2.1 5.3 5 6.5 2.9-1.2 5-3.5 5-6.5V3.8z" />
      <path d="m5.8 7.8 1.6 1.6 2.8-3.2" />
    </>
  ),
  fencebad: (
    <>
      <path d="M8 2 3 3.8v3.7c0 3 2.1 5.3 5 6.5 2.9-1.2 5-3.5 5-6.5V3.8z" />
      <path d="M8 5v3.4" />
      {dot(8, 10.6, 0.8)}
    </>
  ),
  gear: (
    <>
      <path d="M2.5 5h6M12 5h1.5M2.5 11H4M7.5 11h6" />
      <circle cx="10.2" cy="5" r="1.7" />
      <circle cx="5.7" cy="11" r="1.7" />
    </>
  ),
  search: (
    <>
      <circle cx="7" cy="7" r="4.25" />
      <path d="m10.2 10.2 3.3 3.3" />
    </>
  ),
  approval: (
    <>
      <path d="M8 1.8 14.2 8 8 14.2 1.8 8z" />
      <path d="M8 5.4v3.2" />
      {dot(8, 10.6, 0.9)}
    </>
  ),
  plug: (
    <>
      <path d="M5.5 1.8v3M10.5 1.8v3" />
      <path d="M3.8 4.8h8.4v2.4a4.2 4.2 0 0 1-8.4 0z" />
      <path d="M8 11.4v2.8" />
    </>
  ),
  more: (
    <>
      {dot(3.5, 8, 1.1)}
      {dot(8, 8, 1.1)}
      {dot(12.5, 8, 1.1)}
    </>
  ),
  question: (
    <>
      <path d="M3.5 2.5h9a1.2 1.2 0 0 1 1.2 1.2v6.1a1.2 1.2 0 0 1-1.2 1.2H9L5.8 13.6V11H3.5a1.2 1.2 0 0 1-1.2-1.2V3.7a1.2 1.2 0 0 1 1.2-1.2z" />
      <path d="M6.6 5.6c.2-1.5 2.8-1.3 2.7.2 0 .9-1.2.9-1.3 1.8" />
      {dot(8, 9.2, 0.75)}
    </>
  ),
  failed: (
    <>
      <path d="M5.5 2h5L14 5.5v5L10.5 14h-5L2 10.5v-5z" />
      <path d="m6 6 4 4M10 6l-4 4" />
    </>
  ),
  x: <path d="m4 4 8 8M12 4l-8 8" />,
  limited: (
    <>
      <circle cx="8" cy="8" r="5.8" />
      <path d="M8 4.8V8l2.2 1.5" />
    </>
  ),
  queued: <circle cx="8" cy="8" r="5.8" strokeDasharray="2.4 2.15" />,
  unlock: (
    <>
      <rect x="3.5" y="7" width="9" height="6.5" rx="1" />
      <path d="M5.5 7V5a2.5 2.5 0 0 1 4.8-1" />
    </>
  ),
  working: <path d="M8 2.2A5.8 5.8 0 1 1 2.2 8" />,
  review: (
    <>
      <circle cx="8" cy="8" r="5.8" />
      {dot(8, 8, 2.6)}
    </>
  ),
  check: <path d="m3.5 8.5 3 3 6-7" />,
  minus: <path d="M4 8h8" />,
  merge: (
    <>
      <circle cx="4.5" cy="3.8" r="1.6" />
      <circle cx="4.5" cy="12.2" r="1.6" />
      <circle cx="11.5" cy="9.3" r="1.6" />
      <path d="M4.5 5.4v5.2M4.8 5.4c.5 2.4 2.6 3.7 5.1 3.9" />
    </>
  ),
  done: (
    <>
      <circle cx="8" cy="8" r="5.8" />
      <path d="m5.4 8.2 1.9 1.9 3.4-4" />
    </>
  ),
  left: <path d="M9.5 4.5 6 8l3.5 3.5" />,
  right: <path d="M6.5 4.5 10 8l-3.5 3.5" />,
  down: <path d="m4.5 6.5 3.5 3.5 3.5-3.5" />,
  stop: <rect x="4" y="4" width="8" height="8" rx="1" />,
  play: <path d="M5.5 3.5v9l7-4.5z" />,
  branch: (
    <>
      <circle cx="4.5" cy="3.8" r="1.6" />
      <circle cx="4.5" cy="12.2" r="1.6" />
      <circle cx="11.5" cy="5.3" r="1.6" />
      <path d="M4.5 5.4v5.2M11.5 6.9c0 2.4-3 2.1-5 3" />
    </>
  ),
  chip: (
    <>
      <rect x="4" y="4" width="8" height="8" rx="1" />
      <path d="M6.3 2v2M9.7 2v2M6.3 12v2M9.7 12v2M2 6.3h2M2 9.7h2M12 6.3h2M12 9.7h2" />
    </>
  ),
  block: (
    <>
      <circle cx="8" cy="8" r="5.5" />
      <path d="m4.2 4.2 7.6 7.6" />
    </>
  ),
  undo: <path d="M5.5 3 2.8 5.7l2.7 2.7M3 5.7h6.2a3.6 3.6 0 0 1 0 7.2H6" />,
  redo: <path d="m10.5 3 2.7 2.7-2.7 2.7M13 5.7H6.8a3.6 3.6 0 0 0 0 7.2H10" />,
  fork: (
    <>
      <circle cx="4" cy="3.5" r="1.5" />
      <circle cx="12" cy="3.5" r="1.5" />
      <circle cx="8" cy="12.5" r="1.5" />
      <path d="M4 5v1.5a2 2 0 0 0 2 2h4a2 2 0 0 0 2-2V5M8 8.5V11" />
    </>
  ),
  send: <path d="M8 13V3.5M4 7.5l4-4 4 4" />,
  file: (
    <>
      <path d="M4 2.5h5l3 3v7a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1v-9a1 1 0 0 1 1-1z" />
      <path d="M9 2.5v3h3" />
    </>
  ),
  eye: (
    <>
      <path d="M1.8 8S4 3.8 8 3.8 14.2 8 14.2 8 12 12.2 8 12.2 1.8 8 1.8 8z" />
      <circle cx="8" cy="8" r="1.8" />
    </>
  ),
  copy: (
    <>
      <rect x="5.5" y="5.5" width="8" height="8" rx="1" />
      <path d="M10.5 3.5v-.2a.8.8 0 0 0-.8-.8H3.3a.8.8 0 0 0-.8.8v6.4c0 .4.4.8.8.8h.2" />
    </>
  ),
  trash: <path d="M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.6 8.4a.8.8 0 0 0 .8.6h4.2a.8.8 0 0 0 .8-.6l.6-8.4M6.8 7v4M9.2 7v4" />,
  terminal: (
    <>
      <rect x="2" y="3" width="12" height="10" rx="1.5" />
      <path d="m4.8 6.2 2 1.8-2 1.8M8.5 10h2.7" />
    </>
  ),
  star: <path d="m8 2.6 1.6 3.4 3.7.5-2.7 2.6.7 3.7L8 11l-3.3 1.8.7-3.7L2.7 6.5l3.7-.5z" />,
  info: (
    <>
      <circle cx="8" cy="8" r="5.8" />
      <path d="M8 7.4v3.2" />
      {dot(8, 5.2, 0.8)}
    </>
  ),
  pencil: <path d="m3 13 .6-2.6 7.2-7.2a1 1 0 0 1 1.4 0l.6.6a1 1 0 0 1 0 1.4l-7.2 7.2zM9.8 4.2l2 2" />,
  external: <path d="M9.5 3h3.5v3.5M13 3 7.5 8.5M11.5 9v3a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V5.5a1 1 0 0 1 1-1h3" />,
} as const satisfies Record<string, ReactNode>;

export type IconName = keyof typeof glyphs;

/** A decorative glyph, hidden from screen readers: the words stand beside it or on its button. `small` is 12 px. */
export function Icon({ name, small, className }: { name: IconName; small?: boolean; className?: string | undefined }) {
  return (
    <svg className={`i${small ? ' i-12' : ''}${className ? ` ${className}` : ''}`} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      {glyphs[name]}
    </svg>
  );
}
