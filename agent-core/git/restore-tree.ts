import { Failure } from '../contract/errors.ts';
import type { Bind, Machine } from '../sandbox/types.ts';
import { CHECKPOINT_SAFE, snapRun, type Checkpoint, type SnapPlace } from './checkpoint.ts';
import { insideScript, outside } from './runner.ts';

/**
 * $1 the tree that the worktree gets, $2 how many objects come on stdin. The index is made to hold what is on disk first,
 * so that git knows each file it may replace. What is in neither tree, ignored files above all, it refuses to overwrite.
 */
const SCRIPT = `set -e
[ "$2" = 0 ] || git index-pack --stdin --fix-thin >&2
git ${CHECKPOINT_SAFE} add --all --sparse -- . >&2
git ${CHECKPOINT_SAFE} read-tree -m -u "$(git write-tree)" "$1" >&2
`;

/**
 * Makes the worktree's files those of a tree of the checkpoint store, inside. `now` is a checkpoint of what is there,
 * made just before. Files that are ignored, HEAD, the branch and the agent's own index stay. May be asked again after a
 * crash. Throws `conflict` where an ignored file is in the way, `git-failed`, `disk-full`.
 */
export async function restoreTree(machine: Machine, place: SnapPlace, now: Checkpoint, tree: string): Promise<void> {
  if (now.tree === tree) return;
  // Another workspace of the project may have written it: what this one's private store lacks comes along.
  const pack = await outside({
    gitDir: place.checkpoints,
    args: ['pack-objects', '--quiet', '--revs', '--thin', '--stdout'],
    input: `${tree}\n^${now.tree}\n`,
  });
  const count = pack.stdout.length >= 12 ? pack.stdout.readUInt32BE(8) : 0;
  const { bind, env } = snapRun(place);
  const binds: Bind[] = [bind, { source: place.worktree, target: place.worktree, access: 'write' }];
  const run = await insideScript(machine, SCRIPT, [tree, String(count)], {
    access: 'write',
    binds,
    cwd: place.worktree,
    env,
    answers: [128],
    ...(count > 0 ? { input: pack.stdout } : {}),
  });
  if (run.code === 0) return;
  const inTheWay = /would be overwritten|would lose untracked|not uptodate/.test(run.stderr);
  throw new Failure(
    inTheWay ? 'conflict' : 'git-failed',
    inTheWay ? 'A file that is in no checkpoint stands in the way: nothing was changed.' : 'The files could not be put back.',
    { fix: inTheWay ? 'Move the file away, then try again.' : 'Look at what git says, then try again.', output: run.stderr.trim() },
  );
}
