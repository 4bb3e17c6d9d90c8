import { chmod, lstat, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { openDoor, putBack, takeOut } from '../../sandbox/door.ts';
import { isCode } from '../../git/store-files.ts';
import type { Meta, Places } from '../meta.ts';
import { nameOf } from './known.ts';
import { contentsOf } from './scan.ts';

/** Where what is taken out may lie: by rename only, so on the worktree's own disk; never where anything inside reaches. */
export function asidePlaces(places: Places, meta: Meta): string[] {
  const beside =
    meta.kind === 'worktree'
      ? join(dirname(dirname(meta.path)), '.signalbox-aside', meta.id)
      : join(meta.project.gitDir, 'signalbox-aside', meta.id);
  return [join(places.of(meta.id), 'aside'), beside];
}

/**
 * Takes paths of the worktree out; returns the folder in which they lie, each at its own path, and which were there to be
 * taken. Nothing is copied, nothing lost. Throws when none could be moved.
 */
export async function takeAside(
  worktree: string,
  folders: readonly string[],
  id: string,
  paths: readonly string[],
): Promise<{ place: string; taken: string[] }> {
  const taken: string[] = [];
  let failed: unknown = null;
  for (const folder of folders) {
    const place = join(folder, id);
    failed = null;
    for (const path of paths) {
      try {
        await mkdir(dirname(join(place, path)), { recursive: true, mode: 0o700 });
        await takeOut(worktree, path, join(place, path));
        taken.push(path);
      } catch (error) {
        // Gone by itself meanwhile: there is nothing to take. What can't be moved now is found by the next look.
        if (isCode(error, 'ENOENT', 'ENOTDIR')) continue;
        failed = error;
        if (isCode(error, 'EXDEV')) break;
      }
    }
    if (taken.length > 0 || failed === null) return { place, taken };
    await rm(place, { recursive: true, force: true });
    if (!isCode(failed, 'EXDEV')) throw failed;
  }
  throw failed;
}

/** Mode and object name of each file that lies aside; null when it is too much to read. */
export async function namesAside(place: string, entry: string, algorithm: 'sha1' | 'sha256'): Promise<{ [path: string]: string } | null> {
  const contents = await contentsOf(openDoor(place), place, entry);
  if (contents === null || contents.found.some(({ content }) => content === null)) return null;
  return Object.fromEntries(contents.found.map(({ path, mode, content }) => [path, nameOf(mode, content!, algorithm)]));
}

/** Puts the base's own versions back, by way of a folder on the same disk. */
export async function putBase(
  worktree: string,
  place: string,
  files: readonly { path: string; mode: string; content: Buffer }[],
): Promise<void> {
  const scratch = `${place}.base`;
  await mkdir(scratch, { recursive: true, mode: 0o700 });
  try {
    for (const [at, { path, mode, content }] of files.entries()) {
      const made = join(scratch, String(at));
      if (mode === '120000') await symlink(content, made);
      else {
        await writeFile(made, content);
        await chmod(made, mode === '100755' ? 0o755 : 0o644);
      }
      await putBack(worktree, path, made);
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Removes what lies aside, whatever rights an agent took away in it. */
export async function dropAside(folder: string): Promise<void> {
  await unlock(folder);
  await rm(folder, { recursive: true, force: true });
}

async function unlock(folder: string): Promise<void> {
  try {
    await chmod(folder, 0o700);
    for (const entry of await readdir(folder, { withFileTypes: true })) if (entry.isDirectory()) await unlock(join(folder, entry.name));
  } catch (error) {
    if (!isCode(error, 'ENOENT', 'ENOTDIR')) throw error;
  }
}

const missing = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => false,
    () => true,
  );

/** Moves what lies aside to where it was. Goes on where it was cut off. */
export async function bringBack(worktree: string, place: string, entry: string, whole: boolean, files: readonly string[]): Promise<void> {
  if (whole && (await missing(join(worktree, entry)))) {
    await putBack(worktree, entry, join(place, entry));
    return;
  }
  for (const path of files) {
    if (await missing(join(place, path))) continue;
    await putBack(worktree, path, join(place, path));
  }
}
