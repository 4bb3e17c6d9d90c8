import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sampleCommits } from '../../agent-core/demo/index.ts';
import { folderWith, type Folder } from '../apply-patch/folder.ts';

const identity = {
  GIT_AUTHOR_NAME: 'Sam Shopkeeper',
  GIT_AUTHOR_EMAIL: 'sam@example.com',
  GIT_COMMITTER_NAME: 'Sam Shopkeeper',
  GIT_COMMITTER_EMAIL: 'sam@example.com',
};

export const git = (folder: Folder, ...args: string[]): string =>
  execFileSync('git', args, {
    cwd: folder.path,
    encoding: 'utf8',
    env: { ...process.env, ...identity, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' },
  });

/** The sample repository with its history, in a temp folder. */
export async function sampleRepository(): Promise<Folder> {
  const folder = await folderWith({});
  git(folder, 'init', '-q', '-b', 'main');
  for (const { message, files } of sampleCommits()) {
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(folder.path, path)), { recursive: true });
      await writeFile(join(folder.path, path), content);
    }
    git(folder, 'add', '-A');
    git(folder, 'commit', '-q', '-m', message);
  }
  return folder;
}
