import { constants } from 'node:fs';
import { chmod, lstat, mkdir, open, readdir, readlink, rename, stat, unlink, type FileHandle } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { isAbsolute, relative } from 'node:path';
import type { Stats } from 'node:fs';
import { Failure } from '../contract/errors.ts';
import type { WorktreeFiles } from './types.ts';

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;
/** Linux: a descriptor that only names a place; Node has no constant for it. */
const O_PATH = 0o10000000;
const MAX_LINKS = 40;
/** The most that `read` returns unless told otherwise, in bytes. */
export const READ_LIMIT = 64 * 1024 * 1024;

const leadsOut = (path: string, why: string) =>
  new Failure('not-allowed', `${path} is not read or written: ${why}.`, { fix: 'Name a file inside the worktree.' });

type Kind = 'file' | 'folder' | 'symlink' | 'other';
const kindOf = (entry: Pick<Stats, 'isFile' | 'isDirectory' | 'isSymbolicLink'>): Kind => {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'folder';
  return entry.isSymbolicLink() ? 'symlink' : 'other';
};

const hasCode = (error: unknown, code: string) => (error as NodeJS.ErrnoException).code === code;
const notFound = (path: string) => Object.assign(new Error(`ENOENT: no such file or directory, '${path}'`), { code: 'ENOENT' });

/** The child of an open folder: the kernel goes on from the descriptor, whatever happened to the path meanwhile. */
const child = (folder: FileHandle, name: string) => `/proc/self/fd/${folder.fd}/${name}`;

/** Where a path led: its open folder, and the name in it that is no symlink; an empty name is the worktree itself. */
interface Place {
  folder: FileHandle;
  name: string;
  /** The same as a path relative to the root, links resolved. */
  resolved: string;
}

interface WalkOptions {
  /** Follow a symlink at the last component too, as long as it stays inside. */
  followLast: boolean;
  makeFolders: boolean;
}

/** Splits into components relative to the root; an absolute path must lie inside it. */
function components(root: string, path: string): string[] {
  if (path.includes('\0')) throw leadsOut(JSON.stringify(path), 'a path has no NUL in it');
  const inside = isAbsolute(path) ? relative(root, path) : path;
  if (isAbsolute(path) && (inside === '..' || inside.startsWith('../'))) throw leadsOut(path, 'it lies outside the worktree');
  return inside.split('/').filter((part) => part !== '' && part !== '.');
}

/**
 * Walks from the root, one open folder at a time, never following a link: a symlink is read and its target walked from
 * the same descriptors, so that neither it nor a folder swapped in a race leads outside. The caller closes `folder`.
 */
async function walk(root: string, path: string, options: WalkOptions): Promise<Place> {
  const left = components(root, path);
  const stack = [await open(root, O_PATH | O_DIRECTORY | O_NOFOLLOW)];
  const names: string[] = [];
  const top = () => stack.at(-1) as FileHandle;
  let links = 0;
  try {
    for (let part = left.shift(); part !== undefined; part = left.shift()) {
      if (part === '..') {
        if (stack.length === 1) throw leadsOut(path, 'it leads out of the worktree');
        await stack.pop()?.close();
        names.pop();
        continue;
      }
      const last = left.length === 0;
      const found = await lstat(child(top(), part)).catch((error: unknown) => {
        if (hasCode(error, 'ENOENT')) return null;
        throw error;
      });
      if (found?.isSymbolicLink() && (!last || options.followLast)) {
        if (++links > MAX_LINKS) throw leadsOut(path, 'it goes through too many symlinks');
        const target = await readlink(child(top(), part));
        if (isAbsolute(target)) {
          names.length = 0;
          for (const folder of stack.splice(1)) await folder.close();
        }
        left.unshift(...components(root, target));
        continue;
      }
      names.push(part);
      if (last) return { folder: stack.pop() as FileHandle, name: part, resolved: names.join('/') };
      if (!found && options.makeFolders)
        await mkdir(child(top(), part)).catch((error: unknown) => {
          if (!hasCode(error, 'EEXIST')) throw error;
        });
      else if (!found) throw notFound(path);
      stack.push(await open(child(top(), part), O_PATH | O_DIRECTORY | O_NOFOLLOW));
    }
    return { folder: stack.pop() as FileHandle, name: '', resolved: names.join('/') };
  } finally {
    for (const folder of stack) await folder.close();
  }
}

