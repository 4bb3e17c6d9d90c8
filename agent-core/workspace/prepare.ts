import { copyFile, lstat, mkdir, readdir, readFile, rm, rmdir, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Failure, toAppError } from '../contract/errors.ts';
import type { Base, Mode, Project, WorkspaceId } from '../contract/index.ts';
import type { Machine, SandboxDriver } from '../sandbox/types.ts';
import { checkIndex, hashLength } from '../git/index-file.ts';
import { makeCheckpointStore, makeSnap } from '../git/checkpoint.ts';
import { matchAdmin } from '../git/harvest.ts';
import { lfsSettings } from '../git/lfs.ts';
import { ownDirs, readSparse, sparseAdmin, sparseStore } from '../git/kinds.ts';
import { inStore, realHead, realRef, renderPackedRefs } from '../git/refs.ts';
import { fetchMissing } from '../git/partial.ts';
import { resolveBase } from '../git/repository.ts';
import { outsideText } from '../git/runner.ts';
import { gatherCopies, seedStore, type Copies } from '../git/session-store.ts';
import { checkoutSubmodules, findSubmodules, seedSubmodules, submoduleSettings, writePointers } from '../git/submodules.ts';
import { replaceFile } from '../git/store-files.ts';
import { addWorktree, adminFor, checkoutInside, freeSlug, makeBranch, moveRefs, removeAdmin, slugOf } from '../git/worktree.ts';
import { machineSpec, writePointer } from './machine.ts';
import type { Lock } from './lock.ts';
import { readMeta, writeMeta, type Meta, type Places } from './meta.ts';

export interface PrepareRequest {
  workspaceId: WorkspaceId;
  project: Project;
  title: string;
  /** A wish; `-2`, `-3`, … is added where it is taken. Made from the title by default. */
  slug?: string;
  base: Pick<Base, 'ref' | 'kind'>;
  /** Begin at this commit of the repository, wherever the base is by now. */
  commit?: string;
  mode: Mode;
  inPlace?: boolean;
  signal?: AbortSignal;
  /** What is being done, and how far it is (0–1, null where that can't be told). */
  onProgress?: (progress: { step: string; fraction: number | null }) => void;
}

export interface PrepareContext {
  places: Places;
  sandbox: SandboxDriver;
  worktreeRoot: () => string;
  /** One at a time for each repository, so that two tasks never choose the same name. */
  lockFor: (gitDir: string) => Lock;
}

export interface Prepared {
  meta: Meta;
  /** The machine in which the checkout ran, to go on with. Null in place and where nothing was left to do. */
  machine: Machine | null;
}

export const storePlace = (places: Places, meta: Meta, known = new Set<string>()) => ({
  store: places.store(meta.id),
  gitDir: meta.project.gitDir,
  admin: meta.admin,
  shown: meta.form === 'own' ? places.store(meta.id) : meta.project.gitDir,
  worktree: meta.path,
  branch: meta.branch,
  workspaceId: meta.id,
  submodules: meta.submodules ?? [],
  scratch: places.scratch(meta.id),
  known,
});

export const snapPlace = (places: Places, meta: Meta) => ({
  snap: places.snap(meta.id),
  checkpoints: places.checkpoints(meta.project.id),
  gitDir: meta.project.gitDir,
  worktree: meta.path,
  workspaceId: meta.id,
  own: meta.form === 'own',
});

export const keepRef = (id: string): string => `refs/signalbox/${id}/base`;

/** Makes a workspace, or finishes one that a crash cut off (by undoing it first). A failure leaves nothing behind. */
export async function prepare(context: PrepareContext, request: PrepareRequest): Promise<Prepared> {
  const { places } = context;
  const before = await readMeta(places, request.workspaceId);
  if (before !== null && before.phase !== 'preparing') return { meta: before, machine: null };
  if (before !== null) await undo(places, before);
  const { project, base, signal } = request;
  if (base.kind === 'remote' && request.commit === undefined) request.onProgress?.({ step: `Fetching ${base.ref}`, fraction: null });
  const baseCommit =
    request.commit ??
    (await resolveBase(project, base, {
      ...(signal ? { signal } : {}),
      onProgress: (fraction) => request.onProgress?.({ step: `Fetching ${base.ref}`, fraction }),
    }));
  signal?.throwIfAborted();
  if (!request.inPlace) {
    const { repo, gitDir } = project;
    const sparse = await readSparse(repo, gitDir);
    const onProgress = (): void => request.onProgress?.({ step: `Fetching files of ${base.ref}`, fraction: null });
    await fetchMissing({ repo, gitDir, commit: baseCommit, name: base.ref, sparse, onProgress, ...(signal ? { signal } : {}) });
  }
  const blank: Meta = {
    version: 1,
    id: request.workspaceId,
    kind: 'in-place',
    phase: 'preparing',
    title: request.title,
    slug: slugOf(request.slug ?? request.title),
    branch: '',
    project: { id: project.id, name: project.name, repo: project.repo, subdir: project.subdir, gitDir: project.gitDir },
    path: project.repo,
    base: { ref: base.ref, kind: base.kind },
    baseCommit,
    admin: '',
    mode: request.mode,
    createdAt: Date.now(),
    agreed: null,
    last: null,
    landing: null,
    trash: null,
  };
  return request.inPlace ? prepareInPlace(context, blank) : prepareWorktree(context, request, blank);
}

