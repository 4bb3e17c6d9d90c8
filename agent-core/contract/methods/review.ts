import { z } from 'zod';
import { TaskId } from '../ids.ts';
import { Landing } from '../values.ts';
import { method, nothing, type MethodSpec } from './method.ts';

/** One changed file between two trees, as `git diff --raw --numstat` tells it. */
export const DiffFile = z.object({
  path: z.string(),
  oldPath: z.string().nullable(),
  status: z.enum(['added', 'modified', 'deleted', 'renamed', 'typechange']),
  /** Null for binary files. */
  added: z.number().int().nullable(),
  removed: z.number().int().nullable(),
  binary: z.boolean(),
  /** Lock files, minified or marked as generated: shown folded until asked for. */
  generated: z.boolean(),
  /** Blob ids, so that "viewed" can tell a file that changed again. */
  oldBlob: z.string().nullable(),
  newBlob: z.string().nullable(),
});
export type DiffFile = z.infer<typeof DiffFile>;
export const DiffScope = z.enum(['turn', 'task', 'uncommitted', 'seen']);
export type DiffScope = z.infer<typeof DiffScope>;

export const LandPreview = z.object({
  into: z.string(),
  ahead: z.number().int(),
  behind: z.number().int(),
  clean: z.boolean(),
  conflicts: z.array(z.string()),
  /** Why it can't be landed now, in words; null when it can. */
  blocked: z.string().nullable(),
  /** Uncommitted files that become the branch's last commit. */
  uncommitted: z.number().int(),
  /** Files among what would land that tools of this computer run by themselves, and which those are. */
  hostRun: z.array(z.object({ path: z.string(), why: z.string() })).optional(),
});
export type LandPreview = z.infer<typeof LandPreview>;

/** The name of a tree; never something that git would take for an option. */
const TreeId = z.string().regex(/^[0-9a-f]{40,64}$/);

/** Diffs and landing. */
export const reviewMethods = {
  'diff/read': method(
    z.object({ taskId: TaskId, scope: DiffScope.default('task') }),
    z.object({ from: z.string(), to: z.string(), files: z.array(DiffFile) }),
    ['worktree-missing', 'git-failed', 'cannot-confine'],
  ),
  /** Git's own patch of the named files between two trees that `diff/read` gave. */
  'diff/patch': method(
    z.object({
      taskId: TaskId,
      from: TreeId,
      to: TreeId,
      paths: z.array(z.string()).min(1).max(500),
      ignoreWhitespace: z.boolean().default(false),
    }),
    z.object({ patch: z.string(), truncated: z.boolean() }),
    ['git-failed'],
  ),
  /** The person has left the changes after looking at them up to this tree, a `to` of `diff/read`: the scope `seen` begins there from now on. */
  'diff/seen': method(z.object({ taskId: TaskId, tree: TreeId }), nothing),
  /** Takes a patch (one hunk, one file, or more) back out of the worktree, after a checkpoint. */
  'diff/discard': method(z.object({ taskId: TaskId, patch: z.string() }), nothing, ['conflict', 'git-failed', 'cannot-confine']),

  'land/preview': method(z.object({ taskId: TaskId }), LandPreview, ['worktree-missing', 'git-failed', 'cannot-confine']),
  'land/merge': method(z.object({ taskId: TaskId, method: Landing.shape.method, message: z.string().optional() }), Landing, [
    'dirty-checkout',
    'merge-conflict',
    'nothing-to-land',
    'git-failed',
    'conflict',
    'worktree-missing',
    'cannot-confine',
  ]),
} as const satisfies Record<string, MethodSpec>;
