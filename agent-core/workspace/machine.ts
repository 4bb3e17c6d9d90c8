import { lstat, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../contract/errors.ts';
import type { Mode } from '../contract/index.ts';
import type { Bind, MachineSpec, Policy } from '../sandbox/types.ts';
import { replaceFile } from '../git/store-files.ts';
import { allowedSettings, allowedSettingsOf, coreSettings, objectBinds, ownBinds, renderConfig, storeBinds } from '../git/session-store.ts';
import { lfsBinds } from '../git/lfs.ts';
import { submoduleBinds } from '../git/submodules.ts';
import { cacheMounts } from './recipe/caches.ts';
import type { Meta, Places } from './meta.ts';

const GIB = 1024 ** 3;

/** Enough for a large build; a machine with little memory keeps a part of it for the person. No command is ended for its time alone. */
const defaultLimits = (): Policy['limits'] => ({
  processes: 2048,
  memoryBytes: Math.max(2 * GIB, Math.min(16 * GIB, Math.floor(totalmem() * 0.75))),
  diskBytes: 64 * GIB,
  fileBytes: 32 * GIB,
  seconds: 0,
});

/** What a workspace's processes may do in a mode, before a project's own grants. */
export const defaultPolicy = (mode: Mode): Policy => ({
  mode,
  network: { allow: [] },
  limits: defaultLimits(),
});

/** The project's package caches; none where it is not known whose they begin with, or where nothing can be mounted. */
async function cachesOf(places: Places, meta: Meta): Promise<Pick<MachineSpec, 'binds' | 'env'>> {
  if (places.personHome === null || meta.form === 'own') return { binds: [], env: {} };
  return cacheMounts({ folder: places.caches(meta.project.id), home: join(places.state(meta.id), 'home'), personHome: places.personHome });
}

/** All that a workspace's small machine is made of. */
export async function machineSpec(places: Places, meta: Meta, policy: Policy = defaultPolicy(meta.mode)): Promise<MachineSpec> {
  await mkdir(places.state(meta.id), { recursive: true, mode: 0o700 });
  const own = meta.form === 'own';
  const binds = own ? await ownStoreBinds(places, meta) : await mountedBinds(places, meta);
  if (meta.kind !== 'in-place')
    binds.push(...(await submoduleBinds(meta.submodules ?? [], own)), ...(await lfsBinds(meta.project.gitDir, own)));
  binds.push(...(own ? await ownPointers(places, meta) : await pointerBind(places, meta)));
  const caches = await cachesOf(places, meta);
  binds.push(...caches.binds);
  return { id: meta.id, stateDir: places.state(meta.id), worktree: meta.path, binds, policy, env: caches.env };
}

const mountedBinds = (places: Places, meta: Meta): Promise<Bind[]> =>
  meta.kind === 'in-place' ? inPlaceBinds(places, meta) : storeBinds({ store: places.store(meta.id), gitDir: meta.project.gitDir });

const ownStoreBinds = (places: Places, meta: Meta): Promise<Bind[]> =>
  ownBinds(places.store(meta.id), meta.project.gitDir, ['', ...(meta.submodules ?? []).map(({ place }) => place)]);

/** Without mounts: the pointers themselves, of the worktree and of its submodules, at their own places. */
async function ownPointers(places: Places, meta: Meta): Promise<Bind[]> {
  const pointer = join(meta.path, '.git');
  await writeFile(pointer, pointerText(places, meta), { flag: 'wx' }).catch(() => {});
  const found = [pointer, ...(meta.submodules ?? []).map(({ path }) => join(meta.path, path, '.git'))];
  const files = await Promise.all(
    found.map((path) =>
      lstat(path).then(
        (stat) => stat.isFile(),
        () => false,
      ),
    ),
  );
  if (files[0] !== true) throw replaced(pointer);
  return found.filter((_, index) => files[index]).map((path): Bind => ({ source: path, target: path, access: 'read' }));
}

const replaced = (pointer: string): Failure =>
  new Failure('cannot-confine', `${pointer} is no longer a worktree’s: something else took the folder’s place, so nothing was run.`, {
    fix: 'Move it away and put the worktree back, or delete the task.',
  });

/**
 * The file `.git` that says where a worktree's git directory is, read-only: an agent that could put another in its place
 * would choose the settings, and so the commands, of any git that the person or an editor runs there. Ours is a copy, as
 * a worktree that is still to be made has none yet; {@link writePointer} fills it.
 */
async function pointerBind(places: Places, meta: Meta): Promise<Bind[]> {
  const pointer = join(meta.path, '.git');
  const copy = places.pointer(meta.id);
  if (meta.kind === 'in-place') {
    if (!(await lstat(pointer)).isFile()) return [];
    await replaceFile(copy, await readFile(pointer));
  } else {
    if (
      await lstat(pointer).then(
        (stat) => !stat.isFile(),
        () => false,
      )
    ) {
      throw replaced(pointer);
    }
    await writePointer(places, meta);
    // One that is missing would be made by the mount, empty.
    if (meta.admin !== '') await writeFile(pointer, pointerText(places, meta), { flag: 'wx' }).catch(() => {});
  }
  return [{ source: copy, target: pointer, access: 'read' }];
}

function pointerText(places: Places, meta: Meta): string {
  if (meta.form === 'own') return `gitdir: ${places.store(meta.id)}\n`;
  return meta.admin === '' ? '' : `gitdir: ${join(meta.project.gitDir, 'worktrees', meta.admin)}\n`;
}

/** Writes what `.git` says inside. To be called again when the worktree's admin folder is known. */
export async function writePointer(places: Places, meta: Meta): Promise<void> {
  await replaceFile(places.pointer(meta.id), pointerText(places, meta));
}

/** Settings of single worktrees and of submodules: they may hold credentials too, and are seen without any. */
async function otherConfigs(places: Places, meta: Meta): Promise<Bind[]> {
  const { gitDir } = meta.project;
  const found: string[] = [];
  const look = async (folder: string, depth: number): Promise<void> => {
    for (const entry of await readdir(join(gitDir, folder), { withFileTypes: true }).catch(() => [])) {
      if (entry.isDirectory() && depth > 0 && !/^(?:objects|refs|logs|hooks|info)$/.test(entry.name))
        await look(join(folder, entry.name), depth - 1);
      else if (entry.isFile() && /^config(?:\.worktree)?$/.test(entry.name)) found.push(join(folder, entry.name));
    }
  };
  await Promise.all([look('modules', 8), look('worktrees', 1)]);
  if (
    await lstat(join(gitDir, 'config.worktree')).then(
      (stat) => stat.isFile(),
      () => false,
    )
  )
    found.push('config.worktree');
  return Promise.all(
    found.map(async (name, index): Promise<Bind> => {
      const copy = join(places.of(meta.id), `config-${index}`);
      await writeFile(copy, renderConfig(await allowedSettingsOf(gitDir, join(gitDir, name))));
      return { source: copy, target: join(gitDir, name), access: 'read' };
    }),
  );
}

/** The git directory itself, read-only, with settings that hold no credentials. */
async function inPlaceBinds(places: Places, meta: Meta): Promise<Bind[]> {
  const { gitDir } = meta.project;
  const config = join(places.of(meta.id), 'config');
  await writeFile(config, renderConfig([...(await allowedSettings(gitDir)), ...coreSettings(false, meta.baseCommit)]));
  return [
    { source: gitDir, target: gitDir, access: 'read' },
    { source: config, target: join(gitDir, 'config'), access: 'read' },
    ...(await otherConfigs(places, meta)),
    ...(await objectBinds(gitDir)),
  ];
}
