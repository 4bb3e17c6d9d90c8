import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { Base, Mode, ProjectId, WorkspaceId } from '../contract/index.ts';
import { Failure } from '../contract/errors.ts';
import { replaceFile } from '../git/store-files.ts';

/** `workspace.json`: the truth on disk about one workspace. */
export const Meta = z.object({
  version: z.literal(1),
  id: WorkspaceId,
  /** `adopted`: a linked worktree that Signalbox did not make. `in-place`: the person's own checkout. */
  kind: z.enum(['worktree', 'adopted', 'in-place']),
  phase: z.enum(['preparing', 'ready', 'trashing', 'trashed', 'restoring']),
  project: z.object({ id: ProjectId, name: z.string(), repo: z.string(), subdir: z.string(), gitDir: z.string() }),
  title: z.string(),
  slug: z.string(),
  /** Full name of the branch; '' in place. */
  branch: z.string(),
  /** The worktree, or in place the checkout. */
  path: z.string(),
  base: Base.omit({ commit: true }),
  baseCommit: z.string(),
  /** Name of the admin folder below `<gitDir>/worktrees`; '' until it is made, and for a main checkout. */
  admin: z.string(),
  mode: Mode,
  createdAt: z.number(),
  /** What inside and outside agreed on when they were last brought together. */
  agreed: z.object({ tip: z.string(), insideIndex: z.string().nullable(), outsideIndex: z.string().nullable() }).nullable(),
  /** The newest checkpoint. */
  last: z.object({ tree: z.string(), commit: z.string() }).nullable(),
  /** The landing that was last begun: written before the base branch moves. */
  landing: z.object({ into: z.string(), commit: z.string(), from: z.string() }).nullable().default(null),
  /** `own`: its `.git` points straight at the session store, for nothing can be mounted here. It has no admin folder then. */
  form: z.literal('own').optional(),
  /** Submodules that are checked out in it, from the person's own clones of them. */
  submodules: z
    .array(z.object({ name: z.string(), path: z.string(), place: z.string(), gitDir: z.string(), commit: z.string(), tip: z.string() }))
    .optional(),
  /** It went to the trash for good by age: the branch is the person's to delete. */
  keepBranch: z.boolean().optional(),
  /** Where the folder lies while it is deleted. */
  trash: z.object({ path: z.string(), at: z.number() }).nullable(),
});
export type Meta = z.infer<typeof Meta>;

/** Where things lie below SIGNALBOX_HOME. */
export class Places {
  readonly home: string;
  /** The person's HOME, whose package caches a project's own begin with; null where they have none. */
  readonly personHome: string | null;
  constructor(home: string, personHome: string | null = null) {
    this.home = home;
    this.personHome = personHome;
  }
  caches(projectId: string): string {
    return join(this.home, 'caches', projectId);
  }
  workspaces(): string {
    return join(this.home, 'workspaces');
  }
  of(id: string): string {
    return join(this.home, 'workspaces', id);
  }
  store(id: string): string {
    return join(this.of(id), 'git');
  }
  state(id: string): string {
    return join(this.of(id), 'state');
  }
  snap(id: string): string {
    return join(this.of(id), 'snap');
  }
  pointer(id: string): string {
    return join(this.of(id), 'pointer');
  }
  scratch(id: string): string {
    return join(this.of(id), 'scratch');
  }
  seenRefs(id: string): string {
    return join(this.of(id), 'base-refs');
  }
  checkpoints(projectId: string): string {
    return join(this.home, 'checkpoints', `${projectId}.git`);
  }
  trash(id: string): string {
    return join(this.home, 'trash', id);
  }
}

export async function readMeta(places: Places, id: string): Promise<Meta | null> {
  const text = await readFile(join(places.of(id), 'workspace.json'), 'utf8').catch(() => null);
  if (text === null) return null;
  const parsed = Meta.safeParse(parseJson(text));
  if (!parsed.success)
    throw new Failure('git-failed', `The record of workspace ${id} is spoilt.`, { fix: `See ${places.of(id)}/workspace.json` });
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export async function writeMeta(places: Places, meta: Meta): Promise<void> {
  await mkdir(places.of(meta.id), { recursive: true, mode: 0o700 });
  await replaceFile(join(places.of(meta.id), 'workspace.json'), `${JSON.stringify(meta, null, 1)}\n`);
}

/** Which version of a record is on disk; null where there is none. */
export const metaStamp = (places: Places, id: string): Promise<string | null> =>
  stat(join(places.of(id), 'workspace.json'), { bigint: true }).then(
    (found) => `${found.ino}:${found.mtimeNs}`,
    () => null,
  );

/**
 * Takes over what another process of this home has written meanwhile, such as `signalbox harvest` beside the app: what
 * inside and outside agreed on, and the newest checkpoint. `stamp` is of the version that `meta` stands for.
 */
export async function takeNewer(places: Places, meta: Meta, stamp: string | null): Promise<string | null> {
  const now = await metaStamp(places, meta.id);
  if (now === stamp || now === null) return stamp;
  const there = await readMeta(places, meta.id).catch(() => null);
  if (there === null || there.phase !== meta.phase) return stamp;
  const { agreed, last, landing, submodules } = there;
  Object.assign(meta, { agreed, last, landing }, submodules === undefined ? {} : { submodules });
  return now;
}

/** All workspaces on disk; a spoilt record is left out, not fatal. */
export async function listMeta(places: Places): Promise<Meta[]> {
  const names = await readdir(places.workspaces()).catch(() => []);
  const found = await Promise.all(names.map((name) => readMeta(places, name).catch(() => null)));
  return found.filter((meta) => meta !== null);
}
