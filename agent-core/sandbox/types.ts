import type { Ports } from './egress/ports.ts';
import type { Exceeded } from './limits/policy.ts';
import type { AsyncDisposable, Disposable } from '../support/disposable.ts';

/** A host path made visible inside at `target`. Never created on the host; a missing source is a `cannot-confine` failure. */
export interface Bind {
  source: string;
  target: string;
  access: 'read' | 'write';
}

/** What a workspace's processes may read, write, reach and spend. */
export interface Policy {
  mode: 'read-only' | 'workspace' | 'ask' | 'full';
  /** A weaker fence that a person chose for this task, where the system refuses the real one; never taken by itself. */
  fence?: 'landlock';
  /**
   * Host patterns that may be reached through the proxy; empty means no network. `services` are single hosts with a port
   * that may lie at a private address, such as `db.internal:5432`.
   */
  network: {
    allow: string[];
    services?: string[];
    /** Secrets that the proxy adds to requests for these hosts (patterns): named, never said. */
    credentials?: { id: string; host: string }[];
  };
  /**
   * For the whole workspace: its processes, the memory they hold with shared memory and /dev/shm, and what it writes to disk
   * (private HOME, /tmp, growth of the worktree). For each command: `seconds` of wall time. For each file: `fileBytes`.
   * Absent or 0 is no limit.
   */
  limits: { processes?: number; memoryBytes?: number; diskBytes?: number; seconds?: number; fileBytes?: number };
}

/** All that makes a workspace's small machine. Paths are absolute and real (symlinks resolved). */
export interface MachineSpec {
  /** Unique among the running machines; used in names of sockets and folders. */
  id: string;
  /** Host folder for this machine's private HOME, /tmp and bookkeeping; created 0700 if absent. */
  stateDir: string;
  /** The worktree (or checkout): writable unless the policy says read-only. It keeps its host path inside. */
  worktree: string;
  /** Further binds in order, such as the session store over the common git directory. */
  binds: Bind[];
  policy: Policy;
  /** Added to the captured login environment, such as GIT_* names. */
  env: Record<string, string>;
}

export interface RunRequest {
  /** What to run; never passed through a shell unless it names one. */
  argv: string[];
  /** Absolute, inside the worktree or the private HOME; the worktree by default. */
  cwd?: string;
  env?: Record<string, string>;
  /** `read` makes the worktree and every writable bind read-only for this process. Default `write`. */
  access?: 'read' | 'write';
  /** A PTY of its own with this size; otherwise three pipes. */
  tty?: { cols: number; rows: number };
  /** More binds for this process only, such as the bare checkpoint store for `git write-tree`. */
  binds?: Bind[];
  /** Ends the whole tree (SIGTERM, then SIGKILL after 2 s). */
  signal?: AbortSignal;
  /**
   * Ends the whole tree when all of it slept for so many seconds: for our own commands, which wait for nobody, where an
   * agent may have put a pipe in the place of a file.
   */
  stalled?: number;
}

export interface Exit {
  /** The exit code; 128 + n when signal n ended it. */
  code: number;
  signal: NodeJS.Signals | null;
  /** The limit that ended the command, or that it failed at; its message is also the last line of its output. */
  limit?: Exceeded;
}

/** A running process inside a machine. Its streams end before `exited` settles; `exited` never rejects. */
export interface SandboxProcess {
  readonly pid: number;
  /** Bytes in order. For a PTY everything is 'stdout'. Output from before the first listener is kept for it. */
  onOutput(listener: (chunk: Uint8Array, stream: 'stdout' | 'stderr') => void): Disposable;
  write(data: string | Uint8Array): void;
  endInput(): void;
  /** Stops reading from the process until `resume`, so that it blocks when its pipe is full. */
  pause(): void;
  resume(): void;
  resize(cols: number, rows: number): void;
  /** Signals the whole tree of the command. `terminate` is SIGTERM then SIGKILL after 2 s. Resolves when it is gone. */
  kill(how: 'interrupt' | 'terminate' | 'kill'): Promise<void>;
  readonly exited: Promise<Exit>;
}

export interface Collected extends Exit {
  stdout: Buffer;
  stderr: Buffer;
  /** True when more than `limit` bytes came and the rest was dropped. */
  truncated: boolean;
}

/**
 * A workspace's small machine: namespaces held by one process, which commands and terminals join.
 * Every method throws `Failure('cannot-confine')` when the fence can't be put up; then nothing has run.
 */
export interface Machine extends AsyncDisposable {
  readonly spec: MachineSpec;
  run(request: RunRequest): Promise<SandboxProcess>;
  /** Runs to the end and gathers the output (at most `limit` bytes a stream, 64 MiB by default). */
  collect(request: Omit<RunRequest, 'tty'> & { input?: string | Uint8Array; limit?: number }): Promise<Collected>;
  /** The one door to the worktree's files for the core itself. */
  readonly files: WorktreeFiles;
  /** What its processes listen on; absent where they listen on this computer's own ports. */
  readonly ports?: Pick<Ports, 'list' | 'open' | 'close' | 'anyOpen'>;
  /** Changes what the next commands run under. */
  setPolicy(policy: Policy): void;
  /** Ends every process in the machine, daemons included, and the holder. */
  dispose(): Promise<void>;
}

/**
 * The one door through which the core reads and writes a worktree's files. Paths are relative to the worktree
 * or absolute inside it. No symlink, hard link, `..` or swapped folder leads it outside, not even in a race:
 * each component is opened without following links. Throws `Failure('not-allowed')` for a path that leads out
 * and Node's own ENOENT, EISDIR, … for the rest.
 */
export interface WorktreeFiles {
  /** `settled` has what is in memory written to disk first: what a process then changes by a mapping of the file gets a new time. */
  read(path: string, limit?: number, settled?: boolean): Promise<Buffer>;
  /** Writes atomically (temporary file, then rename), keeps the mode of an existing file, makes missing folders. */
  write(path: string, content: string | Uint8Array): Promise<void>;
  remove(path: string): Promise<void>;
  stat(path: string): Promise<{ kind: 'file' | 'folder' | 'symlink' | 'other'; size: number; mode: number } | null>;
  list(path: string): Promise<{ name: string; kind: 'file' | 'folder' | 'symlink' | 'other' }[]>;
}

/** Makes machines on this platform, and says whether it can. */
export interface SandboxDriver {
  readonly name: string;
  /** False where files can't be shown in another place: every bind has the same source and target then. True by default. */
  readonly mounts?: boolean;
  open(spec: MachineSpec): Promise<Machine>;
}