async function prepareWorktree(context: PrepareContext, request: PrepareRequest, blank: Meta): Promise<Prepared> {
  const { places, sandbox } = context;
  const folder = join(context.worktreeRoot(), slugOf(request.project.name));
  const meta: Meta = { ...blank, kind: 'worktree', ...(sandbox.mounts === false ? { form: 'own' as const } : {}) };
  let machine: Machine | null = null;
  // Read meanwhile: none of it depends on the worktree.
  const copying = gatherCopies(meta.project.gitDir, meta.baseCommit);
  copying.catch(() => {});
  const finding = ownDirs(meta.project.repo, meta.project.gitDir).then((homes) =>
    findSubmodules(meta.project.gitDir, meta.baseCommit, homes),
  );
  finding.catch(() => {});
  request.onProgress?.({ step: 'Making the worktree', fraction: null });
  try {
    const opening = await context.lockFor(meta.project.gitDir).run(async () => {
      meta.slug = await freeSlug(meta.project.gitDir, meta.slug, (slug) => join(folder, slug));
      meta.branch = `refs/heads/signalbox/${meta.slug}`;
      meta.path = join(folder, meta.slug);
      const { present } = await finding;
      if (present.length > 0) meta.submodules = present;
      await writeMeta(places, meta);
      await mkdir(dirname(meta.path), { recursive: true });
      await Promise.all([mkdir(meta.path), mkdir(places.store(meta.id), { recursive: true, mode: 0o700 })]);
      if (meta.form === 'own') {
        machine = await openOwn(context, meta, await copying);
        return machine;
      }
      const starting = machineSpec(places, meta).then((spec) => sandbox.open(spec));
      const adding = addWorktree({
        gitDir: meta.project.gitDir,
        path: meta.path,
        branch: meta.branch,
        commit: meta.baseCommit,
        keep: keepRef(meta.id),
        ...(request.signal ? { signal: request.signal } : {}),
      });
      const [started, added] = await Promise.allSettled([starting, adding]);
      if (started.status === 'fulfilled') machine = started.value;
      if (added.status === 'rejected') throw added.reason;
      if (started.status === 'rejected') throw started.reason;
      meta.admin = added.value;
      await writePointer(places, meta);
      return started.value;
    });
    await fill(context, request, meta, opening, await copying);
    return { meta, machine: opening };
  } catch (error) {
    const full = (error as NodeJS.ErrnoException).code === 'ENOSPC' || (await lacksRoom(folder, meta));
    await (machine as Machine | null)?.dispose();
    await undo(places, meta);
    throw full ? diskFull(folder, error) : error;
  }
}

const LITTLE = 1024 * 1024;

/**
 * Whether what failed may have failed for want of room. Git says only that it could not write, and takes the file that
 * did not fit away again: so what the base's files need is compared with what there is.
 */
async function lacksRoom(folder: string, meta: Meta): Promise<boolean> {
  const disk = await statfs(folder).catch(() => null);
  if (!disk) return false;
  const room = disk.bavail * disk.bsize;
  if (room < LITTLE || (disk.files > 0 && disk.ffree === 0)) return true;
  const listed = await outsideText(meta.project.gitDir, ['ls-tree', '-r', '-l', meta.baseCommit]).catch(() => '');
  const needed = listed.split('\n').reduce((sum, line) => sum + (Number(/^\d+ blob \w+ +(\d+)\t/.exec(line)?.[1]) || 0), 0);
  return needed > room + (await sizeOf(meta.path));
}