async function at<T>(root: string, path: string, options: WalkOptions, act: (place: Place) => Promise<T>): Promise<T> {
  const place = await walk(root, path, options);
  try {
    return await act(place);
  } finally {
    await place.folder.close();
  }
}

async function readWhole(file: FileHandle, path: string, limit: number): Promise<Buffer> {
  const found = await file.stat();
  if (found.isDirectory()) throw Object.assign(new Error(`EISDIR: illegal operation on a directory, read '${path}'`), { code: 'EISDIR' });
  if (!found.isFile()) throw leadsOut(path, 'it is a device, a pipe or a socket, not a file');
  if (found.size > limit) {
    throw new Failure('not-allowed', `${path} is ${found.size} bytes; at most ${limit} are read.`, {
      fix: 'Read a part of it with a command.',
    });
  }
  const parts: Buffer[] = [];
  let total = 0;
  for (;;) {
    const buffer = Buffer.allocUnsafe(Math.min(1024 * 1024, Math.max(4096, found.size - total + 1)));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, null);
    if (bytesRead === 0) return Buffer.concat(parts);
    total += bytesRead;
    if (total > limit) throw new Failure('not-allowed', `${path} grew beyond ${limit} bytes while it was read.`);
    parts.push(buffer.subarray(0, bytesRead));
  }
}

async function replace(place: Place, path: string, content: string | Uint8Array): Promise<void> {
  if (place.name === '') throw Object.assign(new Error(`EISDIR: illegal operation on a directory, open '${path}'`), { code: 'EISDIR' });
  const target = child(place.folder, place.name);
  const before = await lstat(target).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  });
  if (before?.isDirectory()) throw Object.assign(new Error(`EISDIR: illegal operation on a directory, open '${path}'`), { code: 'EISDIR' });
  if (before && !before.isFile()) throw leadsOut(path, 'it is a device, a pipe, a socket or a link, not a file');
  const temporary = child(place.folder, `.signalbox-${randomBytes(9).toString('hex')}.tmp`);
  const file = await open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o666);
  try {
    await file.writeFile(content);
    if (before) await file.chmod(before.mode & 0o777);
    await file.datasync();
    await file.close();
    await rename(temporary, target);
  } catch (error) {
    await file.close().catch(() => {});
    await unlink(temporary).catch(() => {});
    throw error;
  }
}

/**
 * {@link WorktreeFiles} on Linux, by way of `/proc/self/fd`: where that is missing every method throws ENOENT. A link inside the worktree that stays inside is followed by `read`, `write` and `list`;
 * `stat` and `remove` mean the link itself. Whether the policy lets someone write is the caller's to judge.
 */
