import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../contract/errors.ts';
import type { Landing, LandPreview } from '../contract/index.ts';
import type { Identity } from './repository.ts';
import { lfsOutside } from './lfs.ts';
import { isAncestor } from './transfer.ts';
import { outside, outsideText, type OutsideRequest } from './runner.ts';
import { moveRefs } from './worktree.ts';

export type LandMethod = Landing['method'];

export interface LandRequest {
  gitDir: string;
  /** Whether an agent may write this folder: git never runs outside with such a work tree. */
  isAgents: (checkout: string) => boolean;
  /** The commit to land: the harvested tip of the task's branch. */
  tip: string;
  /** Short name of the task's branch, for messages. */
  branch: string;
  /** Short name of the branch to land into. */
  into: string;
  who: Identity;
}

const text = (gitDir: string, ...args: string[]): Promise<string> => outsideText(gitDir, args);

/** Where a branch is checked out: the path of the person's work tree, or null. Those of tasks never have a base branch. */
export async function checkoutOf(gitDir: string, branch: string): Promise<string | null> {
  const listed = (await outside({ gitDir, args: ['worktree', 'list', '--porcelain', '-z'] })).stdout.toString('utf8');
  let path: string | null = null;
  for (const line of listed.split('\0')) {
    if (line.startsWith('worktree ')) path = line.slice('worktree '.length);
    if (line === `branch refs/heads/${branch}`) return path;
  }
  return null;
}

/** The branch's commit, or `base-not-found`. */
async function branchTip(gitDir: string, into: string): Promise<string> {
  const found = await outside({
    gitDir,
    args: ['rev-parse', '--verify', '--quiet', '--end-of-options', `refs/heads/${into}^{commit}`],
    answers: [1, 128],
  });
  if (found.code !== 0)
    throw new Failure('conflict', `There is no local branch ${into} to land into.`, { fix: `Make it: git branch ${into}` });
  return found.stdout.toString('utf8').trim();
}

/** A merge from objects alone: the tree, and the files in conflict (none when it is clean). */
async function mergeTrees(gitDir: string, ours: string, theirs: string): Promise<{ tree: string; conflicts: string[] }> {
  const merged = await outside({
    gitDir,
    args: ['merge-tree', '--write-tree', '--name-only', '--no-messages', '-z', ours, theirs],
    answers: [1],
  });
  const [tree = '', ...names] = merged.stdout.toString('utf8').split('\0');
  return { tree, conflicts: merged.code === 1 ? names.filter((name) => name !== '') : [] };
}

/**
 * What landing would do now. Merges are tried in `objects` (a store that borrows the repository's objects), so that
 * looking leaves nothing in the repository. `tip` is what would be landed, `committed` the branch as it is.
 */
export async function previewLanding(
  request: LandRequest & { objects: string; committed: string },
  uncommitted: number,
): Promise<LandPreview> {
  const { gitDir, into, tip, objects } = request;
  const target = await branchTip(gitDir, into);
  const [behind = 0, ahead = 0] = (await text(gitDir, 'rev-list', '--left-right', '--count', `${target}...${request.committed}`))
    .split('\t')
    .map(Number);
  const { tree, conflicts } = await mergeTrees(objects, target, tip);
  let blocked: string | null;
  if (conflicts.length > 0)
    blocked = `${conflicts.length === 1 ? 'One file conflicts' : `${conflicts.length} files conflict`} with ${into}.`;
  else if (ahead === 0 && uncommitted === 0) blocked = 'There is nothing to land.';
  else blocked = await dirtyReason(request, target, tree);
  return { into, ahead, behind, clean: conflicts.length === 0, conflicts, blocked, uncommitted };
}

async function dirtyReason(
  { gitDir, objects, into, isAgents }: LandRequest & { objects: string },
  target: string,
  tree: string,
): Promise<string | null> {
  const checkout = await checkoutOf(gitDir, into);
  if (checkout === null) return null;
  if (isAgents(checkout)) return `${into} is checked out in ${checkout}, where a task works.`;
  const dirty = await dirtyFiles(objects, { path: checkout, config: await lfsOutside(gitDir) }, target, tree);
  return dirty.length === 0
    ? null
    : `${named(dirty)} in ${checkout} ${dirty.length === 1 ? 'has' : 'have'} changes of your own that landing would touch.`;
}

