import { join } from 'node:path';
import type { Machine } from '../sandbox/types.ts';
import { inStore, realRef, storeHead, storeHeadAt } from './refs.ts';
import { inside, isOid, outside } from './runner.ts';
import { moduleStore, type Submodule } from './submodules.ts';
import type { StorePlace } from './session-store.ts';
import { isAncestor, receivePack } from './transfer.ts';
import { moveRefs } from './worktree.ts';

/**
 * Brings the commits that were made inside submodules into the person's own clones of them, onto the task's branch
 * there, before the commits that name them are harvested. `from` is the superproject's commit that was agreed on last.
 * What a commit names and no submodule's store has (a repository that the agent made itself) is left: landing says so.
 * Returns the submodules with their new tips; the same array where nothing moved.
 */
export async function harvestSubmodules(
  machine: Machine,
  place: StorePlace & { workspaceId: string },
  submodules: readonly Submodule[],
  from: string,
): Promise<readonly Submodule[]> {
  const moved = new Map<Submodule, Submodule>();
  for (const submodule of submodules) {
    const parent = parentOf(submodules, submodule);
    const wanted = new Set(await linksInside(machine, place, submodule, parent, from));
    const head = (await storeHeadAt(place.store, moduleStore(place, submodule))).oid;
    if (head !== null) wanted.add(head);
    wanted.delete(submodule.tip);
    if (wanted.size === 0) continue;
    const tip = await bring(machine, place, submodule, [...wanted], head ?? submodule.tip);
    if (tip !== submodule.tip) moved.set(submodule, { ...submodule, tip });
  }
  return moved.size === 0 ? submodules : submodules.map((submodule) => moved.get(submodule) ?? submodule);
}

const parentOf = (all: readonly Submodule[], { name, place }: Submodule): Submodule | null =>
  all.find((other) => place === join(other.place, 'modules', name)) ?? null;

const gitDirInside = (place: StorePlace, submodule: Submodule | null): string =>
  join(place.shown, submodule === null ? inStore(place.admin, '') : moduleStore(place, submodule));

/** Commits of a submodule that new commits of its parent name. */
async function linksInside(
  machine: Machine,
  place: StorePlace,
  submodule: Submodule,
  parent: Submodule | null,
  from: string,
): Promise<string[]> {
  const before = parent?.tip ?? from;
  const head = await (parent === null ? storeHead(place.store, place.admin) : storeHeadAt(place.store, moduleStore(place, parent)));
  if (head.oid === null || head.oid === before) return [];
  const path = parent === null ? submodule.path : submodule.path.slice(parent.path.length + 1);
  const listed = await inside(
    machine,
    ['log', '--format=', '--raw', '--no-abbrev', '-m', '--no-renames', '--full-history', `${before}..${head.oid}`, '--', path],
    { access: 'read', env: { GIT_DIR: gitDirInside(place, parent), GIT_LITERAL_PATHSPECS: '1' }, cwd: place.worktree, answers: [128] },
  );
  return listed.stdout
    .toString('latin1')
    .split('\n')
    .map((line) => /^:+(?:\d+ )*160000 (?:[0-9a-f]+ )+([0-9a-f]+) /.exec(line)?.[1] ?? '')
    .filter((oid) => isOid(oid) && !/^0+$/.test(oid));
}

async function bring(
  machine: Machine,
  place: StorePlace & { workspaceId: string },
  submodule: Submodule,
  wanted: readonly string[],
  head: string,
): Promise<string> {
  const { gitDir } = submodule;
  const env = { GIT_DIR: gitDirInside(place, submodule) };
  const input = wanted.map((oid) => `${oid}\n`).join('');
  const check = ['cat-file', '--batch-check=%(objectname) %(objecttype)'];
  const [here, there] = await Promise.all([
    outside({ gitDir, args: check, input }),
    inside(machine, check, { access: 'read', env, cwd: place.worktree, input, answers: [128] }),
  ]);
  const commits = (out: Buffer): Set<string> =>
    new Set([...out.toString('latin1').matchAll(/^([0-9a-f]+) commit$/gm)].map((match) => match[1] ?? ''));
  const known = commits(here.stdout);
  const missing = wanted.filter((oid) => !known.has(oid) && commits(there.stdout).has(oid));
  if (missing.length > 0) {
    const pack = await inside(machine, ['-c', 'pack.threads=1', 'pack-objects', '--quiet', '--revs', '--thin', '--stdout'], {
      access: 'read',
      env,
      cwd: place.worktree,
      input: `${missing.join('\n')}\n^${submodule.tip}\n^${submodule.commit}\n`,
    });
    await receivePack(gitDir, pack.stdout);
    await outside({ gitDir, args: ['rev-list', '--quiet', '--objects', ...missing, '--not', '--all'] });
  }
  const brought = new Set([...known, ...missing]);
  const others = [...brought].filter((oid) => oid !== head);
  if (brought.has(head)) others.push(...(await pointAt(gitDir, place.branch, head)));
  for (const oid of others) await keep(gitDir, oid);
  return brought.has(head) ? head : submodule.tip;
}

/** Moves the task's branch in the submodule; returns what is no longer part of it. */
async function pointAt(gitDir: string, branch: string, head: string): Promise<string[]> {
  const now = await realRef(gitDir, branch);
  if (now === head) return [];
  if (now === null && (await isKept(gitDir, head))) return [];
  await moveRefs(gitDir, [[branch, head, now]]);
  return now !== null && !(await isAncestor(gitDir, now, head)) ? [now] : [];
}

/** Whether one of the person's own refs holds a commit already. */
async function isKept(gitDir: string, oid: string): Promise<boolean> {
  const found = await outside({
    gitDir,
    args: ['for-each-ref', '--count=1', `--contains=${oid}`, 'refs/heads', 'refs/remotes', 'refs/tags'],
  });
  return found.stdout.length > 0;
}

/** Commits that a harvested commit names stay, also when the task is long gone. */
async function keep(gitDir: string, oid: string): Promise<void> {
  if (await isKept(gitDir, oid)) return;
  const ref = `refs/signalbox/links/${oid}`;
  if ((await realRef(gitDir, ref)) === null) await moveRefs(gitDir, [[ref, oid, null]]);
}
