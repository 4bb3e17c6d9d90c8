import { Failure } from '../contract/errors.ts';
import type { DiffFile } from '../contract/index.ts';
import type { Machine } from '../sandbox/types.ts';
import { inside, isOid, outside } from './runner.ts';
import { linguist } from './generated.ts';
import type { StorePlace } from './session-store.ts';

const PLAIN = [
  '--no-color',
  '--no-ext-diff',
  '--no-textconv',
  '--no-relative',
  '--find-renames',
  '--ignore-submodules=none',
  '--src-prefix=a/',
  '--dst-prefix=b/',
];
const CONFIG = [
  'diff.ignoreSubmodules=none',
  'diff.renameLimit=2000',
  'diff.algorithm=histogram',
  'diff.context=3',
  'diff.interHunkContext=0',
];

/**
 * What changed between two trees of a bare checkpoint store: git's own answer from objects alone, outside.
 * `subdir` limits it to a folder. Throws `git-failed` for trees that the store does not have.
 */
export async function diffFiles(store: string, from: string, to: string, subdir = ''): Promise<DiffFile[]> {
  if (from === to) return [];
  const only = subdir === '' ? [] : [subdir];
  const listed = await outside({
    gitDir: store,
    config: CONFIG,
    env: { GIT_LITERAL_PATHSPECS: '1' },
    args: ['diff', ...PLAIN, '--raw', '--numstat', '--no-abbrev', '-z', tree(from), tree(to), '--', ...only],
  });
  const files = parseRaw(listed.stdout);
  const marked = await linguist(
    store,
    to,
    files.map((file) => file.path),
  );
  return files.map((file) => ({ ...file, generated: marked.get(file.path) ?? isGeneratedName(file.path) }));
}

const tree = (oid: string): string => {
  if (!isOid(oid)) throw new Failure('invalid-input', `Not a tree: ${oid}`);
  return oid;
};

const STATUS = { A: 'added', M: 'modified', D: 'deleted', R: 'renamed', C: 'added', T: 'typechange' } as const;
const blob = (oid: string): string | null => (/^0+$/.test(oid) ? null : oid);

/** Reads `--raw --numstat -z`: all raw records, then all counts in the same order. Names may hold anything but NUL. */
export function parseRaw(output: Buffer): DiffFile[] {
  const fields = output.toString('utf8').split('\0');
  const files: DiffFile[] = [];
  let at = 0;
  for (; fields[at]?.startsWith(':'); at++) {
    const [, , oldOid = '', newOid = '', letter = ''] = (fields[at] ?? '').split(' ');
    const status = STATUS[letter[0] as keyof typeof STATUS] ?? 'modified';
    const first = fields[++at] ?? '';
    const moved = letter[0] === 'R' || letter[0] === 'C';
    const path = moved ? (fields[++at] ?? '') : first;
    files.push({
      path,
      oldPath: letter[0] === 'R' ? first : null,
      status,
      added: null,
      removed: null,
      binary: false,
      generated: false,
      oldBlob: blob(oldOid),
      newBlob: blob(newOid),
    });
  }
  for (const file of files) {
    const match = /^(\d+|-)\t(\d+|-)\t([^]*)$/.exec(fields[at++] ?? '');
    if (!match) break;
    if (match[3] === '') at += 2;
    file.binary = match[1] === '-';
    if (!file.binary) [file.added, file.removed] = [Number(match[1]), Number(match[2])];
  }
  return files;
}

const LOCKS = new Set([
  'package-lock.json',
  'npm-shrinkwrap.json',
  'yarn.lock',
  'pnpm-lock.yaml',
  'bun.lock',
  'bun.lockb',
  'deno.lock',
  'Cargo.lock',
  'poetry.lock',
  'uv.lock',
  'Pipfile.lock',
  'pdm.lock',
  'Gemfile.lock',
  'composer.lock',
  'go.sum',
  'flake.lock',
  'mix.lock',
  'pubspec.lock',
  'Podfile.lock',
  'Package.resolved',
  'packages.lock.json',
  'gradle.lockfile',
  'MODULE.bazel.lock',
]);

