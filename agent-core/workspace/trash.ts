import { access, cp, mkdir, readFile, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Failure } from '../contract/errors.ts';
import { dropCheckpoints } from '../git/checkpoint.ts';
import { realRef } from '../git/refs.ts';
import { outside } from '../git/runner.ts';
import { isCode } from '../git/store-files.ts';
import { adminFor, moveRefs, removeAdmin } from '../git/worktree.ts';
import { asidePlaces, dropAside } from './guard/aside.ts';
import { writeMeta, type Meta, type Places } from './meta.ts';
import type { OpenWorkspace } from './open.ts';
import { dropHidden, keepRef } from './prepare.ts';

const there = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Before anything moves: a checkpoint and a harvest, and both looked up again where they must be. Throws rather than lose. */
export async function secure(workspace: OpenWorkspace): Promise<void> {
  const { info } = workspace;
  const { gitDir } = info.project;
  const made = await workspace.checkpoint('Before it was deleted');
  const { tip, diverged } = await workspace.harvest();
  await outside({ gitDir: workspace.checkpoints, args: ['ls-tree', '-r', '--name-only', '-z', made.tree] });
  if (info.kind === 'in-place') return;
  const found = await realRef(gitDir, diverged ?? info.branch);
  if (found === null)
    throw new Failure('git-failed', `The branch ${info.branch} is not in the repository: nothing was deleted.`, {
      fix: `git branch ${info.slug} ${tip}`,
    });
}

/** Moves the folder itself, ignored files included, and its admin folder to the trash. Goes on where a crash cut it off. */
export async function moveToTrash(places: Places, meta: Meta): Promise<void> {
  const { gitDir } = meta.project;
  if (meta.kind !== 'worktree') {
    meta.phase = 'trashed';
    return writeMeta(places, meta);
  }
  const home = places.trash(meta.id);
  await mkdir(home, { recursive: true, mode: 0o700 });
  meta.phase = 'trashing';
  meta.trash ??= { path: join(home, 'tree'), at: Date.now() };
  await writeMeta(places, meta);
  if (await there(meta.path)) meta.trash.path = await moveFolder(meta, home);
  const admin = join(gitDir, 'worktrees', meta.admin);
  if (meta.admin !== '' && (await there(admin))) {
    // A copy first: a crash between the two leaves the admin folder in at least one place.
    await rm(join(home, 'admin'), { recursive: true, force: true });
    await cp(admin, join(home, 'admin'), { recursive: true, preserveTimestamps: true });
    await removeAdmin(gitDir, meta.admin);
  }
  meta.phase = 'trashed';
  await writeMeta(places, meta);
  await rmdir(dirname(meta.path)).catch(() => {});
}

/** By rename only: exact, whatever is in the folder. On another disk it stays there, in a trash beside the worktrees. */
async function moveFolder(meta: Meta, home: string): Promise<string> {
  const first = join(home, 'tree');
  try {
    await rename(meta.path, first);
    return first;
  } catch (error) {
    if (!isCode(error, 'EXDEV')) throw error;
  }
  const second = join(dirname(dirname(meta.path)), '.signalbox-trash', meta.id);
  await mkdir(dirname(second), { recursive: true, mode: 0o700 });
  await rename(meta.path, second);
  return second;
}

/** Puts everything back as it was. Throws `conflict` where something else took its place meanwhile. */
export async function moveBack(places: Places, meta: Meta): Promise<void> {
  const { gitDir } = meta.project;
  if (meta.trash === null) {
    meta.phase = 'ready';
    return writeMeta(places, meta);
  }
  if (await there(meta.trash.path)) {
    if (await there(meta.path))
      throw new Failure('conflict', `There is something else at ${meta.path} now.`, { fix: 'Move it away, then restore again.' });
    meta.phase = 'restoring';
    await writeMeta(places, meta);
    await restoreBranch(meta);
    await restoreAdmin(meta, join(places.trash(meta.id), 'admin'));
    await mkdir(dirname(meta.path), { recursive: true });
    await rename(meta.trash.path, meta.path);
  } else if (!(await there(meta.path))) {
    throw new Failure('worktree-missing', `The worktree is neither at ${meta.trash.path} nor at ${meta.path}.`, {
      fix: `Its commits are on ${meta.branch.replace('refs/heads/', '')}: start a task from there.`,
    });
  }
  await rm(places.trash(meta.id), { recursive: true, force: true });
  await rmdir(join(dirname(dirname(meta.path)), '.signalbox-trash')).catch(() => {});
  meta.phase = 'ready';
  meta.trash = null;
  await writeMeta(places, meta);
  if (meta.admin !== '') await stat(join(gitDir, 'worktrees', meta.admin));
}

/** A branch that was deleted while the worktree lay in the trash comes back; one that was moved stays as it is. */
async function restoreBranch(meta: Meta): Promise<void> {
  if (meta.agreed === null || (await realRef(meta.project.gitDir, meta.branch)) !== null) return;
  await moveRefs(meta.project.gitDir, [[meta.branch, meta.agreed.tip, null]]);
}

/** The admin folder under its old name: the worktree's `.git` and the session store both name it. */
async function restoreAdmin(meta: Meta, kept: string): Promise<void> {
  if (meta.admin === '') return;
  const folder = join(meta.project.gitDir, 'worktrees', meta.admin);
  if (await there(folder)) {
    const pointer = await readFile(join(folder, 'gitdir'), 'utf8').catch(() => '');
    if (pointer.trim() === join(meta.path, '.git')) return;
    throw new Failure('conflict', `Another worktree of this repository has taken the name ${meta.admin}.`, {
      fix: `Remove it, then restore again: git worktree remove ${meta.admin}`,
    });
  }
  await mkdir(dirname(folder), { recursive: true });
  await cp(kept, folder, { recursive: true, preserveTimestamps: true });
}

/** For good. A branch that the person moved since is theirs and stays; so does all of an adopted or in-place workspace. */
export async function purge(places: Places, meta: Meta): Promise<void> {
  const { gitDir } = meta.project;
  const repository = await there(gitDir);
  if (meta.kind === 'worktree') {
    const admin = repository ? meta.admin || (await adminFor(gitDir, meta.path).catch(() => null)) : null;
    const inUse =
      admin && (await readFile(join(gitDir, 'worktrees', admin, 'gitdir'), 'utf8').catch(() => '')).trim() === join(meta.path, '.git');
    if (admin && inUse) await removeAdmin(gitDir, admin);
    if (meta.phase !== 'trashed') await rm(meta.path, { recursive: true, force: true });
    if (meta.trash !== null) await rm(meta.trash.path, { recursive: true, force: true });
    if (repository && meta.keepBranch !== true) await dropBranch(meta);
  }
  if (repository) await dropHidden(gitDir, meta.id, meta.submodules);
  await rm(places.trash(meta.id), { recursive: true, force: true });
  await dropCheckpoints(places.checkpoints(meta.project.id), meta.id);
  for (const folder of asidePlaces(places, meta)) await dropAside(folder);
  await rm(places.of(meta.id), { recursive: true, force: true });
  await rmdir(dirname(meta.path)).catch(() => {});
}

async function dropBranch(meta: Meta): Promise<void> {
  const { gitDir } = meta.project;
  const now = meta.branch === '' ? null : await realRef(gitDir, meta.branch);
  const ours = (await realRef(gitDir, keepRef(meta.id))) !== null;
  if (now !== null && ours && now === (meta.agreed?.tip ?? meta.baseCommit))
    await moveRefs(gitDir, [[meta.branch, null, now]]).catch(() => {});
}