function procDoor(root: string, guarded: string[]): WorktreeFiles {
  const writable = (place: Place, path: string) => {
    const guard = guarded.find((name) => place.resolved === name || place.resolved.startsWith(`${name}/`));
    if (guard !== undefined) throw leadsOut(path, `${guard} is git's or comes from outside the worktree`);
  };
  const follow = { followLast: true, makeFolders: false };
  const stay = { followLast: false, makeFolders: false };
  return {
    read: (path, limit = READ_LIMIT, settled = false) =>
      at(root, path, follow, async ({ folder, name }) => {
        // Not blocking: opening a pipe without a writer would wait for ever.
        const file = await open(child(folder, name || '.'), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
        try {
          if (settled) await file.datasync().catch(() => {});
          return await readWhole(file, path, limit);
        } finally {
          await file.close();
        }
      }),
    write: (path, content) =>
      at(root, path, { followLast: true, makeFolders: true }, (place) => {
        writable(place, path);
        return replace(place, path, content);
      }),
    remove: (path) =>
      at(root, path, stay, async (place) => {
        if (place.name === '') throw leadsOut(path, 'it is the worktree itself');
        writable(place, path);
        await unlink(child(place.folder, place.name));
      }),
    stat: async (path) => {
      try {
        return await at(root, path, stay, async ({ folder, name }) => {
          const found = name === '' ? await folder.stat() : await lstat(child(folder, name));
          return { kind: kindOf(found), size: found.size, mode: found.mode & 0o7777 };
        });
      } catch (error) {
        if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return null;
        throw error;
      }
    },
    list: (path) =>
      at(root, path, follow, async ({ folder, name }) => {
        const listed = name === '' ? folder : await open(child(folder, name), O_PATH | O_DIRECTORY | O_NOFOLLOW);
        try {
          const entries = await readdir(`/proc/self/fd/${listed.fd}`, { withFileTypes: true });
          return entries.map((entry) => ({ name: entry.name, kind: kindOf(entry) }));
        } finally {
          if (listed !== folder) await listed.close();
        }
      }),
  };
}

/**
 * The door to the worktree at `root`, an absolute real path. Git's own `.git` is read through it, never written, and
 * neither are `mounts`: absolute paths inside the worktree where something else is mounted for commands.
 */
export function openDoor(root: string, mounts: string[] = []): WorktreeFiles {
  const guarded = mounts.map((path) => relative(root, path)).filter((path) => path !== '' && !path.startsWith('..'));
  return procDoor(root, ['.git', ...guarded]);
}

/** An entry's name as it is on disk: one that is no UTF-8 is found again among its folder's. */
async function nameOnDisk(folder: FileHandle, name: string): Promise<Buffer> {
  if (!name.includes('\ufffd')) return Buffer.from(name);
  const names = await readdir(`/proc/self/fd/${folder.fd}`, { encoding: 'buffer' });
  return names.find((each) => each.toString('utf8') === name) ?? Buffer.from(name);
}

/**
 * Moves an entry of the worktree, whatever it is, to `target`: an absolute path on the same disk that nothing inside can
 * reach. No link is followed in its last component. Throws Node's ENOENT, EXDEV, …
 */
export function takeOut(root: string, path: string, target: string): Promise<void> {
  return at(root, path, { followLast: false, makeFolders: false }, async ({ folder, name, resolved }) => {
    if (name === '' || resolved === '.git') throw leadsOut(path, 'it is not to be moved');
    const from = Buffer.concat([Buffer.from(`/proc/self/fd/${folder.fd}/`), await nameOnDisk(folder, name)]);
    try {
      await rename(from, target);
    } catch (error) {
      if (!hasCode(error, 'EACCES')) throw error;
      // Someone inside took away the right to move it.
      await ours(`/proc/self/fd/${folder.fd}`);
      const entry = await open(from, O_PATH | O_NOFOLLOW);
      try {
        if ((await entry.stat()).isDirectory()) await ours(`/proc/self/fd/${entry.fd}`);
      } finally {
        await entry.close();
      }
      await rename(from, target);
    }
  });
}

/** Gives us every right to an open folder: its descriptor means that very folder, wherever it is by now. */
async function ours(folder: string): Promise<void> {
  await chmod(folder, ((await stat(folder)).mode & 0o777) | 0o700);
}

/** Moves what {@link takeOut} took back to `path`, over a file that is there; missing folders are made. Throws as it does. */
export function putBack(root: string, path: string, source: string): Promise<void> {
  return at(root, path, { followLast: false, makeFolders: true }, async ({ folder, name, resolved }) => {
    if (name === '' || resolved === '.git' || resolved.startsWith('.git/')) throw leadsOut(path, 'it is git’s');
    await rename(source, child(folder, name));
  });
}
