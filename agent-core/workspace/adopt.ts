import { readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../contract/errors.ts';
import type { Mode, Project, WorkspaceId } from '../contract/index.ts';
import { checkIndex, hashLength } from '../git/index-file.ts';
import { makeCheckpointStore, makeSnap } from '../git/checkpoint.ts';
import { ownDirs, readSparse, sparseStore } from '../git/kinds.ts';
import { inStore, realHead, renderPackedRefs, storeHead } from '../git/refs.ts';
import { locateRepository } from '../git/repository.ts';
import { discover } from '../git/runner.ts';
import { gatherCopies, seedStore } from '../git/session-store.ts';
import { findSubmodules, seedSubmodules, submoduleSettings, type Submodule } from '../git/submodules.ts';
import { replaceFile, storeFileStamp } from '../git/store-files.ts';
import { adminOf, moveRefs } from '../git/worktree.ts';
import { writeMeta, type Meta, type Places } from './meta.ts';
import { keepRef, snapPlace, storePlace } from './prepare.ts';

/**
 * Whether the person has put an adopted worktree on another branch since (switched it, or removed and added it again):
 * then it is adopted anew. Throws `conflict` where commits from inside have not reached the branch they were made on.
 */
export async function onAnotherBranch(places: Places, meta: Meta): Promise<boolean> {
  const head = await realHead(meta.project.gitDir, meta.admin);
  // Where its admin folder is gone, something else has the folder's place: opening it says so.
  if (head.ref === meta.branch || (head.ref === null && head.oid === null)) return false;
  const inner = await storeHead(storePlace(places, meta).store, meta.admin);
  if (inner.oid === null || inner.oid === meta.agreed?.tip) return true;
  const [was, is] = [meta.branch, head.ref ?? head.oid ?? 'no branch'].map((name) => name.replace('refs/heads/', ''));
  throw new Failure('conflict', `${meta.path} is on ${is} now, while commits made inside on ${was} have not been brought out.`, {
    fix: `Go back first: git switch ${was}, then signalbox harvest. Then switch again.`,
  });
}

/** With the commit that each is at now, whatever the branch names. */
const asCheckedOut = (submodules: readonly Submodule[]): Promise<Submodule[]> =>
  Promise.all(
    submodules.map(async (submodule) => ({ ...submodule, tip: (await realHead(submodule.gitDir, null)).oid ?? submodule.commit })),
  );

/**
 * Makes a workspace of a linked worktree that Signalbox did not make: its branch is the one that harvest updates.
 * Throws `not-allowed` for a main checkout and `conflict` for a detached HEAD.
 */
export async function adopt(places: Places, dir: string, made: { id: WorkspaceId; projectId: Project['id']; mode: Mode }): Promise<Meta> {
  const { repo, subdir, gitDir } = await locateRepository(await realpath(dir));
  const own = (await discover(repo, ['rev-parse', '--path-format=absolute', '--git-dir'])).stdout.toString('utf8').trim();
  if ((await realpath(own)) === gitDir) {
    throw new Failure('not-allowed', `${repo} is the repository’s main checkout, not a linked worktree.`, {
      fix: 'Work in place, or make a worktree: git worktree add ../name',
    });
  }
  const admin = await adminOf(repo);
  const head = await realHead(gitDir, admin);
  if (head.ref === null || head.oid === null)
    throw new Failure('conflict', `${repo} is on no branch.`, { fix: 'Check out a branch there first: git switch -c name' });
  const meta: Meta = {
    version: 1,
    id: made.id,
    kind: 'adopted',
    phase: 'preparing',
    title: head.ref.replace('refs/heads/', ''),
    slug: admin,
    branch: head.ref,
    path: repo,
    project: { id: made.projectId, name: admin, repo, subdir, gitDir },
    base: { ref: head.ref.replace('refs/heads/', ''), kind: 'local' },
    baseCommit: head.oid,
    admin,
    mode: made.mode,
    createdAt: Date.now(),
    agreed: null,
    last: null,
    landing: null,
    trash: null,
  };
  const { present } = await findSubmodules(gitDir, head.oid, await ownDirs(repo, gitDir));
  // Only those that the person has checked out in this very worktree.
  const here = present.filter((submodule) => submodule.gitDir.startsWith(join(gitDir, 'worktrees', admin, 'modules')));
  if (here.length > 0) meta.submodules = await asCheckedOut(here);
  await writeMeta(places, meta);
  const place = storePlace(places, meta);
  const [copies, sparse] = await Promise.all([gatherCopies(gitDir, head.oid), readSparse(repo, gitDir)]);
  const { settings, files } = sparseStore(sparse, (name) => inStore(admin, name));
  const more = { settings: [...settings, ...(await submoduleSettings(place.submodules))], files };
  const seen = await seedStore({ ...place, commit: head.oid, copies, more });
  await seedSubmodules(place, place.submodules, copies.who, true);
  await moveRefs(gitDir, [[keepRef(meta.id), head.oid, null]]);
  await replaceFile(places.seenRefs(meta.id), renderPackedRefs(seen));
  const index = join(gitDir, 'worktrees', admin, 'index');
  const bytes = await readFile(index).catch(() => null);
  if (bytes !== null) await replaceFile(join(place.store, inStore(admin, 'index')), bytes);
  meta.agreed = { tip: head.oid, insideIndex: await storeFileStamp(place.store, inStore(admin, 'index')), outsideIndex: null };
  await makeCheckpointStore(places.checkpoints(meta.project.id), gitDir, head.oid);
  await makeSnap(snapPlace(places, meta), bytes !== null && checkIndex(bytes, hashLength(head.oid)) !== null ? index : null, {
    ...copies,
    settings: [...copies.settings, ...settings],
  });
  meta.phase = 'ready';
  await writeMeta(places, meta);
  return meta;
}
