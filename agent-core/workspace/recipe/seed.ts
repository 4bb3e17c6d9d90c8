import { constants } from 'node:fs';
import { copyFile, lstat, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Project } from '../../contract/index.ts';
import { copyIn } from '../../sandbox/person/copy-in.ts';
import { newId } from '../../support/ids.ts';
import { fileAt } from './base-file.ts';
import type { Tool } from './lockfiles.ts';

/** A cache of the person's beyond this is not copied, unless the disk can share its blocks: the project's fills by itself. */
const MOST_BYTES = 512 * 1024 ** 2;
const MOST_FILES = 20_000;

/** Caches whose files each stand for themselves, below the person's HOME, and where they go in the project's. */
const WHOLE: Partial<Record<Tool, { from: string; to: string }[]>> = {
  pip: [{ from: '.cache/pip', to: 'pip' }],
  cargo: [
    { from: '.cargo/registry/cache', to: 'cargo-registry/cache' },
    { from: '.cargo/registry/index', to: 'cargo-registry/index' },
  ],
  pnpm: [{ from: '.local/share/pnpm/store', to: 'pnpm' }],
  yarn: [
    { from: '.cache/yarn', to: 'yarn' },
    { from: '.yarn/berry/cache', to: 'yarn-berry/cache' },
  ],
};

/** Plain files below a folder, links not followed; null where there are too many. */
async function filesIn(folder: string): Promise<string[] | null> {
  const found: string[] = [];
  const queue = [''];
  for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
    for (const entry of await readdir(join(folder, at), { withFileTypes: true }).catch(() => [])) {
      const path = at === '' ? entry.name : `${at}/${entry.name}`;
      if (entry.isDirectory()) queue.push(path);
      else if (entry.isFile()) found.push(path);
      if (found.length > MOST_FILES || queue.length > MOST_FILES) return null;
    }
  }
  return found;
}

async function bytesOf(folder: string, files: readonly string[]): Promise<number> {
  let sum = 0;
  for (const file of files)
    sum += await lstat(join(folder, file)).then(
      (found) => found.size,
      () => 0,
    );
  return sum;
}

/** Whether a copy from here to there shares its blocks. */
async function shares(file: string, folder: string): Promise<boolean> {
  const trial = join(folder, newId('item'));
  return copyFile(file, trial, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE)
    .then(
      () => true,
      () => false,
    )
    .finally(() => rm(trial, { force: true }));
}

async function seedWhole(from: string, folder: string, to: string, { scratch, signal }: SeedRequest): Promise<void> {
  const files = await filesIn(from);
  if (files === null || files.length === 0) return;
  if ((await bytesOf(from, files)) > MOST_BYTES && !(await shares(join(from, files[0]!), scratch))) return;
  for (const file of files) {
    signal.throwIfAborted();
    await copyIn(from, folder, file, `${to}/${file}`);
  }
}

/** The paths in npm's cache of what a lockfile names: each by the hash of its content, which npm checks. */
function npmContents(lock: string): string[] {
  const hashes = [...lock.matchAll(/"integrity": ?"sha512-([A-Za-z0-9+/=]+)"/g)].map((found) =>
    Buffer.from(found[1]!, 'base64').toString('hex'),
  );
  return [...new Set(hashes)]
    .filter((hash) => hash.length === 128)
    .map((hash) => `content-v2/sha512/${hash.slice(0, 2)}/${hash.slice(2, 4)}/${hash.slice(4)}`);
}

export interface SeedRequest {
  place: Pick<Project, 'gitDir' | 'subdir'>;
  commit: string;
  /** The lockfiles of the commit, by their paths. */
  lockfiles: readonly string[];
  tools: readonly Tool[];
  personHome: string;
  /** The project's cache folder, which its tasks write: nothing in it is trusted, and no link in it followed. */
  folder: string;
  scratch: string;
  signal: AbortSignal;
}

/** Seeded caches, by folder and tool: once while a core runs, and never where the project has one already. */
const seeded = new Map<string, Promise<void>>();

/**
 * Brings what the person's caches hold of a project's packages into the project's own, for those tools that can't read
 * the person's beside it. Never throws but for an abort: a cache that stays empty only costs time.
 */
export async function seedCaches(request: SeedRequest): Promise<void> {
  const { tools, personHome, folder, signal } = request;
  await Promise.all([request.scratch, folder].map((each) => mkdir(each, { recursive: true, mode: 0o700 })));
  for (const tool of tools) {
    for (const { from, to } of WHOLE[tool] ?? []) {
      const key = join(folder, to);
      // An empty folder is the mount's; one with something in it is the project's own by now.
      const there = await readdir(key).catch(() => []);
      const seeding = seeded.get(key) ?? (there.length > 0 ? Promise.resolve() : seedWhole(join(personHome, from), folder, to, request));
      seeded.set(key, seeding);
      await seeding.catch(() => seeded.delete(key));
      signal.throwIfAborted();
    }
  }
  if (tools.includes('npm')) await seedNpm(request).catch(() => signal.throwIfAborted());
}

async function seedNpm({ place, commit, lockfiles, personHome, folder, signal }: SeedRequest): Promise<void> {
  const from = join(personHome, '.npm/_cacache');
  let room = MOST_FILES;
  for (const path of lockfiles.filter((each) => /(?:^|\/)(?:package-lock|npm-shrinkwrap)\.json$/.test(each))) {
    const lock = await fileAt(place, commit, path, 32 * 1024 ** 2);
    for (const name of npmContents(lock?.toString('utf8') ?? '')) {
      signal.throwIfAborted();
      if (room-- <= 0) return;
      if (await lstat(join(from, name)).catch(() => null)) await copyIn(from, folder, name, `npm/_cacache/${name}`);
    }
  }
}
