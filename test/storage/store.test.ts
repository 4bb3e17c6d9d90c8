import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type {
  Item,
  ItemId,
  Project,
  ProjectId,
  StoredEvent,
  TaskId,
  ThreadId,
  TurnId,
  WorkspaceId,
} from '../../agent-core/contract/index.ts';
import { defaultSettings } from '../../agent-core/runtime/settings.ts';
import { Store } from '../../agent-core/storage/store.ts';
import { newId } from '../../agent-core/support/ids.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signalbox-store-'));
  file = join(folder, 'signalbox.db');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (): Store => new Store(file, defaultSettings());
const aProject = (name = 'atlas'): Project => ({
  id: newId<ProjectId>('proj'),
  name,
  root: `/code/${name}`,
  repo: `/code/${name}`,
  subdir: '',
  gitDir: `/code/${name}/.git`,
  sample: false,
  openedAt: 1,
});

test('a commit shows in memory at once, to listeners only when it is durable, and is there after opening again', async () => {
  const store = open();
  const heard: StoredEvent[] = [];
  store.onEvents((events) => heard.push(...events));
  const project = aProject();
  const done = store.commit({ events: [{ type: 'project.opened', project }] });
  expect(store.board.projects[project.id]).toEqual(project);
  expect(store.durable.board.projects).toEqual({});
  expect(heard).toEqual([]);
  const { events } = await done;
  expect(heard).toEqual(events);
  expect(store.durable).toEqual({ board: store.board, seq: 1 });
  store.close();
  const again = open();
  expect(again.board).toEqual(store.board);
  expect(again.durable.seq).toBe(1);
  again.close();
});

test('commits of one turn of the loop share a transaction and keep their order and numbers', async () => {
  const store = open();
  const batches: number[] = [];
  store.onEvents((events) => batches.push(events.length));
  const all = await Promise.all(
    Array.from({ length: 50 }, (_, n) => store.commit({ events: [{ type: 'project.opened', project: aProject(`p${n}`) }] })),
  );
  expect(batches).toEqual([50]);
  expect(all.flatMap(({ events }) => events.map(({ seq }) => seq))).toEqual(Array.from({ length: 50 }, (_, n) => n + 1));
  store.close();
});

test('an intent stays open until its outcome is written', async () => {
  const store = open();
  const taskId = newId<TaskId>('task');
  const workspaceId = newId<WorkspaceId>('ws');
  const { intents } = await store.commit({ intents: [{ kind: 'prepare', taskId, workspaceId }] });
  store.close();
  const again = open();
  expect(again.openIntents()).toEqual([{ kind: 'prepare', taskId, workspaceId, id: intents[0]!.id }]);
  await again.commit({ done: [intents[0]!.id] });
  expect(again.openIntents()).toEqual([]);
  again.close();
});

test('a full disk undoes everything that was not durable, rejects each commit, and later ones work', async () => {
  const store = open();
  const kept = aProject('kept');
  await store.commit({ events: [{ type: 'project.opened', project: kept }] });
  const before = store.board;
  const threadId = newId<ThreadId>('thr');
  // The database may not grow: SQLite answers as it does when the disk is full.
  limitPages(store);
  const big = 'x'.repeat(2_000_000);
  const results = await Promise.allSettled([
    store.commit({ events: [{ type: 'project.opened', project: aProject('lost') }], history: { threadId, items: [big] } }),
    store.commit({ events: [{ type: 'project.opened', project: aProject('lost too') }] }),
  ]);
  expect(results.map((result) => result.status === 'rejected' && (result.reason as { detail: { code: string } }).detail.code)).toEqual([
    'disk-full',
    'disk-full',
  ]);
  expect(store.board).toBe(before);
  const { events } = await store.commit({ events: [{ type: 'project.closed', projectId: kept.id }] });
  expect(events[0]!.seq).toBe(2);
  store.close();
});

/** Reaches for the connection of this store only: `max_page_count` is a setting of the connection. */
function limitPages(store: Store): void {
  const db = store.database;
  const { page_count } = db.prepare('PRAGMA page_count').get() as { page_count: number };
  db.exec(`PRAGMA max_page_count = ${page_count + 4}`);
}

test('a spoilt record is set aside and reported; the rest loads', async () => {
  const store = open();
  const good = aProject('good');
  const bad = aProject('bad');
  await store.commit({
    events: [
      { type: 'project.opened', project: good },
      { type: 'project.opened', project: bad },
    ],
  });
  store.close();
  const db = new DatabaseSync(file);
  db.prepare('UPDATE doc SET json = \'{"id": 7\' WHERE id = ?').run(bad.id);
  db.close();
  const again = open();
  expect(Object.keys(again.board.projects)).toEqual([good.id]);
  expect(again.spoilt).toHaveLength(1);
  expect(again.spoilt[0]).toContain(bad.id);
  again.close();
  const third = open();
  expect(third.spoilt).toEqual([]);
  third.close();
});

test('history is appended in order and replaced as a whole', async () => {
  const store = open();
  const threadId = newId<ThreadId>('thr');
  await Promise.all([
    store.commit({ history: { threadId, items: [{ a: 1 }, { b: 2 }] } }),
    store.commit({ history: { threadId, items: [{ c: 3 }] } }),
  ]);
  expect(store.history(threadId)).toEqual([{ a: 1 }, { b: 2 }, { c: 3 }]);
  await store.commit({ history: { threadId, items: [{ d: 4 }], replace: true } });
  expect(store.history(threadId)).toEqual([{ d: 4 }]);
  store.close();
});

