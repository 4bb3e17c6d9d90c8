import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { z } from 'zod';
import { Board, emptyBoard, Settings, type StoredEvent } from '../contract/index.ts';

const kinds = [
  'projects',
  'tasks',
  'attempts',
  'workspaces',
  'threads',
  'approvals',
  'questions',
  'denials',
  'rules',
  'reviews',
  'mcpServers',
] as const;

/** Reads the board back. A row that no longer fits its schema is moved to `spoilt`; the rest loads. */
export function loadBoard(db: DatabaseSync, settings: Settings): { board: Board; spoilt: string[] } {
  const board: Record<string, unknown> = { ...emptyBoard(settings) };
  const spoilt: string[] = [];
  const select = db.prepare('SELECT id, json FROM doc WHERE kind = ?');
  const setAside = db.prepare('INSERT INTO spoilt (kind, id, json, reason, at) VALUES (?, ?, ?, ?, ?)');
  const remove = db.prepare('DELETE FROM doc WHERE kind = ? AND id = ?');
  for (const kind of kinds) {
    const schema = Board.shape[kind].valueType as z.ZodType;
    const records: Record<string, unknown> = {};
    for (const row of select.all(kind) as { id: string; json: string }[]) {
      const parsed = parseRow(schema, row.json);
      if (parsed.ok) {
        records[row.id] = parsed.value;
        continue;
      }
      setAside.run(kind, row.id, row.json, parsed.reason, Date.now());
      remove.run(kind, row.id);
      spoilt.push(`${kind}/${row.id}: ${parsed.reason}`);
    }
    board[kind] = records;
  }
  const stored = select.all('settings') as { json: string }[];
  if (stored[0]) {
    // Without those parts that are found out at each start.
    const parsed = parseRow(Settings.partial(), stored[0].json);
    if (parsed.ok) board['settings'] = { ...settings, ...(parsed.value as object) };
    else {
      setAside.run('settings', 'settings', stored[0].json, parsed.reason, Date.now());
      remove.run('settings', 'settings');
      spoilt.push(`settings: ${parsed.reason}`);
    }
  }
  return { board: board as Board, spoilt };
}

function parseRow(schema: z.ZodType, json: string): { ok: true; value: unknown } | { ok: false; reason: string } {
  try {
    const result = schema.safeParse(JSON.parse(json));
    return result.success ? { ok: true, value: result.data } : { ok: false, reason: z.prettifyError(result.error) };
  } catch (error) {
    return { ok: false, reason: String(error) };
  }
}

/** Writes the rows by which two boards differ. */
export class BoardWriter {
  readonly #put: StatementSync;
  readonly #drop: StatementSync;

  constructor(db: DatabaseSync) {
    this.#put = db.prepare('INSERT INTO doc (kind, id, json) VALUES (?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET json = excluded.json');
    this.#drop = db.prepare('DELETE FROM doc WHERE kind = ? AND id = ?');
  }

  write(before: Board, after: Board): void {
    for (const kind of kinds) {
      const was: Record<string, unknown> = before[kind];
      const is: Record<string, unknown> = after[kind];
      if (was === is) continue;
      for (const id in is) if (is[id] !== was[id]) this.#put.run(kind, id, JSON.stringify(is[id]));
      for (const id in was) if (!(id in is)) this.#drop.run(kind, id);
    }
    if (before.settings !== after.settings) this.#put.run('settings', 'settings', JSON.stringify(persistent(after.settings)));
  }
}

/** Where the key comes from and which models there are is found out afresh at each start. */
function persistent(settings: Settings): Partial<Settings> {
  const { hasKey: _hasKey, keySource: _keySource, keys: _keys, mainUrl: _mainUrl, models: _models, ...rest } = settings;
  return rest;
}

/** The log's row for an event: an item's content stands in `item`, so that it isn't written twice. */
export function logRow({ event }: StoredEvent): string {
  if (event.type === 'item.started' || event.type === 'item.updated' || event.type === 'item.completed') {
    return JSON.stringify({ type: event.type, taskId: event.taskId, itemId: event.item.id });
  }
  return JSON.stringify(event);
}
