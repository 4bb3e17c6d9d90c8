import { spawn } from 'node:child_process';
import { isAbsolute } from 'node:path';
import { Failure } from '../contract/errors.ts';
import type { Collected, Machine, RunRequest } from '../sandbox/types.ts';

/** What a git command printed. `stdout` is bytes: paths in git need not be UTF-8. */
export interface GitResult {
  code: number;
  stdout: Buffer;
  stderr: string;
  /** True when `limit` bytes came and the rest was left. */
  truncated?: boolean;
}

export interface OutsideRequest {
  /** The person's own git directory, or a bare store of ours. Never a folder an agent can write. */
  gitDir: string;
  args: readonly string[];
  input?: string | Uint8Array;
  env?: Record<string, string>;
  /** More `-c` settings, such as the one protocol that a harvest's bundle needs. They win over the hardening. */
  config?: readonly string[];
  /** The person's own checkout, for the few verbs that bring it along. Never an agent's worktree. */
  workTree?: string;
  /** The person's own git settings (identity, proxies) are read; otherwise only the repository's are. */
  personal?: boolean;
  signal?: AbortSignal;
  /** Exit codes that are answers, not failures. 0 is always one. */
  answers?: readonly number[];
  /** Called with what git says on stderr while it runs, for progress. */
  onStderr?: (text: string) => void;
  /** Bytes of output to take; git is ended where there is more. No limit by default. */
  limit?: number;
}

/** Off by command line for every git that we start outside: nothing the repository names is executed. */
const HARDENING = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.pager=cat',
  'core.editor=true',
  'core.askPass=',
  'core.sshCommand=false',
  'core.alternateRefsCommand=',
  'core.attributesFile=/dev/null',
  'core.untrackedCache=false',
  'credential.helper=',
  'diff.external=',
  'diff.ignoreSubmodules=all',
  'submodule.recurse=false',
  'fetch.recurseSubmodules=false',
  'push.recurseSubmodules=no',
  'safe.bareRepository=explicit',
  'gc.auto=0',
  'maintenance.auto=false',
  'protocol.allow=never',
  'protocol.file.allow=never',
  'commit.gpgSign=false',
  'tag.gpgSign=false',
  'log.showSignature=false',
  'uploadpack.packObjectsHook=',
  'core.quotePath=false',
  'merge.renormalize=false',
  'rerere.enabled=false',
] as const;

const hardeningArgs = HARDENING.flatMap((setting) => ['-c', setting]);

/** The person's environment without what steers git elsewhere, or makes it ask. */
export function cleanEnv(from: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(from)) {
    if (value === undefined || /^(GIT_|SSH_ASKPASS|LD_|LC_|LANG|LANGUAGE|PAGER|EDITOR|VISUAL|NODE_|PREFIX$)/.test(name)) continue;
    env[name] = value;
  }
  return { ...env, LC_ALL: 'C', GIT_TERMINAL_PROMPT: '0', GIT_PAGER: 'cat', GIT_EDITOR: 'true', GIT_ASKPASS: '', GIT_OPTIONAL_LOCKS: '0' };
}

function outsideEnv(request: OutsideRequest): Record<string, string> {
  const env = cleanEnv();
  env['GIT_ATTR_NOSYSTEM'] = '1';
  env['GIT_NO_REPLACE_OBJECTS'] = '1';
  if (request.workTree === undefined) env['GIT_IMPLICIT_WORK_TREE'] = '0';
  if (!request.personal) {
    env['GIT_CONFIG_NOSYSTEM'] = '1';
    env['GIT_CONFIG_GLOBAL'] = '/dev/null';
  }
  return { ...env, ...request.env };
}

/**
 * Runs git **outside**, on a git directory that no agent can write, hardened by command line and environment.
 * Throws `git-failed` with the command and its output, or `disk-full`; an aborted one throws the signal's reason.
 */
export async function outside(request: OutsideRequest): Promise<GitResult> {
  if (!isAbsolute(request.gitDir)) throw new Failure('git-failed', `Not an absolute git directory: ${request.gitDir}`);
  const head = [
    '--no-pager',
    `--git-dir=${request.gitDir}`,
    ...(request.workTree === undefined ? [] : [`--work-tree=${request.workTree}`]),
  ];
  const config = (request.config ?? []).flatMap((setting) => ['-c', setting]);
  const argv = [...head, ...hardeningArgs, ...config, ...request.args];
  // Without a work tree the current folder is the git directory: nothing there is an agent's, attributes files included.
  const result = await execute(argv, request.workTree ?? request.gitDir, outsideEnv(request), request);
  return judged(['git', `--git-dir=${request.gitDir}`, ...request.args], result, request.answers);
}

/** {@link outside} for one line or list of text: its output without the last newline. */
export async function outsideText(
  gitDir: string,
  args: readonly string[],
  more: Omit<OutsideRequest, 'gitDir' | 'args'> = {},
): Promise<string> {
  return (await outside({ ...more, gitDir, args })).stdout.toString('utf8').replace(/\n$/, '');
}

/**
 * Looks at a folder that the person pointed to, before it is known which git directory it has. Only for verbs that
 * read refs and configuration (`rev-parse`, `config`): never anything that looks at the work tree's files.
 */
export async function discover(folder: string, args: readonly string[], answers?: readonly number[]): Promise<GitResult> {
  const result = await execute(['--no-pager', ...hardeningArgs, '-c', 'safe.bareRepository=all', ...args], folder, cleanEnv(), {});
  return judged(['git', '-C', folder, ...args], result, answers);
}

export interface InsideOptions extends Pick<RunRequest, 'cwd' | 'env' | 'binds' | 'signal'> {
  /** `read` where it only looks. */
  access: 'read' | 'write';
  input?: string | Uint8Array;
  answers?: readonly number[];
  /** Bytes of output to take; more is a failure. 256 MiB by default. */
  limit?: number;
}

