import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { Failure } from '../contract/errors.ts';
import type { Bind, Machine } from '../sandbox/types.ts';
import { writeShallow } from './expire.ts';
import { insideScript, isOid } from './runner.ts';
import { receivePack } from './transfer.ts';
import { alternatesText, coreSettings, objectRoots, renderConfig, type Copies } from './session-store.ts';
import { replaceFile } from './store-files.ts';

/** Where the snapshot's own git directory appears inside, only for the run that writes a tree. */
const SNAP = '/signalbox/snap';

/** What a workspace's checkpoints need on the host. */
export interface SnapPlace {
  /** This workspace's own folder for the private index and new objects; seen inside by checkpoint runs alone. */
  snap: string;
  /** The project's bare checkpoint store, never seen inside. */
  checkpoints: string;
  gitDir: string;
  worktree: string;
  workspaceId: string;
  /** Nothing can be mounted: everything is seen inside where it is. */
  own: boolean;
}

/** The private git directory as a run of ours sees it: its bind, and what names it in the environment. */
export function snapRun(place: SnapPlace): { bind: Bind; env: Record<string, string> } {
  const target = place.own ? place.snap : SNAP;
  const env = { ...CHECKPOINT_ENV, GIT_DIR: target, GIT_WORK_TREE: place.worktree };
  return { bind: { source: place.snap, target, access: 'write' }, env };
}

/** Makes the project's bare checkpoint store, which borrows the repository's objects, `commit` among them. Idempotent. */
export async function makeCheckpointStore(store: string, gitDir: string, commit: string): Promise<void> {
  for (const folder of ['objects/info', 'objects/pack', 'refs/workspaces'])
    await mkdir(join(store, folder), { recursive: true, mode: 0o700 });
  const alternates = (await objectRoots(gitDir)).map((root) => `${root}\n`).join('');
  if ((await readFile(join(store, 'objects/info/alternates'), 'utf8').catch(() => '')) !== alternates)
    await replaceFile(join(store, 'objects/info/alternates'), alternates);
  await writeFile(join(store, 'config'), renderConfig(coreSettings(true, commit)), { flag: 'wx' }).catch(ignore);
  // Merges are tried here too.
  await writeShallow(store, gitDir);
  await writeFile(join(store, 'HEAD'), 'ref: refs/heads/none\n', { flag: 'wx' }).catch(ignore);
}

/**
 * Makes the private git directory in which trees are written: an index of our own, none of the agent's settings,
 * filters (but Git LFS) or excludes, so that what is shown is what is on disk. `index` is copied to start warm.
 */
export async function makeSnap(place: SnapPlace, index: string | null, copies: Copies): Promise<void> {
  await rm(place.snap, { recursive: true, force: true });
  for (const folder of ['objects/info', 'objects/pack', 'refs/heads', 'info'])
    await mkdir(join(place.snap, folder), { recursive: true, mode: 0o700 });
  const settings = copies.settings.filter(([key]) => /^(?:core|filter\.lfs|lfs)\./.test(key));
  await Promise.all([
    writeFile(
      join(place.snap, 'config'),
      renderConfig([
        ...settings,
        ...coreSettings(false, copies.commit),
        ['core.excludesFile', '/dev/null'],
        ['core.attributesFile', '/dev/null'],
      ]),
    ),
    writeFile(join(place.snap, 'HEAD'), 'ref: refs/heads/none\n'),
    writeFile(join(place.snap, 'info', 'exclude'), copies.exclude),
    writeFile(join(place.snap, 'objects', 'info', 'alternates'), alternatesText(copies.roots, place.own)),
    ...(index === null ? [] : [readFile(index).then((bytes) => writeFile(join(place.snap, 'index'), bytes))]),
  ]);
}

