import { useState, type KeyboardEvent } from 'react';
import type { Thread, TurnKind } from '../../../agent-core/contract/index.ts';
import { KINDS, kindOf, nextKind } from '../../state/kinds.ts';
import { speak } from '../../state/ui.ts';
import { Button, Icon, Menu } from '../../ui/index.ts';

/** What the next turn of a thread is for: what the person chose, else the same as the turn before it. */
export function useKind(thread: Thread, first: TurnKind) {
  const [chosen, setChosen] = useState<TurnKind | null>(null);
  const kind = chosen ?? (thread.turn ? (thread.turn.kind ?? 'work') : first);
  const choose = (next: TurnKind) => {
    setChosen(next);
    speak(`Next turn: ${kindOf(next).label}`);
  };
  /** ⇧Tab goes around; true when that was it. */
  const onTab = (event: KeyboardEvent): boolean => {
    if (event.key !== 'Tab' || !event.shiftKey || event.nativeEvent.isComposing) return false;
    event.preventDefault();
    choose(nextKind(kind));
    return true;
  };
  return { kind, choose, onTab, reset: () => setChosen(null) };
}

/** What the next turn is for. ⇧Tab in the field goes around. */
export function KindMenu({ kind, onKind }: { kind: TurnKind; onKind: (kind: TurnKind) => void }) {
  return (
    <Menu
      label="What the next turn is for"
      trigger={
        <Button look="quiet" small className={`kind kind-${kind}`} aria-label={`Next turn: ${kindOf(kind).label}`}>
          {kindOf(kind).label}
          <Icon name="down" />
        </Button>
      }
      entries={KINDS.map(({ id, label, hint }) => ({ id, title: `${label}: ${hint}`, checked: id === kind, run: () => onKind(id) }))}
    />
  );
}
