import { Failure } from '../contract/errors.ts';
import { isPartial, type Sparse } from './kinds.ts';
import { outside } from './runner.ts';

const BATCH = 1000;
/** Trees may be missing too, one level of folders in each round. */
const ROUNDS = 200;

export interface PartialRequest {
  repo: string;
  gitDir: string;
  commit: string;
  /** What the commit is to the person, such as `main`. */
  name: string;
  sparse: Sparse | null;
  signal?: AbortSignal;
  onProgress?: () => void;
}

/**
 * Fetches what a partial clone lacks of a commit's files, with the person's own git and keys: inside there is no network
 * to fetch it when it is needed. Costs one look into a folder where the clone is whole. Throws `fetch-failed`.
 */
export async function fetchMissing(request: PartialRequest): Promise<void> {
  const { gitDir, commit } = request;
  if (!(await isPartial(gitDir))) return;
  let last = '';
  for (let round = 0; round < ROUNDS; round++) {
    const missing = await wanted(request, await missingObjects(gitDir, commit));
    if (missing.length === 0) return;
    if (missing.join() === last) break;
    last = missing.join();
    request.onProgress?.();
    for (let at = 0; at < missing.length; at += BATCH) await fetch(request, missing.slice(at, at + BATCH));
  }
  throw notThere(request, '');
}

/** Objects of the commit's files that are not here. */
async function missingObjects(gitDir: string, commit: string): Promise<string[]> {
  const listed = await outside({
    gitDir,
    args: ['rev-list', '--objects', '--no-object-names', '--missing=print', `${commit}^{tree}`],
    answers: [128],
  });
  if (listed.code !== 0) return [`${commit}`];
  return listed.stdout
    .toString('latin1')
    .split('\n')
    .filter((line) => line.startsWith('?'))
    .map((line) => line.slice(1));
}

/** Those among them that a sparse checkout shows; all of them where that can't be told. */
async function wanted({ gitDir, commit, sparse }: PartialRequest, missing: string[]): Promise<string[]> {
  if (missing.length === 0 || sparse === null || !sparse.cone) return missing;
  const isShown = coneOf(sparse.patterns);
  const listed = await outside({ gitDir, args: ['ls-tree', '-r', '-z', '--full-tree', commit], answers: [128] });
  // A missing tree: what is below it is known only once it is here.
  if (listed.code !== 0) return missing;
  const hidden = new Set<string>();
  const shown = new Set<string>();
  for (const line of listed.stdout.toString('utf8').split('\0')) {
    const tab = line.indexOf('\t');
    if (tab > 0) (isShown(line.slice(tab + 1)) ? shown : hidden).add(line.slice(0, tab).split(' ')[2] ?? '');
  }
  return missing.filter((oid) => shown.has(oid) || !hidden.has(oid));
}

/** Says which files the patterns of whole folders show, as `git sparse-checkout set --cone` writes them. */
export function coneOf(patterns: string): (path: string) => boolean {
  const whole = new Set<string>();
  const filesOnly = new Set<string>();
  for (const line of patterns.split('\n')) {
    const pattern = line.replaceAll(/\\(.)/g, '$1');
    if (pattern === '/*') filesOnly.add('');
    else if (/^!\/.*\/\*\/$/s.test(pattern)) {
      whole.delete(pattern.slice(2, -3));
      filesOnly.add(pattern.slice(2, -3));
    } else if (pattern === '!/*/') continue;
    else if (/^\/.+\/$/s.test(pattern)) whole.add(pattern.slice(1, -1));
  }
  return (path) => {
    let folder = path.slice(0, Math.max(0, path.lastIndexOf('/')));
    if (filesOnly.has(folder) || whole.has(folder)) return true;
    while (folder.includes('/')) {
      folder = folder.slice(0, folder.lastIndexOf('/'));
      if (whole.has(folder)) return true;
    }
    return false;
  };
}

async function promisor(gitDir: string): Promise<string> {
  const listed = await outside({
    gitDir,
    args: ['config', '--get-regexp', '^(extensions\\.partialclone|remote\\..*\\.promisor)$'],
    answers: [1],
  });
  const text = listed.stdout.toString('utf8');
  return /^extensions\.partialclone (.+)$/m.exec(text)?.[1] ?? /^remote\.(.+)\.promisor true$/m.exec(text)?.[1] ?? 'origin';
}

async function fetch(request: PartialRequest, oids: string[]): Promise<void> {
  const { repo, gitDir, signal } = request;
  const { personalGit } = await import('./person.ts');
  const git = personalGit(repo, { ...(signal ? { signal } : {}), config: ['fetch.negotiationAlgorithm=noop'] });
  const remote = await promisor(gitDir);
  const args = ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--no-recurse-submodules', '--filter=blob:none', remote, ...oids];
  await git.raw(args).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw notThere(request, (error as Error).message.trim(), remote);
  });
}

function notThere({ repo, name }: PartialRequest, output: string, remote = 'origin'): Failure {
  return new Failure(
    'fetch-failed',
    `${repo} is a partial clone: files of ${name} are not here, and could not be fetched from ${remote}.`,
    {
      fix: 'Check the network and your access, then try again. Or make the clone whole once with the command below.',
      command: `git fetch --refetch --no-filter ${remote}`,
      ...(output ? { output } : {}),
    },
  );
}
