import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Bind, Machine } from '../sandbox/types.ts';
import { insideScript, isOid, outside, insideArgs } from './runner.ts';
import { inStore, realRef, renderPackedRefs } from './refs.ts';
import {
  allowedSettingsOf,
  baseRefs,
  coreSettings,
  isOwn,
  objectRoots,
  onceEach,
  renderConfig,
  withoutCredentials,
  writable,
  type StorePlace,
} from './session-store.ts';
import type { Identity } from './repository.ts';
import { moveRefs } from './worktree.ts';

/** Where the objects of submodules appear inside, read-only. */
const OBJECTS = '/signalbox/modules';
const DEEPEST = 8;
/** Each shown submodule costs every command a mount. */
const MOST = 64;

/** A submodule that is checked out in a worktree, from the objects of the person's own clone of it. */
export interface Submodule {
  name: string;
  /** From the worktree's root. */
  path: string;
  /** Its git directory below the worktree's admin folder, such as `modules/lib`. */
  place: string;
  /** The person's own git directory of it. */
  gitDir: string;
  /** What the task's base names. */
  commit: string;
  /** What of it was brought out last. */
  tip: string;
}

export interface FoundSubmodules {
  present: Submodule[];
  /** Paths of those whose commit the person has not here. */
  absent: string[];
}

/** The submodules of a commit. `homes` are the git directories whose `modules` folder may have them. Reads objects and settings only. */
export async function findSubmodules(gitDir: string, commit: string, homes: readonly string[] = [gitDir]): Promise<FoundSubmodules> {
  const found: FoundSubmodules = { present: [], absent: [] };
  await visit(found, { gitDir, commit, homes, path: '', place: '', depth: 0 });
  return found;
}

interface Visit {
  gitDir: string;
  commit: string;
  homes: readonly string[];
  path: string;
  place: string;
  depth: number;
}

async function visit(found: FoundSubmodules, at: Visit): Promise<void> {
  const named = await namedPaths(at.gitDir, at.commit);
  if (named.size === 0) return;
  for (const [path, oid] of await links(at.gitDir, at.commit, [...named.keys()])) {
    const name = named.get(path) as string;
    const full = at.path === '' ? path : `${at.path}/${path}`;
    const gitDir = at.depth < DEEPEST && found.present.length < MOST ? await clone(at.homes, name, oid) : null;
    if (gitDir === null) {
      found.absent.push(full);
      continue;
    }
    const place = join(at.place, 'modules', name);
    found.present.push({ name, path: full, place, gitDir, commit: oid, tip: oid });
    await visit(found, { gitDir, commit: oid, homes: [gitDir], path: full, place, depth: at.depth + 1 });
  }
}

/** Path to name, as the commit's own `.gitmodules` says. */
async function namedPaths(gitDir: string, commit: string): Promise<Map<string, string>> {
  const listed = await outside({
    gitDir,
    args: ['config', `--blob=${commit}:.gitmodules`, '-z', '--get-regexp', '^submodule\\..*\\.path$'],
    answers: [1, 128],
  });
  const named = new Map<string, string>();
  if (listed.code !== 0) return named;
  for (const entry of listed.stdout.toString('utf8').split('\0')) {
    const newline = entry.indexOf('\n');
    const name = entry.slice('submodule.'.length, newline - '.path'.length);
    const path = entry.slice(newline + 1);
    if (newline > 0 && isName(name) && isName(path)) named.set(path, name);
  }
  return named;
}

const isName = (name: string): boolean => name.split('/').every((part) => !/^(?:|\.|\.\.|\.git)$/i.test(part)) && !/[\0\n\\]/.test(name);

async function links(gitDir: string, commit: string, paths: readonly string[]): Promise<[string, string][]> {
  const listed = await outside({
    gitDir,
    args: ['ls-tree', '-z', '--full-tree', commit, '--', ...paths],
    env: { GIT_LITERAL_PATHSPECS: '1' },
  });
  return listed.stdout
    .toString('utf8')
    .split('\0')
    .map((line) => /^160000 commit ([0-9a-f]+)\t([^]+)$/.exec(line))
    .flatMap((match): [string, string][] => (match?.[1] && match[2] ? [[match[2], match[1]]] : []));
}

