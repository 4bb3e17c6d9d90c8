import { DatabaseSync, type StatementSync } from 'node:sqlite';
import {
  Failure,
  Item,
  Turn,
  project,
  type Board,
  type DomainEvent,
  type ItemId,
  type Settings,
  type StoredEvent,
  type ThreadId,
  type TurnId,
  type UndoId,
} from '../contract/index.ts';
import { disposable, type Disposable } from '../support/disposable.ts';
import { mend } from './mend.ts';
import { migrate } from './schema.ts';
import { BoardWriter, loadBoard, logRow } from './projection.ts';
import { Intent, type OpenIntent } from './intents.ts';
import { Spend } from './spend.ts';
import { forgetStatement, indexStatement, searchItems } from './search.ts';
import { copyThread, READ_HISTORY, readHistoryRows, readRows, rewindRows, type ThreadCopy } from './rewind.ts';

/** What is written together or not at all. */
export interface Batch {
  events?: readonly DomainEvent[];
  /** Adds to, or with `replace` replaces, what the model is sent for this thread. It belongs to the thread's newest turn. */
  history?: { threadId: ThreadId; items: readonly unknown[]; replace?: boolean };
  intents?: readonly Intent[];
  /** Intents whose outcome these events tell. */
  done?: readonly number[];
  /** A thread whose items, turns and history go for good. */
  forget?: ThreadId;
  /** A new thread gets a copy of another's conversation, up to a turn. */
  copy?: ThreadCopy;
}

export interface Committed {
  events: readonly StoredEvent[];
  intents: readonly OpenIntent[];
}

interface Waiting {
  batch: Batch;
  stored: StoredEvent[];
  intents: OpenIntent[];
  before: Board;
  after: Board;
  resolve: (done: Committed) => void;
  reject: (error: unknown) => void;
}

/**
 * The event log with its projections and its outbox, in SQLite (WAL, synchronous=FULL).
 * `commit` takes effect in memory at once, so that the next decision sees it, and resolves once it is on disk:
 * all batches of one turn of the event loop share a transaction. Listeners hear only what is durable.
 * When a write fails, everything not yet durable is undone in memory too and each `commit` rejects.
 */
export class Store {
  readonly #db: DatabaseSync;
  readonly #writer: BoardWriter;
  readonly #sql: ReturnType<typeof statements>;
  /** The day's accounts. */
  readonly spend: Spend;
  readonly #listeners = new Set<(events: readonly StoredEvent[]) => void>();
  readonly spoilt: readonly string[];
  #board: Board;
  #durable: { board: Board; seq: number };
  #seq: number;
  #intent: number;
  #waiting: Waiting[] = [];
  #scheduled = false;
  #closed = false;

