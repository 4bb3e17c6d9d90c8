import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { replaceFile } from '../../git/store-files.ts';
import type { Places } from '../meta.ts';

/** Something that was taken out of a worktree and is kept. */
export const Aside = z.object({
  id: z.string(),
  /** The guarded entry it belongs to, and what the person is asked about: the entry, or one file of it. */
  entry: z.string(),
  subject: z.string(),
  /** Absolute folder in which it lies, at its own path. */
  place: z.string(),
  /** The entry lies there as a whole. */
  whole: z.boolean(),
  /** Mode and object name of each file, by path; null where it is too much to be read. */
  names: z.record(z.string(), z.string()).nullable(),
  why: z.string(),
  command: z.string(),
  /** The base has a version of its own there, which was put back. */
  replaced: z.boolean(),
  at: z.number(),
  /** The person has been told. */
  told: z.boolean(),
});
export type Aside = z.infer<typeof Aside>;

const Record = z.object({
  version: z.literal(1),
  asides: z.array(Aside),
  /** Contents that were let in, each as path, NUL, name. */
  once: z.array(z.string()),
  /** Paths, or folders, that held more than is looked through before anything ran: the person's. */
  allowed: z.array(z.string()),
});
export type Record = z.infer<typeof Record>;

const fileOf = (places: Places, id: string): string => join(places.of(id), 'guard.json');

/** Null where none was written yet. A spoilt one counts as none: then everything is asked anew. */
export async function readRecord(places: Places, id: string): Promise<Record | null> {
  const text = await readFile(fileOf(places, id), 'utf8').catch(() => null);
  if (text === null) return null;
  try {
    return Record.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

export async function writeRecord(places: Places, id: string, record: Record): Promise<void> {
  // A workspace that is gone stays gone.
  await access(places.of(id));
  await replaceFile(fileOf(places, id), JSON.stringify(record));
}