const QUIET = [
  'core.fsmonitor=false',
  'core.hooksPath=/dev/null',
  'core.pager=cat',
  'gc.auto=0',
  'maintenance.auto=false',
  'commit.gpgSign=false',
  'core.quotePath=false',
];
export const insideArgs = ['--no-pager', ...QUIET.flatMap((setting) => ['-c', setting])];
export const insideEnv = { LC_ALL: 'C', GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0', GIT_EDITOR: 'true', GIT_PAGER: 'cat' };

/** Seconds that git may sleep inside: it waits for nobody, so it was made to (a pipe where its attributes should be). */
export const STALLED = 15;

/** Runs git **inside** a workspace's machine: whatever touches a worktree's files. What it prints is the agent's word. */
export async function inside(machine: Machine, args: readonly string[], options: InsideOptions): Promise<GitResult> {
  const { answers, limit = 256 * 1024 * 1024, env, ...request } = options;
  const got = await machine.collect({
    stalled: STALLED,
    ...request,
    limit,
    argv: ['git', ...insideArgs, ...args],
    env: { ...insideEnv, ...env },
  });
  return collected(['git', ...args], got, answers);
}

/** Runs a POSIX shell script of ours inside, with `args` as its positional parameters. */
export async function insideScript(machine: Machine, script: string, args: readonly string[], options: InsideOptions): Promise<GitResult> {
  const { answers, limit = 256 * 1024 * 1024, env, ...request } = options;
  const got = await machine.collect({
    stalled: STALLED,
    ...request,
    limit,
    argv: ['/bin/sh', '-c', script, 'signalbox', ...args],
    env: { ...insideEnv, ...env },
  });
  return collected(['sh', '-c', script, ...args], got, answers);
}

export function collected(command: readonly string[], got: Collected, answers?: readonly number[]): GitResult {
  if (got.limit) {
    throw new Failure('git-failed', `Git was ended in the sandbox. ${got.limit.message}`, {
      command: shown(command),
      output: got.stderr.toString('utf8').slice(-8000),
      fix: 'Look for what is no ordinary file where git expects one, such as .gitattributes, or for what fills the workspace.',
    });
  }
  const result = judged(command, { code: got.code, stdout: got.stdout, stderr: got.stderr.toString('utf8') }, answers);
  if (got.truncated) throw new Failure('git-failed', 'Git printed more than can be taken.', { command: shown(command) });
  return result;
}

function judged(command: readonly string[], result: GitResult, answers: readonly number[] = []): GitResult {
  if (result.code === 0 || answers.includes(result.code)) return result;
  throw gitFailure(command, result);
}

/** The failure that a git command's end stands for. */
export function gitFailure(command: readonly string[], result: { code: number; stdout: Buffer; stderr: string }): Failure {
  const output = [result.stderr.trim(), result.stdout.subarray(0, 4000).toString('utf8').trim()].filter(Boolean).join('\n').slice(0, 8000);
  const more = { command: shown(command), output };
  if (/No space left on device|Disk quota exceeded/i.test(output)) {
    return new Failure('disk-full', 'The disk is full.', { ...more, fix: 'Make room, then try again. Nothing was lost.' });
  }
  const reason = /^(?:fatal|error): (.+)$/m.exec(output)?.[1] ?? output.split('\n')[0] ?? '';
  return new Failure('git-failed', `Git ended with ${result.code}${reason ? `: ${reason}` : ''}`, more);
}

const shown = (argv: readonly string[]): string =>
  argv
    .map((word) => (/^[\w@%+=:,./^{}~-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(' ')
    .slice(0, 2000);

type Execution = Pick<OutsideRequest, 'input' | 'signal' | 'onStderr' | 'limit'>;

function execute(
  argv: readonly string[],
  cwd: string,
  env: Record<string, string>,
  { input, signal, onStderr, limit = Infinity }: Execution,
): Promise<GitResult> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const child = spawn('git', argv, { cwd, env, stdio: ['pipe', 'pipe', 'pipe'] });
    const stop = (): void => void child.kill('SIGTERM');
    signal?.addEventListener('abort', stop, { once: true });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    let room = limit;
    child.stdout.on('data', (chunk: Buffer) => {
      if (room > 0) out.push(chunk.length > room ? chunk.subarray(0, room) : chunk);
      room -= chunk.length;
      if (room < 0) child.kill('SIGTERM');
    });
    child.stderr.on('data', (chunk: Buffer) => {
      err.push(chunk);
      onStderr?.(chunk.toString('utf8'));
    });
    // A git that ends before it has read its input is judged by its exit code.
    child.stdin.on('error', () => {});
    child.on('error', (error: NodeJS.ErrnoException) => {
      signal?.removeEventListener('abort', stop);
      reject(error.code === 'ENOENT' ? missing(cwd, error) : error);
    });
    child.on('close', (code, killed) => {
      signal?.removeEventListener('abort', stop);
      if (signal?.aborted) reject(signal.reason as Error);
      else
        resolve({
          code: room < 0 ? 0 : (code ?? (killed ? 143 : 1)),
          stdout: Buffer.concat(out),
          stderr: Buffer.concat(err).toString('utf8'),
          truncated: room < 0,
        });
    });
    child.stdin.end(input ?? '');
  });
}

function missing(cwd: string, error: Error): Failure {
  return new Failure('git-failed', `Git could not be started in ${cwd}.`, {
    fix: 'Check that git is installed and that the folder exists.',
    output: error.message,
  });
}

/** A full object id as git prints it (SHA-1, or SHA-256 in such repositories). */
export const isOid = (text: string): boolean => /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
