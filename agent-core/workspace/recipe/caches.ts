import { lstat, mkdir, realpath, stat, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Bind } from '../../sandbox/types.ts';

/**
 * Where a project's package caches are seen inside. Each project has a folder of its own under SIGNALBOX_HOME, written by
 * its tasks and by nobody else: what one project's agents put there no other project reads, and the person's own caches
 * are never written. (bubblewrap 0.8 has no overlay, and two overlays may not share an upper layer; so the lower layer
 * is read where a tool can do that itself (Go, Gradle, Maven), and copied from where it can't: `seed.ts`.)
 */
const INSIDE = '/var/cache/signalbox';
const PERSON = '/var/cache/person';

/** What tells each tool where its cache is. Gradle's own stays private: its daemons would look for each other over it. */
const ENV: Record<string, string> = {
  npm_config_cache: `${INSIDE}/npm`,
  npm_config_store_dir: `${INSIDE}/pnpm`,
  pnpm_config_store_dir: `${INSIDE}/pnpm`,
  YARN_GLOBAL_FOLDER: `${INSIDE}/yarn-berry`,
  BUN_INSTALL_CACHE_DIR: `${INSIDE}/bun`,
  PIP_CACHE_DIR: `${INSIDE}/pip`,
  UV_CACHE_DIR: `${INSIDE}/uv`,
  // A link from one mount to another can't be made, and uv would say so each time.
  UV_LINK_MODE: 'copy',
  POETRY_CACHE_DIR: `${INSIDE}/poetry`,
  GOMODCACHE: `${INSIDE}/go-mod`,
  GOFLAGS: '-modcacherw',
  COMPOSER_CACHE_DIR: `${INSIDE}/composer`,
};

/** Tools that know no variable for it, or one that means more: a link in the private HOME. */
const LINKS: Record<string, string> = { '.cargo/registry': 'cargo-registry', '.cache/yarn': 'yarn' };

/** The person's caches that a tool reads as they are, below HOME, and what it needs to be told. */
const READ: { from: string; to: string; env: (to: string) => Record<string, string> }[] = [
  {
    from: 'go/pkg/mod/cache/download',
    to: 'go',
    env: (to) => ({ GOPROXY: `file://${to},https://proxy.golang.org,direct` }),
  },
  { from: '.gradle/caches/modules-2', to: 'gradle/modules-2', env: (to) => ({ GRADLE_RO_DEP_CACHE: dirname(to) }) },
];

/** Maven's is read beside the project's own since 3.9; builds at once then wait for each other at a file. */
const maven = (tail: string | null): Record<string, string> => ({
  MAVEN_OPTS: [
    `-Dmaven.repo.local=${INSIDE}/maven`,
    ...(tail ? [`-Dmaven.repo.local.tail=${tail}`] : []),
    '-Daether.syncContext.named.factory=file-lock',
    '-Daether.syncContext.named.nameMapper=file-gav',
  ].join(' '),
});

/** The real folder of a cache of the person's; null where there is none, or where more than a cache would be shown. */
async function cacheFolder(personHome: string, name: string): Promise<string | null> {
  const real = await realpath(join(personHome, name)).catch(() => null);
  if (real === null || real === '/' || `${personHome}/`.startsWith(`${real}/`)) return null;
  const found = await stat(real).catch(() => null);
  return found?.isDirectory() ? real : null;
}

/** Puts the links into a private HOME that nothing has run in yet. */
async function linkHome(home: string): Promise<void> {
  if (await lstat(home).catch(() => null)) return;
  await mkdir(home, { recursive: true, mode: 0o700 });
  for (const [name, cache] of Object.entries(LINKS)) {
    await mkdir(dirname(join(home, name)), { recursive: true, mode: 0o700 });
    await symlink(`${INSIDE}/${cache}`, join(home, name));
  }
}

export interface CachePlaces {
  /** The project's own folder, made where it is missing. */
  folder: string;
  /** The workspace's private HOME on the host. */
  home: string;
  personHome: string;
}

/** What a machine needs to use its project's caches: mounts, and names for its environment. */
export async function cacheMounts({ folder, home, personHome }: CachePlaces): Promise<{ binds: Bind[]; env: Record<string, string> }> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // Whatever an agent put there instead is its own project's trouble.
  for (const cache of Object.values(LINKS)) await mkdir(join(folder, cache), { mode: 0o700 }).catch(() => {});
  await linkHome(home);
  const binds: Bind[] = [{ source: folder, target: INSIDE, access: 'write' }];
  let env = { ...ENV };
  for (const read of READ) {
    const source = await cacheFolder(personHome, read.from);
    if (source === null) continue;
    const target = `${PERSON}/${read.to}`;
    binds.push({ source, target, access: 'read' });
    env = { ...env, ...read.env(target) };
  }
  const repository = await cacheFolder(personHome, '.m2/repository');
  if (repository !== null) binds.push({ source: repository, target: `${PERSON}/maven`, access: 'read' });
  return { binds, env: { ...env, ...maven(repository === null ? null : `${PERSON}/maven`) } };
}
