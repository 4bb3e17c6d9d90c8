import { realpath, stat } from 'node:fs/promises';
import { Failure } from '../contract/errors.ts';
import type { Base, Folder } from '../contract/index.ts';
import { limits } from './kinds.ts';
import { discover, isOid, outside, outsideText } from './runner.ts';

/** The parts of a {@link Folder} that only this room needs. */
export interface Repository extends Folder {
  /** Absolute path of the common git directory. */
  gitDir: string;
}

/**
 * Says what a folder is as a place for tasks. Throws `no-folder`, `not-a-repository` (fix: `git init`),
 * `bare-repository`, `no-commits` or `unsupported-repository`. Leaves nothing behind.
 */
export async function inspectFolder(path: string): Promise<Repository> {
  const root = await realFolder(path);
  const { repo, subdir, gitDir } = await locateRepository(root);
  const head = await discover(repo, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'], [1, 128]);
  if (head.code !== 0) {
    throw new Failure('no-commits', `${repo} has no commits yet.`, {
      fix: 'Make a first commit, so that a task has something to start from: git add -A && git commit',
    });
  }
  const commit = head.stdout.toString('utf8').trim();
  const [branch, refs, tree, warnings] = await Promise.all([
    discover(repo, ['symbolic-ref', '--quiet', '--short', 'HEAD'], [1, 128]),
    listBranches(repo),
    outside({
      gitDir,
      args: ['ls-tree', '-r', '-z', '--format=%(objectmode)', subdir === '' ? commit : `${commit}:${subdir}`],
      answers: [128],
    }),
    limits(repo, gitDir, commit),
  ]);
  const modes = tree.code === 0 ? tree.stdout.toString('latin1').split('\0').slice(0, -1) : [];
  if (tree.code !== 0) warnings.unshift(`${subdir} is not in the newest commit: a task starts without it.`);
  return {
    root,
    repo,
    subdir,
    gitDir,
    branch: branch.code === 0 ? branch.stdout.toString('utf8').trim() : null,
    head: commit,
    ...refs,
    files: modes.length,
    warnings,
  };
}

/** The folder with links resolved. Throws `no-folder`, and `unsupported-repository` for a path that git can't print in a line. */
export async function realFolder(path: string): Promise<string> {
  const real = await realpath(path).catch(() => null);
  const found = real === null ? null : await stat(real).catch(() => null);
  if (real === null || !found)
    throw new Failure('no-folder', `There is no folder at ${path}.`, { fix: 'Check the path, or choose another folder.' });
  if (!found.isDirectory())
    throw new Failure('no-folder', `${path} is a file, not a folder.`, { fix: 'Choose the folder that it lies in.' });
  if (/[\n\r\0]/.test(real))
    throw new Failure('unsupported-repository', 'The folder has a line break in its path.', { fix: 'Rename the folder.' });
  return real;
}

/** Where the repository of a real folder is. Throws as {@link inspectFolder}, but for `no-commits`. */
export async function locateRepository(root: string): Promise<{ repo: string; subdir: string; gitDir: string }> {
  const asked = ['rev-parse', '--path-format=absolute', '--is-bare-repository', '--is-inside-work-tree', '--git-common-dir'];
  const found = await discover(root, asked, [128]);
  if (found.code !== 0) throw notUsable(root, found.stderr);
  const [bare, insideTree, gitDir] = found.stdout.toString('utf8').split('\n') as [string, string, string];
  if (bare === 'true') {
    throw new Failure('bare-repository', `${root} is a bare repository: it has no files to work on.`, {
      fix: 'Clone it, and open the clone: git clone <this folder> <new folder>',
    });
  }
  if (insideTree !== 'true') {
    throw new Failure('not-a-repository', `${root} is inside a git directory, not a work tree.`, {
      fix: 'Open the folder that holds the files.',
    });
  }
  const where = await discover(root, ['rev-parse', '--show-toplevel', '--show-prefix']);
  const [repo, prefix = ''] = where.stdout.toString('utf8').split('\n') as [string, string?];
  return { repo, subdir: prefix.replace(/\/$/, ''), gitDir: await realpath(gitDir) };
}

function notUsable(root: string, stderr: string): Failure {
  const output = stderr.trim();
  if (/dubious ownership/.test(output)) {
    return new Failure('unsupported-repository', `${root} belongs to another user, and git refuses to use it.`, {
      fix: `If you trust it: git config --global --add safe.directory '${root}'`,
      output,
    });
  }
  if (/unknown repository extension|Expected git repo version|repository format/i.test(output)) {
    const tables = /refstorage/i.test(output);
    return new Failure(
      'unsupported-repository',
      tables
        ? `${root} keeps its refs in tables (reftable), which the installed git can’t read.`
        : `${root} uses a repository format that the installed git does not know.`,
      {
        fix: tables
          ? 'Install git 2.45 or newer, or convert it with such a git: git refs migrate --ref-format=files'
          : 'Install a newer git.',
        output,
      },
    );
  }
  if (/not a git repository \(or any/.test(output)) {
    return new Failure('not-a-repository', `${root} is not in a git repository.`, {
      fix: 'Run git init here, or choose another folder.',
      output,
    });
  }
  return new Failure('unsupported-repository', `Git cannot read the repository at ${root}.`, {
    fix: 'See what git says about it, and repair the repository.',
    output,
  });
}

async function listBranches(repo: string): Promise<{ branches: string[]; remoteBranches: string[] }> {
  const { personalGit } = await import('./person.ts');
  const text = await personalGit(repo).raw([
    'for-each-ref',
    '--sort=-committerdate',
    '--format=%(refname) %(symref)',
    'refs/heads',
    'refs/remotes',
  ]);
  const names = text
    .split('\n')
    .filter((line) => line !== '' && line.endsWith(' '))
    .map((line) => line.trimEnd());
  const under = (prefix: string): string[] => names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  return { branches: under('refs/heads/').filter((name) => !name.startsWith('signalbox/')), remoteBranches: under('refs/remotes/') };
}

/** Makes a repository of a folder that is none, with all that is in it as the first commit. Throws `no-folder`, `conflict`, `git-failed`. */
export async function initFolder(path: string): Promise<Repository> {
  const root = await realFolder(path);
  const there = await discover(root, ['rev-parse', '--git-dir'], [128]);
  if (there.code === 0) {
    const any = await discover(root, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'], [1, 128]);
    if (any.code === 0) throw new Failure('conflict', `${root} is already in a git repository.`);
  } else {
    await discover(root, ['init', '--quiet', '--initial-branch=main', '--template=']);
  }
  await commitEverything(root, 'First commit');
  return inspectFolder(root);
}

/**
 * Commits everything in a folder of ours, making it a repository first where it is none. For folders that no agent
 * can write: git runs on the host here. Throws `git-failed`.
 */
export async function commitAll(folder: string, message: string): Promise<void> {
  const there = await discover(folder, ['rev-parse', '--git-dir'], [128]);
  const own = there.code === 0 && there.stdout.toString('utf8').trim() === '.git';
  if (!own) await discover(folder, ['init', '--quiet', '--initial-branch=main', '--template=']);
  await commitEverything(folder, message);
}

async function commitEverything(folder: string, message: string): Promise<void> {
  const { name, email } = await identity(folder);
  await discover(folder, ['add', '--all', '--', '.']);
  const who = ['-c', `user.name=${name}`, '-c', `user.email=${email}`];
  await discover(folder, [...who, 'commit', '--quiet', '--no-verify', '--allow-empty', `--message=${message}`]);
}

export interface Identity {
  name: string;
  email: string;
}

/** Who commits in a repository: the person's own settings, or a stand-in that says what it is. */
export async function identity(folder: string): Promise<Identity> {
  return readIdentity(await discover(folder, IDENTITY, [1]));
}

/** The same by git directory: for repositories whose worktrees an agent may have been in. */
export async function identityOf(gitDir: string): Promise<Identity> {
  return readIdentity(await outside({ gitDir, args: IDENTITY, personal: true, answers: [1] }));
}

const IDENTITY = ['config', '--null', '--get-regexp', '^user\\.(name|email)$'];

function readIdentity(found: { stdout: Buffer }): Identity {
  const values = new Map<string, string>();
  for (const entry of found.stdout.toString('utf8').split('\0')) {
    const [key = '', value = ''] = entry.split('\n');
    values.set(key, value);
  }
  return person(values.get('user.name'), values.get('user.email'));
}

export const person = (name?: string, email?: string): Identity => ({
  name: name || 'Signalbox user',
  email: email || 'signalbox@localhost',
});

/**
 * The commit that a base stands for now. A remote branch is fetched first, into a hidden ref, so that nothing of the
 * person's own refs moves. Throws `base-not-found` with the nearest names, or `fetch-failed`.
 */
export async function resolveBase(
  repository: { repo: string; gitDir: string },
  base: Pick<Base, 'ref' | 'kind'>,
  options: { signal?: AbortSignal; onProgress?: (fraction: number) => void } = {},
): Promise<string> {
  if (base.kind === 'remote') return fetchBase(repository, base.ref, options);
  const candidates =
    base.ref === 'HEAD' ? ['HEAD'] : [`refs/heads/${base.ref}`, `refs/tags/${base.ref}`, ...(isOid(base.ref) ? [base.ref] : [])];
  for (const candidate of candidates) {
    // `HEAD` is the one of the folder that was opened, which may be a linked worktree.
    const found = await discover(
      repository.repo,
      ['rev-parse', '--verify', '--quiet', '--end-of-options', `${candidate}^{commit}`],
      [1, 128],
    );
    if (found.code === 0) return found.stdout.toString('utf8').trim();
  }
  throw await notFound(repository.repo, base.ref, 'branches');
}

async function fetchBase(
  { repo, gitDir }: { repo: string; gitDir: string },
  ref: string,
  options: { signal?: AbortSignal; onProgress?: (fraction: number) => void },
): Promise<string> {
  const { personalGit } = await import('./person.ts');
  const git = personalGit(repo, options);
  const remotes = (await git.getRemotes()).map((remote) => remote.name).toSorted((a, b) => b.length - a.length);
  const remote = remotes.find((name) => ref.startsWith(`${name}/`));
  if (remote === undefined) throw await notFound(repo, ref, 'remoteBranches');
  const branch = ref.slice(remote.length + 1);
  const hidden = `refs/signalbox/remotes/${remote}/${branch}`;
  try {
    await git.raw([
      'fetch',
      '--progress',
      '--no-tags',
      '--no-write-fetch-head',
      '--no-recurse-submodules',
      '--refmap=',
      remote,
      `+refs/heads/${branch}:${hidden}`,
    ]);
  } catch (error) {
    options.signal?.throwIfAborted();
    const output = (error as Error).message.trim();
    if (/couldn't find remote ref/i.test(output)) throw await notFound(repo, ref, 'remoteBranches');
    throw new Failure('fetch-failed', `${ref} could not be fetched from ${remote}.`, {
      fix: 'Check the network and your access, or start from a local branch.',
      command: `git fetch ${remote} ${branch}`,
      output,
    });
  }
  return outsideText(gitDir, ['rev-parse', '--verify', `${hidden}^{commit}`]);
}

async function notFound(repo: string, ref: string, kind: 'branches' | 'remoteBranches'): Promise<Failure> {
  const known = (await listBranches(repo))[kind];
  const near = nearest(ref, known);
  const fix = near.length > 0 ? `Did you mean ${near.join(', ')}?` : 'Choose a branch that exists.';
  return new Failure('base-not-found', `There is no ${kind === 'branches' ? 'branch' : 'remote branch'} ${ref} in ${repo}.`, { fix });
}

/** The names that a mistyped one was most likely meant to be. */
export function nearest(name: string, known: readonly string[]): string[] {
  const wanted = name.toLowerCase();
  return known
    .map((candidate) => ({
      candidate,
      cost: distance(wanted, candidate.toLowerCase()) - (candidate.toLowerCase().includes(wanted) ? 100 : 0),
    }))
    .filter(({ candidate, cost }) => cost <= Math.max(2, candidate.length / 3))
    .toSorted((a, b) => a.cost - b.cost)
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
