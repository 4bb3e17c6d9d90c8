import { Failure } from '../contract/errors.ts';
import { outside, outsideText } from './runner.ts';

async function commitOf(gitDir: string, ref: string, from: string): Promise<string> {
  // What counts from HEAD counts from the task's own branch.
  const name = ref.replace(/^(?:HEAD|@)(?=$|[~^])/, from);
  const got = await outside({
    gitDir,
    args: ['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`],
    answers: [1, 128],
  });
  if (got.code !== 0)
    throw new Failure('not-found', `There is no commit “${ref}” in this repository.`, { fix: 'Name a commit or a branch.' });
  return got.stdout.toString('latin1').trim();
}

/** The trees before and after one commit. `tip` is what HEAD stands for. Throws `not-found`. */
export async function commitTrees(gitDir: string, ref: string, tip: string): Promise<{ from: string; to: string }> {
  const commit = await commitOf(gitDir, ref, tip);
  const parent = await outside({ gitDir, args: ['rev-parse', '--verify', '--quiet', `${commit}^1^{tree}`], answers: [1, 128] });
  const from =
    parent.code === 0
      ? parent.stdout.toString('latin1').trim()
      : await outsideText(gitDir, ['hash-object', '-t', 'tree', '--stdin'], { input: '' });
  return { from, to: await outsideText(gitDir, ['rev-parse', `${commit}^{tree}`]) };
}

/** The tree where `tip` left a branch. Throws `not-found`, or `conflict` where the two have nothing in common. */
export async function forkTree(gitDir: string, ref: string, tip: string): Promise<string> {
  const commit = await commitOf(gitDir, ref, tip);
  const base = await outside({ gitDir, args: ['merge-base', commit, tip], answers: [1, 128] });
  if (base.code !== 0) throw new Failure('conflict', `The task and “${ref}” have no commit in common.`);
  return outsideText(gitDir, ['rev-parse', `${base.stdout.toString('latin1').trim()}^{tree}`]);
}
