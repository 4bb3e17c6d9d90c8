import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { outside, outsideText } from './runner.ts';
import { isCode, replaceFile } from './store-files.ts';

/** Where the histories of checkpoints were cut, a commit a line. */
const CUTS = 'cuts';
/** What is newer than this may be about to be named by a ref. */
const GRACE = '2.hours.ago';

/** Says where history ends in a checkpoint store: where the repository's own does (a shallow clone), and where checkpoints expired. */
export async function writeShallow(store: string, gitDir: string | null): Promise<void> {
  const [cuts = '', shallow = ''] = await Promise.all(
    [join(store, CUTS), ...(gitDir === null ? [] : [join(gitDir, 'shallow')])].map((path) => readFile(path, 'utf8').catch(() => '')),
  );
  if (`${shallow}${cuts}` === '') await rm(join(store, 'shallow'), { force: true });
  else await replaceFile(join(store, 'shallow'), `${shallow}${cuts}`);
}

export interface ExpireRequest {
  /** The project's bare checkpoint store. */
  store: string;
  /** The repository that it borrows from; null where no workspace says which. */
  gitDir: string | null;
  /** Checkpoints from before this moment go; the newest of a workspace stays always. */
  before: number;
  /** Whether a workspace is still there. Checkpoints of one that is gone go at once. */
  isThere: (workspaceId: string) => Promise<boolean>;
  /** Trees that are still shown: nothing from the oldest of them on is dropped. */
  keep: ReadonlySet<string>;
}

/** Drops what is too old from a checkpoint store. Returns how many checkpoints went. Harmless while others are written. */
export async function expireCheckpoints(request: ExpireRequest): Promise<number> {
  const { store, gitDir } = request;
  const cuts: string[] = [];
  let dropped = 0;
  for (const id of await readdir(join(store, 'refs', 'workspaces')).catch(() => [])) {
    if (!(await request.isThere(id))) {
      await rm(join(store, 'refs', 'workspaces', id), { force: true });
      dropped++;
      continue;
    }
    const chain = await history(store, `refs/workspaces/${id}`);
    const kept = lastKept(chain, request);
    const oldest = chain[kept];
    dropped += chain.length - 1 - kept;
    if (oldest !== undefined && (kept < chain.length - 1 || oldest.isCut)) cuts.push(oldest.commit);
  }
  if (dropped === 0) return 0;
  await replaceFile(join(store, CUTS), cuts.map((commit) => `${commit}\n`).join(''));
  await writeShallow(store, gitDir);
  // Refs stay files: they are written and removed as such.
  await outside({ gitDir: store, config: ['gc.packRefs=false'], args: ['gc', '--quiet', `--prune=${GRACE}`] });
  return dropped;
}

interface Link {
  commit: string;
  tree: string;
  at: number;
  /** Its parents were cut off before. */
  isCut: boolean;
}

/** A workspace's checkpoints, newest first. */
async function history(store: string, ref: string): Promise<Link[]> {
  const cut = new Set((await readFile(join(store, CUTS), 'utf8').catch(() => '')).split('\n'));
  const text = await outsideText(store, ['log', '--first-parent', '--format=%H %T %ct', ref]).catch(() => '');
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [commit = '', tree = '', at = ''] = line.split(' ');
      return { commit, tree, at: Number(at) * 1000, isCut: cut.has(commit) };
    });
}

/** Index of the oldest checkpoint that stays. */
function lastKept(chain: readonly Link[], { before, keep }: ExpireRequest): number {
  const shown = chain.findLastIndex(({ tree }) => keep.has(tree));
  const young = chain.findLastIndex(({ at }) => at >= before);
  return Math.max(0, shown, young);
}

/** Bytes on disk below a folder, with nothing in memory but the folders that are still to be looked into. 0 where it is gone. */
export async function bytesBelow(folder: string): Promise<number> {
  let sum = 0;
  const folders = [folder];
  for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
    const entries = await readdir(at, { withFileTypes: true }).catch((error: unknown) => {
      if (isCode(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return [];
      throw error;
    });
    for (const entry of entries) {
      if (entry.isDirectory()) folders.push(join(at, entry.name));
      else if (entry.isFile()) sum += (await stat(join(at, entry.name)).catch(() => null))?.blocks ?? 0;
    }
  }
  return sum * 512;
}
