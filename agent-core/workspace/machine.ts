import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Mode } from '../contract/index.ts';
import type { Bind, MachineSpec, Policy } from '../sandbox/types.ts';
import { allowedSettings, coreSettings, objectBinds, renderConfig, storeBinds } from '../git/session-store.ts';
import type { Meta, Places } from './meta.ts';

const GIB = 1024 ** 3;

/** What a workspace's processes may do in a mode, before a project's own grants. */
export const defaultPolicy = (mode: Mode): Policy => ({
  mode, network: { allow: [] }, limits: { processes: 2048, memoryBytes: 16 * GIB, fileBytes: 32 * GIB },
});

/** All that a workspace's small machine is made of. */
export async function machineSpec(places: Places, meta: Meta, policy: Policy = defaultPolicy(meta.mode)): Promise<MachineSpec> {
  await mkdir(places.state(meta.id), { recursive: true, mode: 0o700 });
  const binds = meta.kind === 'in-place' ? await inPlaceBinds(places, meta) : await storeBinds({ store: places.store(meta.id), gitDir: meta.project.gitDir });
  return { id: meta.id, stateDir: places.state(meta.id), worktree: meta.path, binds, policy, env: {} };
}

/** The git directory itself, read-only, with settings that hold no credentials. */
async function inPlaceBinds(places: Places, meta: Meta): Promise<Bind[]> {
  const { gitDir } = meta.project;
  const config = join(places.of(meta.id), 'config');
  await writeFile(config, renderConfig([...(await allowedSettings(gitDir)), ...coreSettings(false)]));
  return [
    { source: gitDir, target: gitDir, access: 'read' },
    { source: config, target: join(gitDir, 'config'), access: 'read' },
    ...(await objectBinds(gitDir)),
  ];
}

