import { Button } from '../../ui/index.ts';
import { hunkLabel } from './file-state.ts';
import type { RawHunk } from './patch.ts';

/** The bar above a hunk: where it stands, and what can be done with it. Only the current one prints its keys. */
export function HunkHead({
  hunk,
  number,
  of,
  current,
  accepted,
  canDiscard,
  onAccept,
  onDiscard,
  onPick,
}: {
  hunk: RawHunk;
  number: number;
  of: number;
  current: boolean;
  accepted: boolean;
  canDiscard: boolean;
  onAccept: () => void;
  onDiscard: () => void;
  onPick: () => void;
}) {
  return (
    <div
      className="hunk-head"
      role="group"
      aria-label={`Hunk ${number} of ${of}`}
      aria-current={current || undefined}
      onFocus={onPick}
      onClick={onPick}
    >
      <span className="cut">@@ {hunkLabel(hunk)}</span>
      <span className="grow" />
      <Button
        look="quiet"
        small
        icon="check"
        keys={current ? 'a' : undefined}
        aria-pressed={accepted}
        className={accepted ? 'is-accepted' : ''}
        onClick={onAccept}
      >
        {accepted ? 'Accepted' : 'Accept'}
      </Button>
      {canDiscard && (
        <Button look="quiet" small icon="undo" keys={current ? 'd' : undefined} onClick={onDiscard}>
          Discard
        </Button>
      )}
    </div>
  );
}
