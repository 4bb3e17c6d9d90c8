import { basename, dirname } from 'node:path/posix';
import type { Project, Registry } from '../../contract/index.ts';
import { outside } from '../../git/runner.ts';
import { fileAt } from './base-file.ts';
import { isNear } from './hosts.ts';
import { NPM_DEFAULT, readerOf, type Tool } from './lockfiles.ts';

const FILE_LIMIT = 32 * 1024 * 1024;
const FILES = 60;
/** More hosts than this are no question that a person can answer. */
const HOSTS = 100;
/** How far below the project's folder a lockfile may lie. */
const DEPTH = 3;
/** Folders whose lockfiles are somebody else's, or a test's. */
const OTHERS = /(?:^|\/)(?:node_modules|vendor|third_party|fixtures?|testdata|__fixtures__|examples?)(?:\/|$)/;

export interface Lockfiles {
  registries: Registry[];
  /** Package managers that the project uses, as far as its files tell. */
  tools: Tool[];
  paths: string[];
}

const below = (folder: string, subdir: string): boolean => folder === subdir || subdir === '' || folder.startsWith(`${subdir}/`);
/** In the project's folder, not too deep below it, or above it, where a monorepo has its one lockfile. */
function isOurs(path: string, subdir: string): boolean {
  const folder = dirname(path) === '.' ? '' : dirname(path);
  if (!below(folder, subdir)) return folder === '' || below(subdir, folder);
  const inside = subdir === '' ? folder : folder.slice(subdir.length + 1);
  return !OTHERS.test(inside) && (inside === '' ? 0 : inside.split('/').length) <= DEPTH;
}

async function lockfilePaths({ gitDir, subdir }: Pick<Project, 'gitDir' | 'subdir'>, commit: string): Promise<string[]> {
  const listed = await outside({ gitDir, args: ['ls-tree', '-r', '-z', '--name-only', commit] });
  return listed.stdout
    .toString('utf8')
    .split('\0')
    .filter((path) => readerOf(basename(path)) !== undefined && isOurs(path, subdir))
    .toSorted((a, b) => a.split('/').length - b.split('/').length)
    .slice(0, FILES);
}

const known = new Map<string, Promise<Lockfiles>>();

/** The registries and tools that a commit's lockfiles name. Read from the repository, never from a worktree. */
export function readLockfiles(project: Pick<Project, 'gitDir' | 'subdir'>, commit: string): Promise<Lockfiles> {
  const key = JSON.stringify([project.gitDir, project.subdir, commit]);
  const reading = known.get(key) ?? read(project, commit);
  known.delete(key);
  known.set(key, reading);
  reading.catch(() => known.delete(key));
  for (const oldest of known.keys()) if (known.size > 50) known.delete(oldest);
  return reading;
}

async function read(project: Pick<Project, 'gitDir' | 'subdir'>, commit: string): Promise<Lockfiles> {
  const named = new Map<string, string[]>();
  const tools = new Set<Tool>();
  const note = (host: string, path: string): void => {
    const files = named.get(host) ?? [];
    if (!files.includes(path)) named.set(host, [...files, path]);
  };
  const own: string[] = [];
  const paths = await lockfilePaths(project, commit);
  for (const path of paths) {
    const reader = readerOf(basename(path))!;
    const bytes = await fileAt(project, commit, path, FILE_LIMIT);
    for (const tool of reader.tools) tools.add(tool);
    for (const host of new Set(bytes === null ? [] : reader.hosts(bytes.toString('utf8')))) note(host, path);
    if (basename(path) === '.npmrc' && bytes !== null && /^registry\s*=/m.test(bytes.toString('utf8'))) own.push(path);
  }
  const standard = named.get(NPM_DEFAULT) ?? [];
  named.delete(NPM_DEFAULT);
  // Where a .npmrc names the registry, its host is noted already.
  if (own.length === 0) for (const path of standard) note('registry.npmjs.org:443', path);
  const registries = [...named].map(([host, files]): Registry => ({ host, near: isNear(host), files }));
  return { registries: registries.toSorted((a, b) => a.host.localeCompare(b.host)).slice(0, HOSTS), tools: [...tools], paths };
}
