import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Item, ThreadId } from '../contract/index.ts';

/** Of an output so much is found by its words: the head, where the command says what it does. */
const OUTPUT = 4000;

/** What a person may look for in an item, as SQL over its JSON. */
const TEXT = `concat_ws(char(10), json_extract(json, '$.text'), json_extract(json, '$.command'), json_extract(json, '$.subject'),
  json_extract(json, '$.answer'), json_extract(json, '$.name'), substr(json_extract(json, '$.arguments'), 1, ${OUTPUT}),
  json_extract(json, '$.changes'), json_extract(json, '$.steps'), substr(json_extract(json, '$.output'), 1, ${OUTPUT}))`;

/** The index of the words of all conversations. It holds no text: that stands in the items, whose row numbers it has. */
export const SEARCH_MIGRATION = `
  CREATE VIRTUAL TABLE item_text USING fts5(text, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2');
  INSERT INTO item_text (rowid, text) SELECT ord, ${TEXT} FROM item WHERE open = 0 AND json_valid(json);
`;

/** Takes an item that has ended into the index, in its newest form. */
export const indexStatement = (db: DatabaseSync): StatementSync =>
  db.prepare(`INSERT OR REPLACE INTO item_text (rowid, text) SELECT ord, ${TEXT} FROM item WHERE id = ?`);

export const forgetStatement = (db: DatabaseSync): StatementSync =>
  db.prepare('DELETE FROM item_text WHERE rowid IN (SELECT ord FROM item WHERE thread = ?)');

/** The words of a query, each to be found as it is; the last may be the beginning of one. Null where there are none. */
export function matchOf(query: string): string | null {
  const words = query.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word));
  if (!words.length) return null;
  return words.map((word, at) => `"${word.replaceAll('"', '""')}"${at === words.length - 1 ? '*' : ''}`).join(' ');
}

/** Items in which all the words are, the newest first; of one thread or of all. What was undone is not found. */
export function searchItems(db: DatabaseSync, query: string, threadId: ThreadId | undefined, limit: number): Item[] {
  const match = matchOf(query);
  if (!match) return [];
  const rows = db
    .prepare(
      `SELECT item.json FROM item_text JOIN item ON item.ord = item_text.rowid
       WHERE item_text MATCH ? AND item.undone IS NULL ${threadId ? 'AND item.thread = ?' : ''}
       ORDER BY item_text.rowid DESC LIMIT ?`,
    )
    .all(...(threadId ? [match, threadId, limit] : [match, limit])) as { json: string }[];
  return rows.map(({ json }) => JSON.parse(json) as Item);
}
