import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isOid, outside } from './runner.ts';
import { isCode, readStoreFile, replaceFile } from './store-files.ts';

/** Reads refs, as a rule without starting git: loose file first, then packed-refs. Only full object ids are ever taken from a file. */

const SAFE_REF = /^refs\/(?!.*(?:\.\.|@\{|\/\/|\/\.|\.lock(?:\/|$)))[^\0-\x20\x7f~^:?*[\\]+(?<![/.])$/;
export const isRefName = (name: string): boolean => name.length < 1024 && SAFE_REF.test(name);

type Read = (path: string, limit: number) => Promise<Buffer | null>;

/** Where `HEAD` of a git directory points: at a ref, and at a commit where it has one. */
export interface Head {
  ref: string | null;
  oid: string | null;
}

async function resolve(read: Read, start: string): Promise<Head> {
  let text = (await read(start, 4096))?.toString('utf8').trim() ?? '';
  if (isOid(text)) return { ref: null, oid: text };
  let first: string | null = null;
  for (let depth = 0; depth < 5; depth++) {
    const name = /^ref: +(.+)$/.exec(text)?.[1];
    if (name === undefined || !isRefName(name)) return { ref: first, oid: null };
    first ??= name;
    text = (await read(name, 4096))?.toString('utf8').trim() ?? (await packedRef(read, name)) ?? '';
    if (isOid(text)) return { ref: first, oid: text };
  }
  return { ref: first, oid: null };
}

async function packedRef(read: Read, name: string): Promise<string | null> {
  const packed = await read('packed-refs', 64 * 1024 * 1024);
  return packed === null ? null : (parsePackedRefs(packed.toString('utf8')).get(name)?.oid ?? null);
}

export interface PackedRef {
  oid: string;
  peeled: string | null;
}

/** A `packed-refs` file as a map; lines that are none are left out. */
export function parsePackedRefs(text: string): Map<string, PackedRef> {
  const refs = new Map<string, PackedRef>();
  let last: PackedRef | undefined;
  for (const line of text.split('\n')) {
    if (line.startsWith('^')) {
      if (last && isOid(line.slice(1))) last.peeled = line.slice(1);
      continue;
    }
    const space = line.indexOf(' ');
    const [oid, name] = [line.slice(0, space), line.slice(space + 1)];
    if (space < 0 || !isOid(oid) || !isRefName(name)) continue;
    last = { oid, peeled: null };
    refs.set(name, last);
  }
  return refs;
}

export function renderPackedRefs(refs: ReadonlyMap<string, PackedRef>): string {
  const lines = [...refs].map(([name, ref]) => ({
    key: Buffer.from(name),
    text: `${ref.oid} ${name}\n${ref.peeled ? `^${ref.peeled}\n` : ''}`,
  }));
  return `# pack-refs with: peeled fully-peeled sorted \n${lines
    .toSorted((a, b) => Buffer.compare(a.key, b.key))
    .map((line) => line.text)
    .join('')}`;
}

/** `HEAD` of the worktree `admin` in a session store. What it says is the agent's word. */
export const storeHead = (store: string, admin: string): Promise<Head> =>
  resolve((path, limit) => readStoreFile(store, path === 'HEAD' ? inStore(admin, 'HEAD') : path, limit), 'HEAD');

/** Where a file of the worktree's own lies in a store; one that belongs to a single worktree has no admin folder (''). */
export const inStore = (admin: string, name: string): string => (admin === '' ? name : `worktrees/${admin}/${name}`);

/** `HEAD` of a git directory of its own inside a store, such as a submodule's. */
export const storeHeadAt = (store: string, folder: string): Promise<Head> =>
  resolve((path, limit) => readStoreFile(store, join(folder, path), limit), 'HEAD');

/**
 * Whether a git directory keeps its refs in tables (git 2.45 and later) instead of files: only git itself reads and moves
 * them then. Looked up each time, for a repository can be converted while it is open.
 */
export const hasRefTables = (gitDir: string): Promise<boolean> =>
  stat(join(gitDir, 'reftable')).then(
    (found) => found.isDirectory(),
    () => false,
  );

const adminDir = (gitDir: string, admin: string | null): string => (admin === null ? gitDir : join(gitDir, 'worktrees', admin));

async function tableHead(gitDir: string, admin: string | null): Promise<Head> {
  const at = adminDir(gitDir, admin);
  const [name, commit] = await Promise.all([
    outside({ gitDir: at, args: ['symbolic-ref', '--quiet', 'HEAD'], answers: [1, 128] }),
    outside({ gitDir: at, args: ['rev-parse', '--verify', '--quiet', 'HEAD'], answers: [1, 128] }),
  ]);
  const [ref, oid] = [name, commit].map((result) => result.stdout.toString('utf8').trim());
  return { ref: name.code === 0 && ref && isRefName(ref) ? ref : null, oid: commit.code === 0 && oid && isOid(oid) ? oid : null };
}

/** Puts a worktree's real HEAD on a branch. */
export async function pointRealHead(gitDir: string, admin: string, branch: string): Promise<void> {
  const at = adminDir(gitDir, admin);
  if (await hasRefTables(gitDir)) {
    if ((await tableHead(gitDir, admin)).ref !== branch) await outside({ gitDir: at, args: ['symbolic-ref', 'HEAD', branch] });
    return;
  }
  const wanted = `ref: ${branch}\n`;
  if ((await readFile(join(at, 'HEAD'), 'utf8').catch(() => '')) !== wanted) await replaceFile(join(at, 'HEAD'), wanted);
}

const realRead =
  (gitDir: string, admin: string | null): Read =>
  (path) =>
    readFile(path === 'HEAD' && admin !== null ? join(gitDir, 'worktrees', admin, 'HEAD') : join(gitDir, path)).catch((error: unknown) => {
      if (isCode(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) return null;
      throw error;
    });

/** `HEAD` of the worktree `admin` (null: the main one) in the person's own git directory. */
export async function realHead(gitDir: string, admin: string | null): Promise<Head> {
  return (await hasRefTables(gitDir)) ? tableHead(gitDir, admin) : resolve(realRead(gitDir, admin), 'HEAD');
}

/** The commit of a branch in the person's own git directory, or null. */
export async function realRef(gitDir: string, name: string): Promise<string | null> {
  if (await hasRefTables(gitDir)) {
    const found = await outside({ gitDir, args: ['rev-parse', '--verify', '--quiet', '--end-of-options', name], answers: [1, 128] });
    return found.code === 0 ? found.stdout.toString('utf8').trim() : null;
  }
  const read = realRead(gitDir, null);
  const loose = (await read(name, 4096))?.toString('utf8').trim() ?? '';
  return isOid(loose) ? loose : packedRef(read, name);
}
