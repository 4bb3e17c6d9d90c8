import { appendFileSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Connection, type TaskId } from '../contract/index.ts';

/** A log is kept in two files; when the newer one is full it takes the older one's place. */
const FILE_BYTES = 512 * 1024;
/** Entries wait this long for each other, so that a busy download is one write. */
const WRITE_MS = 200;

const parse = (line: string): Connection[] => {
  try {
    return [Connection.parse(JSON.parse(line))];
  } catch {
    // The end of a line that a crash cut off.
    return [];
  }
};

/** The connections of each task, on disk, bounded: about the newest four thousand. */
export class NetworkLog {
  readonly #folder: string;
  readonly #last = new Map<TaskId, number>();
  readonly #waiting = new Map<TaskId, Connection[]>();
  readonly #onGrown: (taskId: TaskId) => void;
  #timer: NodeJS.Timeout | null = null;

  /** `onGrown` is told after entries of a task were written. */
  constructor(home: string, onGrown: (taskId: TaskId) => void) {
    this.#folder = join(home, 'network');
    this.#onGrown = onGrown;
  }

  append(taskId: TaskId, entry: Omit<Connection, 'number'>): void {
    const number = (this.#last.get(taskId) ?? this.#read(taskId).at(-1)?.number ?? 0) + 1;
    this.#last.set(taskId, number);
    const waiting = this.#waiting.get(taskId) ?? [];
    waiting.push({ ...entry, number });
    this.#waiting.set(taskId, waiting);
    this.#timer ??= setTimeout(() => this.flush(), WRITE_MS).unref();
  }

  /** Newest first. */
  page(taskId: TaskId, before: number, limit: number): { entries: Connection[]; more: boolean } {
    this.flush();
    const older = this.#read(taskId).filter(({ number }) => number < before);
    return { entries: older.slice(-limit).toReversed(), more: older.length > limit };
  }

  forget(taskId: TaskId): void {
    this.#waiting.delete(taskId);
    this.#last.delete(taskId);
    for (const file of this.#files(taskId)) rmSync(file, { force: true });
  }

  /** Writes what waits. A full disk loses entries, and nothing else. */
  flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    for (const [taskId, entries] of this.#waiting) {
      this.#waiting.delete(taskId);
      try {
        this.#write(taskId, entries);
      } catch {
        continue;
      }
      this.#onGrown(taskId);
    }
  }

  #files(taskId: TaskId): [string, string] {
    return [join(this.#folder, `${taskId}.old.jsonl`), join(this.#folder, `${taskId}.jsonl`)];
  }

  #write(taskId: TaskId, entries: Connection[]): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const [old, file] = this.#files(taskId);
    if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > FILE_BYTES) renameSync(file, old);
    appendFileSync(file, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''), { mode: 0o600 });
  }

  #read(taskId: TaskId): Connection[] {
    return this.#files(taskId).flatMap((file) => {
      if (!statSync(file, { throwIfNoEntry: false })) return [];
      return readFileSync(file, 'utf8').split('\n').filter(Boolean).flatMap(parse);
    });
  }
}
