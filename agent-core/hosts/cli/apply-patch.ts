import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { Failure } from '../../contract/index.ts';
import { applyPatch } from '../../harness/tools/apply-patch/index.ts';
import { openDoor } from '../../sandbox/door.ts';
import { atMost, readArgs } from './args.ts';
import { USAGE } from './help.ts';
import { print, say } from './print.ts';

export async function run(args: string[]): Promise<number> {
  const parsed = readArgs(args, {}, USAGE['apply-patch']);
  atMost(parsed, 1, USAGE['apply-patch']);
  const folder = parsed.positionals[0] ?? '.';
  const root = await realpath(resolve(folder)).catch(() => {
    throw new Failure('no-folder', `There is no folder at ${folder}.`);
  });
  const result = await applyPatch(await readAll(process.stdin), openDoor(root), root);
  if (!result.ok) {
    say(result.summary);
    return 1;
  }
  print(result.summary.trimEnd());
  return 0;
}