/** The person's clone of a submodule that has this commit, or null. */
async function clone(homes: readonly string[], name: string, commit: string): Promise<string | null> {
  for (const home of homes) {
    const gitDir = join(home, 'modules', name);
    const isThere = await stat(join(gitDir, 'HEAD')).then(
      () => true,
      () => false,
    );
    if (!isThere) continue;
    const has = await outside({ gitDir, args: ['cat-file', '-e', `${commit}^{tree}`], answers: [1, 128] });
    if (has.code === 0) return gitDir;
  }
  return null;
}

/** The submodules' objects, read-only at paths of their own. */
export async function submoduleBinds(submodules: readonly Submodule[], own: boolean): Promise<Bind[]> {
  const binds = await Promise.all(
    submodules.map(async ({ gitDir }, number) =>
      (await objectRoots(gitDir)).map((source, index): Bind => ({
        source,
        target: own ? source : `${OBJECTS}/${number}/${index}`,
        access: 'read',
      })),
    ),
  );
  return binds.flat();
}

/** Name of a submodule's git directory in the session store. */
export const moduleStore = (place: Pick<StorePlace, 'admin'>, submodule: Submodule): string => inStore(place.admin, submodule.place);

/** The same as it is seen inside. */
const insideDir = (place: Pick<StorePlace, 'shown' | 'admin'>, submodule: Submodule): string =>
  join(place.shown, moduleStore(place, submodule));

/** What the submodules add to the settings of the repository that holds them, so that git takes them as active. */
export async function submoduleSettings(submodules: readonly Submodule[], parent = ''): Promise<[string, string][]> {
  const direct = submodules.filter((submodule) => submodule.place === join(parent, 'modules', submodule.name));
  const settings = await Promise.all(
    direct.map(async ({ name, gitDir }): Promise<[string, string][]> => {
      const url = await outside({ gitDir, args: ['config', '--get', 'remote.origin.url'], answers: [1] });
      return [
        [`submodule.${name}.active`, 'true'],
        [`submodule.${name}.url`, withoutCredentials(url.stdout.toString('utf8').trim()) || '.'],
      ];
    }),
  );
  return settings.flat();
}

/** Makes the submodules' git directories in a store that nothing has run in yet, and keeps the person's objects from the collector. */
export async function seedSubmodules(
  place: StorePlace & { workspaceId: string },
  submodules: readonly Submodule[],
  who: Identity,
  /** They are checked out already: their index comes along. */
  isCheckedOut = false,
): Promise<void> {
  await Promise.all(
    submodules.map(async (submodule, number) => {
      await seedOne(place, submodules, submodule, number, who);
      const index = isCheckedOut ? await readFile(join(submodule.gitDir, 'index')).catch(() => null) : null;
      if (index !== null) await writeFile(join(place.store, moduleStore(place, submodule), 'index'), index);
    }),
  );
}

async function seedOne(
  place: StorePlace & { workspaceId: string },
  all: readonly Submodule[],
  submodule: Submodule,
  number: number,
  who: Identity,
): Promise<void> {
  const root = join(place.store, moduleStore(place, submodule));
  const [settings, refs, roots, more] = await Promise.all([
    allowedSettingsOf(submodule.gitDir, join(submodule.gitDir, 'config')),
    baseRefs(submodule.gitDir),
    objectRoots(submodule.gitDir),
    submoduleSettings(all, submodule.place),
  ]);
  const own: [string, string][] = [
    ['user.name', who.name],
    ['user.email', who.email],
    ...coreSettings(false, submodule.commit),
    ['core.worktree', join(place.worktree, submodule.path)],
    ...more,
  ];
  const files: Record<string, string> = {
    HEAD: `${submodule.tip}\n`,
    config: renderConfig(onceEach([...settings, ...own])),
    'packed-refs': renderPackedRefs(refs),
    'objects/info/alternates': roots.map((path, index) => `${isOwn(place) ? path : `${OBJECTS}/${number}/${index}`}\n`).join(''),
    ...(isOwn(place) ? { commondir: '.\n' } : {}),
  };
  for (const folder of ['hooks', 'info', 'objects/pack', 'refs/heads', 'refs/tags']) await mkdir(join(root, folder), { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), content);
  }
  const keep = `refs/signalbox/${place.workspaceId}/base`;
  if ((await realRef(submodule.gitDir, keep)) === null) await moveRefs(submodule.gitDir, [[keep, submodule.commit, null]]);
}

