import { resolve } from 'node:path';
import { buffer as readAll } from 'node:stream/consumers';
import { discover, insideArgs, insideEnv, outside, type GitResult } from '../../git/runner.ts';
import { passThrough } from './passthrough.ts';
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
    args: ['-C', folder, ...args],
    answers: anyCode,
    ...(input?.length ? { input } : {}),
  });
}

/** `signalbox git ARGS…`: inside the sandbox for a workspace, hardened outside elsewhere (DESIGN §6). Git's own exit code. */
export async function run(args: string[]): Promise<number> {
  const { folder: named, rest } = folderOf(args, process.cwd());
  const folder = await realFolder(named);
  const workspaces = localWorkspaces();
  try {
    const meta = await workspaces.locate(folder);
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
