import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createSandbox, type Sandbox } from '../../agent-core/sandbox/index.ts';
import type { Machine, MachineSpec, Policy, SandboxProcess } from '../../agent-core/sandbox/types.ts';

export const POLICY: Policy = {
  mode: 'workspace',
  network: { allow: [] },
  limits: { processes: 300, memoryBytes: 4 * 1024 ** 3, fileBytes: 2 * 1024 ** 3 },
};

/** A folder that is gone after the test. */
export function temporary(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'signalbox sandbox é-')));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

let shared: Sandbox | undefined;
/** One sandbox for a test file: the login environment is asked once. */
export function sandbox(): Sandbox {
  if (shared) return shared;
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'signalbox-sandbox-')));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  shared = createSandbox({ stateDir: folder, env: process.env });
  return shared;
}

export interface Opened {
  machine: Machine;
  worktree: string;
  base: string;
}

let count = 0;
/** A machine on a fresh worktree folder, disposed after the test. */
export async function openMachine(more: Partial<MachineSpec> = {}): Promise<Opened> {
  const base = temporary();
  const worktree = more.worktree ?? join(base, 'worktree');
  mkdirSync(worktree, { recursive: true });
  const policy = more.policy ?? POLICY;
  const machine = await sandbox()
    .driver(policy)
    .open({
      id: `test-${++count}`,
      stateDir: join(base, 'state'),
      binds: [],
      env: {},
      ...more,
      worktree,
      policy,
    });
  onTestFinished(() => machine.dispose());
  return { machine, worktree, base };
}

/** Runs shell text inside; what it printed, and its code. */
export async function shell(
  machine: Machine,
  text: string,
  more: { access?: 'read' | 'write'; cwd?: string } = {},
): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await machine.collect({ argv: ['bash', '-c', text], ...more });
  return { code, out: stdout.toString().trim(), err: stderr.toString().trim() };
}

/** Gathers a process's output as text; `until` resolves when it contains the words. */
export function watch(child: SandboxProcess): { text: () => string; until: (words: string | RegExp) => Promise<void> } {
  let text = '';
  const checks = new Set<() => void>();
  child.onOutput((chunk) => {
    text += Buffer.from(chunk).toString('latin1');
    for (const check of checks) check();
  });
  return {
    text: () => text,
    until: (words) =>
      new Promise<void>((resolve, reject) => {
        const found = () => (typeof words === 'string' ? text.includes(words) : words.test(text));
        const timer = setTimeout(() => {
          checks.delete(check);
          reject(new Error(`never printed ${String(words)}: ${JSON.stringify(text.slice(-2000))}`));
        }, 10_000);
        const check = () => {
          if (!found()) return;
          clearTimeout(timer);
          checks.delete(check);
          resolve();
        };
        checks.add(check);
        check();
      }),
  };
}

export async function eventually(what: string, holds: () => boolean, ms = 10_000): Promise<void> {
  const until = performance.now() + ms;
  while (!holds()) {
    if (performance.now() > until) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Pids on the host whose command line contains the mark. */
export const running = (mark: string): number[] =>
  spawnSync('pgrep', ['-f', '--', mark], { encoding: 'utf8' }).stdout.trim().split('\n').filter(Boolean).map(Number);

export const installed = (name: string): boolean => spawnSync('sh', ['-c', `command -v ${name}`]).status === 0;

/**
 * Process 1 of the machines that this very process holds: a `cat` that its launcher started, which we started. Judged by
 * parents, which everyone may read: what can't be read of another user's namespace is no proof that it is the same.
 */
export function holders(): number[] {
  const parent = (pid: number | string): number => {
    try {
      return Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
    } catch {
      return 0;
    }
  };
  return running('^cat$').filter((pid) => parent(parent(pid)) === process.pid);
}
