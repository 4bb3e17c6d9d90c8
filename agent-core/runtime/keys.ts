import { chmod, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KeyStore } from './api.ts';

export const keyFile = (home: string): string => join(home, 'secrets.json');

/** The key in `secrets.json`, readable by its owner alone: for hosts without a system key store. */
export function fileKeys(home: string): KeyStore {
  const file = keyFile(home);
  return {
    get: async () => {
      try {
        const parsed: unknown = JSON.parse(await readFile(file, 'utf8'));
        const key = (parsed as { key?: unknown } | null)?.key;
        return typeof key === 'string' && key ? key : null;
      } catch {
        return null;
      }
    },
    set: async (key) => {
      if (key === null) return rm(file, { force: true });
      const fresh = `${file}.new`;
      await writeFile(fresh, JSON.stringify({ key }), { mode: 0o600 });
      await chmod(fresh, 0o600);
      await rename(fresh, file);
    },
  };
}
