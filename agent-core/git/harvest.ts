import { openSync, closeSync, readSync, writeSync } from 'node:fs';
import { lstat, mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../contract/errors.ts';
import type { Machine } from '../sandbox/types.ts';
import { checkIndex, hashLength, markLinks } from './index-file.ts';
import { inStore, pointRealHead, realHead, realRef, storeHead } from './refs.ts';
import { gitFailure, inside, insideArgs, insideEnv, insideScript, isOid, outside, STALLED } from './runner.ts';
import { isOwn, writable, type StorePlace } from './session-store.ts';
import { isCode, readStoreFile, replaceFile, storeFileStamp, writeStoreFile } from './store-files.ts';
import { harvestSubmodules } from './submodule-harvest.ts';
import type { Submodule } from './submodules.ts';
import { isAncestor, receivePack } from './transfer.ts';
import { moveRefs } from './worktree.ts';

/** What both sides agreed on when they were last brought together. Kept in `workspace.json`. */
export interface Agreed {
  /** The branch's commit, the same in the store and in the repository. */
  tip: string;
  /** Which index of the store was brought out. */
  insideIndex: string | null;
  /** Which index the worktree's real admin folder had after that. */
  outsideIndex: string | null;
}

export interface HarvestPlace extends StorePlace {
  workspaceId: string;
  /** A host folder of this workspace that nothing inside sees, for the bundle on its way. */
  scratch: string;
  /** Staged blobs that are known to be in the repository. Grows; an empty one is filled from the worktree's real index. */
  known: Set<string>;
  /** Those that are checked out in the worktree. */
  submodules: readonly Submodule[];
}

export interface Harvested {
  tip: string;
  moved: boolean;
  /** The agent's and the person's commits went different ways: the agent's are on this branch, the person's stay on theirs. */
  diverged: string | null;
  agreed: Agreed;
  /** With the tips that were brought out now. */
  submodules: readonly Submodule[];
}

/**
 * Brings HEAD, as it is inside, into `refs/heads/signalbox/<slug>` and nothing else, then the worktree's real HEAD and
 * index to match. Starts no process where nothing changed. Never overwrites what the person did to the branch.
 */
export async function harvest(machine: Machine, place: HarvestPlace, agreed: Agreed): Promise<Harvested> {
  const [head, real] = await Promise.all([storeHead(place.store, place.admin), realRef(place.gitDir, place.branch)]);
  // First: a commit that names another must never be there without it.
  const submodules =
    place.submodules.length === 0 ? place.submodules : await harvestSubmodules(machine, place, place.submodules, agreed.tip);
  let { tip } = agreed;
  let diverged: string | null = null;
  let pointing: Promise<void> = Promise.resolve();
  if (head.oid !== null && head.oid !== agreed.tip) {
    const brought = await bring(machine, place, agreed.tip, real);
    if (real === null || real === agreed.tip) {
      // The index may come meanwhile: it needs the objects, not the branch.
      pointing = point(place, brought, real, agreed.tip);
      tip = brought;
    } else if (brought === real) {
      tip = real;
    } else if (await isAncestor(place.gitDir, real, brought)) {
      await point(place, brought, real, agreed.tip);
      tip = brought;
    } else {
      diverged = `${place.branch}-agent`;
      await pointAside(place, diverged, brought);
    }
  }
  const bringing =
    diverged === null && (real === agreed.tip || tip !== agreed.tip) ? matchAdmin(machine, place, agreed) : Promise.resolve(agreed);
  const [pointed, index] = await Promise.allSettled([pointing, bringing]);
  if (pointed.status === 'rejected') throw pointed.reason;
  if (index.status === 'rejected') throw index.reason;
  const matched = index.value;
  return { tip, moved: tip !== agreed.tip, diverged, agreed: { ...matched, tip }, submodules };
}

/** Bundles HEAD inside and takes it in outside, without touching a ref. Returns the commit that came. */
async function bring(machine: Machine, place: HarvestPlace, known: string, real: string | null): Promise<string> {
  // Objects of the person's commit are seen inside too; what cannot be named there is no harm to leave out.
  const not = [...new Set([known, ...(real === null ? [] : [real])])].map((oid) => `^${oid}`);
  const file = join(place.scratch, 'harvest.bundle');
  await mkdir(place.scratch, { recursive: true, mode: 0o700 });
  try {
    const empty = await bundle(machine, file, ['HEAD', ...not]);
    if (empty) return presentHead(place);
    const tip = bundledHead(file);
    await outside({
      gitDir: place.gitDir,
      config: [
        'protocol.file.allow=always',
        'transfer.fsckObjects=true',
        'fetch.fsckObjects=true',
        'fetch.writeCommitGraph=false',
        'core.fsyncMethod=batch',
      ],
      args: [
        'fetch',
        '--quiet',
        '--no-tags',
        '--no-write-fetch-head',
        '--no-auto-maintenance',
        '--no-recurse-submodules',
        '--no-show-forced-updates',
        file,
        tip.ref,
      ],
    });
    return tip.oid;
  } finally {
    await rm(file, { force: true });
  }
}

/** Writes the bundle that a read-only run prints into a file; true where there was nothing new to bundle. */
async function bundle(machine: Machine, file: string, revs: readonly string[]): Promise<boolean> {
  const argv = ['git', ...insideArgs, '-c', 'pack.threads=1', 'bundle', 'create', '--quiet', '-', ...revs];
  const run = await machine.run({ argv, access: 'read', env: insideEnv, stalled: STALLED });
  run.endInput();
  const target = openSync(file, 'w', 0o600);
  let stderr = '';
  let failed: unknown = null;
  run.onOutput((chunk, stream) => {
    if (stream === 'stderr') {
      stderr = (stderr + Buffer.from(chunk).toString('utf8')).slice(-8000);
      return;
    }
    try {
      if (failed === null) writeSync(target, chunk);
    } catch (error) {
      failed = error;
    }
  });
  const { code } = await run.exited;
  closeSync(target);
  if (failed !== null)
    throw isCode(failed, 'ENOSPC', 'EDQUOT')
      ? new Failure('disk-full', 'The disk is full: the agent’s commits could not be taken over.', {
          fix: 'Make room, then try again. They are safe in the workspace.',
        })
      : failed;
  if (code !== 0 && /empty bundle/.test(stderr)) return true;
  if (code !== 0) throw gitFailure(['git', 'bundle', 'create', '-', ...revs], { code, stdout: Buffer.alloc(0), stderr });
  return false;
}

/** The one ref that a bundle's header names. */
function bundledHead(file: string): { oid: string; ref: string } {
  const target = openSync(file, 'r');
  const bytes = Buffer.alloc(64 * 1024);
  const length = readSync(target, bytes, 0, bytes.length, 0);
  closeSync(target);
  const lines = bytes.toString('latin1', 0, length).split('\n');
  if (!/^# v[23] git bundle$/.test(lines[0] ?? ''))
    throw new Failure('git-failed', 'The workspace answered with something that is no git bundle.');
  for (const line of lines.slice(1)) {
    if (line === '') break;
    const found = /^([0-9a-f]{40}|[0-9a-f]{64}) (\S+)$/.exec(line);
    if (found?.[1] !== undefined && found[2] === 'HEAD') return { oid: found[1], ref: 'HEAD' };
  }
  throw new Failure('git-failed', 'The bundle from the workspace does not hold its HEAD.');
}

/** HEAD moved to a commit that needs no transfer: it must be here already, with all that it reaches. */
async function presentHead(place: HarvestPlace): Promise<string> {
  const { oid } = await storeHead(place.store, place.admin);
  if (oid === null) throw new Failure('git-failed', 'HEAD inside the workspace points at no commit.');
  await outside({ gitDir: place.gitDir, args: ['rev-list', '--quiet', '--objects', oid, '--not', '--all'] });
  return oid;
}

/** Points the branch at what came. A tip that is no longer part of it is kept under a hidden ref. */
async function point(place: HarvestPlace, to: string, from: string | null, before: string): Promise<void> {
  const kept = `refs/signalbox/${place.workspaceId}/tips/${before}`;
  const rewritten = !(await isAncestor(place.gitDir, before, to));
  const keep = rewritten && (await realRef(place.gitDir, kept)) === null ? [[kept, before, null] as const] : [];
  await moveRefs(place.gitDir, [...keep, [place.branch, to, from]]);
}

async function pointAside(place: HarvestPlace, ref: string, to: string): Promise<void> {
  const now = await realRef(place.gitDir, ref);
  if (now !== to) await moveRefs(place.gitDir, [[ref, to, now]]);
}

const adminFile = (place: StorePlace, name: string): string => join(place.gitDir, 'worktrees', place.admin, name);

/** Which version of the worktree's real index this is. */
async function realIndexStamp(place: StorePlace): Promise<string | null> {
  const found = await stat(adminFile(place, 'index'), { bigint: true }).catch(() => null);
  return found === null ? null : `${found.ino}:${found.size}:${found.mtimeNs}`;
}

/** Brings the real HEAD and index along, so that a person's shell there sees what the agent sees. `fresh`: nothing but the base was ever staged. */
export async function matchAdmin(machine: Machine, place: HarvestPlace, agreed: Agreed, fresh = false): Promise<Agreed> {
  if (isOwn(place)) return guardIndex(machine, place, agreed);
  await pointRealHead(place.gitDir, place.admin, place.branch);
  const name = inStore(place.admin, 'index');
  const stamp = await storeFileStamp(place.store, name);
  if (stamp === null || stamp === agreed.insideIndex) return agreed;
  const bytes = await readStoreFile(place.store, name, 512 * 1024 * 1024);
  const hash = hashLength(agreed.tip);
  const checked = bytes === null ? null : checkIndex(bytes, hash);
  if (checked === null) {
    // An index that can't be taken over as it is: the person sees the branch's own tree as staged.
    await readTreeOutside(place, place.branch, hash);
  } else {
    if (!fresh) await bringStaged(machine, place, checked.blobs, hash);
    await replaceFile(
      adminFile(place, 'index'),
      markLinks(checked, hash, () => true),
    );
  }
  return { ...agreed, insideIndex: stamp, outsideIndex: await realIndexStamp(place) };
}

/**
 * Where the person's git reads the agent's own index: one that is broken or names what git must never write is made anew
 * from HEAD, and repositories that the agent made in the worktree are left alone by it.
 */
async function guardIndex(machine: Machine, place: HarvestPlace, agreed: Agreed): Promise<Agreed> {
  // A pipe in HEAD's place would make any git there wait for ever.
  if ((await storeFileStamp(place.store, 'HEAD')) === null) await writeStoreFile(place.store, 'HEAD', `ref: ${place.branch}\n`);
  const stamp = await storeFileStamp(place.store, 'index');
  if (stamp !== null && stamp === agreed.insideIndex) return agreed;
  const hash = hashLength(agreed.tip);
  const bytes = await readStoreFile(place.store, 'index', 512 * 1024 * 1024);
  const checked = bytes === null ? null : checkIndex(bytes, hash);
  if (checked === null) {
    await insideScript(machine, `rm -rf "$1/index"; git ${insideArgs.join(' ')} read-tree HEAD`, [place.shown], {
      access: 'write',
      binds: writable(place, false),
      answers: [128],
    });
  } else {
    const made = await madeInside(place, [...checked.links.keys()]);
    const marked = markLinks(checked, hash, (name) => checked.links.get(name) === true || made.has(name));
    if (marked !== checked.bytes) await writeStoreFile(place.store, 'index', marked);
  }
  return { ...agreed, insideIndex: await storeFileStamp(place.store, 'index'), outsideIndex: null };
}

/** Those of the submodules in an index that are checked out and not by us. */
async function madeInside(place: HarvestPlace, names: readonly string[]): Promise<Set<string>> {
  const ours = new Set(place.submodules.map((submodule) => Buffer.from(submodule.path).toString('latin1')));
  const others = names.filter((name) => !ours.has(name));
  const there = await Promise.all(
    others.map((name) =>
      lstat(join(place.worktree, Buffer.from(name, 'latin1').toString('utf8'), '.git')).then(
        () => true,
        () => false,
      ),
    ),
  );
  return new Set(others.filter((_, index) => there[index]));
}

/** Makes the worktree's real index that of a tree, with submodules that the person's git leaves alone. */
export async function readTreeOutside(place: StorePlace, tree: string, hash: number): Promise<void> {
  if (isOwn(place)) return;
  const index = adminFile(place, 'index');
  await outside({ gitDir: place.gitDir, args: ['read-tree', tree], env: { GIT_INDEX_FILE: index } });
  const checked = checkIndex(await readFile(index), hash);
  if (checked !== null && checked.links.size > 0)
    await replaceFile(
      index,
      markLinks(checked, hash, () => true),
    );
}

/** Staged files that no commit holds yet: their contents come too, or git outside could not show them. */
async function bringStaged(machine: Machine, place: HarvestPlace, staged: ReadonlySet<string>, hash: number): Promise<void> {
  if (place.known.size === 0) {
    const before = await readFile(adminFile(place, 'index')).then(
      (bytes) => checkIndex(bytes, hash),
      () => null,
    );
    for (const oid of before?.blobs ?? []) place.known.add(oid);
  }
  const blobs = [...staged].filter((oid) => !place.known.has(oid));
  if (blobs.length === 0) return;
  const input = blobs.join('\n') + '\n';
  const here = await outside({ gitDir: place.gitDir, args: ['cat-file', '--batch-check=%(objecttype)', '--buffer'], input });
  const types = here.stdout.toString('latin1').split('\n');
  const missing = blobs.filter((_, index) => types[index]?.endsWith('missing'));
  blobs.forEach((oid, index) => {
    if (!types[index]?.endsWith('missing')) place.known.add(oid);
  });
  if (missing.length === 0) return;
  const pack = await inside(machine, ['pack-objects', '--quiet', '--stdout'], {
    access: 'read',
    input: missing.join('\n') + '\n',
    answers: [128],
  });
  if (pack.code !== 0) return;
  await receivePack(place.gitDir, pack.stdout);
  // Kept from the collector by one hidden tree, named by content so that nothing in it can be a path.
  const tree = missing
    .filter((oid) => isOid(oid))
    .map((oid) => `100644 blob ${oid}\t${oid}\n`)
    .toSorted()
    .join('');
  const made = (await outside({ gitDir: place.gitDir, args: ['mktree'], input: tree })).stdout.toString('latin1').trim();
  const ref = `refs/signalbox/${place.workspaceId}/staged`;
  await moveRefs(place.gitDir, [[ref, made, await realRef(place.gitDir, ref)]]);
  for (const oid of missing) place.known.add(oid);
}

export interface Imported {
  /** The commit that the person put on the branch; null where they did nothing. */
  commit: string | null;
  /** Both sides moved: the person's commits are at this ref inside, for the agent to merge. */
  aside: string | null;
  agreed: Agreed;
}

/**
 * Takes what the person did in the worktree from outside (commits, a moved branch, staged files) into the store,
 * before a turn begins. What the agent did since is kept: where both moved, the person's commit comes aside.
 */
export async function importOutside(machine: Machine, place: HarvestPlace, agreed: Agreed): Promise<Imported> {
  const own = isOwn(place);
  const [head, real, stamp] = await Promise.all([
    // What the person does in a worktree whose git is the agent's own is inside already.
    own ? { ref: place.branch, oid: null } : realHead(place.gitDir, place.admin),
    realRef(place.gitDir, place.branch),
    own ? null : realIndexStamp(place),
  ]);
  const outsideTip = head.oid ?? real;
  const movedOutside = outsideTip !== null && outsideTip !== agreed.tip;
  const indexTouched = stamp !== null && stamp !== agreed.outsideIndex;
  if (!movedOutside && !indexTouched) return { commit: null, aside: null, agreed };
  const inner = await storeHead(place.store, place.admin);
  if (movedOutside && inner.oid !== agreed.tip && inner.oid !== outsideTip) {
    const aside = `${place.branch.replace('refs/heads/', 'refs/remotes/outside/')}`;
    await inside(machine, ['update-ref', aside, outsideTip], { access: 'write', binds: writable(place, false) });
    return { commit: outsideTip, aside, agreed };
  }
  if (movedOutside) {
    await inside(machine, ['update-ref', '-m', 'signalbox: from outside', 'HEAD', outsideTip], {
      access: 'write',
      binds: writable(place, false),
    });
    if (head.ref !== place.branch || real !== outsideTip) await adopt(place, outsideTip, real);
  }
  let { insideIndex } = agreed;
  if (indexTouched) {
    const name = inStore(place.admin, 'index');
    await writeStoreFile(place.store, name, await forInside(place, await readFile(adminFile(place, 'index')), hashLength(agreed.tip)));
    insideIndex = await storeFileStamp(place.store, name);
  }
  return {
    commit: movedOutside ? outsideTip : null,
    aside: null,
    agreed: { tip: outsideTip ?? agreed.tip, insideIndex, outsideIndex: stamp },
  };
}

/** The person's index as the agent gets it: submodules are looked at inside, but for those that were left alone there already. */
async function forInside(place: StorePlace, bytes: Buffer, hash: number): Promise<Buffer> {
  const outer = checkIndex(bytes, hash);
  if (outer === null || outer.links.size === 0) return bytes;
  const inner = await readStoreFile(place.store, inStore(place.admin, 'index'), 512 * 1024 * 1024);
  const skipped = (inner === null ? null : checkIndex(inner, hash))?.links;
  return markLinks(outer, hash, (name) => skipped?.get(name) ?? false);
}

/** The person checked something else out in the worktree: the workspace's branch follows to that commit. */
async function adopt(place: HarvestPlace, commit: string, real: string | null): Promise<void> {
  if (real !== commit) await (real === null ? moveRefs(place.gitDir, [[place.branch, commit, null]]) : point(place, commit, real, real));
  await pointRealHead(place.gitDir, place.admin, place.branch);
}
