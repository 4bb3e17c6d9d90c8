import { resolve } from 'node:path';
import { buffer as readAll } from 'node:stream/consumers';
import { discover, insideArgs, insideEnv, outside, type GitResult } from '../../git/runner.ts';
import { passThrough } from './passthrough.ts';
import type { Workspaces, WorkspaceMeta } from '../../workspace/index.ts';
import { localWorkspaces, realFolder } from './workspaces.ts';

/** Every exit code is git's own to tell. */
const anyCode = Array.from({ length: 256 }, (_, code) => code);
/** Git's options before its verb that take the next word as their value. */
const withValue = new Set([
  '-C',
  '-c',
  '--git-dir',
  '--work-tree',
  '--namespace',
  '--exec-path',
  '--super-prefix',
  '--config-env',
  '--attr-source',
]);

/** The folder that git would work in, by its own `-C`s (each relative to the last), and the arguments without them. */
export function folderOf(args: string[], from: string): { folder: string; rest: string[] } {
  let folder = from;
  const rest: string[] = [];
  let at = 0;
  for (; at < args.length && args[at]!.startsWith('-'); at += 1) {
    const word = args[at]!;
    if (word === '-C') {
      folder = resolve(folder, args[++at] ?? '.');
      continue;
    }
    rest.push(word);
    if (withValue.has(word) && at + 1 < args.length) rest.push(args[++at]!);
  }
  return { folder, rest: [...rest, ...args.slice(at)] };
}

/** Verbs that only look. In a checkout that an agent may write they run inside, as what they look at may name commands. */
const looking = new Set(
  'blame cat-file describe diff diff-files diff-index diff-tree grep log ls-files ls-tree name-rev rev-list shortlog show status whatchanged'.split(
    ' ',
  ),
);

/** Git's verb among its arguments. */
function verbAt(args: string[]): number {
  let at = 0;
  while (at < args.length && args[at]!.startsWith('-')) at += withValue.has(args[at]!) ? 2 : 1;
  return at;
}

/** No external diff program: switched off by a setting, git would try to start one with an empty name. */
function withoutExternalDiff(args: string[]): string[] {
  const at = verbAt(args);
  return /^diff(?:-files|-index|-tree)?$/.test(args[at] ?? '') ? args.toSpliced(at + 1, 0, '--no-ext-diff') : args;
}

/**
 * Settings that keep git out of submodules, whatever `.gitmodules` says: the one for all of them gives way to that file,
 * and git in a submodule runs what the submodule's own settings name.
 */
async function outOfSubmodules(folder: string, workTree: string): Promise<Record<string, string>> {
  const ask = ['--null', '--name-only', '--get-regexp', String.raw`^submodule\..*\.(path|url|ignore)$`];
  const found = await Promise.all(
    [
      ['--file', `${workTree}/.gitmodules`],
      ['--blob', ':.gitmodules'],
    ].map((from) => discover(folder, ['config', ...from, ...ask], anyCode)),
  );
  const names = new Set(
    found
      .flatMap(({ stdout }) => stdout.toString('utf8').split('\0'))
      .filter(Boolean)
      .map((key) => key.slice(0, key.lastIndexOf('.'))),
  );
  const settings = [...names].flatMap((name, index) => [
    [`GIT_CONFIG_KEY_${index}`, `${name}.ignore`],
    [`GIT_CONFIG_VALUE_${index}`, 'all'],
  ]);
  return Object.fromEntries([['GIT_CONFIG_COUNT', String(names.size)], ...settings]) as Record<string, string>;
}

/** On the person's own repository: hardened, from its own folder. Not in a repository at all, only refs and settings can be asked for. */
async function runOutside(folder: string, args: string[]): Promise<GitResult> {
  const where = await discover(folder, ['rev-parse', '--path-format=absolute', '--git-dir', '--show-toplevel'], anyCode);
  const [gitDir, workTree] = where.code === 0 ? where.stdout.toString('utf8').split('\n') : [];
  if (!gitDir || !workTree) return discover(folder, args, anyCode);
  const input = process.stdin.isTTY ? undefined : await readAll(process.stdin);
  return outside({
    gitDir,
    workTree,
    personal: true,
    env: await outOfSubmodules(folder, workTree),
    args: ['-C', folder, ...withoutExternalDiff(args)],
    answers: anyCode,
    ...(input?.length ? { input } : {}),
  });
}

/** The workspace that works in this checkout itself, or null. */
async function inPlace(workspaces: Workspaces, folder: string): Promise<WorkspaceMeta | null> {
  const found = (await workspaces.list()).filter((meta) => meta.kind === 'in-place' && meta.phase === 'ready');
  return found.find(({ path }) => folder === path || folder.startsWith(`${path}/`)) ?? null;
}

/** `signalbox git ARGS…`: inside the sandbox for a workspace, hardened outside elsewhere (DESIGN §6). Git's own exit code. */
export async function run(args: string[]): Promise<number> {
  const { folder: named, rest } = folderOf(args, process.cwd());
  const folder = await realFolder(named);
  const workspaces = localWorkspaces();
  try {
    const meta = (await workspaces.locate(folder)) ?? (looking.has(rest[verbAt(rest)] ?? '') ? await inPlace(workspaces, folder) : null);
    if (meta) {
      const open = await workspaces.open(meta.id);
      return await passThrough((request) => open.confined.run(request), {
        argv: ['git', ...insideArgs, ...rest],
        cwd: folder,
        env: insideEnv,
      });
    }
  } finally {
    await workspaces.dispose();
  }
  const { code, stdout, stderr } = await runOutside(folder, rest);
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  return code;
}
