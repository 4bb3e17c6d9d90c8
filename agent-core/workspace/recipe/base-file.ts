import type { Project } from '../../contract/index.ts';
import { outside, outsideText } from '../../git/runner.ts';

type Place = Pick<Project, 'gitDir' | 'subdir'>;

/** The newest commit of the person's checkout: what a task that names no base starts from. */
export const newestCommit = ({ gitDir }: Place): Promise<string> => outsideText(gitDir, ['rev-parse', '--verify', 'HEAD^{commit}']);

/**
 * A file as a commit has it: never as a worktree has it, where an agent may have written it. Null where there is none,
 * where it is a link, and where it has more than `limit` bytes.
 */
export async function fileAt({ gitDir }: Place, commit: string, path: string, limit: number): Promise<Buffer | null> {
  const listed = await outside({ gitDir, args: ['ls-tree', '-l', '-z', commit, '--', path], answers: [128] });
  const found = /^100(?:644|755) blob ([0-9a-f]+) +(\d+)\t/.exec(listed.code === 0 ? listed.stdout.toString('utf8') : '');
  if (!found || Number(found[2]) > limit) return null;
  return (await outside({ gitDir, args: ['cat-file', 'blob', found[1]!] })).stdout;
}

/** The same for a file that may stand in the project's own folder, else at the top of the repository. */
export async function ownFileAt(place: Place, commit: string, name: string, limit: number): Promise<Buffer | null> {
  const own = place.subdir === '' ? null : await fileAt(place, commit, `${place.subdir}/${name}`, limit);
  return own ?? fileAt(place, commit, name, limit);
}
