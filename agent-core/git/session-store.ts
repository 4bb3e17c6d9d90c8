import { mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import type { Bind } from '../sandbox/types.ts';
import { person, type Identity } from './repository.ts';
import { hasRefTables, parsePackedRefs, realHead, renderPackedRefs, type PackedRef } from './refs.ts';
import { isOid, outside, outsideText } from './runner.ts';
import { readStoreFile, writeStoreFile } from './store-files.ts';

/** Where the repository's objects appear inside, read-only. */
const OBJECTS = '/signalbox/objects';

/**
 * Whether the worktree's `.git` points straight at the store, as where nothing can be mounted: the store is a clone of the
 * worktree's own then, which borrows the repository's objects where they lie, and which the person's git in the worktree
 * reads too. Its settings, hooks, `info` and `commondir` are read-only to the agent ({@link ownBinds}).
 */
export const isOwn = (place: { admin: string }): boolean => place.admin === '';

/** A private common git directory that stands in for the real one inside a sandbox. */
export interface StorePlace {
  /** Host folder of the store; the agent may write all of it. */
  store: string;
  /** The person's common git directory, at whose path the store appears inside. */
  gitDir: string;
  /** Name of the worktree's admin folder, the same in both; '' where the store is the worktree's own ({@link StorePlace.shown}). */
  admin: string;
  /** Where git in the worktree sees the store: at `gitDir` where it is mounted there, else at its own path. */
  shown: string;
  worktree: string;
  /** Full name of the branch, `refs/heads/signalbox/…`. */
  branch: string;
}

/** The folders that hold the repository's objects: its own, then those it borrows from. */
export async function objectRoots(gitDir: string): Promise<string[]> {
  const roots: string[] = [];
  const visit = async (folder: string): Promise<void> => {
    const real = await realpath(folder).catch(() => null);
    if (real === null || roots.includes(real) || roots.length > 16) return;
    roots.push(real);
    const alternates = await readFile(join(real, 'info', 'alternates'), 'utf8').catch(() => '');
    for (const line of alternates.split('\n')) {
      if (line !== '' && !line.startsWith('#')) await visit(isAbsolute(line) ? line : join(real, line));
    }
  };
  await visit(join(gitDir, 'objects'));
  return roots;
}

/** The paths of object folders as they are seen inside. */
const seenRoots = (roots: readonly string[], own: boolean): string[] => (own ? [...roots] : roots.map((_, index) => `${OBJECTS}/${index}`));

export const alternatesText = (roots: readonly string[], own: boolean): string =>
  seenRoots(roots, own)
    .map((root) => `${root}\n`)
    .join('');

/** What no agent may write in a git directory that the person's git reads: all that names commands, or other folders to read them from. */
const GUARDED = ['config', 'hooks', 'info', 'commondir'];

/**
 * The binds of a store of the worktree's own, each at its own place. `folders` are the git directories in it: itself (''),
 * and those of submodules. Everything in {@link GUARDED} is there from the start: what is missing could be made.
 */
export async function ownBinds(store: string, gitDir: string, folders: readonly string[]): Promise<Bind[]> {
  return [
    { source: store, target: store, access: 'write' },
    ...folders.flatMap((folder) =>
      GUARDED.map((name): Bind => ({ source: join(store, folder, name), target: join(store, folder, name), access: 'read' })),
    ),
    ...(await objectRoots(gitDir)).map((root): Bind => ({ source: root, target: root, access: 'read' })),
  ];
}

/** The binds that put the store in the git directory's place, with the real objects beside it. */
export async function storeBinds(place: Pick<StorePlace, 'store' | 'gitDir'>): Promise<Bind[]> {
  return [{ source: place.store, target: place.gitDir, access: 'write' }, ...(await objectBinds(place.gitDir))];
}

/** For one run of our own that must write whatever the mode is: the store, and the worktree where it needs it. */
export const writable = (place: Pick<StorePlace, 'store' | 'shown' | 'worktree'>, worktree: boolean): Bind[] => [
  ...(worktree ? [{ source: place.worktree, target: place.worktree, access: 'write' as const }] : []),
  { source: place.store, target: place.shown, access: 'write' },
];

/** The repository's objects, read-only at a path of their own. */
export async function objectBinds(gitDir: string): Promise<Bind[]> {
  return (await objectRoots(gitDir)).map((source, index) => ({ source, target: `${OBJECTS}/${index}`, access: 'read' }));
}

/** Settings that say how files and commits are written. No command, no path, no credential is among them. */
const PLAIN = new RegExp(
  `^(?:${[
    'core\\.(?:filemode|symlinks|ignorecase|precomposeunicode|autocrlf|eol|safecrlf|abbrev|quotepath|whitespace|trustctime|checkstat|commentchar)',
    'user\\.(?:name|email)',
    'init\\.defaultbranch',
    'merge\\.(?:conflictstyle|ff|renames|renamelimit)',
    'pull\\.(?:rebase|ff)',
    'rebase\\.(?:autosquash|autostash|updaterefs)',
    'diff\\.(?:algorithm|renames|renamelimit|context|noprefix|mnemonicprefix)',
    'i18n\\.(?:commitencoding|logoutputencoding)',
    'push\\.default',
    'branch\\..+\\.(?:remote|merge|rebase)',
    'remote\\..+\\.fetch',
    'commit\\.cleanup',
    'log\\.date',
    'status\\.(?:showuntrackedfiles|relativepaths)',
    'column\\.ui',
    'color\\.ui',
  ].join('|')})$`,
  's',
);

/** The repository's settings that may be seen inside, as `key` and `value` in order. */
export async function allowedSettings(gitDir: string): Promise<[string, string][]> {
  return allowedAmong((await outside({ gitDir, args: ['config', '--list', '-z'], personal: true })).stdout);
}

/** The settings of one file that may be seen inside: those of {@link allowedSettings}, and what makes a submodule's git directory one. */
export async function allowedSettingsOf(gitDir: string, file: string): Promise<[string, string][]> {
  const listed = (await outside({ gitDir, args: ['config', '--file', file, '--list', '-z'], answers: [128] })).stdout;
  return allowedAmong(listed, /^core\.(?:worktree|bare|repositoryformatversion|logallrefupdates)$|^extensions\.objectformat$/);
}

function allowedAmong(output: Buffer, more = /(?!)/): [string, string][] {
  const listed = output.toString('utf8').split('\0');
  const settings: [string, string][] = [];
  for (const entry of listed) {
    const newline = entry.indexOf('\n');
    const [key, value] = newline < 0 ? [entry, 'true'] : [entry.slice(0, newline), entry.slice(newline + 1)];
    if (/^core\.(?:quotepath|pager)$/.test(key)) continue;
    if (PLAIN.test(key) || more.test(key)) settings.push([key, value]);
    else if (/^remote\..+\.(?:url|pushurl)$/s.test(key)) settings.push([key, withoutCredentials(value)]);
  }
  return onceEach(settings);
}

/** Settings of the person's and of the repository under one key: the last one counts, and two would refuse `git config key value`. */
export function onceEach(settings: [string, string][]): [string, string][] {
  const last = new Map(settings.map(([key], index) => [key, index]));
  return settings.filter(
    ([key], index) => /^(?:remote\..+\.(?:url|pushurl|fetch)|branch\..+\.merge)$/s.test(key) || last.get(key) === index,
  );
}

/** A remote's address with nothing secret in it. */
export function withoutCredentials(url: string): string {
  const scheme = /^([a-z][a-z0-9+.-]*:\/\/)(?:[^/?#]*@)?([^?#]*)/i.exec(url);
  if (!scheme) return url;
  const user = /^ssh:\/\//i.test(url) ? /^ssh:\/\/([^:@/]+)(?::[^@/]*)?@/i.exec(url)?.[1] : undefined;
  return `${scheme[1]}${user ? `${user}@` : ''}${scheme[2]}`;
}

export function renderConfig(settings: readonly (readonly [string, string])[]): string {
  return settings
    .map(([key, value]) => {
      const first = key.indexOf('.');
      const last = key.lastIndexOf('.');
      const section = key.slice(0, first);
      const sub =
        first === last
          ? ''
          : ` "${key
              .slice(first + 1, last)
              .replaceAll('\\', '\\\\')
              .replaceAll('"', '\\"')}"`;
      const quoted = value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n').replaceAll('\t', '\\t');
      return `[${section}${sub}]\n\t${key.slice(last + 1)} = "${quoted}"\n`;
    })
    .join('');
}

/** What makes a folder a repository like the one that `commit` is in: with SHA-256 names where that has them. */
export const coreSettings = (bare: boolean, commit: string): [string, string][] => [
  ...(commit.length === 64
    ? ([
        ['core.repositoryformatversion', '1'],
        ['extensions.objectformat', 'sha256'],
      ] as [string, string][])
    : ([['core.repositoryformatversion', '0']] as [string, string][])),
  ['core.bare', String(bare)],
  ['core.logallrefupdates', 'true'],
];

/** What of the person's repository is copied for a workspace. */
export interface Copies {
  settings: [string, string][];
  /** A commit of the repository, by which its kind of object names is known. */
  commit: string;
  refs: Map<string, PackedRef>;
  roots: string[];
  head: string;
  exclude: string;
  shallow: string | null;
  who: Identity;
}

/** What the repository's own HEAD file says, or would say if its refs were files. */
async function headText(gitDir: string): Promise<string> {
  if (!(await hasRefTables(gitDir))) return readFile(join(gitDir, 'HEAD'), 'utf8');
  const { ref, oid } = await realHead(gitDir, null);
  return ref === null ? `${oid}\n` : `ref: ${ref}\n`;
}

export async function gatherCopies(gitDir: string, commit: string): Promise<Copies> {
  const [settings, refs, roots, head, exclude, shallow] = await Promise.all([
    allowedSettings(gitDir),
    baseRefs(gitDir),
    objectRoots(gitDir),
    headText(gitDir),
    readFile(join(gitDir, 'info', 'exclude'), 'utf8').catch(() => ''),
    readFile(join(gitDir, 'shallow'), 'utf8').catch(() => null),
  ]);
  const last = (key: string): string | undefined => settings.findLast(([name]) => name === key)?.[1];
  return { settings, commit, refs, roots, head, exclude, shallow, who: person(last('user.name'), last('user.email')) };
}

/** What a kind of repository adds to a store: settings, and files by their names in it. */
export interface StoreMore {
  settings: [string, string][];
  files: Record<string, string>;
}

/**
 * Makes the store, ready for a checkout inside. Only called while nothing runs in the workspace: what was there is
 * removed, the folder itself kept (it may be mounted). Returns the base refs as they were copied.
 */
export async function seedStore(place: StorePlace & { commit: string; copies: Copies; more?: StoreMore }): Promise<Map<string, PackedRef>> {
  const { store, admin, worktree, branch, commit, copies, more } = place;
  await mkdir(store, { recursive: true, mode: 0o700 });
  const identity: [string, string][] = [
    ['user.name', copies.who.name],
    ['user.email', copies.who.email],
  ];
  const refs = new Map(copies.refs);
  refs.delete(branch);
  const files: Record<string, string> = {
    HEAD: copies.head,
    config: renderConfig(onceEach([...copies.settings, ...identity, ...coreSettings(false, commit), ...(more?.settings ?? [])])),
    'packed-refs': renderPackedRefs(refs),
    'info/exclude': copies.exclude,
    'objects/info/alternates': alternatesText(copies.roots, isOwn(place)),
    [branch]: `${commit}\n`,
    ...(copies.shallow === null ? {} : { shallow: copies.shallow }),
    ...more?.files,
    ...(isOwn(place)
      ? { HEAD: `ref: ${branch}\n`, commondir: '.\n' }
      : {
          [`worktrees/${admin}/HEAD`]: `ref: ${branch}\n`,
          [`worktrees/${admin}/commondir`]: '../..\n',
          [`worktrees/${admin}/gitdir`]: `${worktree}/.git\n`,
        }),
  };
  for (const folder of ['hooks', 'objects/pack', 'refs/heads', 'refs/tags']) await mkdir(join(store, folder), { recursive: true });
  await Promise.all(
    Object.entries(files).map(async ([name, content]) => {
      await mkdir(dirname(join(store, name)), { recursive: true });
      await writeFile(join(store, name), content);
    }),
  );
  return refs;
}

/** The refs an agent may see: branches, remote branches and tags, but not the branches of other tasks. */
export async function baseRefs(gitDir: string, branch = ''): Promise<Map<string, PackedRef>> {
  const text = await outsideText(gitDir, [
    'for-each-ref',
    '--format=%(refname) %(objectname) %(*objectname) %(symref)',
    'refs/heads',
    'refs/remotes',
    'refs/tags',
  ]);
  const refs = new Map<string, PackedRef>();
  for (const line of text.split('\n')) {
    const [name = '', oid = '', peeled = '', symref = ''] = line.split(' ');
    if (symref !== '' || !isOid(oid) || name === branch || name.startsWith('refs/heads/signalbox/')) continue;
    refs.set(name, { oid, peeled: isOid(peeled) ? peeled : null });
  }
  return refs;
}

/**
 * Brings base refs that moved outside into the store. A ref that the agent moved, made or deleted stays as the agent
 * left it. `seen` is what was copied last; returns what is to be remembered now, or null where nothing changed.
 */
export async function refreshRefs(
  place: Pick<StorePlace, 'store' | 'gitDir' | 'branch'>,
  seen: ReadonlyMap<string, PackedRef>,
): Promise<Map<string, PackedRef> | null> {
  const now = await baseRefs(place.gitDir, place.branch);
  const moved = [...now].filter(([name, ref]) => seen.get(name)?.oid !== ref.oid);
  const gone = [...seen.keys()].filter((name) => !now.has(name));
  if (moved.length === 0 && gone.length === 0) return null;
  // Git's own lock: a `git pack-refs` that runs inside meanwhile would otherwise lose what it packs.
  const locked = await readStoreFile(place.store, 'packed-refs.lock');
  if (locked !== null) return null;
  const packed = parsePackedRefs((await readStoreFile(place.store, 'packed-refs', 64 * 1024 * 1024))?.toString('utf8') ?? '');
  for (const [name, ref] of moved) {
    if (!packed.has(name) ? !seen.has(name) : packed.get(name)?.oid === seen.get(name)?.oid) packed.set(name, ref);
  }
  for (const name of gone) {
    if (packed.get(name)?.oid === seen.get(name)?.oid) packed.delete(name);
  }
  await writeStoreFile(place.store, 'packed-refs', renderPackedRefs(packed));
  return now;
}
