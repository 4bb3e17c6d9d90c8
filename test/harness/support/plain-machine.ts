import { spawn } from 'node:child_process';
import { lstat, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { Failure } from '../../../agent-core/contract/index.ts';
import type { Exit, Machine, RunRequest, SandboxProcess, WorktreeFiles } from '../../../agent-core/sandbox/types.ts';
import { disposable } from '../../../agent-core/support/disposable.ts';

/**
 * A machine without a fence: real processes in a folder. For the tests of the loop that also run where bubblewrap
 * can't; the fence itself is proven in test/sandbox.
 */
export function plainMachine(worktree: string): Machine & { ran: RunRequest[] } {
  const alive = new Set<SandboxProcess>();
  const ran: RunRequest[] = [];
  const inside = (path: string): string => {
    const full = resolve(worktree, path);
    if (relative(worktree, full).startsWith('..')) throw new Failure('not-allowed', `${path} is outside the worktree`);
    return full;
  };
  const kindOf = (entry: { isFile(): boolean; isDirectory(): boolean; isSymbolicLink(): boolean }) =>
    entry.isFile()
      ? ('file' as const)
      : entry.isDirectory()
        ? ('folder' as const)
        : entry.isSymbolicLink()
          ? ('symlink' as const)
          : ('other' as const);
  const files: WorktreeFiles = {
    read: async (path, limit = Infinity) => {
      const bytes = await readFile(inside(path));
      if (bytes.length > limit) throw new Failure('not-allowed', `${path} is ${bytes.length} bytes; at most ${limit} are read.`);
      return bytes;
    },
    write: async (path, content) => {
      await mkdir(dirname(inside(path)), { recursive: true });
      await writeFile(inside(path), content);
    },
    remove: (path) => rm(inside(path)),
    stat: async (path) =>
      lstat(inside(path)).then(
        (stat) => ({ kind: kindOf(stat), size: stat.size, mode: stat.mode }),
        () => null,
      ),
    list: async (path) =>
      (await readdir(inside(path), { withFileTypes: true })).map((entry) => ({ name: entry.name, kind: kindOf(entry) })),
  };
  const machine: Machine & { ran: RunRequest[] } = {
    ran,
    files,
    spec: {
      id: 'plain',
      stateDir: worktree,
      worktree,
      binds: [],
      env: {},
      policy: { mode: 'workspace', network: { allow: [] }, limits: { processes: 512, memoryBytes: 1e9, fileBytes: 1e9 } },
    },
    setPolicy: (policy) => {
      machine.spec.policy = policy;
    },
    run: async (request) => {
      ran.push(request);
      const process = start(request, worktree);
      alive.add(process);
      void process.exited.then(() => alive.delete(process));
      return process;
    },
    collect: async ({ input, limit, ...request }) => {
      const process = start(request, worktree);
      const out: Buffer[] = [];
      process.onOutput((chunk, stream) => {
        if (stream === 'stdout') out.push(Buffer.from(chunk));
      });
      if (input) process.write(input);
      process.endInput();
      const exit = await process.exited;
      return { ...exit, stdout: Buffer.concat(out).subarray(0, limit), stderr: Buffer.alloc(0), truncated: false };
    },
    dispose: async () => {
      await Promise.all([...alive].map((process) => process.kill('kill')));
    },
  };
  return machine;
}

function start(request: RunRequest, worktree: string): SandboxProcess {
  const child = spawn(request.argv[0]!, request.argv.slice(1), {
    cwd: request.cwd ?? worktree,
    env: { ...process.env, ...request.env },
    detached: true,
    stdio: 'pipe',
  });
  const listeners = new Set<(chunk: Uint8Array, stream: 'stdout' | 'stderr') => void>();
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].on('data', (chunk: Buffer) => listeners.forEach((listener) => listener(chunk, stream)));
  child.stdin.on('error', () => {});
  const { promise: exited, resolve: exit } = Promise.withResolvers<Exit>();
  child.on('error', () => exit({ code: 127, signal: null }));
  let over = false;
  child.on('close', (code, signal) => {
    over = true;
    exit({ code: code ?? 137, signal });
  });
  const signal = (name: NodeJS.Signals) => {
    // The number of a group that is gone may be another's by now.
    if (over) return;
    try {
      process.kill(-child.pid!, name);
    } catch {
      /* gone already */
    }
  };
  return {
    pid: child.pid ?? 0,
    exited,
    onOutput: (listener) => {
      listeners.add(listener);
      return disposable(() => listeners.delete(listener));
    },
    write: (data) => {
      child.stdin.write(data);
    },
    endInput: () => {
      child.stdin.end();
    },
    pause: () => {
      child.stdout.pause();
    },
    resume: () => {
      child.stdout.resume();
    },
    resize: () => {},
    kill: async (how) => {
      if (how === 'interrupt') {
        signal('SIGINT');
        return;
      }
      signal(how === 'kill' ? 'SIGKILL' : 'SIGTERM');
      const hard = setTimeout(() => signal('SIGKILL'), 500);
      await exited;
      clearTimeout(hard);
    },
  };
}