/** Whether a file's name says that nobody wrote it by hand. */
export function isGeneratedName(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return (
    LOCKS.has(name) ||
    /\.(?:min\.(?:js|mjs|css)|bundle\.js|(?:js|css|mjs)\.map|pb\.go|g\.dart|generated\.\w+|designer\.cs)$/i.test(name) ||
    /_pb2(?:_grpc)?\.pyi?$/.test(name) ||
    /(?:^|\/)(?:node_modules|__snapshots__|__generated__|vendor\/bundle)\//.test(path)
  );
}

/** Largest patch that is handed out at once. */
const PATCH_LIMIT = 8 * 1024 * 1024;

/** Git's own patch of the named files. `renamed` maps a new name to the old one, so that a move shows as a move. */
export async function patch(
  store: string,
  request: {
    from: string;
    to: string;
    paths: readonly string[];
    renamed?: ReadonlyMap<string, string>;
    ignoreWhitespace?: boolean;
    limit?: number;
  },
): Promise<{ patch: string; truncated: boolean }> {
  const { from, to, paths, renamed } = request;
  const names = new Set(paths.flatMap((path) => [path, ...(renamed?.get(path) === undefined ? [] : [renamed.get(path) as string])]));
  if (names.size === 0 || from === to) return { patch: '', truncated: false };
  const got = await outside({
    gitDir: store,
    config: CONFIG,
    env: { GIT_LITERAL_PATHSPECS: '1' },
    limit: request.limit ?? PATCH_LIMIT,
    args: [
      'diff',
      ...PLAIN,
      '--patch',
      '--binary',
      ...(request.ignoreWhitespace ? ['--ignore-all-space'] : []),
      tree(from),
      tree(to),
      '--',
      ...names,
    ],
  });
  const text = got.stdout.toString('utf8');
  return got.truncated ? { patch: text.slice(0, text.lastIndexOf('\n') + 1), truncated: true } : { patch: text, truncated: false };
}

/** One file's bytes in a tree, at most `limit`; null where there is no such file. */
export async function fileAt(store: string, at: string, path: string, limit = 16 * 1024 * 1024): Promise<Buffer | null> {
  const got = await outside({ gitDir: store, args: ['cat-file', 'blob', `${tree(at)}:${path}`], answers: [128], limit });
  return got.code === 0 ? got.stdout : null;
}

/** Files of a tree whose path ends with this one, at a folder's edge; two at most. */
export async function filesEnding(store: string, at: string, path: string): Promise<string[]> {
  const got = await outside({
    gitDir: store,
    args: ['ls-tree', '-r', '-z', '--name-only', '--full-tree', tree(at)],
    limit: 32 * 1024 * 1024,
  });
  const names = got.stdout.toString('utf8').split('\0');
  return names.filter((name) => name.endsWith(`/${path}`)).slice(0, 2);
}

/** Takes a patch back out of the worktree, inside. Throws `conflict` where the files changed meanwhile. The caller made a checkpoint. */
export async function discardPatch(machine: Machine, place: Pick<StorePlace, 'worktree'>, text: string): Promise<void> {
  const args = ['apply', '--reverse', '--whitespace=nowarn', '--recount', '-'];
  const done = await inside(machine, args, {
    access: 'write',
    binds: [{ source: place.worktree, target: place.worktree, access: 'write' }],
    cwd: place.worktree,
    input: text,
    answers: [1, 128],
  });
  if (done.code === 0) return;
  throw new Failure('conflict', 'The change can’t be taken back: the file is no longer as it was shown.', {
    fix: 'Look at the diff again; it was reloaded.',
    command: `git ${args.join(' ')}`,
    output: done.stderr.trim(),
  });
}
