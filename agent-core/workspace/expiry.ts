import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { RETENTION_DAYS } from '../contract/index.ts';
import { bytesBelow, expireCheckpoints } from '../git/expire.ts';
import { realRef, storeHead } from '../git/refs.ts';
import { outside, outsideText } from '../git/runner.ts';
import { listMeta, readMeta, writeMeta, type Meta, type Places } from './meta.ts';

export interface Retention {
  days: number;
  /** What checkpoints and the trash may hold each before things go earlier than their day. */
  maxBytes: number;
}

export const DEFAULT_RETENTION: Retention = { days: RETENTION_DAYS, maxBytes: 20 * 1024 ** 3 };

const DAY = 24 * 60 * 60 * 1000;
const ROUNDS = 4;

/**
 * Whether a workspace in the trash holds nothing that would be lost with it: all that is in its folder, but for ignored
 * files, is in commits, and the commits are on its branch in the repository. One that can't be judged is never reaped.
 */
export async function isReapable(places: Places, meta: Meta): Promise<boolean> {
  if (meta.phase !== 'trashed') return false;
  // The folder is the person's own and stays.
  if (meta.kind !== 'worktree') return true;
  const { agreed, last, branch } = meta;
  const { gitDir } = meta.project;
  // Changes inside a submodule are in no checkpoint.
  if (agreed === null || last === null || (meta.submodules ?? []).length > 0) return false;
  try {
    const inside = await storeHead(places.store(meta.id), meta.admin);
    if (inside.oid !== null && inside.oid !== agreed.tip) return false;
    const tip = await realRef(gitDir, branch);
    if (tip === null || (await outsideText(gitDir, ['rev-parse', `${agreed.tip}^{tree}`])) !== last.tree) return false;
    return (
      tip === agreed.tip || (await outside({ gitDir, args: ['merge-base', '--is-ancestor', agreed.tip, tip], answers: [1] })).code === 0
    );
  } catch {
    return false;
  }
}

/** Its branch stays when it goes, unless another branch has all of its commits. To be called before it is purged by age. */
export async function keepBranch(places: Places, meta: Meta): Promise<void> {
  if (meta.kind !== 'worktree' || meta.agreed === null) return;
  const others = await outsideText(meta.project.gitDir, [
    'for-each-ref',
    '--format=%(refname)',
    `--contains=${meta.agreed.tip}`,
    'refs/heads',
    'refs/remotes',
    'refs/tags',
  ]);
  meta.keepBranch = others.split('\n').every((name) => name === '' || name === meta.branch);
  await writeMeta(places, meta);
}

/** Workspaces in the trash whose day has come, or which must go for room, oldest first. Never one that would lose something. */
export async function expiredTrash(places: Places, { days, maxBytes }: Retention, now: number): Promise<Meta[]> {
  const trashed = (await listMeta(places))
    .filter((meta) => meta.phase === 'trashed')
    .toSorted((a, b) => (a.trash?.at ?? 0) - (b.trash?.at ?? 0));
  const sizes = await Promise.all(trashed.map(async (meta) => (meta.trash === null ? 0 : bytesBelow(meta.trash.path))));
  let held = sizes.reduce((sum, size) => sum + size, 0);
  const found: Meta[] = [];
  for (const [index, meta] of trashed.entries()) {
    const isOld = meta.trash !== null && meta.trash.at < now - days * DAY;
    if ((!isOld && held <= maxBytes) || !(await isReapable(places, meta))) continue;
    held -= sizes[index] ?? 0;
    found.push(meta);
  }
  return found;
}

/** Lets go of old checkpoints of all projects. `keep` are trees that are still shown. Returns how many went. */
export async function expireStores(places: Places, retention: Retention, keep: ReadonlySet<string>, now: number): Promise<number> {
  const folder = join(places.home, 'checkpoints');
  const metas = await listMeta(places);
  const isThere = async (id: string): Promise<boolean> => (await readMeta(places, id).catch(() => 'spoilt')) !== null;
  let dropped = 0;
  for (const name of await readdir(folder).catch(() => [])) {
    const store = join(folder, name);
    const gitDir = metas.find((meta) => places.checkpoints(meta.project.id) === store)?.project.gitDir ?? null;
    let { days } = retention;
    for (let round = 0; round < ROUNDS; round++, days /= 2) {
      dropped += await expireCheckpoints({ store, gitDir, before: now - days * DAY, isThere, keep });
      if ((await bytesBelow(store)) <= retention.maxBytes) break;
    }
  }
  return dropped;
}
