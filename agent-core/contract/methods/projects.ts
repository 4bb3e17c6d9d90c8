import { z } from 'zod';
import { ProjectId } from '../ids.ts';
import { Project } from '../values.ts';
import { TurnKind } from '../plan.ts';
import { method, nothing, type MethodSpec } from './method.ts';

export const Folder = z.object({
  root: z.string(),
  repo: z.string(),
  subdir: z.string(),
  branch: z.string().nullable(),
  head: z.string(),
  branches: z.array(z.string()),
  remoteBranches: z.array(z.string()),
  files: z.number().int(),
  /** Things that work with limits, said before a task starts (submodules, LFS, sparse, …). */
  warnings: z.array(z.string()),
});
export type Folder = z.infer<typeof Folder>;

/** Folders that the person opened. */
export const projectMethods = {
  'project/inspect': method(z.object({ path: z.string() }), Folder, [
    'no-folder',
    'not-a-repository',
    'bare-repository',
    'no-commits',
    'unsupported-repository',
  ]),
  /** `init` runs `git init` and a first commit in a folder that is no repository. */
  'project/open': method(z.object({ path: z.string(), init: z.boolean().optional() }), Project, [
    'no-folder',
    'not-a-repository',
    'bare-repository',
    'no-commits',
    'unsupported-repository',
    'git-failed',
  ]),
  'project/close': method(z.object({ projectId: ProjectId }), nothing, ['conflict']),
  'project/branches': method(z.object({ projectId: ProjectId }), Folder),
  'project/sample': method(nothing, Project, ['git-failed', 'disk-full']),
  /** Folders whose path begins with `prefix`, for the path field of a host without a native picker. */
  'project/suggest': method(
    z.object({ prefix: z.string() }),
    z.object({ folders: z.array(z.object({ path: z.string(), repository: z.boolean() })) }),
  ),

  /** First tasks to offer for a project: the sample's scripted prompts, or what the repository itself suggests. */
  'project/suggestions': method(
    z.object({ projectId: ProjectId }),
    z.object({ suggestions: z.array(z.object({ title: z.string(), detail: z.string(), prompt: z.string(), kind: TurnKind.optional() })) }),
  ),
} as const satisfies Record<string, MethodSpec>;