test('what was acknowledged survives kill -9', async () => {
  const child = spawn(process.execPath, [new URL('./writer.ts', import.meta.url).pathname, file], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8');
  for await (const chunk of child.stdout) {
    text += chunk as string;
    if (text.split('\n').length > 200) break;
  }
  child.kill('SIGKILL');
  await once(child, 'exit');
  const acknowledged = text.split('\n').slice(0, -1);
  const store = open();
  const names = new Set(Object.values(store.board.projects).map((project) => project.name));
  expect(acknowledged.length).toBeGreaterThan(100);
  expect(acknowledged.filter((name) => !names.has(name))).toEqual([]);
  store.close();
});

test('spoilt settings, intents and items hinder neither the start nor the rest', async () => {
  const store = open();
  const threadId = newId<ThreadId>('thr');
  const notice = (text: string): Item => ({
    id: newId<ItemId>('item'),
    threadId,
    turnId: newId<TurnId>('turn'),
    startedAt: 1,
    endedAt: 1,
    type: 'notice',
    level: 'info',
    text,
    error: null,
  });
  const [good, bad] = [notice('good'), notice('bad')];
  const taskId = newId<TaskId>('task');
  await store.commit({
    events: [
      { type: 'settings.changed', settings: { ...defaultSettings(), concurrency: 3 } },
      { type: 'item.completed', taskId, item: good },
      { type: 'item.completed', taskId, item: bad },
    ],
    intents: [{ kind: 'prepare', taskId, workspaceId: newId<WorkspaceId>('ws') }],
  });
  store.close();
  const db = new DatabaseSync(file);
  db.exec(`UPDATE doc SET json = '{"concurrency": "many"}' WHERE kind = 'settings'; UPDATE intent SET json = '{'`);
  db.prepare('UPDATE item SET json = ? WHERE id = ?').run('{', bad.id);
  db.close();
  const again = open();
  expect(again.board.settings.concurrency).toBe(defaultSettings().concurrency);
  expect(again.spoilt).toEqual([expect.stringContaining('settings: ')]);
  expect(again.openIntents()).toEqual([]);
  expect(again.items(threadId, 10).items).toEqual([good]);
  again.close();
});

test('a file that is no database is said to be none, with what to do', () => {
  writeFileSync(file, 'x'.repeat(5000));
  expect(open).toThrow(
    expect.objectContaining({
      detail: {
        code: 'internal',
        message: expect.stringContaining(file) as string,
        fix: expect.stringContaining('Move it away') as string,
      },
    }) as Error,
  );
});

/** Takes away what the third form of the database added. */
const OLDER = `DROP TABLE item_text; DROP INDEX history_start; DROP INDEX history_undone; DROP INDEX item_undone;
  ALTER TABLE history DROP COLUMN turn; ALTER TABLE history DROP COLUMN start; ALTER TABLE history DROP COLUMN undone;
  ALTER TABLE item DROP COLUMN undone; ALTER TABLE turn DROP COLUMN undone; PRAGMA user_version = 2`;

test('a history from before its turns were told apart goes on, and says from where it can be gone back in', async () => {
  const store = open();
  const threadId = newId<ThreadId>('thr');
  await store.commit({ history: { threadId, items: [{ a: 1 }, { b: 2 }] } });
  store.close();
  const db = new DatabaseSync(file);
  db.exec(OLDER);
  db.close();
  const again = open();
  expect(again.history(threadId)).toEqual([{ a: 1 }, { b: 2 }]);
  expect(again.firstNumbered(threadId)).toBe(Infinity);
  again.close();
});

test('items without an end are found in a database from before they were marked', async () => {
  const store = open();
  const item: Item = {
    id: newId<ItemId>('item'),
    threadId: newId<ThreadId>('thr'),
    turnId: newId<TurnId>('turn'),
    startedAt: 1,
    endedAt: null,
    type: 'notice',
    level: 'info',
    text: '',
    error: null,
  };
  await store.commit({ events: [{ type: 'item.started', taskId: newId<TaskId>('task'), item }] });
  expect(store.openItems()).toEqual([item]);
  store.close();
  const db = new DatabaseSync(file);
  db.exec(OLDER);
  db.exec('DROP INDEX item_open; ALTER TABLE item DROP COLUMN open; PRAGMA user_version = 1');
  db.close();
  const again = open();
  expect(again.openItems(item.threadId)).toEqual([item]);
  await again.commit({ events: [{ type: 'item.completed', taskId: newId<TaskId>('task'), item: { ...item, endedAt: 2 } }] });
  expect(again.openItems()).toEqual([]);
  again.close();
});

test('a task that is gone for good takes its rows of the log along, and no other’s', async () => {
  const store = open();
  const [gone, other] = [newId<TaskId>('task'), newId<TaskId>('task')];
  await store.commit({
    events: [
      { type: 'project.opened', project: aProject() },
      { type: 'task.renamed', taskId: gone, title: 'Gone' },
      { type: 'task.renamed', taskId: other, title: `Like ${gone}` },
    ],
  });
  await store.commit({ events: [{ type: 'task.purged', taskId: gone }] });
  store.close();
  const db = new DatabaseSync(file);
  expect(db.prepare('SELECT type, json FROM event ORDER BY seq').all()).toMatchObject([
    { type: 'project.opened' },
    { type: 'task.renamed', json: expect.stringContaining(other) as string },
    { type: 'task.purged' },
  ]);
  db.close();
  expect(open().durable.seq).toBe(4);
});
