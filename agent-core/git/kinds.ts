import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from './store-files.ts';
import { lfsLimits } from './lfs.ts';
import { discover } from './runner.ts';
import type { StoreMore } from './session-store.ts';
import { findSubmodules } from './submodules.ts';
import { adminOf } from './worktree.ts';

/** What of a repository works with limits in tasks, in words for before a task starts. */
export async function limits(repo: string, gitDir: string, commit: string): Promise<string[]> {
  const [{ absent }, lfs, partial, shallow] = await Promise.all([
    findSubmodules(gitDir, commit, await ownDirs(repo, gitDir)),
    lfsLimits(gitDir, commit),
    isPartial(gitDir),
    readFile(join(gitDir, 'shallow')).catch(() => null),
  ]);
  const warnings: string[] = [];
  if (absent.length > 0) {
    const names = absent.length <= 3 ? absent.join(', ') : `${absent.slice(0, 3).join(', ')} and ${absent.length - 3} more`;
    warnings.push(
      `${absent.length === 1 ? 'A submodule is' : `${absent.length} submodules are`} not here (${names}): the folder stays empty in tasks. To have it: git submodule update --init --recursive`,
    );
  }
  if (lfs !== null) warnings.push(lfs);
  if (partial)
    warnings.push('Partial clone: a task’s files are fetched before it starts; older versions that are not here can’t be read in it.');
  if (shallow !== null) warnings.push('Shallow clone: history ends early in tasks, as it does here.');
  return warnings;
}

/** Whether objects of the repository may be somewhere else, to be fetched when they are needed. */
export async function isPartial(gitDir: string): Promise<boolean> {
  const packs = await readdir(join(gitDir, 'objects', 'pack')).catch(() => []);
  return packs.some((name) => name.endsWith('.promisor'));
}

/** The git directories that a checkout's own submodules may lie in: of its worktree, then of the repository. */
export async function ownDirs(repo: string, gitDir: string): Promise<string[]> {
  const admin = await adminOf(repo).catch(() => '');
  return admin === '' ? [gitDir] : [join(gitDir, 'worktrees', admin), gitDir];
}

/** The part of the files that a sparse checkout shows. */
export interface Sparse {
  patterns: string;
  /** Patterns of whole folders, as git makes them by default. */
  cone: boolean;
}

/** The sparse patterns of a person's checkout; null where all of it is checked out. */
export async function readSparse(repo: string, gitDir: string): Promise<Sparse | null> {
  const [own = gitDir] = await ownDirs(repo, gitDir);
  const patterns = await readFile(join(own, 'info', 'sparse-checkout'), 'utf8').catch(() => null);
  if (patterns === null) return null;
  const settings = await discover(repo, ['config', '--bool', '--get-regexp', '^core\\.sparsecheckout(cone)?$'], [1, 128]);
  const lines = settings.stdout.toString('utf8').split('\n');
  return lines.includes('core.sparsecheckout true') ? { patterns, cone: lines.includes('core.sparsecheckoutcone true') } : null;
}

const sparseSettings = ({ cone }: Sparse): [string, string][] => [
  ['core.sparseCheckout', 'true'],
  ['core.sparseCheckoutCone', String(cone)],
];

/** What a sparse checkout adds to the session store: the agent's git sees the same part of the files as the person's. */
export const sparseStore = (sparse: Sparse | null, inStore: (name: string) => string): StoreMore =>
  sparse === null
    ? { settings: [], files: {} }
    : { settings: sparseSettings(sparse), files: { [inStore('info/sparse-checkout')]: sparse.patterns } };

/**
 * The same for the worktree's real admin folder. Git copies the main checkout's patterns there; the project may be another
 * one. Files outside of the patterns stay marked: those are submodules that the person's git must leave alone.
 */
export async function sparseAdmin(sparse: Sparse, admin: string): Promise<void> {
  await replaceFile(join(admin, 'info', 'sparse-checkout'), sparse.patterns);
  const file = join(admin, 'config.worktree');
  const there = await readFile(file, 'utf8').catch(() => null);
  if (there !== null) await replaceFile(file, `${there.trimEnd()}\n[sparse]\n\texpectFilesOutsideOfPatterns = true\n`);
}
