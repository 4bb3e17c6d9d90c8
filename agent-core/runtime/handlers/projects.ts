import { readdir, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { Failure, type Folder, type Handlers, type Project, type ProjectId } from '../../contract/index.ts';
import { DEMO_PROMPTS } from '../../demo/index.ts';
import { initFolder, inspectFolder, type Repository } from '../../git/repository.ts';
import { newId } from '../../support/ids.ts';
import { getProject, type Context } from '../context.ts';
import { makeSample, samplePath } from '../sample.ts';
import type { Client } from '../api.ts';

type Part = Pick<
  Handlers<Client>,
  'project/inspect' | 'project/open' | 'project/close' | 'project/branches' | 'project/sample' | 'project/suggest' | 'project/suggestions'
>;

const MAX_SUGGESTIONS = 50;

/** What a client is told of a folder: not where its git directory is. */
const told = ({ gitDir: _gitDir, ...folder }: Repository): Folder => folder;

/** `~` is the person's home; anything else must be absolute. */
function expand(path: string): string {
  const trimmed = path.trim();
  if (trimmed === '~' || trimmed.startsWith('~/')) return join(homedir(), trimmed.slice(1));
  if (!trimmed) throw new Failure('invalid-input', 'Name a folder.');
  return resolve(trimmed);
}

async function open(context: Context, path: string, init: boolean, sample: boolean): Promise<Project> {
  const folder = await inspectFolder(path).catch(async (error: unknown) => {
    if (!init || !(error instanceof Failure) || (error.detail.code !== 'not-a-repository' && error.detail.code !== 'no-commits'))
      throw error;
    await initFolder(path);
    return inspectFolder(path);
  });
  const known = Object.values(context.store.board.projects).find((project) => project.root === folder.root);
  if (known) return known;
  const project: Project = {
    id: newId<ProjectId>('proj'),
    name: basename(folder.root),
    root: folder.root,
    repo: folder.repo,
    subdir: folder.subdir,
    gitDir: folder.gitDir,
    sample,
    openedAt: context.now(),
  };
  await context.store.commit({ events: [{ type: 'project.opened', project }] });
  return project;
}

/** Samples that are being made, by home: the first window and the core's own welcome may ask at once. */
const making = new Map<string, Promise<void>>();

function sampleOnce(home: string): Promise<void> {
  const shared = making.get(home) ?? makeSample(home).finally(() => making.delete(home));
  making.set(home, shared);
  return shared;
}

export function projectHandlers(context: Context): Part {
  return {
    'project/inspect': async ({ path }) => told(await inspectFolder(expand(path))),
    'project/open': ({ path, init }) => open(context, expand(path), init ?? false, false),
    'project/close': async ({ projectId }) => {
      const project = getProject(context, projectId);
      const tasks = Object.values(context.store.board.tasks).filter((task) => task.projectId === projectId);
      if (tasks.length) {
        throw new Failure(
          'conflict',
          `${project.name} still has ${tasks.length} ${tasks.length === 1 ? 'task' : 'tasks'}, the trash included.`,
          {
            fix: 'Delete them for good first. Nothing in the folder itself is touched.',
          },
        );
      }
      await context.store.commit({ events: [{ type: 'project.closed', projectId }] });
      await rm(join(context.options.home, 'caches', projectId), { recursive: true, force: true });
      return {};
    },
    'project/branches': async ({ projectId }) => told(await inspectFolder(getProject(context, projectId).root)),
    'project/sample': async () => {
      await sampleOnce(context.options.home);
      return open(context, samplePath(context.options.home), false, true);
    },
    'project/suggestions': async ({ projectId }) => ({ suggestions: getProject(context, projectId).sample ? [...DEMO_PROMPTS] : [] }),
    'project/suggest': async ({ prefix }) => ({ folders: await foldersLike(prefix) }),
  };
}

/** Folders that continue a typed path, hidden ones only when asked for by a dot. */
async function foldersLike(prefix: string): Promise<{ path: string; repository: boolean }[]> {
  const full = prefix.trim() ? (prefix.endsWith(sep) ? `${expand(prefix)}${sep}` : expand(prefix)) : `${homedir()}${sep}`;
  const folder = full.endsWith(sep) ? full : dirname(full);
  const start = full.endsWith(sep) ? '' : basename(full);
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const names = entries
    .filter((entry) => (entry.isDirectory() || entry.isSymbolicLink()) && entry.name.toLowerCase().startsWith(start.toLowerCase()))
    .filter((entry) => start.startsWith('.') || !entry.name.startsWith('.'))
    .map((entry) => entry.name)
    .sort()
    .slice(0, MAX_SUGGESTIONS);
  const found = await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      const isFolder = await stat(path).then(
        (info) => info.isDirectory(),
        () => false,
      );
      return isFolder
        ? {
            path,
            repository: await stat(join(path, '.git')).then(
              () => true,
              () => false,
            ),
          }
        : null;
    }),
  );
  return found.filter((entry) => entry !== null);
}
