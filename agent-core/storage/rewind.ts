import type { DatabaseSync } from 'node:sqlite';
import { indexStatement } from './search.ts';
import type { EventOf, Item, ThreadId, Turn, TurnId } from '../contract/index.ts';

/**
 * What the model is sent of a thread (both parameters): from the newest compaction that was not undone on. One that was
 * undone took what came before it back with it, for all rows stay where they were.
 */
export const READ_HISTORY = `
  SELECT json FROM history WHERE thread = ? AND undone IS NULL AND ord >= coalesce(
    (SELECT max(ord) FROM history WHERE thread = ? AND start = 1 AND undone IS NULL), 0)
  ORDER BY ord`;

/** Marks the rows of the turns that leave a conversation, and takes the mark from those that come back. */
export function rewindRows(db: DatabaseSync, { threadId, from, hidden, shown }: EventOf<'thread.rewound'>): void {
  if (hidden) {
    db.prepare(
      'UPDATE item SET undone = ? WHERE undone IS NULL AND turn IN (SELECT id FROM turn WHERE thread = ? AND number >= ? AND undone IS NULL)',
    ).run(hidden.id, threadId, from);
    db.prepare('UPDATE turn SET undone = ? WHERE thread = ? AND number >= ? AND undone IS NULL').run(hidden.id, threadId, from);
    db.prepare('UPDATE history SET undone = ? WHERE thread = ? AND turn >= ? AND undone IS NULL').run(hidden.id, threadId, from);
  }
  if (shown)
    for (const table of ['item', 'turn', 'history'])
      db.prepare(`UPDATE ${table} SET undone = NULL WHERE thread = ? AND undone = ?`).run(threadId, shown);
}

/** What a fork begins with. Ids are unique over all threads: each copied thing has a new one here. */
export interface ThreadCopy {
  /** Null where the history is given. */
  from: ThreadId | null;
  to: ThreadId;
  turns: ReadonlyMap<TurnId, Turn>;
  items: readonly Item[];
  /** Up to this turn, it included. */
  through: number;
  history?: readonly { turn: number | null; item: unknown }[];
}

/** Writes the copied turns and items, and copies the rows of the model's history as they stood after the turn. */
export function copyThread(db: DatabaseSync, { from, to, turns, items, through, history = [] }: ThreadCopy): void {
  const turn = db.prepare('INSERT INTO turn (id, thread, number, json) VALUES (?, ?, ?, ?)');
  for (const each of turns.values()) turn.run(each.id, to, each.number, JSON.stringify(each));
  const item = db.prepare('INSERT INTO item (id, thread, turn, json, open) VALUES (?, ?, ?, ?, 0)');
  const index = indexStatement(db);
  for (const each of items) {
    item.run(each.id, to, each.turnId, JSON.stringify(each));
    index.run(each.id);
  }
  const row = db.prepare('INSERT INTO history (thread, ord, json, turn, start) VALUES (?, ?, ?, ?, 0)');
  for (const [at, each] of history.entries()) row.run(to, at + 1, JSON.stringify(each.item), each.turn);
  if (from === null) return;
  db.prepare(
    `INSERT INTO history (thread, ord, json, turn, start)
     SELECT ?, row_number() OVER (ORDER BY ord), json, turn, 0 FROM history
     WHERE thread = ? AND undone IS NULL AND coalesce(turn, 0) <= ? AND ord >= coalesce(
       (SELECT max(ord) FROM history WHERE thread = ? AND start = 1 AND undone IS NULL AND coalesce(turn, 0) <= ?), 0)`,
  ).run(to, from, through, from, through);
}

/** A thread's items in order, from after a row on: `next` is the last row where there is more. */
export function readRows(
  db: DatabaseSync,
  threadId: ThreadId,
  after: number,
  limit: number,
): { items: Item[]; before: TurnId | null; next: number | null } {
  const rows = db
    .prepare('SELECT ord, json FROM item WHERE thread = ? AND undone IS NULL AND ord > ? ORDER BY ord LIMIT ?')
    .all(threadId, after, limit + 1) as { ord: number; json: string }[];
  const page = rows.slice(0, limit);
  const before = db
    .prepare('SELECT turn FROM item WHERE thread = ? AND undone IS NULL AND ord <= ? ORDER BY ord DESC LIMIT 1')
    .get(threadId, after) as { turn: TurnId } | undefined;
  return {
    items: page.flatMap(({ json }) => parsed(json)),
    before: before?.turn ?? null,
    next: rows.length > limit ? page.at(-1)!.ord : null,
  };
}

/** What the model is sent of a thread, in order, from after a row on. */
export function readHistoryRows(
  db: DatabaseSync,
  threadId: ThreadId,
  after: number,
  limit: number,
): { rows: { turn: number | null; item: unknown }[]; next: number | null } {
  const rows = db
    .prepare(
      `SELECT ord, turn, json FROM history WHERE thread = ? AND undone IS NULL AND ord > ? AND ord >= coalesce(
         (SELECT max(ord) FROM history WHERE thread = ? AND start = 1 AND undone IS NULL), 0) ORDER BY ord LIMIT ?`,
    )
    .all(threadId, after, threadId, limit + 1) as { ord: number; turn: number | null; json: string }[];
  const page = rows.slice(0, limit);
  return {
    rows: page.map(({ turn, json }) => ({ turn, item: JSON.parse(json) as unknown })),
    next: rows.length > limit ? page.at(-1)!.ord : null,
  };
}

function parsed(json: string): Item[] {
  try {
    return [JSON.parse(json) as Item];
  } catch {
    return [];
  }
}
