import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { temp } from './temp.ts';

export const launcher = fileURLToPath(new URL('../../../bin/signalbox', import.meta.url));

export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
  bytes: Buffer;
}
export interface Running {
  child: ChildProcess;
  outcome: Promise<Outcome>;
  stdout(): string;
}

/** A person's machine for the command line: a HOME and SIGNALBOX_HOME of its own, no model, no key. */
export function desk() {
  const folder = temp('cli');
  const home = join(folder, 'home');
  const env: Record<string, string> = {
    PATH: process.env['PATH'] ?? '',
    HOME: join(folder, 'person'),
    SIGNALBOX_HOME: home,
    LANG: 'C.UTF-8',
    GIT_CONFIG_NOSYSTEM: '1',
    NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(process.env['HOME'] ?? folder, '.cache', 'signalbox', 'compile'),
  };
  mkdirSync(env['HOME']!, { recursive: true });
  const start = (
    args: string[],
    more: { env?: Record<string, string>; cwd?: string; input?: string | Buffer; program?: string } = {},
  ): Running => {
    const child = spawn(more.program ?? launcher, args, {
      cwd: more.cwd ?? folder,
      env: { ...env, ...more.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const out: Buffer[] = [];
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.stdin.on('error', () => {});
    child.stdin.end(more.input ?? '');
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    const outcome = new Promise<Outcome>((resolve) => {
      child.on('close', (code) => {
        const bytes = Buffer.concat(out);
        resolve({ code, stdout: bytes.toString(), stderr, bytes });
      });
    });
    return { child, outcome, stdout: () => Buffer.concat(out).toString() };
  };
  const run = (args: string[], more?: Parameters<typeof start>[1]): Promise<Outcome> => start(args, more).outcome;
  return { folder, home, env, start, run };
}

export const git = (cwd: string, ...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=Pat', '-c', 'user.email=pat@example.com', ...args], { cwd, encoding: 'utf8' }).trimEnd();

/** A repository with one commit, an untracked file, and a branch `side`. */
export function repository(path: string): string {
  mkdirSync(path, { recursive: true });
  git(path, 'init', '-q', '-b', 'main');
  writeFileSync(join(path, 'a.txt'), 'one\n');
  git(path, 'add', '.');
  git(path, 'commit', '-q', '-m', 'First');
  git(path, 'branch', 'side');
  writeFileSync(join(path, 'untracked.txt'), 'mine\n');
  return path;
}

export const jsonLines = (text: string): { type: string; [key: string]: unknown }[] =>
  text
    .trim()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { type: string });
