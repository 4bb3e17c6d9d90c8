import { discover } from './runner.ts';
import { identity } from './repository.ts';

/**
 * Commits everything in a folder of ours, making it a repository first where it is none. For folders that no agent
 * can write: git runs on the host here. Throws `git-failed`.
 */
export async function commitAll(folder: string, message: string): Promise<void> {
  const there = await discover(folder, ['rev-parse', '--git-dir'], [128]);
  const own = there.code === 0 && there.stdout.toString('utf8').trim() === '.git';
  if (!own) await discover(folder, ['init', '--quiet', '--initial-branch=main', '--template=']);
  const who = await identity(folder);
  await discover(folder, ['add', '--all', '--', '.']);
  await discover(folder, [
    '-c',
    `user.name=${who.name}`,
    '-c',
    `user.email=${who.email}`,
    'commit',
    '--quiet',
    '--no-verify',
    '--allow-empty',
    `--message=${message}`,
  ]);
}