const CHECKPOINT_ENV = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', GIT_ATTR_NOSYSTEM: '1' };
export const CHECKPOINT_SAFE =
  '-c core.fsmonitor=false -c core.hooksPath=/dev/null -c core.fsync=none -c core.untrackedCache=false -c advice.addEmbeddedRepo=false -c core.safecrlf=false';
/**
 * One at a time: a lock is what a killed one left. $1 the tree that the store has, $2 the base commit. Prints the tree, then
 * a pack of what it needs beyond them: a tree is excluded, for beside a commit git would pack what both have as well, and a
 * partial clone lacks some of that.
 */
const SCRIPT = `set -e
rm -f "$GIT_DIR/index.lock"
git ${CHECKPOINT_SAFE} add --all --sparse -- . >&2
tree=$(git ${CHECKPOINT_SAFE} write-tree)
echo "$tree"
[ "$tree" = "$1" ] && exit 0
known=$1
git cat-file -e "$known" 2>/dev/null || known=$2^{tree}
printf '%s\\n^%s\\n' "$tree" "$known" | git -c pack.threads=1 -c pack.window=4 pack-objects --quiet --revs --thin --stdout
`;

export interface Checkpoint {
  /** Tree id in the checkpoint store: every file that is not ignored, untracked ones included. */
  tree: string;
  /** The commit that keeps it, on `refs/workspaces/<id>`. */
  commit: string;
}

/**
 * Writes the workspace's whole tree, inside, and takes it into the bare checkpoint store, outside, where every object
 * is checked. `last` is the newest checkpoint (null: none yet, then `base` is what the store can borrow).
 */
export async function checkpoint(
  machine: Machine,
  place: SnapPlace,
  base: string,
  last: Checkpoint | null,
  label: string,
): Promise<Checkpoint> {
  const { bind, env } = snapRun(place);
  const run = await insideScript(machine, SCRIPT, [last?.tree ?? '', base], {
    access: 'read',
    binds: [bind],
    cwd: place.worktree,
    env,
    limit: 1024 * 1024 * 1024,
  });
  const newline = run.stdout.indexOf(10);
  const tree = run.stdout.toString('latin1', 0, newline);
  if (!isOid(tree)) throw new Failure('git-failed', 'No checkpoint could be made of the workspace.', { output: run.stderr });
  if (last !== null && last.tree === tree) return last;
  await receivePack(place.checkpoints, run.stdout.subarray(newline + 1));
  const commit = await writeCommit(place.checkpoints, tree, last?.commit ?? null, label);
  await replaceFile(join(place.checkpoints, 'refs', 'workspaces', place.workspaceId), `${commit}\n`);
  return { tree, commit };
}

/** A commit as a loose object: the store is ours alone, and a process for each would cost more than the snapshot. */
async function writeCommit(store: string, tree: string, parent: string | null, label: string): Promise<string> {
  const who = `Signalbox <signalbox@localhost> ${Math.floor(Date.now() / 1000)} +0000`;
  const body = Buffer.from(
    `tree ${tree}\n${parent === null ? '' : `parent ${parent}\n`}author ${who}\ncommitter ${who}\n\n${label.replaceAll('\0', '')}\n`,
  );
  const object = Buffer.concat([Buffer.from(`commit ${body.length}\0`), body]);
  const oid = createHash(tree.length === 64 ? 'sha256' : 'sha1')
    .update(object)
    .digest('hex');
  const path = join(store, 'objects', oid.slice(0, 2), oid.slice(2));
  await mkdir(dirname(path), { recursive: true });
  // Tasks of one project share the store and may write the same commit at the same time.
  const temporary = join(store, 'objects', `tmp_${randomUUID()}`);
  await writeFile(temporary, deflateSync(object, { level: 1 }), { mode: 0o444 });
  await rename(temporary, path);
  return oid;
}

/** Forgets a workspace's checkpoints. */
export const dropCheckpoints = (store: string, workspaceId: string): Promise<void> =>
  rm(join(store, 'refs', 'workspaces', workspaceId), { force: true });

function ignore(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
