import { lstatSync, statfsSync, type BigIntStats } from 'node:fs';
import { readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorktreeFiles } from '../../sandbox/types.ts';
import { nested, runBy } from './names.ts';

/** Beyond these an entry is not looked through: it is taken as a whole for something that nobody let in. */
const MOST_FILES = 2000;
const MOST_BYTES = 16 * 1024 * 1024;
const MOST_DEPTH = 32;
/** Times on disk come in steps: what changed this recently may have changed again without showing it. */
const STEP_NS = 50_000_000n;

/** A guarded entry of a worktree, such as `.vscode` or `packages/app/.envrc`. */
export interface Entry {
  path: string;
  why: string;
}

/** What is at one path: a file (100644, 100755) or a symlink (120000) with its content; null content where it can't be read. */
export interface Present {
  path: string;
  mode: '100644' | '100755' | '120000';
  content: Buffer | null;
}

/** All that lies in an entry, and its folders; null when it is more than is looked through, or holds what can't be named. */
export type Contents = { found: Present[]; folders: string[] } | null;

const pathIn = (folder: string, name: string): string => (folder === '' ? name : `${folder}/${name}`);

/**
 * A repository in a folder below the root, of the usual form or a bare one: there git would take it for its own, and run what
 * its config names (`core.fsmonitor`, filters) for a mere `status`, such as a shell's prompt asks for.
 */
const ownRepository = (name: string, names: readonly string[]): string | null =>
  name.toLowerCase() === '.git' || (name === 'HEAD' && names.includes('objects') && names.includes('refs'))
    ? 'git runs the programs that this repository’s own config names, whoever asks it for anything in the folder'
    : null;

/** The guarded entries that are there now, by one look at each guarded folder. `more` are further names of the project. */
export async function entriesOf(worktree: string, folders: readonly string[], more: ReadonlyMap<string, string>): Promise<Entry[]> {
  const found: Entry[] = [];
  for (const folder of folders) {
    const names = await readdir(join(worktree, folder)).catch(() => [] as string[]);
    for (const name of names) {
      const path = pathIn(folder, name);
      const why = runBy(name) ?? more.get(path) ?? (folder === '' ? null : ownRepository(name, names));
      if (why) found.push({ path, why });
    }
    for (const name of nested) {
      if (!names.includes(name.slice(0, name.indexOf('/')))) continue;
      const path = pathIn(folder, name);
      if (stampOf(join(worktree, path)) !== null) found.push({ path, why: runBy(name)! });
    }
  }
  for (const [path, why] of more)
    if (path.includes('/') && stampOf(join(worktree, path)) !== null && !found.some((entry) => entry.path === path))
      found.push({ path, why });
  return found;
}

/** Which inode is there and when it last changed; null where nothing is. Never follows a link in its last component. */
function stampOf(path: string): { text: string; changed: bigint } | null {
  let info: BigIntStats | undefined;
  try {
    info = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    return null;
  }
  if (!info) return null;
  return { text: `${info.dev} ${info.ino} ${info.mode} ${info.size} ${info.ctimeNs}`, changed: info.ctimeNs };
}

const TMPFS = 0x01021994;
const inMemory = (folder: string): boolean => {
  try {
    return statfsSync(folder).type === TMPFS;
  } catch {
    return true;
  }
};

/** What was looked through and found good, so that it need not be read again while nothing there changed. */
export class Stamps {
  readonly #seen = new Map<string, Map<string, string>>();

  /** Whether everything of an entry is as it was. */
  same(worktree: string, entry: string): boolean {
    const seen = this.#seen.get(entry);
    if (!seen) return false;
    for (const [path, text] of seen) if (stampOf(join(worktree, path))?.text !== text) return false;
    return true;
  }

  /** To be called before an entry is read; the answer, with all that was read, after it was found good. */
  begin(worktree: string, entry: string): (read: NonNullable<Contents>) => void {
    // There a change by way of a mapping never shows.
    if (inMemory(worktree)) return () => {};
    const began = BigInt(Date.now()) * 1_000_000n;
    return ({ found, folders }) => {
      const seen = new Map<string, string>();
      this.#seen.delete(entry);
      for (const path of [...folders, ...found.map((file) => file.path)]) {
        const stamp = stampOf(join(worktree, path));
        if (stamp === null || began - stamp.changed < STEP_NS) return;
        seen.set(path, stamp.text);
      }
      this.#seen.set(entry, seen);
    };
  }

  forget(): void {
    this.#seen.clear();
  }
}

/**
 * Reads all of an entry through the one door. A link is what it says; where it leads is looked at by the caller, when the
 * link itself is good.
 */
export async function contentsOf(files: WorktreeFiles, worktree: string, entry: string): Promise<Contents> {
  const found: Present[] = [];
  const folders: string[] = [];
  let bytes = 0;
  let count = 0;
  const look = async (path: string, depth: number): Promise<boolean> => {
    const info = await files.stat(path);
    if (info === null) return !path.includes('\ufffd');
    if (++count > MOST_FILES) return false;
    if (info.kind === 'folder') {
      if (depth >= MOST_DEPTH) return false;
      folders.push(path);
      const inside = await files.list(path).catch(() => null);
      if (inside === null || inside.length > MOST_FILES) return false;
      for (const { name } of inside) if (!(await look(pathIn(path, name), depth + 1))) return false;
      return true;
    }
    if (info.kind === 'other') return false;
    if (info.kind === 'symlink') {
      found.push({ path, mode: '120000', content: await readlink(join(worktree, path)).then(Buffer.from, () => null) });
      return true;
    }
    bytes += info.size;
    if (bytes > MOST_BYTES) return false;
    // Written to disk first: a process that has it mapped could go on changing it without a new time, until it was.
    const content = await files.read(path, MOST_BYTES, true).catch(() => null);
    found.push({ path, mode: info.mode & 0o100 ? '100755' : '100644', content });
    return true;
  };
  return (await look(entry, 0)) ? { found, folders } : null;
}
