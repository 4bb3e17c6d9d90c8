import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { outside } from './runner.ts';

/** Trees whose attributes say nothing about generated files, so that most diffs cost no further process. */
const silent = new Map<string, boolean>();

/**
 * What the tree's own `.gitattributes` say by `linguist-generated`: true or false where it is set. Only the attributes
 * files are put in an index, which lives in a folder of ours; no file of a worktree is read.
 */
export async function linguist(store: string, tree: string, paths: readonly string[]): Promise<Map<string, boolean>> {
  const marked = new Map<string, boolean>();
  if (paths.length === 0 || (silent.get(tree) ?? (await isSilent(store, tree)))) return marked;
  const folder = await mkdtemp(join(tmpdir(), 'signalbox-attributes-'));
  try {
    const env = { GIT_INDEX_FILE: join(folder, 'index'), GIT_LITERAL_PATHSPECS: '0' };
    const listed = (await outside({ gitDir: store, args: ['ls-tree', '-r', '-z', '--full-tree', tree] })).stdout
      .toString('utf8')
      .split('\0');
    const attributes = listed.filter((line) => line.endsWith('/.gitattributes') || line.endsWith('\t.gitattributes'));
    await outside({
      gitDir: store,
      workTree: folder,
      args: ['update-index', '-z', '--index-info'],
      env,
      input: attributes.map((line) => `${line}\0`).join(''),
    });
    const got = await outside({
      gitDir: store,
      workTree: folder,
      args: ['check-attr', '--cached', '-z', '--stdin', 'linguist-generated'],
      env,
      input: paths.map((path) => `${path}\0`).join(''),
    });
    const fields = got.stdout.toString('utf8').split('\0');
    for (let at = 0; at + 2 < fields.length; at += 3) {
      const value = fields[at + 2];
      if (value === 'set' || value === 'true') marked.set(fields[at] ?? '', true);
      if (value === 'unset' || value === 'false') marked.set(fields[at] ?? '', false);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return marked;
}

async function isSilent(store: string, tree: string): Promise<boolean> {
  const found = await outside({
    gitDir: store,
    args: ['grep', '-q', '-I', '-F', 'linguist-generated', tree, '--', '.gitattributes', '**/.gitattributes'],
    answers: [1],
  });
  if (silent.size > 1000) silent.clear();
  silent.set(tree, found.code !== 0);
  return found.code !== 0;
}
