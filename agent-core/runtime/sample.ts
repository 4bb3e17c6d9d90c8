import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SAMPLE_NAME, sampleCommits } from '../demo/index.ts';
import { commitAll } from '../git/repository.ts';

export const samplePath = (home: string): string => join(home, 'sample', SAMPLE_NAME);

/** Writes the sample repository if it isn't there: aside first, then moved in place, so that it is whole or absent. */
export async function makeSample(home: string): Promise<void> {
  const path = samplePath(home);
  if (
    await stat(join(path, '.git')).then(
      () => true,
      () => false,
    )
  )
    return;
  const fresh = `${path}.new`;
  await rm(fresh, { recursive: true, force: true });
  for (const { message, files } of sampleCommits()) {
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(fresh, name)), { recursive: true });
      await writeFile(join(fresh, name), content);
    }
    await commitAll(fresh, message);
  }
  await rename(fresh, path);
}
