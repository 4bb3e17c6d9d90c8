import type { DatabaseSync } from 'node:sqlite';
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
  from: ThreadId;
  to: ThreadId;
  turns: ReadonlyMap<TurnId, Turn>;
  items: readonly Item[];
  /** Up to this turn, it included. */
  through: number;
}

/** Writes the copied turns and items, and copies the rows of the model's history as they stood after the turn. */
export function copyThread(db: DatabaseSync, { from, to, turns, items, through }: ThreadCopy): void {
  const turn = db.prepare('INSERT INTO turn (id, thread, number, json) VALUES (?, ?, ?, ?)');
  for (const each of turns.values()) turn.run(each.id, to, each.number, JSON.stringify(each));
  const item = db.prepare('INSERT INTO item (id, thread, turn, json, open) VALUES (?, ?, ?, ?, 0)');
  for (const each of items) item.run(each.id, to, each.turnId, JSON.stringify(each));
  db.prepare(
    `INSERT INTO history (thread, ord, json, turn, start)
     SELECT ?, row_number() OVER (ORDER BY ord), json, turn, 0 FROM history
     WHERE thread = ? AND undone IS NULL AND coalesce(turn, 0) <= ? AND ord >= coalesce(
       (SELECT max(ord) FROM history WHERE thread = ? AND start = 1 AND undone IS NULL AND coalesce(turn, 0) <= ?), 0)`,
  ).run(to, from, through, from, through);
}
