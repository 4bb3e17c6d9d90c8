import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ItemId, ThreadId } from '../../agent-core/contract/index.ts';
import { OutputLog } from '../../agent-core/runtime/output-log.ts';
import { newId } from '../../agent-core/support/ids.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'signalbox-output-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));

test('an output is bounded over its whole life, also when the command was silent in between', async () => {
  const log = new OutputLog(home, { bytes: 1000, graceMs: 20 });
  const [thread, item] = [newId<ThreadId>('thr'), newId<ItemId>('item')];
  await log.prepare(thread);
  const size = (): number => statSync(join(home, 'output', thread, `${item}.log`), { throwIfNoEntry: false })?.size ?? 0;
  await log.append(thread, item, Buffer.alloc(700, 'a'));
  await expect.poll(size).toBe(700);
  // Longer than the file is held open.
  await delay(80);
  await log.append(thread, item, Buffer.alloc(700, 'b'));
  await expect.poll(size).toBe(1000);
  await delay(80);
  await log.append(thread, item, Buffer.alloc(700, 'c'));
  await delay(80);
  expect(await log.read(thread, item, 995, 100)).toEqual({ text: 'bbbbb', offset: 995, total: 1000 });
  log.dispose();
});

test('a command that prints faster than the disk takes it is told to wait', async () => {
  const log = new OutputLog(home);
  const [thread, item] = [newId<ThreadId>('thr'), newId<ItemId>('item')];
  await log.prepare(thread);
  const waits = Array.from({ length: 8 }, () => log.append(thread, item, Buffer.alloc(1024 * 1024, 'x')));
  expect(waits.filter((wait) => wait === undefined)).toEqual([]);
  for (const wait of waits) await wait;
  await expect.poll(async () => (await log.read(thread, item, 0, 1)).total).toBe(8 * 1024 * 1024);
  log.dispose();
});
