import type { Item, Turn } from '../../../agent-core/contract/index.ts';

/** A line of the conversation as it is drawn. Keys are stable, so that a row keeps its place and its open state. */
export type Row =
  | { kind: 'item'; key: string; item: Item }
  | { kind: 'tools'; key: string; items: readonly ToolItem[] }
  | { kind: 'turn-end'; key: string; turn: Turn };

export type ToolItem = Extract<Item, { type: 'command' | 'fileChange' | 'toolCall' | 'reasoning' }>;
export const isTool = (item: Item): item is ToolItem =>
  item.type === 'command' || item.type === 'fileChange' || item.type === 'toolCall' || item.type === 'reasoning';

/** Items with nothing to show: a plan that a later one of the same turn replaced, a message or summary without text. */
function hasNothing(items: readonly Item[]): Set<string> {
  const gone = new Set<string>();
  const planned = new Set<string>();
  for (const item of items.toReversed()) {
    if (item.type === 'plan') {
      if (planned.has(item.turnId)) gone.add(item.id);
      planned.add(item.turnId);
    } else if ((item.type === 'reasoning' || item.type === 'agentMessage') && item.text.trim() === '') gone.add(item.id);
  }
  return gone;
}

/** Items, runs of tool calls as one group, and the ends of turns, in the order in which they happened. */
export function rowsOf(items: readonly Item[], turns: readonly Turn[]): Row[] {
  const rows: Row[] = [];
  const gone = hasNothing(items);
  const byId = new Map(turns.map((turn) => [turn.id, turn]));
  items.forEach((item, index) => {
    const before = rows.at(-1);
    if (!gone.has(item.id)) {
      if (!isTool(item)) rows.push({ kind: 'item', key: item.id, item });
      else if (before?.kind === 'tools') rows[rows.length - 1] = { ...before, items: [...before.items, item] };
      else rows.push({ kind: 'tools', key: item.id, items: [item] });
    }
    const turn = byId.get(item.turnId);
    const last = items[index + 1]?.turnId !== item.turnId;
    if (last && turn && turn.status !== 'running') rows.push({ kind: 'turn-end', key: `end-${turn.id}`, turn });
  });
  return rows;
}