const named = (files: readonly string[]): string =>
  files.length <= 3 ? files.join(', ') : `${files.slice(0, 3).join(', ')} and ${files.length - 3} more`;

/**
 * The person's own changed or untracked files among those that a move from one tree to the other touches. Never by
 * `git status`: that looks into repositories which lie in the checkout, and runs what they say.
 */
async function dirtyFiles(objects: string, checkout: Checkout, from: string, to: string): Promise<string[]> {
  const changed = names(await outside({ gitDir: objects, args: ['diff-tree', '-r', '-z', '--name-only', '--no-renames', from, to] }));
  if (changed.length === 0) return [];
  await outside(checkoutRequest(checkout, ['update-index', '-q', '--ignore-submodules', '--refresh'], [1]));
  const [unstaged, staged, tracked] = (
    await Promise.all([
      outside(checkoutRequest(checkout, ['diff-files', '-z', '--name-only', '--ignore-submodules=all'])),
      outside(checkoutRequest(checkout, ['diff-index', '--cached', '-z', '--name-only', '--no-renames', '--ignore-submodules=all', from])),
      outside(checkoutRequest(checkout, ['ls-files', '-z', '--cached', '--full-name'])),
    ])
  ).map((result) => new Set(names(result)));
  const dirty: string[] = [];
  for (const path of changed) {
    const inTheWay =
      !tracked?.has(path) &&
      (await lstat(join(checkout.path, path)).then(
        () => true,
        () => false,
      ));
    if (unstaged?.has(path) || staged?.has(path) || inTheWay) dirty.push(path);
  }
  return dirty;
}

const names = (result: { stdout: Buffer }): string[] =>
  result.stdout
    .toString('utf8')
    .split('\0')
    .filter((name) => name !== '');

/** The person's own checkout, with what its files need to be written as they are there (Git LFS). */
interface Checkout {
  path: string;
  config: readonly string[];
}

/** Git in the person's own checkout, hardened all the same. Its git directory is the one its `.git` names. */
const checkoutRequest = ({ path, config }: Checkout, args: readonly string[], answers: readonly number[] = []): OutsideRequest => ({
  gitDir: `${path}/.git`,
  workTree: path,
  config,
  args,
  answers,
});

/** Lands a branch. Either all of it happens, or nothing. Returns the new commit of the base branch. */
export async function landBranch(
  request: LandRequest & {
    method: LandMethod;
    message: string;
    /** Called before the base branch moves. */ onCommit: (commit: string, from: string) => Promise<void>;
  },
): Promise<string> {
  const { gitDir, into, tip, method } = request;
  const target = await branchTip(gitDir, into);
  if (await isAncestor(gitDir, tip, target)) throw new Failure('nothing-to-land', `${into} already has all of ${request.branch}.`);
  const commit = method === 'rebase' ? await replay(request, target) : await mergeCommit(request, target);
  await request.onCommit(commit, target);
  await advance(request, target, commit);
  return commit;
}

async function mergeCommit(request: LandRequest & { method: LandMethod; message: string }, target: string): Promise<string> {
  const { tree, conflicts } = await mergeTrees(request.gitDir, target, request.tip);
  if (conflicts.length > 0) throw conflicting(request, conflicts);
  if (request.method === 'squash' && tree === (await text(request.gitDir, 'rev-parse', `${target}^{tree}`))) {
    throw new Failure('nothing-to-land', `${request.into} already has all that ${request.branch} changed.`);
  }
  const parents = request.method === 'merge' ? [target, request.tip] : [target];
  return commitTree(request, tree, parents, request.message);
}

const conflicting = (request: LandRequest, files: readonly string[]): Failure =>
  new Failure('merge-conflict', `${request.branch} conflicts with ${request.into} in ${named(files)}.`, {
    fix: `Ask the agent to bring in ${request.into} and to solve the conflicts, then land again.`,
    output: files.join('\n'),
  });

function commitTree(
  request: LandRequest,
  tree: string,
  parents: readonly string[],
  message: string,
  author: Record<string, string> = {},
): Promise<string> {
  const { name, email } = request.who;
  const env = { GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: email, GIT_COMMITTER_NAME: name, GIT_COMMITTER_EMAIL: email, ...author };
  return outsideText(request.gitDir, ['commit-tree', tree, ...parents.flatMap((parent) => ['-p', parent]), '-F', '-'], {
    env,
    input: message.endsWith('\n') ? message : `${message}\n`,
  });
}

