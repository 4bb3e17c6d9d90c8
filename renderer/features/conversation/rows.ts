import type { Item, Turn } from '../../../agent-core/contract/index.ts';

/** A line of the conversation as it is drawn. Keys are stable, so that a row keeps its place and its open state. */
export type Row =
  | { kind: 'item'; key: string; item: Item }
  | { kind: 'tools'; key: string; items: readonly ToolItem[] }
  | { kind: 'turn-end'; key: string; turn: Turn };

export type ToolItem = Extract<Item, { type: 'command' | 'fileChange' | 'toolCall' | 'reasoning' }>;
export const isTool = (item: Item): item is ToolItem =>
  item.type === 'command' || item.type === 'fileChange' || item.type === 'toolCall' || item.type === 'reasoning';

/** A turn's plan stands where it was first made and says what it says now. */
function plansOf(items: readonly Item[]): { first: Map<string, string>; newest: Map<string, Item> } {
  const first = new Map<string, string>();
  const newest = new Map<string, Item>();
  for (const item of items) {
    if (item.type !== 'plan') continue;
    if (!first.has(item.turnId)) first.set(item.turnId, item.id);
    newest.set(item.turnId, item);
  }
  return { first, newest };
}

/** The plan in a message that its own block shows; without its tags where it has none, such as while it is written. */
const planless = new WeakMap<Item, Item>();
function withoutPlan(item: Item, drawn: ReadonlySet<string>): Item {
  if (item.type !== 'agentMessage' || !item.text.includes('<proposed_plan>')) return item;
  const known = planless.get(item);
  if (known) return known;
  const text = drawn.has(item.turnId)
    ? item.text.replaceAll(/<proposed_plan>[\s\S]*?(?:<\/proposed_plan>|$)/g, '').trim()
    : item.text.replaceAll(/<\/?proposed_plan>/g, '\n');
  const shown = { ...item, text };
  if (drawn.has(item.turnId)) planless.set(item, shown);
  return shown;
}

const isEmpty = (item: Item): boolean => (item.type === 'reasoning' || item.type === 'agentMessage') && item.text.trim() === '';

/** Calls that have not begun because a person is asked first. */
export function waitingCalls(items: readonly Item[]): ReadonlySet<string> {
  const waiting = new Set<string>();
  items.forEach((item, index) => {
    if (item.type !== 'approval' || item.decision !== 'pending') return;
    const call = items.findLast(
      (other, at) =>
        at < index &&
        isTool(other) &&
        other.type !== 'reasoning' &&
        other.turnId === item.turnId &&
        other.status === 'running' &&
        !waiting.has(other.id) &&
        (other.type !== 'command' || other.command === item.subject),
    );
    if (call) waiting.add(call.id);
  });
  return waiting;
}

/** Items, runs of tool calls as one group, and the ends of turns, in the order in which they happened. */
export function rowsOf(items: readonly Item[], turns: readonly Turn[]): Row[] {
  const rows: Row[] = [];
  const plans = plansOf(items);
  const byId = new Map(turns.map((turn) => [turn.id, turn]));
  const drawn = new Set(items.flatMap((item) => (item.type === 'proposal' ? [item.turnId as string] : [])));
  items.forEach((whole, index) => {
    const item = withoutPlan(whole, drawn);
    const before = rows.at(-1);
    if (item.type === 'plan') {
      if (plans.first.get(item.turnId) === item.id) rows.push({ kind: 'item', key: item.id, item: plans.newest.get(item.turnId) ?? item });
    } else if (!isEmpty(item)) {
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
