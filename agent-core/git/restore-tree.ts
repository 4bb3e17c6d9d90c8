import { Failure } from '../contract/errors.ts';
import type { Bind, Machine } from '../sandbox/types.ts';
import { CHECKPOINT_SAFE, snapRun, type Checkpoint, type SnapPlace } from './checkpoint.ts';
import { insideScript, outside } from './runner.ts';

/**
 * Prints each path that a new file needs and that something has which is in no tree (ignored files above all): git itself
 * would throw those away. Its arguments are the paths; each is looked at part by part, never through a link.
 */
const IN_THE_WAY = `
for path; do
  parent= rest=$path blocked=
  while :; do
    case $rest in */*) ;; *) break ;; esac
    parent=$parent\${rest%%/*} rest=\${rest#*/}
    if [ -L "./$parent" ] || { [ -e "./$parent" ] && [ ! -d "./$parent" ]; }; then
      blocked=1
      git ls-files --error-unmatch -- ":(literal)$parent" >/dev/null 2>&1 || printf '%s\n' "$parent"
      break
    fi
    [ -d "./$parent" ] || { blocked=1; break; }
    parent=$parent/
  done
  [ -z "$blocked" ] || continue
  if [ -d "./$path" ] && [ ! -L "./$path" ]; then
    git ls-files --others -- ":(literal)$path/"
  elif [ -L "./$path" ] || [ -e "./$path" ]; then
    printf '%s\n' "$path"
  fi
done`;

/**
 * $1 the tree that the worktree gets, $2 how many objects come on stdin, $3 the script above. The index is made to hold
 * what is on disk first, so that git knows each file it may replace. Exit 77: something stands in the way.
 */
const SCRIPT = `set -e
[ "$2" = 0 ] || git index-pack --stdin --fix-thin >&2
git ${CHECKPOINT_SAFE} add --all -- . >&2
now=$(git write-tree)
git diff-tree -r -z --name-only --no-renames --diff-filter=A "$now" "$1" | xargs -0 -r /bin/sh -c "$3" look > "$GIT_DIR/in-the-way"
if [ -s "$GIT_DIR/in-the-way" ]; then head -n 10 "$GIT_DIR/in-the-way"; exit 77; fi
git ${CHECKPOINT_SAFE} read-tree -m -u "$now" "$1" >&2
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
  const run = await insideScript(machine, SCRIPT, [tree, String(count), IN_THE_WAY], {
    access: 'write',
    binds,
    cwd: place.worktree,
    env,
    answers: [77, 128],
    ...(count > 0 ? { input: pack.stdout } : {}),
  });
  if (run.code === 0) return;
  const names = run.stdout.toString('utf8').trim();
  const inTheWay = run.code === 77 || /would be overwritten|would lose untracked|not uptodate/.test(run.stderr);
  throw inTheWay
    ? new Failure('conflict', 'Files that are in no checkpoint stand in the way of those that come back: nothing was changed.', {
        fix: 'Move them away, then try again.',
        output: names || run.stderr.trim(),
      })
    : new Failure('git-failed', 'The files could not be put back.', {
        fix: 'Look at what git says, then try again.',
        output: run.stderr.trim(),
      });
}
