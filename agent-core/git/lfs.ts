import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import type { Bind, Machine } from '../sandbox/types.ts';
import { outside } from './runner.ts';
import { inFolder } from './store-files.ts';

/**
 * Where Git LFS looks for objects of a repository that ours borrows from: beside the folders that `alternates` names, which
 * appear below `/signalbox/objects` inside.
 */
const BORROWED = '/signalbox/objects/lfs/objects';

/** Git LFS by fixed commands of its own, whatever the person's settings or an agent's say. A missing file stays a pointer. */
const SETTINGS: [string, string][] = [
  ['filter.lfs.clean', 'git-lfs clean -- %f'],
  ['filter.lfs.smudge', 'git-lfs smudge -- %f'],
  ['filter.lfs.process', 'git-lfs filter-process'],
  ['filter.lfs.required', 'true'],
  ['lfs.skipdownloaderrors', 'true'],
  ['lfs.transfer.maxretries', '1'],
];

/** The person's own store of large files, or null. */
export async function lfsObjects(gitDir: string): Promise<string | null> {
  const folder = join(gitDir, 'lfs', 'objects');
  return (await isThere(folder)) ? folder : null;
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** The person's large files, read-only; nothing where the repository has none. */
export async function lfsBinds(gitDir: string, own: boolean): Promise<Bind[]> {
  const source = await lfsObjects(gitDir);
  return source === null ? [] : [{ source, target: own ? source : BORROWED, access: 'read' }];
}

/** What Git LFS adds to the settings inside; nothing where the repository has no large files here, or no `git lfs` is seen inside. */
export async function lfsSettings(machine: Machine, gitDir: string): Promise<[string, string][]> {
  if ((await lfsObjects(gitDir)) === null) return [];
  const found = await machine.collect({ argv: ['git-lfs', 'version'], access: 'read' }).catch(() => null);
  return found?.code === 0 ? SETTINGS : [];
}

/** The same for the person's own checkout when it is brought along. Nothing is fetched, whatever a file in it names. */
export async function lfsOutside(gitDir: string): Promise<string[]> {
  if ((await lfsObjects(gitDir)) === null || !(await hasLfs())) return [];
  return [...SETTINGS.map(([key, value]) => `${key}=${value}`), 'lfs.url=http://127.0.0.1:9/', 'filter.lfs.required=false'];
}

async function hasLfs(): Promise<boolean> {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter(isAbsolute);
  for (const folder of folders) {
    if (
      await access(join(folder, 'git-lfs'), constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return true;
  }
  return false;
}

/** What of a commit's large files can't be shown in a task, in words; null where all can. */
export async function lfsLimits(gitDir: string, commit: string): Promise<string | null> {
  const used = await outside({
    gitDir,
    args: ['grep', '-h', '-I', 'filter=lfs', commit, '--', '.gitattributes', '**/.gitattributes'],
    answers: [1, 128],
  });
  if (used.code !== 0) return null;
  if (!(await hasLfs())) return 'Git LFS is not installed: large files stay pointers in tasks. Install git-lfs, then run git lfs pull.';
  const pointers = await outside({
    gitDir,
    args: ['grep', '-h', '-I', '-F', 'oid sha256:', commit, '--', ...used.stdout.toString('utf8').split('\n').flatMap(pathspec)],
    answers: [1, 128],
  });
  const oids = new Set([...pointers.stdout.toString('latin1').matchAll(/^oid sha256:([0-9a-f]{64})$/gm)].map((match) => match[1] ?? ''));
  let missing = 0;
  for (const oid of oids) if (!(await isThere(join(gitDir, 'lfs', 'objects', place(oid))))) missing++;
  if (missing === 0) return null;
  return `Git LFS: ${missing === 1 ? 'a large file is' : `${missing} large files are`} not here and ${missing === 1 ? 'stays a pointer' : 'stay pointers'} in tasks. To have ${missing === 1 ? 'it' : 'them'}: git lfs fetch`;
}

const pathspec = (line: string): string[] => {
  const pattern = line.split(/\s/, 1)[0] ?? '';
  if (pattern === '' || pattern.startsWith('#')) return [];
  return [pattern.includes('/') ? `:(glob)${pattern.replace(/^\//, '')}` : `:(glob)**/${pattern}`];
};

const place = (oid: string): string => join(oid.slice(0, 2), oid.slice(2, 4), oid);

/**
 * Brings large files that were added inside into the person's store: each under the name that its content has. `from` are
 * folders that an agent may write; nothing is followed out of them.
 */
export async function harvestLfs(from: readonly string[], gitDir: string): Promise<void> {
  const objects = await lfsObjects(gitDir);
  if (objects === null) return;
  for (const root of from) {
    for (const first of await names(root, 'lfs/objects', /^[0-9a-f]{2}$/)) {
      for (const second of await names(root, `lfs/objects/${first}`, /^[0-9a-f]{2}$/)) {
        for (const oid of await names(root, `lfs/objects/${first}/${second}`, /^[0-9a-f]{64}$/)) {
          if (place(oid) === join(first, second, oid)) await bring(root, objects, oid);
        }
      }
    }
  }
}

const names = async (root: string, folder: string, pattern: RegExp): Promise<string[]> =>
  ((await inFolder(root, `${folder}/x`, false, (opened) => readdir(opened))) ?? []).filter((name) => pattern.test(name));

async function bring(root: string, objects: string, oid: string): Promise<void> {
  const target = join(objects, place(oid));
  if (await isThere(target)) return;
  await mkdir(dirname(target), { recursive: true });
  const temporary = join(objects, `signalbox-${randomBytes(8).toString('hex')}`);
  const whole = await inFolder(root, `lfs/objects/${place(oid)}`, false, (folder, name) =>
    copyChecked(`${folder}/${name}`, temporary, oid),
  );
  if (whole === true) await rename(temporary, target);
  else await rm(temporary, { force: true });
}

/** Copies a plain file; false where its content is not what its name says. */
async function copyChecked(source: string, target: string, oid: string): Promise<boolean> {
  const from = await open(source, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if (!(await from.stat()).isFile()) return false;
    const to = await open(target, 'wx', 0o444);
    const hash = createHash('sha256');
    try {
      for await (const chunk of from.createReadStream({ autoClose: false }) as AsyncIterable<Buffer>) {
        hash.update(chunk);
        await to.write(chunk);
      }
      await to.sync();
    } finally {
      await to.close();
    }
    return hash.digest('hex') === oid;
  } finally {
    await from.close();
  }
}
