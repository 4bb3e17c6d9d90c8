import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { disposable, type Disposable } from '../support/disposable.ts';

/**
 * Takes `core.lock` of a home, or answers null while another process (or another core in this one) has it.
 * The lock is SQLite's exclusive file lock: the kernel drops it with the process, however that ends, so nothing
 * is ever stale and a process id that was used again means nothing. Children don't inherit it.
 */
export function takeLock(home: string): Disposable | null {
  const path = join(home, 'core.lock');
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (thrown) {
    database.close();
    if ((thrown as { errcode?: number }).errcode === 5) return null;
    throw thrown;
  }
  if (process.platform !== 'win32') chmodSync(path, 0o600);
  return disposable(() => database.close());
}
