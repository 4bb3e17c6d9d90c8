import { Failure } from '../contract/errors.ts';
import { outside } from './runner.ts';

/** Takes a pack from inside into a store outside: every object is checked, and that all it names is there. */
export async function receivePack(gitDir: string, pack: Buffer): Promise<void> {
  if (pack.length < 32 || pack.toString('latin1', 0, 4) !== 'PACK')
    throw new Failure('git-failed', 'The workspace answered with something that is no git pack.');
  const count = pack.readUInt32BE(8);
  if (count === 0) return;
  const args = count <= 256 ? ['unpack-objects', '-q', '--strict'] : ['index-pack', '--stdin', '--fix-thin', '--strict'];
  await outside({ gitDir, args, input: pack, config: ['core.fsyncMethod=batch', 'fsck.badDate=ignore'] });
}

export async function isAncestor(gitDir: string, older: string, newer: string): Promise<boolean> {
  return (await outside({ gitDir, args: ['merge-base', '--is-ancestor', older, newer], answers: [1] })).code === 0;
}