  /** Opens or makes the database. Throws a `Failure` when it can't be read, or is a newer version's. */
  constructor(file: string, settings: Settings) {
    this.#db = openDatabase(file);
    migrate(this.#db);
    this.#writer = new BoardWriter(this.#db);
    this.#sql = statements(this.#db);
    this.spend = new Spend(this.#db);
    const loaded = loadBoard(this.#db, settings);
    this.#board = mend(this.#db, loaded.board, loaded.spoilt);
    this.spoilt = loaded.spoilt;
    this.#seq = (this.#sql.lastSeq.get() as { seq: number | null }).seq ?? 0;
    this.#intent = (this.#sql.lastIntent.get() as { id: number | null }).id ?? 0;
    this.#durable = { board: this.#board, seq: this.#seq };
  }

  /** The board as decided, some of it perhaps not on disk yet. Decide from this one. */
  get board(): Board {
    return this.#board;
  }
  /** The board that is on disk, and the number of its last event. Tell others this one. */
  get durable(): { board: Board; seq: number } {
    return this.#durable;
  }

  /** The connection itself, for back-ups and for tests of its limits. */
  get database(): DatabaseSync {
    return this.#db;
  }

  commit(batch: Batch): Promise<Committed> {
    if (this.#closed) return Promise.reject(new Failure('internal', 'The store is closed.'));
    const at = Date.now();
    const before = this.#board;
    const stored = (batch.events ?? []).map((event): StoredEvent => ({ seq: ++this.#seq, at, event }));
    for (const event of stored) this.#board = project(this.#board, event);
    const intents = (batch.intents ?? []).map((intent): OpenIntent => ({ ...intent, id: ++this.#intent }));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ batch, stored, intents, before, after: this.#board, resolve, reject });
      if (this.#scheduled) return;
      this.#scheduled = true;
      setImmediate(() => this.#flush());
    });
  }

  onEvents(listener: (events: readonly StoredEvent[]) => void): Disposable {
    this.#listeners.add(listener);
    return disposable(() => this.#listeners.delete(listener));
  }

  #flush(): void {
    this.#scheduled = false;
    const group = this.#waiting;
    if (!group.length) return;
    this.#waiting = [];
    try {
      this.#db.exec('BEGIN IMMEDIATE');
      for (const entry of group) this.#write(entry);
      this.#db.exec('COMMIT');
    } catch (error) {
      this.#undo(group, error);
      return;
    }
    const events = group.flatMap((entry) => entry.stored);
    this.#durable = { board: group[group.length - 1]!.after, seq: events.at(-1)?.seq ?? this.#durable.seq };
    if (events.length) for (const listener of this.#listeners) listener(events);
    for (const entry of group) entry.resolve({ events: entry.stored, intents: entry.intents });
  }

  #undo(group: Waiting[], error: unknown): void {
    try {
      this.#db.exec('ROLLBACK');
    } catch {
      /* no transaction was open */
    }
    const all = [...group, ...this.#waiting];
    this.#waiting = [];
    this.#board = this.#durable.board;
    this.#seq = this.#durable.seq;
    const failure = storageFailure(error);
    for (const entry of all) entry.reject(failure);
  }

  #write({ batch, stored, intents, before, after }: Waiting): void {
    const sql = this.#sql;
    for (const entry of stored) {
      const { event } = entry;
      sql.event.run(entry.seq, entry.at, event.type, logRow(entry));
      if (event.type === 'item.started' || event.type === 'item.updated' || event.type === 'item.completed') {
        sql.item.run(
          event.item.id,
          event.item.threadId,
          event.item.turnId,
          JSON.stringify(event.item),
          event.item.endedAt === null ? 1 : 0,
        );
        if (event.item.endedAt !== null) sql.indexItem.run(event.item.id);
      } else if (event.type === 'turn.spent') this.spend.record(entry.at, event, after);
      else if (event.type === 'turn.started' || event.type === 'turn.updated' || event.type === 'turn.ended') {
        sql.turn.run(event.turn.id, event.turn.threadId, event.turn.number, JSON.stringify(event.turn));
      } else if (event.type === 'thread.rewound') rewindRows(this.#db, event);
    }
    this.#writer.write(before, after);
    if (batch.copy) copyThread(this.#db, batch.copy);
    if (batch.history) this.#writeHistory(batch.history, after.threads[batch.history.threadId]?.turn?.number ?? null);
    for (const intent of intents) {
      const { id, kind, taskId, ...rest } = intent;
      sql.intent.run(id, kind, taskId, JSON.stringify({ kind, taskId, ...rest }), Date.now());
    }
    for (const id of batch.done ?? []) sql.done.run(id);
    for (const { seq, event } of stored) if (event.type === 'task.purged') sql.forgetEvents.run(seq, event.taskId);
    if (batch.forget) for (const each of ['forgetText', 'forgetItems', 'forgetTurns', 'clearHistory'] as const) sql[each].run(batch.forget);
  }

  #writeHistory({ threadId, items, replace }: NonNullable<Batch['history']>, turn: number | null): void {
    let ord = (this.#sql.lastHistory.get(threadId) as { ord: number | null }).ord ?? 0;
    for (const [at, item] of items.entries())
      this.#sql.history.run(threadId, ++ord, JSON.stringify(item), turn, replace && at === 0 ? 1 : 0);
  }

  /** Items of a thread, oldest first: the newest `limit` of them, or those before an item. */
  items(threadId: ThreadId, limit: number, before?: ItemId): { items: Item[]; more: boolean } {
    const rows = (before ? this.#sql.itemsBefore.all(threadId, before, limit + 1) : this.#sql.itemsLast.all(threadId, limit + 1)) as {
      json: string;
    }[];
    return { items: readItems(rows.slice(0, limit).reverse()), more: rows.length > limit };
  }

  item(id: ItemId): Item | null {
    const row = this.#sql.itemById.get(id) as { json: string } | undefined;
    return (row && readItems([row])[0]) ?? null;
  }

  /** Items that have no end yet, of one thread or of all. */
  openItems(threadId?: ThreadId): Item[] {
    const rows = (threadId ? this.#sql.openOfThread.all(threadId) : this.#sql.open.all()) as { json: string }[];
    return readItems(rows);
  }

  itemsOfTurn(id: TurnId): Item[] {
    return readItems(this.#sql.itemsOfTurn.all(id) as { json: string }[]);
  }

  /** The number of the turn that an item is in. */
  turnNumberOf(id: ItemId): number {
    return (this.#sql.turnOfItem.get(id) as { number: number } | undefined)?.number ?? 0;
  }

  /** A thread's items in order, a page from after a row on. */
  rows(threadId: ThreadId, after: number, limit: number): ReturnType<typeof readRows> {
    return readRows(this.#db, threadId, after, limit);
  }

  /** What the model is sent of a thread with the numbers of its turns, a page from after a row on. */
  historyRows(threadId: ThreadId, after: number, limit: number): ReturnType<typeof readHistoryRows> {
    return readHistoryRows(this.#db, threadId, after, limit);
  }

  /** Items in which all the words of a query are, the newest first. */
  search(query: string, threadId: ThreadId | undefined, limit: number): Item[] {
    return searchItems(this.#db, query, threadId, limit);
  }

  turnAt(threadId: ThreadId, number: number): Turn | null {
    const row = this.#sql.turnAt.get(threadId, number) as { json: string } | undefined;
    return row ? (JSON.parse(row.json) as Turn) : null;
  }

  /** Turns of a thread, oldest first; from a number on, if one is given. */
  turns(threadId: ThreadId, from = 0): Turn[] {
    return (this.#sql.turns.all(threadId, from) as { json: string }[]).map((row) => JSON.parse(row.json) as Turn);
  }

  /** Turns that were undone together. */
  hiddenTurns(threadId: ThreadId, id: UndoId): Turn[] {
    return (this.#sql.hiddenTurns.all(threadId, id) as { json: string }[]).map((row) => JSON.parse(row.json) as Turn);
  }

  /** The first turn to before which the conversation can go back: what older versions wrote does not tell its turns apart. */
  firstNumbered(threadId: ThreadId): number {
    const { old, first } = this.#sql.unnumbered.get(threadId, threadId) as { old: number; first: number | null };
    return old ? (first ?? Infinity) : 0;
  }

  /** What the model is sent: since the newest compaction, without what was undone. */
  history(threadId: ThreadId): unknown[] {
    return (this.#sql.readHistory.all(threadId, threadId) as { json: string }[]).map((row) => JSON.parse(row.json) as unknown);
  }

  /** Intents that have no outcome on disk, oldest first. */
  openIntents(): OpenIntent[] {
    return (this.#sql.intents.all() as { id: number; json: string }[]).flatMap((row) => {
      const parsed = Intent.safeParse(readJson(row.json));
      return parsed.success ? [{ ...parsed.data, id: row.id }] : [];
    });
  }

  /** Writes what waits, then closes. */
  close(): void {
    if (this.#closed) return;
    this.#flush();
    this.#closed = true;
    this.#db.close();
  }
}

/** The file with what is set for each connection. Throws a `Failure` for a file that is no database, or a damaged one. */
function openDatabase(file: string): DatabaseSync {
  const db = new DatabaseSync(file);
  try {
    db.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON; PRAGMA cache_size = -4096',
    );
    return db;
  } catch (error) {
    db.close();
    throw new Failure('internal', `${file} can’t be read: ${error instanceof Error ? error.message : String(error)}.`, {
      fix: 'Move it away, or put a back-up in its place. Worktrees, branches and the trash are not in it: they stay.',
    });
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** One that can't be read any more is left out: the rest of the conversation is worth more than its place. */
const readItems = (rows: readonly { json: string }[]): Item[] => rows.flatMap((row) => (readJson(row.json) as Item | null) ?? []);

/** Where an event says which task it is about. */
const TASK_PLACES = [
  'taskId',
  'task.id',
  'attempt.taskId',
  'workspace.taskId',
  'thread.taskId',
  'approval.taskId',
  'question.taskId',
  'denial.taskId',
]
  .map((path) => `json_extract(json, '$.${path}')`)
  .join(', ');

function statements(
  db: DatabaseSync,
): Record<
  | 'event'
  | 'item'
  | 'turn'
  | 'history'
  | 'clearHistory'
  | 'lastHistory'
  | 'readHistory'
  | 'intent'
  | 'done'
  | 'intents'
  | 'lastSeq'
  | 'lastIntent'
  | 'open'
  | 'openOfThread'
  | 'itemsLast'
  | 'itemsBefore'
  | 'itemById'
  | 'itemsOfTurn'
  | 'turns'
  | 'turnAt'
  | 'turnOfItem'
  | 'hiddenTurns'
  | 'unnumbered'
  | 'forgetEvents'
  | 'forgetItems'
  | 'forgetTurns'
  | 'forgetText'
  | 'indexItem',
  StatementSync
> {
  return {
    event: db.prepare('INSERT INTO event (seq, at, type, json) VALUES (?, ?, ?, ?)'),
    item: db.prepare(
      'INSERT INTO item (id, thread, turn, json, open) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET json = excluded.json, open = excluded.open',
    ),
    turn: db.prepare('INSERT INTO turn (id, thread, number, json) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET json = excluded.json'),
    history: db.prepare('INSERT INTO history (thread, ord, json, turn, start) VALUES (?, ?, ?, ?, ?)'),
    clearHistory: db.prepare('DELETE FROM history WHERE thread = ?'),
    // Only what is about this task: the log's rows name it in one of these places.
    forgetEvents: db.prepare(`DELETE FROM event WHERE seq < ?1 AND instr(json, ?2) > 0 AND ?2 IN (${TASK_PLACES})`),
    forgetItems: db.prepare('DELETE FROM item WHERE thread = ?'),
    forgetText: forgetStatement(db),
    indexItem: indexStatement(db),
    forgetTurns: db.prepare('DELETE FROM turn WHERE thread = ?'),
    lastHistory: db.prepare('SELECT max(ord) AS ord FROM history WHERE thread = ?'),
    readHistory: db.prepare(READ_HISTORY),
    intent: db.prepare('INSERT INTO intent (id, kind, task, json, at) VALUES (?, ?, ?, ?, ?)'),
    done: db.prepare('DELETE FROM intent WHERE id = ?'),
    intents: db.prepare('SELECT id, json FROM intent ORDER BY id'),
    lastSeq: db.prepare('SELECT max(seq) AS seq FROM event'),
    lastIntent: db.prepare('SELECT max(id) AS id FROM intent'),
    itemsLast: db.prepare('SELECT json FROM item WHERE thread = ? AND undone IS NULL ORDER BY ord DESC LIMIT ?'),
    itemsBefore: db.prepare(
      'SELECT json FROM item WHERE thread = ? AND undone IS NULL AND ord < (SELECT ord FROM item WHERE id = ?) ORDER BY ord DESC LIMIT ?',
    ),
    itemById: db.prepare('SELECT json FROM item WHERE id = ?'),
    open: db.prepare('SELECT json FROM item WHERE open = 1 ORDER BY ord'),
    openOfThread: db.prepare('SELECT json FROM item WHERE open = 1 AND thread = ? ORDER BY ord'),
    itemsOfTurn: db.prepare('SELECT json FROM item WHERE turn = ? ORDER BY ord'),
    turns: db.prepare('SELECT json FROM turn WHERE thread = ? AND undone IS NULL AND number >= ? ORDER BY number'),
    turnAt: db.prepare('SELECT json FROM turn WHERE thread = ? AND number = ? AND undone IS NULL'),
    turnOfItem: db.prepare('SELECT turn.number FROM item JOIN turn ON turn.id = item.turn WHERE item.id = ?'),
    hiddenTurns: db.prepare('SELECT json FROM turn WHERE thread = ? AND undone = ? ORDER BY number'),
    unnumbered: db.prepare(
      'SELECT EXISTS (SELECT 1 FROM history WHERE thread = ? AND turn IS NULL) AS old, (SELECT min(turn) FROM history WHERE thread = ?) AS first',
    ),
  };
}

/** SQLITE_FULL is 13, SQLITE_IOERR 10 (see sqlite.org/rescode.html). */
function storageFailure(error: unknown): Failure {
  const code = (error as { errcode?: number }).errcode ?? 0;
  if ((code & 0xff) === 13) {
    return new Failure('disk-full', 'The disk is full: nothing was saved.', { fix: 'Free some space, then try again.' });
  }
  return new Failure('internal', `Saving failed: ${error instanceof Error ? error.message : String(error)}`);
}
