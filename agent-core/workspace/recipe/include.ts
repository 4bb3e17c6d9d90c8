import { lstat, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Failure } from '../../contract/errors.ts';
import { INCLUDE_FILE, type OutputOf, type Project } from '../../contract/index.ts';
import { inside, outside } from '../../git/runner.ts';
import { copyIn, type NotCopied } from '../../sandbox/person/copy-in.ts';
import type { Machine } from '../../sandbox/types.ts';
import { newId } from '../../support/ids.ts';
import { fileAt } from './base-file.ts';

/** More than this is no settings and no fixtures: it belongs into a setup script, or a cache. */
const MOST_BYTES = 1024 ** 3;
const MOST_FILES = 20_000;
const LIST_LIMIT = 16 * 1024 * 1024;

export type Include = OutputOf<'recipe/include'>;
type Place = Pick<Project, 'gitDir' | 'subdir' | 'repo'>;

const paths = (output: Buffer): string[] => output.toString('utf8').split('\0').filter(Boolean);
const size = (bytes: number): string => (bytes < 1024 ** 3 ? `${Math.ceil(bytes / 1024 ** 2)} MB` : `${(bytes / 1024 ** 3).toFixed(1)} GB`);

/** What of `listed` git ignores in the person's checkout, their own global list included. */
async function ignoredOf({ repo }: Place, listed: readonly string[]): Promise<Set<string>> {
  if (listed.length === 0) return new Set();
  const found = await outside({
    gitDir: join(repo, '.git'),
    workTree: repo,
    personal: true,
    args: ['check-ignore', '-z', '--stdin'],
    input: listed.join('\0'),
    answers: [1],
  });
  return new Set(paths(found.stdout));
}

/** Files of the checkout that git does not know and that these patterns name. Git itself matches them, and follows no link. */
async function named({ repo }: Place, patterns: Buffer, scratch: string): Promise<{ found: string[]; truncated: boolean }> {
  await mkdir(scratch, { recursive: true, mode: 0o700 });
  const file = join(scratch, newId('item'));
  await writeFile(file, patterns, { mode: 0o600 });
  try {
    const listed = await outside({
      gitDir: join(repo, '.git'),
      workTree: repo,
      args: ['ls-files', '--others', '--ignored', '-z', `--exclude-from=${file}`],
      limit: LIST_LIMIT,
    });
    return { found: paths(listed.stdout), truncated: listed.truncated ?? false };
  } finally {
    await rm(file, { force: true });
  }
}

function tooMuch(files: number, bytes: number): string | null {
  if (files > MOST_FILES) return `${INCLUDE_FILE} names more than ${MOST_FILES} files.`;
  return bytes > MOST_BYTES ? `${INCLUDE_FILE} names ${size(bytes)}; at most 1 GB is copied.` : null;
}

/**
 * What a commit's `.worktreeinclude` (gitignore's syntax, at the top of the repository) names of the person's checkout:
 * plain files that git ignores there. Only looks. `scratch` is a folder of ours.
 */
export async function planInclude(place: Place, commit: string, scratch: string): Promise<Include> {
  const none: Include = { there: false, files: [], skipped: [], bytes: 0, problem: null };
  const patterns = await fileAt(place, commit, INCLUDE_FILE, 256 * 1024);
  if (patterns === null) return none;
  const { found, truncated } = await named(place, patterns, scratch);
  if (truncated || found.length > MOST_FILES * 5) return { ...none, there: true, problem: tooMuch(Infinity, 0) };
  const ignored = await ignoredOf(place, found);
  const plan: Include = { ...none, there: true };
  for (const path of found) {
    const stat = await lstat(join(place.repo, path)).catch(() => null);
    if (path.endsWith('/')) plan.skipped.push({ path, why: 'It is a repository of its own.' });
    else if (!ignored.has(path)) plan.skipped.push({ path, why: 'Git does not ignore it: commit it, or add it to .gitignore.' });
    else if (stat?.isSymbolicLink()) plan.skipped.push({ path, why: 'It is a symbolic link.' });
    else if (!stat?.isFile()) plan.skipped.push({ path, why: 'It is no plain file.' });
    else {
      plan.files.push({ path, bytes: stat.size });
      plan.bytes += stat.size;
    }
  }
  return { ...plan, problem: tooMuch(plan.files.length, plan.bytes) };
}

const WHY: Record<NotCopied, string> = {
  there: 'It is in the worktree already.',
  link: 'A symbolic link is on the way to it.',
  gone: 'It is gone.',
  special: 'It is no plain file.',
};

export interface Included {
  copied: string[];
  skipped: Include['skipped'];
}

/** What of a plan git ignores in the worktree too. A path beyond a link there is none that git would answer for. */
async function ignoredIn(machine: Machine, plan: Include): Promise<{ ignored: Set<string>; beyondLink: Set<string> }> {
  const folders = new Map<string, Promise<boolean>>();
  const beyond = async (path: string): Promise<boolean> => {
    const folder = dirname(path);
    if (folder === '.') return false;
    const known = folders.get(folder);
    if (known) return known;
    const asked = beyond(folder).then(async (above) => above || (await machine.files.stat(folder))?.kind === 'symlink');
    folders.set(folder, asked);
    return asked;
  };
  const beyondLink = new Set<string>();
  for (const { path } of plan.files) if (await beyond(path)) beyondLink.add(path);
  const input = plan.files.flatMap(({ path }) => (beyondLink.has(path) ? [] : [path])).join('\0');
  if (input === '') return { ignored: new Set(), beyondLink };
  const asked = await inside(machine, ['check-ignore', '-z', '--stdin'], {
    access: 'read',
    cwd: machine.spec.worktree,
    input,
    answers: [1],
  });
  return { ignored: new Set(paths(asked.stdout)), beyondLink };
}

export interface IncludeRequest {
  place: Place;
  plan: Include;
  machine: Machine;
  signal: AbortSignal;
  onProgress: (fraction: number, path: string) => void;
}

/**
 * Copies into a worktree that was just checked out what a plan names, as far as git ignores it there too:
 * what it does not would be committed. Never over what is there, so it can be asked again. Throws `not-allowed` where it
 * is too much, and `disk-full`; an abort throws the signal's reason.
 */
export async function include({ place, plan, machine, signal, onProgress }: IncludeRequest): Promise<Included> {
  if (plan.problem)
    throw new Failure('not-allowed', plan.problem, {
      fix: `Name less in ${INCLUDE_FILE}, or make the files in the setup script. Then retry.`,
    });
  const { worktree } = machine.spec;
  const there = await ignoredIn(machine, plan);
  const result: Included = { copied: [], skipped: plan.skipped };
  let bytes = 0;
  for (const file of plan.files) {
    signal.throwIfAborted();
    onProgress(plan.bytes === 0 ? 1 : bytes / plan.bytes, file.path);
    const why = there.beyondLink.has(file.path)
      ? WHY.link
      : there.ignored.has(file.path)
        ? await copy(place.repo, worktree, file.path)
        : 'The base does not ignore it: it would be committed.';
    if (why === null) result.copied.push(file.path);
    else result.skipped.push({ path: file.path, why });
    bytes += file.bytes;
  }
  return result;
}

async function copy(from: string, to: string, path: string): Promise<string | null> {
  try {
    const why = await copyIn(from, to, path);
    return why && WHY[why];
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EPERM') return 'It can’t be read.';
    if (code === 'ENOSPC' || code === 'EDQUOT')
      throw new Failure('disk-full', `The disk is full: ${path} could not be copied into the worktree.`, {
        fix: 'Make room, then retry.',
        output: message,
      });
    throw error;
  }
}