/** Rebase without a work tree: each commit's own change is merged onto the new tip. */
async function replay(request: LandRequest, target: string): Promise<string> {
  const { gitDir, tip } = request;
  const listed = await text(
    gitDir,
    'rev-list',
    '--reverse',
    '--topo-order',
    '--no-merges',
    '--right-only',
    '--cherry-pick',
    `${target}...${tip}`,
  );
  let head = target;
  for (const commit of listed.split('\n').filter(Boolean)) head = await pick(request, commit, head);
  if (head === target) throw new Failure('nothing-to-land', `${request.into} already has all that ${request.branch} changed.`);
  return head;
}

async function pick(request: LandRequest, commit: string, onto: string): Promise<string> {
  const { gitDir } = request;
  const parent = await text(gitDir, 'rev-parse', `${commit}^1`);
  // A commit with the new tip's tree on the picked one's parent: that parent is then the merge base, as in a cherry-pick.
  const stand =
    parent === onto ? onto : await commitTree(request, await text(gitDir, 'rev-parse', `${onto}^{tree}`), [parent], 'base of a pick');
  const { tree, conflicts } = await mergeTrees(gitDir, stand, commit);
  if (conflicts.length > 0) throw conflicting(request, conflicts);
  if (tree === (await text(gitDir, 'rev-parse', `${onto}^{tree}`))) return onto;
  const [name = '', email = '', date = '', ...body] = (
    await text(gitDir, 'show', '-s', '--no-show-signature', '--format=%an%n%ae%n%ad%n%B', '--date=raw', commit)
  ).split('\n');
  return commitTree(request, tree, [onto], body.join('\n'), { GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: email, GIT_AUTHOR_DATE: date });
}

/** Moves the base branch, and the person's checkout of it where there is one. */
async function advance({ gitDir, into, isAgents }: LandRequest, from: string, to: string): Promise<void> {
  const checkout = await checkoutOf(gitDir, into);
  if (checkout === null) return moveRefs(gitDir, [[`refs/heads/${into}`, to, from]]);
  if (isAgents(checkout))
    throw new Failure('conflict', `${into} is checked out in ${checkout}, where a task works.`, { fix: 'Land or delete that task first.' });
  const there: Checkout = { path: checkout, config: await lfsOutside(gitDir) };
  const dirty = await dirtyFiles(gitDir, there, from, to);
  if (dirty.length > 0) {
    throw new Failure(
      'dirty-checkout',
      `${named(dirty)} in ${checkout} ${dirty.length === 1 ? 'has' : 'have'} changes of your own that landing would touch.`,
      { fix: 'Commit or stash them, then land again.', output: dirty.join('\n') },
    );
  }
  // Two trees: what is not touched keeps the person's own changes, and anything in the way stops it before a file moves.
  try {
    await outside(checkoutRequest(there, ['read-tree', '-m', '-u', from, to]));
  } catch (error) {
    throw error instanceof Failure && error.detail.code === 'git-failed'
      ? new Failure('dirty-checkout', `The checkout ${checkout} can’t be brought along.`, {
          ...error.detail,
          fix: 'Commit or stash your changes there, then land again.',
        })
      : error;
  }
  try {
    await moveRefs(gitDir, [[`refs/heads/${into}`, to, from]]);
  } catch (error) {
    await outside(checkoutRequest(there, ['read-tree', '-m', '-u', to, from])).catch(() => {});
    throw error;
  }
}

/** After a crash: where the person's checkout was brought along already and only the branch did not move, moves it. */
export async function finishLanding({ gitDir, into, isAgents }: LandRequest, from: string, to: string): Promise<void> {
  const checkout = await checkoutOf(gitDir, into);
  if (checkout === null || isAgents(checkout) || (await branchTip(gitDir, into)) !== from) return;
  const moved = await outside(
    checkoutRequest({ path: checkout, config: [] }, ['diff-index', '--cached', '--quiet', '--ignore-submodules=all', to], [1]),
  );
  if (moved.code === 0) await moveRefs(gitDir, [[`refs/heads/${into}`, to, from]]);
}
