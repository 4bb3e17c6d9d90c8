import type { TurnKind } from '../../agent-core/contract/index.ts';

/** What a turn is for, in words a person can choose by. */
export const KINDS: readonly { id: TurnKind; label: string; hint: string }[] = [
  { id: 'work', label: 'Work', hint: 'Does what you ask, as far as the mode lets it.' },
  { id: 'plan', label: 'Plan', hint: 'Only looks, and ends in a plan that you can edit and start.' },
  { id: 'ask', label: 'Ask', hint: 'Only looks, and answers about the code.' },
];
export const kindOf = (id: TurnKind): (typeof KINDS)[number] => KINDS.find((kind) => kind.id === id) ?? KINDS[0]!;
/** ⇧Tab goes around. */
export const nextKind = (id: TurnKind): TurnKind => KINDS[(KINDS.findIndex((kind) => kind.id === id) + 1) % KINDS.length]!.id;