/** Bytes on disk below a folder of ours; 0 where it is gone. */
async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = await Promise.all(
    entries.map((entry) =>
      lstat(join(entry.parentPath, entry.name)).then(
        (info) => info.blocks * 512,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

function diskFull(folder: string, error: unknown): Failure {
  const { command, output } = toAppError(error);
  return new Failure('disk-full', `The disk that holds ${folder} is full: the worktree was not made, and nothing of it is left.`, {
    fix: 'Make room, or put worktrees on another disk in Settings. Then try again.',
    ...(command ? { command } : {}),
    ...(output ? { output } : {}),
  });
}

/** Writes the session store, and where the worktree's real admin folder has a part in it, that too. */
async function seed(places: Places, meta: Meta, copies: Copies, machine: Machine | null) {
  const place = storePlace(places, meta);
  const { gitDir, repo } = meta.project;
  const sparse = await readSparse(repo, gitDir);
  const { settings, files } = sparseStore(sparse, (name) => inStore(place.admin, name));
  if (machine !== null) settings.push(...(await lfsSettings(machine, gitDir)));
  const more = { settings: [...settings, ...(await submoduleSettings(place.submodules))], files };
  if (sparse !== null && meta.admin !== '') await sparseAdmin(sparse, join(gitDir, 'worktrees', meta.admin));
  const seen = await seedStore({ ...place, commit: meta.baseCommit, copies, more });
  await seedSubmodules(place, place.submodules, copies.who);
  return { settings, seen };
}

/** Without mounts: the store is whole before the machine begins, since what is read-only in it must be there by then. */
async function openOwn({ places, sandbox }: PrepareContext, meta: Meta, copies: Copies): Promise<Machine> {
  const place = storePlace(places, meta);
  await makeBranch({ gitDir: place.gitDir, branch: meta.branch, commit: meta.baseCommit, keep: keepRef(meta.id) });
  await seed(places, meta, copies, null);
  await writePointers(place, place.submodules);
  return sandbox.open(await machineSpec(places, meta));
}

/** Store, checkout, private index; then the workspace is ready. */
async function fill(context: PrepareContext, request: PrepareRequest, meta: Meta, machine: Machine, copies: Copies): Promise<void> {
  const { places } = context;
  const place = storePlace(places, meta);
  const { settings, seen } = await seed(places, meta, copies, machine);
  const making = Promise.all([
    makeCheckpointStore(places.checkpoints(meta.project.id), meta.project.gitDir, meta.baseCommit),
    makeSnap(snapPlace(places, meta), null, { ...copies, settings: [...copies.settings, ...settings] }),
  ]);
  making.catch(() => {});
  await checkoutInside(machine, place, meta.baseCommit, {
    onProgress: (fraction) => request.onProgress?.({ step: 'Checking out files', fraction }),
    ...(request.signal ? { signal: request.signal } : {}),
  });
  await checkoutSubmodules(machine, place, place.submodules, request.signal);
  await replaceFile(places.seenRefs(meta.id), renderPackedRefs(seen));
  meta.agreed = await matchAdmin(machine, place, { tip: meta.baseCommit, insideIndex: null, outsideIndex: null }, true);
  await making;
  // Not the real one: the person's git leaves submodules alone, and checkpoints don't.
  await copyFile(join(place.store, inStore(place.admin, 'index')), join(places.snap(meta.id), 'index'));
  meta.phase = 'ready';
  await writeMeta(places, meta);
}

/** The person's own checkout as a workspace: nothing is made but what checkpoints need. */
async function prepareInPlace({ places }: PrepareContext, meta: Meta): Promise<Prepared> {
  await writeMeta(places, meta);
  meta.baseCommit = (await realHead(meta.project.gitDir, null)).oid ?? meta.baseCommit;
  const index = await outsideText(join(meta.path, '.git'), ['rev-parse', '--path-format=absolute', '--git-path', 'index'], {
    workTree: meta.path,
  });
  await makeCheckpointStore(places.checkpoints(meta.project.id), meta.project.gitDir, meta.baseCommit);
  const there = await readFile(index).then(
    (bytes) => checkIndex(bytes, hashLength(meta.baseCommit)),
    () => null,
  );
  await makeSnap(snapPlace(places, meta), there === null ? null : index, await gatherCopies(meta.project.gitDir, meta.baseCommit));
  meta.phase = 'ready';
  await writeMeta(places, meta);
  return { meta, machine: null };
}

/** Takes back what a cut-off or failed preparation made: nothing in it is anyone's work yet. */
export async function undo(places: Places, meta: Meta): Promise<void> {
  if (meta.kind === 'worktree' && meta.branch !== '') {
    const { gitDir } = meta.project;
    const admin = meta.admin || (await adminFor(gitDir, meta.path).catch(() => null));
    if (admin) await removeAdmin(gitDir, admin);
    await rm(meta.path, { recursive: true, force: true });
    await rmdir(dirname(meta.path)).catch(() => {});
    const ours = (await realRef(gitDir, keepRef(meta.id))) !== null;
    if (ours && (await realRef(gitDir, meta.branch)) === meta.baseCommit)
      await moveRefs(gitDir, [[meta.branch, null, meta.baseCommit]]).catch(() => {});
    await dropHidden(gitDir, meta.id, meta.submodules);
  }
  await rm(places.of(meta.id), { recursive: true, force: true });
}

/** Lets go of all hidden refs of a workspace, in the repository and in its submodules. */
export async function dropHidden(gitDir: string, id: string, submodules: Meta['submodules'] = []): Promise<void> {
  for (const submodule of submodules) await dropHidden(submodule.gitDir, id).catch(() => {});
  const listed = await outsideText(gitDir, ['for-each-ref', '--format=%(refname) %(objectname)', `refs/signalbox/${id}/`]).catch(() => '');
  const moves = listed
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split(' ') as [string, string])
    .map(([ref, oid]) => [ref, null, oid] as const);
  if (moves.length > 0) await moveRefs(gitDir, moves);
}
