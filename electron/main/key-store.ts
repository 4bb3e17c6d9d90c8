import { safeStorage } from 'electron';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * The model key, encrypted with a key that the system keeps. Where the system has no key store Electron would
 * "encrypt" with a constant; then we say no, and the core keeps a file of its own that only its owner can read.
 */
export const systemKeysWork = async (): Promise<boolean> =>
  (await safeStorage.isAsyncEncryptionAvailable()) &&
  (process.platform !== 'linux' || !['basic_text', 'unknown'].includes(safeStorage.getSelectedStorageBackend()));

/** Null when nothing was kept, or when what was kept can't be read any more. */
export async function readKey(file: string): Promise<string | null> {
  try {
    return (await safeStorage.decryptStringAsync(await readFile(file))).result;
  } catch {
    return null;
  }
}

/** Keeps a key, or forgets it with null. */
export async function writeKey(file: string, key: string | null): Promise<void> {
  if (key === null) return rm(file, { force: true });
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const fresh = `${file}.new`;
  await writeFile(fresh, await safeStorage.encryptStringAsync(key), { mode: 0o600 });
  await rename(fresh, file);
}
