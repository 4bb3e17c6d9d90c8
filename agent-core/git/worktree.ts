import { readFile, readdir, rm, rmdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Failure } from '../contract/errors.ts';
import type { Machine } from '../sandbox/types.ts';
import { realRef } from './refs.ts';
import { gitFailure, insideArgs, insideEnv, STALLED, outside, outsideText } from './runner.ts';
import { writable, type StorePlace } from './session-store.ts';
import { isCode } from './store-files.ts';

export const BRANCHES = 'refs/heads/signalbox/';

/** A short ASCII name for a branch and a folder, from a task's title. */
export function slugOf(title: string): string {
  const words = title
    .normalize('NFKD')
    .replaceAll(/[\u0300-\u036f]/g, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  const cut =
    words.length <= 40
      ? words
      : words
          .slice(0, 41)
          .replace(/-[^-]*$/, '')
          .slice(0, 40);
  return cut.replaceAll(/^-+|-+$/g, '') || 'task';
}

/** `slug`, or `slug-2`, … : the first that no branch and no folder has. Throws `branch-taken` where the prefix itself is a branch. */
export async function freeSlug(gitDir: string, slug: string, folder: (slug: string) => string): Promise<string> {
  if ((await realRef(gitDir, 'refs/heads/signalbox')) !== null) {
    throw new Failure('branch-taken', 'The repository has a branch named signalbox, so branches below signalbox/ cannot be made.', {
      fix: 'Rename it: git branch -m signalbox something-else',
    });
  }
  const text = await outsideText(gitDir, ['for-each-ref', '--format=%(refname)', BRANCHES]);
  const taken = new Set(text.split('\n').map((name) => name.slice(BRANCHES.length).split('/')[0]));
  for (let number = 1; ; number++) {
    const candidate = number === 1 ? slug : `${slug}-${number}`;
    if (taken.has(candidate)) continue;
    if (
      await stat(folder(candidate)).then(
        () => false,
        (error: unknown) => isCode(error, 'ENOENT'),
      )
    )
      return candidate;
  }
}

/**
 * `git worktree add` without checking anything out, for that could run filters and hooks outside. The folder must be
 * absent or empty. Returns the name of its admin folder. A hidden ref keeps the base's objects while the task lives.
 */
export async function addWorktree(request: {
  gitDir: string;
  path: string;
  branch: string;
  commit: string;
  keep: string;
  signal?: AbortSignal;
}): Promise<string> {
  const { gitDir, path, branch, signal } = request;
  const short = branch.replace('refs/heads/', '');
  await makeBranch(request);
  await outside({ gitDir, args: ['worktree', 'add', '--quiet', '--no-checkout', '--', path, short], ...(signal ? { signal } : {}) });
  return adminOf(path);
}

/** The branch and the hidden ref in one transaction: the hidden one proves, after a crash, that the branch is ours. */
export async function makeBranch(request: { gitDir: string; branch: string; commit: string; keep: string }): Promise<void> {
  const { gitDir, branch, commit, keep } = request;
  await moveRefs(gitDir, [
    [branch, commit, null],
    [keep, commit, null],
  ]).catch((error: unknown) => {
    throw taken(error, branch.replace('refs/heads/', ''));
  });
}

function taken(error: unknown, branch: string): unknown {
  if (error instanceof Failure && /already exists|cannot lock ref|cannot create/.test(error.detail.output ?? '')) {
    return new Failure('branch-taken', `The branch ${branch} is taken.`, { ...error.detail, fix: 'Choose another name.' });
  }
  return error;
}

/** Name of the admin folder that a worktree's pointer names. Only for a pointer that no agent could have written. */
export async function adminOf(worktree: string): Promise<string> {
  const pointer = await readFile(join(worktree, '.git'), 'utf8');
  const found = /^gitdir: (.+)\n?$/.exec(pointer)?.[1];
  if (found === undefined) throw new Failure('git-failed', `${worktree}/.git points nowhere.`);
  return basename(found);
}

/** Checks the branch out inside, with nothing of the host's at its reach. `onProgress` gets 0–1. */
export async function checkoutInside(
  machine: Machine,
  place: StorePlace,
  commit: string,
  files: { onProgress: (fraction: number) => void; signal?: AbortSignal },
): Promise<void> {
  const args = [...insideArgs, '-c', 'checkout.workers=0', 'read-tree', '--reset', '-u', '-v', commit];
  const run = await machine.run({
    argv: ['git', ...args],
    env: { ...insideEnv, GIT_PROGRESS_DELAY: '0' },
    stalled: STALLED,
    binds: writable(place, true),
    ...(files.signal ? { signal: files.signal } : {}),
  });
  let stderr = '';
  run.onOutput((chunk) => {
    const text = Buffer.from(chunk).toString('utf8');
    stderr = (stderr + text).slice(-8000);
    const percent = /(\d+)% \(\d+\/\d+\)[^%]*$/.exec(text)?.[1];
    if (percent !== undefined) files.onProgress(Number(percent) / 100);
  });
  run.endInput();
  const { code } = await run.exited;
  files.signal?.throwIfAborted();
  if (code !== 0) throw gitFailure(['git', 'read-tree', '--reset', '-u', commit], { code, stdout: Buffer.alloc(0), stderr });
}

/** Forgets a worktree's admin folder; the worktree's files are left alone. */
export async function removeAdmin(gitDir: string, admin: string): Promise<void> {
  if (admin === '') return;
  await rm(join(gitDir, 'worktrees', admin), { recursive: true, force: true });
  // Git removes the folder with its last worktree too.
  await rmdir(join(gitDir, 'worktrees')).catch(() => {});
}

/** The admin folder whose worktree is `path`, or null. */
export async function adminFor(gitDir: string, path: string): Promise<string | null> {
  const text = (await outside({ gitDir, args: ['worktree', 'list', '--porcelain', '-z'] })).stdout.toString('utf8');
  if (!text.split('\0').includes(`worktree ${path}`)) return null;
  for (const name of await readdir(join(gitDir, 'worktrees')).catch(() => [])) {
    const pointer = await readFile(join(gitDir, 'worktrees', name, 'gitdir'), 'utf8').catch(() => '');
    if (pointer.trim() === join(path, '.git')) return name;
  }
  return null;
}

/** Moves refs in one transaction: `[ref, to, from]`, where null is "no such ref". Throws `git-failed` where one is not as expected. */
export async function moveRefs(
  gitDir: string,
  moves: readonly (readonly [ref: string, to: string | null, from: string | null])[],
): Promise<void> {
  const lines = moves.map(([ref, to, from]) => {
    if (to === null) return `delete ${ref}\0${from ?? ''}\0`;
    return from === null ? `create ${ref}\0${to}\0` : `update ${ref}\0${to}\0${from}\0`;
  });
  await outside({ gitDir, args: ['update-ref', '-z', '--stdin', '-m', 'signalbox'], input: lines.join('') });
}