/** Writes the `.git` of each submodule in a worktree that is empty yet, for a machine in which those are read-only. */
export async function writePointers(place: StorePlace, submodules: readonly Submodule[]): Promise<void> {
  for (const submodule of submodules) {
    await mkdir(join(place.worktree, submodule.path), { recursive: true });
    await writeFile(join(place.worktree, submodule.path, '.git'), `gitdir: ${insideDir(place, submodule)}\n`);
  }
}

/** $1 the folder, $2 its git directory, $3 the commit, and so on for the next. One that is not checked out is left out. */
const SCRIPT = `set -e
while [ $# -gt 0 ]; do
  if [ -d "$1" ]; then
    [ -f "$1/.git" ] || printf 'gitdir: %s\\n' "$2" > "$1/.git"
    git ${insideArgs.join(' ')} -C "$1" read-tree --reset -u "$3"
  fi
  shift 3
done
`;

/** Checks the submodules out inside. Without network: only what {@link findSubmodules} found present. */
export async function checkoutSubmodules(
  machine: Machine,
  place: StorePlace,
  submodules: readonly Submodule[],
  signal?: AbortSignal,
): Promise<void> {
  if (submodules.length === 0) return;
  const args = submodules.flatMap((submodule) => [join(place.worktree, submodule.path), insideDir(place, submodule), submodule.commit]);
  await insideScript(machine, SCRIPT, args, { access: 'write', binds: writable(place, true), ...(signal ? { signal } : {}) });
}

/** Submodules with changes that no commit of theirs holds: neither harvest nor landing would take those along. */
export async function dirtySubmodules(machine: Machine, place: StorePlace, submodules: readonly Submodule[]): Promise<string[]> {
  if (submodules.length === 0) return [];
  const script = `for path in "$@"; do
  if [ -e "$path/.git" ] && [ -n "$(git ${insideArgs.join(' ')} -C "$path" status --porcelain --ignore-submodules=all 2>/dev/null | head -n 1)" ]; then printf '%s\\0' "$path"; fi
done`;
  const got = await insideScript(
    machine,
    script,
    submodules.map((submodule) => submodule.path),
    { access: 'read', cwd: place.worktree },
  );
  return got.stdout.toString('utf8').split('\0').filter(Boolean);
}

/** Submodules that differ between two trees of `store` and name a commit which the person's repositories don't have. */
export async function foreignLinks(store: string, from: string, to: string, submodules: readonly Submodule[]): Promise<string[]> {
  if (from === to) return [];
  const listed = await outside({ gitDir: store, args: ['diff-tree', '-r', '-z', '--raw', '--no-abbrev', '--no-renames', from, to] });
  const fields = listed.stdout.toString('utf8').split('\0');
  const foreign: string[] = [];
  for (let at = 0; fields[at]?.startsWith(':'); at += 2) {
    const [, mode, , oid = ''] = (fields[at] ?? '').split(' ');
    const path = fields[at + 1] ?? '';
    if (mode !== '160000' || !isOid(oid)) continue;
    const known = submodules.find((submodule) => submodule.path === path);
    const has = known && (await outside({ gitDir: known.gitDir, args: ['cat-file', '-e', `${oid}^{tree}`], answers: [1, 128] }));
    if (has?.code !== 0) foreign.push(path);
  }
  return foreign;
}
