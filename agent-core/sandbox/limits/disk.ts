import { execFile } from 'node:child_process';
import { statfsSync, statSync } from 'node:fs';

/** How long one count of a tree may take; what it has seen by then is not used. */
const COUNT_MS = 30_000;
/** Counting may take this share of the time. */
const SHARE = 0.03;
/** A disk that several share can hide growth: counted now and then in any case. */
const AT_LEAST_EVERY_MS = 120_000;

/** Bytes on disk of each folder, in one pass that stays on its file system and follows no link; null when it can't be told. */
function countBytes(folders: string[]): Promise<number[] | null> {
  return new Promise((resolve) => {
    const options = { env: { LC_ALL: 'C' }, cwd: '/', timeout: COUNT_MS, killSignal: 'SIGKILL', maxBuffer: 1024 * 1024 } as const;
    // What vanishes meanwhile makes du end with 1: the sums are there all the same.
    execFile('nice', ['-n', '15', 'du', '-sx', '--block-size=1', '-0', '--', ...folders], options, (error, stdout) => {
      const rows = stdout.split('\0').filter(Boolean);
      if ((error && error.code !== 1) || rows.length !== folders.length) resolve(null);
      else resolve(rows.map((row) => Number(row.split('\t')[0])));
    });
  });
}

/** What is used, by anyone, of the file systems that hold these folders. */
function usedOn(folders: string[]): number {
  const seen = new Map<number, number>();
  for (const folder of folders)
    try {
      const { dev } = statSync(folder);
      if (seen.has(dev)) continue;
      const { blocks, bfree, bsize } = statfsSync(folder);
      seen.set(dev, (blocks - bfree) * bsize);
    } catch {
      /* gone: the next command says so */
    }
  return [...seen.values()].reduce((sum, bytes) => sum + bytes, 0);
}

/**
 * How much a workspace wrote: its private HOME and /tmp as a whole, and what the worktree grew since the machine was
 * opened. The tree is counted only after the file system itself has filled up by a part of the limit, so that a machine
 * that writes little costs one `statfs` a look.
 */
export class DiskUse {
  /** The worktree is the last. */
  #folders: string[];
  #countBytes: typeof countBytes;
  #before: number;
  #usedThen: number;
  #seen = 0;
  #base: number | null = null;
  #counting = false;
  #notBefore = 0;
  #counted = performance.now();

  /** `count` in place of the real one, for tests. */
  constructor(own: string[], worktree: string, count: typeof countBytes = countBytes) {
    this.#countBytes = count;
    this.#folders = [...own, worktree];
    this.#before = usedOn(this.#folders);
    this.#usedThen = this.#before;
  }

  /** Counts when the disk filled up enough since the last time, and tells `done` what is held now and what was before. */
  look(limit: number, done: (bytes: number, before: number) => void): void {
    if (this.#counting) return;
    const now = performance.now();
    const step = Math.max(256 * 1024, Math.min(limit - this.#seen, limit / 8));
    const grew = usedOn(this.#folders) - this.#usedThen >= step;
    if (now < this.#notBefore || !(grew || now - this.#counted > AT_LEAST_EVERY_MS)) return;
    this.#counting = true;
    const before = this.#seen;
    void this.#count().then((bytes) => {
      this.#counting = false;
      this.#counted = performance.now();
      this.#notBefore = this.#counted + (this.#counted - now) / SHARE - (this.#counted - now);
      if (bytes !== null) done(bytes, before);
    });
  }

  async #count(): Promise<number | null> {
    const used = usedOn(this.#folders);
    const sums = await this.#countBytes(this.#folders);
    // Too many files to be counted: what the whole disk took meanwhile stands for it, or nothing would hold whoever made them.
    if (!sums) return used > this.#before ? (this.#seen = used - this.#before) : null;
    this.#usedThen = used;
    const worktree = sums.at(-1) ?? 0;
    // Never counted before: what the disk took since then is what the worktree can have grown by at most.
    this.#base ??= Math.max(0, worktree - Math.max(0, used - this.#before));
    this.#seen = Math.max(0, worktree - this.#base) + sums.slice(0, -1).reduce((sum, bytes) => sum + bytes, 0);
    return this.#seen;
  }
}
