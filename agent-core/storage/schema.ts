import type { DatabaseSync } from 'node:sqlite';
import { SEARCH_MIGRATION } from './search.ts';
import { Failure } from '../contract/index.ts';

/** The form of the day's accounts, filled from the events. A migration: never edit it. */
export const spend = `
  CREATE TABLE IF NOT EXISTS spend (day TEXT NOT NULL, project TEXT NOT NULL, name TEXT NOT NULL, task TEXT NOT NULL, model TEXT NOT NULL,
    requests INTEGER NOT NULL, input REAL NOT NULL, cached REAL NOT NULL, output REAL NOT NULL, reasoning REAL NOT NULL,
    cost REAL NOT NULL, unpriced REAL NOT NULL, PRIMARY KEY (day, task, model)) STRICT, WITHOUT ROWID;
  INSERT OR IGNORE INTO spend
    SELECT date(e.at / 1000, 'unixepoch', 'localtime') AS d, json_extract(t.json, '$.projectId'), coalesce(json_extract(p.json, '$.name'), ''),
      t.id, json_extract(t.json, '$.model'), count(*), sum(json_extract(e.json, '$.usage.inputTokens')),
      sum(json_extract(e.json, '$.usage.cachedTokens')), sum(json_extract(e.json, '$.usage.outputTokens')),
      sum(json_extract(e.json, '$.usage.reasoningTokens')), sum(coalesce(json_extract(e.json, '$.usage.cost'), 0)),
      sum(CASE WHEN json_extract(e.json, '$.usage.cost') IS NULL
        THEN json_extract(e.json, '$.usage.inputTokens') + json_extract(e.json, '$.usage.outputTokens') ELSE 0 END)
    FROM event e JOIN doc t ON t.kind = 'tasks' AND t.id = json_extract(e.json, '$.taskId')
      LEFT JOIN doc p ON p.kind = 'projects' AND p.id = json_extract(t.json, '$.projectId')
    WHERE e.type = 'turn.spent' AND json_valid(e.json) AND json_valid(t.json) GROUP BY d, t.id;
`;

/**
 * Migrations in order; the database's `user_version` counts those that ran. Never edit one that shipped.
 * `event` is the ordered history. `doc` holds the board's projection, a row for each thing. Items stand once, in `item`:
 * the log's `item.*` rows name them. `history` is what the model is sent. `intent` is the outbox.
 */
const migrations: readonly string[] = [
  `
  CREATE TABLE event (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, type TEXT NOT NULL, json TEXT NOT NULL) STRICT;
  CREATE TABLE doc (kind TEXT NOT NULL, id TEXT NOT NULL, json TEXT NOT NULL, PRIMARY KEY (kind, id)) STRICT, WITHOUT ROWID;
  CREATE TABLE item (ord INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, thread TEXT NOT NULL, turn TEXT NOT NULL, json TEXT NOT NULL) STRICT;
  CREATE INDEX item_by_thread ON item (thread, ord);
  CREATE INDEX item_by_turn ON item (turn, ord);
  CREATE TABLE turn (id TEXT PRIMARY KEY, thread TEXT NOT NULL, number INTEGER NOT NULL, json TEXT NOT NULL) STRICT;
  CREATE INDEX turn_by_thread ON turn (thread, number);
  CREATE TABLE history (thread TEXT NOT NULL, ord INTEGER NOT NULL, json TEXT NOT NULL, PRIMARY KEY (thread, ord)) STRICT, WITHOUT ROWID;
  CREATE TABLE intent (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, task TEXT NOT NULL, json TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
  CREATE TABLE spoilt (kind TEXT NOT NULL, id TEXT NOT NULL, json TEXT NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
  `,
  // Which items have no end yet, found without reading all of them.
  `
  ALTER TABLE item ADD COLUMN open INTEGER NOT NULL DEFAULT 0;
  UPDATE item SET open = 1 WHERE json_valid(json) AND json_extract(json, '$.endedAt') IS NULL;
  CREATE INDEX item_open ON item (thread) WHERE open = 1;
  `,
  // What the model is sent knows its turn, and a compaction begins it anew (`start`) without losing what was there.
  // What a person took back stays, marked with the undo's id.
  `
  ALTER TABLE history ADD COLUMN turn INTEGER;
  ALTER TABLE history ADD COLUMN start INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE history ADD COLUMN undone TEXT;
  ALTER TABLE item ADD COLUMN undone TEXT;
  ALTER TABLE turn ADD COLUMN undone TEXT;
  CREATE INDEX history_start ON history (thread, ord) WHERE start = 1;
  CREATE INDEX history_undone ON history (thread, undone) WHERE undone IS NOT NULL;
  CREATE INDEX item_undone ON item (thread, undone) WHERE undone IS NOT NULL;
  `,
  // The day's accounts, which outlive the tasks; what was spent before is counted as far as its tasks are there.
  spend,
  SEARCH_MIGRATION,
];

/** Brings a database to this version's form. Throws a `Failure` when it was written by a newer Signalbox. */
export function migrate(db: DatabaseSync): void {
  const row = db.prepare('PRAGMA user_version').get() as { user_version: number };
  if (row.user_version > migrations.length) {
    throw new Failure(
      'unsupported-version',
      `This data was written by a newer Signalbox (form ${row.user_version}, this one reads ${migrations.length}).`,
      {
        fix: 'Update Signalbox, or start it with another SIGNALBOX_HOME.',
      },
    );
  }
  for (let version = row.user_version; version < migrations.length; version++) {
    db.exec('BEGIN IMMEDIATE');
    try {
      db.exec(migrations[version]!);
      db.exec(`PRAGMA user_version = ${version + 1}`);
      db.exec('COMMIT');
    } catch (error) {
      db.exec('ROLLBACK');
      throw error;
    }
  }
}
