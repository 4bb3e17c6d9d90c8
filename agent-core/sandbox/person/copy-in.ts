import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, lstat, mkdir, open, rename, unlink, type FileHandle } from 'node:fs/promises';

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, COPYFILE_EXCL, COPYFILE_FICLONE } = constants;
/** Linux: a descriptor that only names a place; Node has no constant for it. */
const O_PATH = 0o10000000;

/** Why a file was not copied: nothing is wrong with any of these. */
export type NotCopied = 'there' | 'link' | 'gone' | 'special';

const child = (folder: FileHandle, name: string) => `/proc/self/fd/${folder.fd}/${name}`;
const hasCode = (error: unknown, ...codes: string[]) => codes.includes((error as NodeJS.ErrnoException).code ?? '');

/** The open folder of a path below a root, reached without following any link. Null where a part is missing, or a link. */
async function folderIn(root: string, parts: readonly string[], make: boolean): Promise<FileHandle | null> {
  let at = await open(root, O_PATH | O_DIRECTORY);
  for (const part of parts) {
    try {
      if (make)
        await mkdir(child(at, part)).catch((error: unknown) => (hasCode(error, 'EEXIST') ? undefined : Promise.reject(error as Error)));
      const next = await open(child(at, part), O_PATH | O_DIRECTORY | O_NOFOLLOW);
      await at.close();
      at = next;
    } catch (error) {
      await at.close();
      if (hasCode(error, 'ENOENT', 'ELOOP', 'ENOTDIR')) return null;
      throw error;
    }
  }
  return at;
}

async function into(folder: FileHandle, name: string, source: FileHandle): Promise<NotCopied | null> {
  const target = child(folder, name);
  const there = await lstat(target).then(
    () => true,
    (error: unknown) => (hasCode(error, 'ENOENT') ? false : Promise.reject(error as Error)),
  );
  if (there) return 'there';
  const temporary = child(folder, `.signalbox-${randomBytes(9).toString('hex')}.tmp`);
  try {
    // Shares the blocks where the disk can; a whole copy elsewhere.
    await copyFile(`/proc/self/fd/${source.fd}`, temporary, COPYFILE_EXCL | COPYFILE_FICLONE);
    await rename(temporary, target);
    return null;
  } catch (error) {
    await unlink(temporary).catch(() => {});
    throw error;
  }
}

/**
 * Copies one plain file from a folder to the same relative path in another (or to `as`), with its mode; never over what is
 * there. The two folders themselves are the caller's to trust. On
 * neither side a link leads it anywhere, at the end or on the way, not even in a race: each part is opened from the one
 * before. Returns why it was not copied, or null. Throws Node's own errors for the rest (ENOSPC, EACCES, …).
 */
export async function copyIn(from: string, to: string, path: string, as = path): Promise<NotCopied | null> {
  const [parts, toParts] = [path.split('/'), as.split('/')];
  if ([...parts, ...toParts].some((part) => part === '' || part === '.' || part === '..' || part === '.git' || part.includes('\0')))
    return 'special';
  const [name, toName] = [parts.pop()!, toParts.pop()!];
  const handles: FileHandle[] = [];
  const kept = <T extends FileHandle | null>(handle: T): T => {
    if (handle) handles.push(handle);
    return handle;
  };
  try {
    const folder = kept(await folderIn(from, parts, false));
    if (!folder) return 'link';
    // Not blocking: opening a pipe without a writer would wait for ever.
    const source = await open(child(folder, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch((error: unknown) => {
      if (hasCode(error, 'ENOENT')) return 'gone' as const;
      if (hasCode(error, 'ELOOP')) return 'link' as const;
      if (hasCode(error, 'ENXIO')) return 'special' as const;
      throw error;
    });
    if (typeof source === 'string') return source;
    kept(source);
    const found = await source.stat();
    if (!found.isFile() || (found.mode & 0o7000) !== 0) return 'special';
    const target = kept(await folderIn(to, toParts, true));
    return target ? await into(target, toName, source) : 'link';
  } finally {
    for (const handle of handles) await handle.close();
  }
}
