import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { mkdir, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Reads and writes files of a session store from outside. An agent may write there, so each component is opened
 * without following links (through the descriptor of the one before), and nothing but plain files is read.
 */

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** A folder by its descriptor, which nobody can swap. Where there is no such path (macOS), by its name, each part looked at before. */
const by = (folder: FileHandle, path: string): string => (process.platform === 'linux' ? `/proc/self/fd/${folder.fd}` : path);

/** Runs `use` with a path that names the folder of `path` by descriptor; null where a component is missing or no folder. */
export async function inFolder<T>(
  root: string,
  path: string,
  make: boolean,
  use: (folder: string, name: string) => Promise<T>,
): Promise<T | null> {
  const names = path.split('/');
  if (names.some((name) => name === '' || name === '.' || name === '..')) throw new Error(`Not a path in a store: ${path}`);
  const last = names.pop() ?? '';
  const handles: FileHandle[] = [];
  try {
    let at = await open(root, FOLDER);
    let path = root;
    handles.push(at);
    for (const name of names) {
      const next = `${by(at, path)}/${name}`;
      if (make) await mkdir(next, { mode: 0o755 }).catch(ignoreExisting);
      at = await open(next, FOLDER);
      path = `${path}/${name}`;
      handles.push(at);
    }
    return await use(by(at, path), last);
  } catch (error) {
    if (!make && isCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return null;
    throw error;
  } finally {
    for (const handle of handles) await handle.close();
  }
}

/** A file's bytes; null where there is none, where it is not a plain file, or where it is longer than `limit`. */
export function readStoreFile(root: string, path: string, limit = 4096): Promise<Buffer | null> {
  return inFolder(root, path, false, async (folder, name) => {
    const file = await open(`${folder}/${name}`, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stat = await file.stat();
      if (!stat.isFile() || stat.size > limit) return null;
      const bytes = Buffer.alloc(stat.size);
      const { bytesRead } = await file.read(bytes, 0, stat.size, 0);
      return bytes.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  });
}

/** Which version of a file this is, in words to compare; null where there is no plain file. */
export function storeFileStamp(root: string, path: string): Promise<string | null> {
  return inFolder(root, path, false, async (folder, name) => {
    const file = await open(`${folder}/${name}`, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stat = await file.stat({ bigint: true });
      return stat.isFile() ? `${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}` : null;
    } finally {
      await file.close();
    }
  });
}

/** Puts a file there atomically, replacing whatever has its name (a link itself, never what it points to). */
export async function writeStoreFile(root: string, path: string, content: string | Uint8Array): Promise<void> {
  await inFolder(root, path, true, (folder, name) => writeAtomically(folder, name, content));
}

async function writeAtomically(folder: string, name: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${folder}/.${name}.${randomBytes(8).toString('hex')}`;
  const file = await open(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o644);
  try {
    await file.writeFile(content);
    await file.close();
    await rename(temporary, `${folder}/${name}`);
  } catch (error) {
    await file.close().catch(() => {});
    await unlink(temporary).catch(() => {});
    throw error;
  }
}

/** The same for a file in a folder that no agent can write. */
export async function replaceFile(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeAtomically(dirname(path), path.slice(dirname(path).length + 1), content);
}

export const isCode = (error: unknown, ...codes: string[]): boolean => codes.includes((error as NodeJS.ErrnoException).code ?? '');

function ignoreExisting(error: unknown): void {
  if (!isCode(error, 'EEXIST')) throw error;
}
