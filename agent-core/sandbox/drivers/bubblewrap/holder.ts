import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { release } from 'node:os';
import type { Readable } from 'node:stream';
import { Failure } from '../../../contract/errors.ts';
import { inheritedDescriptors, withoutLeaks } from '../../leaks.ts';

/** The programs that put up the fence, absolute. */
export interface Programs {
  bwrap: string;
  nsenter: string;
}

/**
 * The process that owns a machine's namespaces, and what a command needs to join them.
 *
 * Three user namespaces lie inside each other. The person's; `outer`, where uid 0 stands for the person and which owns
 * the machine's network, ipc and pid namespaces; `inner`, where the person is who they are outside. Commands are set up
 * in `outer` and end in `inner`. Being in another namespace than process 1 keeps them from `/proc/1/root`, and `inner`
 * was told to allow no further user namespace.
 *
 * Process 1 of the machine is a `cat` on a pipe from the core: it ends with the core, and the kernel then ends
 * everything else in the pid namespace. Only minimal system folders are mounted for it.
 */
export interface Holder {
  /** Process 1 of the machine, numbered as the core sees it. */
  readonly pid: number;
  /** Descriptors of the core's: the pid namespace, and the inner user namespace. */
  readonly pidNamespace: number;
  readonly userNamespace: number;
  readonly alive: boolean;
  readonly ended: Promise<void>;
  end(): Promise<void>;
}

const READY = 'ready\n';

async function firstOutput(child: ChildProcess, stream: Readable, command: string): Promise<string> {
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
  try {
    return await new Promise<string>((resolve, reject) => {
      let text = '';
      const fail = (why: string) =>
        reject(
          new Failure('cannot-confine', `The sandbox could not be started: ${why}`, {
            command,
            output: said,
            fix: 'Run `signalbox doctor`: it names what is missing and the command that adds it.',
          }),
        );
      stream.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        if (text.endsWith('\n')) resolve(text);
      });
      child.once('error', (error) => fail(error.message));
      child.once('close', () => fail(said.trim() || 'it ended at once'));
    });
  } finally {
    clearTimeout(timer);
  }
}

function kernelAtLeast(major: number, minor: number): boolean {
  const [a = 0, b = 0] = release().split('.').map(Number);
  return a > major || (a === major && b >= minor);
}

/** bwrap's `--info-fd` JSON: `child-pid` is the sandboxed process as the caller numbers it. */
const childPid = (info: string): number => {
  const found = /"child-pid": (\d+)/.exec(info);
  if (!found) throw new Failure('cannot-confine', 'bubblewrap did not say which process it started.', { output: info });
  return Number(found[1]);
};

async function started(command: string, args: string[]): Promise<{ child: ChildProcess; pid: number }> {
  const [file, words] = withoutLeaks(inheritedDescriptors(), 3, command, args);
  const child = spawn(file, words, { cwd: '/', env: {}, stdio: ['pipe', 'pipe', 'pipe', 'pipe'], detached: true });
  child.on('error', () => {});
  child.stdin?.on('error', () => {});
  const line = [command, ...args].join(' ');
  let info = '';
  const told = new Promise<void>((resolve) => {
    const stream = child.stdio[3] as Readable;
    stream.on('data', (chunk: Buffer) => {
      info += chunk.toString();
      if (info.includes('}')) resolve();
    });
    stream.once('close', resolve);
  });
  child.stdin?.write(READY);
  // Two pipes: what came first on one says nothing about the other.
  await Promise.all([firstOutput(child, child.stdout as Readable, line), told]);
  return { child, pid: childPid(info) };
}

/** Whether a pid namespace has a limit of its own. Before 6.14 pid_max is one number for the whole machine: never touch it there. */
export const kernelLimitsNamespaces = (): boolean => kernelAtLeast(6, 14);

/** The outer namespaces' first process: limits its pid namespace, then waits for its stdin to end. */
function outerCommand(processes: number | null): string[] {
  // Numbers below 300 are given out only once, so that many come on top.
  const limit = processes === null ? '' : `echo ${302 + Math.max(1, Math.trunc(processes))} > /proc/sys/kernel/pid_max; `;
  return ['/bin/sh', '-c', `${limit}${waitText()}`];
}

let waits: string | undefined;

/**
 * Waits for the end of stdin with SIGCHLD ignored: then the kernel reaps the orphans that are handed to process 1, which
 * would fill its process numbers otherwise. dash and busybox take `trap '' CHLD` and leave the signal as it was.
 */
function waitText(): string {
  waits ??=
    spawnSync('env', ['--ignore-signal=CHLD', 'true'], { env: { PATH: '/usr/bin:/bin' }, stdio: 'ignore' }).status === 0
      ? 'exec env --ignore-signal=CHLD cat'
      : `trap '' CHLD; exec cat`;
  return waits;
}

/** Starts the holder, with that many processes in its pid namespace. Throws `Failure('cannot-confine')` with what bwrap said. */
export async function startHolder(programs: Programs, roots: string[], processes: number | null): Promise<Holder> {
  const outer = await started(programs.bwrap, [
    '--unshare-user',
    '--uid',
    '0',
    '--gid',
    '0',
    '--unshare-net',
    '--unshare-ipc',
    '--unshare-pid',
    '--as-pid-1',
    '--die-with-parent',
    ...roots,
    '--proc',
    '/proc',
    '--info-fd',
    '3',
    '--',
    ...outerCommand(processes),
  ]);
  const uid = String(process.getuid?.() ?? 0);
  const gid = String(process.getgid?.() ?? 0);
  const descriptors: number[] = [];
  try {
    const inner = await started(programs.nsenter, [
      '--target',
      String(outer.pid),
      '--user',
      '--preserve-credentials',
      '--',
      programs.bwrap,
      '--unshare-user',
      '--uid',
      uid,
      '--gid',
      gid,
      '--disable-userns',
      '--die-with-parent',
      ...roots,
      '--info-fd',
      '3',
      '--',
      '/bin/cat',
    ]);
    // An open descriptor keeps the namespace; the process that made it may go.
    descriptors.push(openSync(`/proc/${outer.pid}/ns/pid`, 'r'), openSync(`/proc/${inner.pid}/ns/user`, 'r'));
    inner.child.stdin?.end();
  } catch (error) {
    descriptors.forEach((descriptor) => closeSync(descriptor));
    outer.child.kill('SIGKILL');
    throw error;
  }
  return holderOf(outer.child, outer.pid, descriptors);
}

function holderOf(child: ChildProcess, pid: number, descriptors: number[]): Holder {
  const state = { alive: true };
  const ended = new Promise<void>((resolve) =>
    child.once('close', () => {
      state.alive = false;
      for (const descriptor of descriptors.splice(0)) closeSync(descriptor);
      resolve();
    }),
  );
  // The holder alone must not keep a core running that has nothing else to do.
  child.unref();
  for (const stream of child.stdio) (stream as { unref?(): void } | null)?.unref?.();
  return {
    pid,
    ended,
    pidNamespace: descriptors[0] as number,
    userNamespace: descriptors[1] as number,
    get alive() {
      return state.alive;
    },
    async end() {
      if (!state.alive) return;
      child.ref();
      // Its streams were let go too: what waits for them to close must not count as nothing to do.
      for (const stream of child.stdio) (stream as { ref?(): void } | null)?.ref?.();
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        /* already gone */
      }
      // The launcher ends after process 1, and that after all others in its namespace: then nothing is left.
      const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
      await ended;
      clearTimeout(timer);
    },
  };
}
