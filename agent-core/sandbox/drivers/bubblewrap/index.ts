import { closeSync, existsSync, mkdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../../contract/errors.ts';
import { inheritedDescriptors } from '../../leaks.ts';
import { hostsFile } from '../../person/etc.ts';
import { trustEnvironment, trustPlaces } from '../../person/trust.ts';
import type { Bind, Collected, Exit, Machine, MachineSpec, Policy, RunRequest, SandboxDriver, SandboxProcess } from '../../types.ts';
import { openDoor } from '../../door.ts';
import { DiskUse } from '../../limits/disk.ts';
import { groupFor, groupParent, type Group } from '../../limits/groups.ts';
import { checkLimits, limited } from '../../limits/policy.ts';
import { Watchdog } from '../../limits/watchdog.ts';
import { WayOut, type WayOutOptions } from '../../egress/index.ts';
import type { Namespace } from '../../egress/listener.ts';
import { Ports } from '../../egress/ports.ts';
import { collectFrom } from '../../process/collect.ts';
import { treeKiller, type Tree } from '../../process/kill.ts';
import { PipePool } from '../../process/pipe-pool.ts';
import { pipeProcess, type Ending, type KillTree } from '../../process/pipes.ts';
import { fileSystemArguments, mustExist, splitEnvironment, type Frame } from './arguments.ts';
import { kernelLimitsNamespaces, startHolder, type Holder, type Programs } from './holder.ts';
import { launchPiped, launchTerminal, type Launch } from './launch.ts';
import { limitText } from './limits.ts';
import { systemRoots } from './root.ts';
import { beyondLauncher, endNamespace, pinNamespace, processesIn, signalAll, type Pinned } from './tree.ts';

/** What the person has, found once outside. */
export interface Person {
  /** The login environment, allowed names only. */
  env: Record<string, string>;
  home: string;
  toolchains: string[];
  /** Our copy of the needed parts of /etc. */
  etc: string;
}

export interface BubblewrapOptions {
  programs: Programs;
  person: () => Promise<Person>;
  /** The file with the compiled seccomp filter. */
  seccomp: string;
  /** Whether the kernel limits the processes of a pid namespace; asked of it unless said. */
  kernelLimits?: boolean;
  /** The control group in which machines get groups of their own; looked for unless said, null for none. */
  groups?: string | null;
  /** How a machine reaches what its policy allows; by the system's own means unless said. */
  network?: (spec: MachineSpec) => WayOutOptions;
  /** The file of certificates that a machine is to see, the home's own among them or not; null for the system's alone. */
  trust?: (intercepts: boolean) => Promise<string | null>;
}

/** The processes of one launched command. The launcher is outside the machine; everything it started is inside. */
function treeOf(launcher: number, exited: () => Promise<unknown>): Tree & { pin(): void; name(): string | null } {
  let pinned: Pinned | null = null;
  let holds = 0;
  let over = false;
  void Promise.resolve()
    .then(exited)
    .then(() => {
      over = true;
    });
  const pin = () => {
    if (!over) pinned ??= pinNamespace(launcher);
  };
  const pids = () => {
    pin();
    return pinned ? processesIn(pinned.name) : [];
  };
  return {
    exited,
    pin,
    /** What its processes are known by; null before there are any. */
    name: () => {
      pin();
      return pinned?.name ?? null;
    },
    pids,
    begun: () => beyondLauncher(launcher, pids()),
    hold: () => {
      holds += 1;
    },
    release: () => {
      holds -= 1;
      if (holds > 0) return;
      if (pinned) closeSync(pinned.descriptor);
      pinned = null;
    },
    signal: signalAll,
    endLauncher: () => {
      if (!over) signalAll([launcher], 'SIGKILL');
    },
  };
}

/** A command that runs this long is told apart from others, so that it can be ended when its launcher is no more. */
const PIN_MS = 50;

/** Ends a command whose launcher was killed (out of memory, an administrator): nothing else would. */
function endOrphans(tree: ReturnType<typeof treeOf>, kill: KillTree, exited: Promise<Exit>): void {
  tree.hold();
  const timer = setTimeout(() => tree.pin(), PIN_MS);
  timer.unref();
  void exited.then(async ({ signal }) => {
    clearTimeout(timer);
    if (signal !== null) await kill('kill');
    tree.release();
  });
}

/** bwrap and nsenter say so themselves, and nothing else is said, when they could not put the fence up. */
const neverBegan = ({ code, stdout, stderr }: Collected): boolean =>
  code === 1 && stdout.length === 0 && /^(?:(?:bwrap|nsenter): [^\n]*\n)+$/.test(stderr.subarray(0, 4096).toString());

/** Whether a holder's namespaces can be joined. They go before the process does; its pid namespace is named for as long as it is. */
const holds = (holder: Holder): boolean => existsSync(`/proc/${holder.pid}/ns/ipc`);

/** Whether a holder is gone, or goes in the next moments: its commands are killed before anyone can tell. */
async function lost(holder: Holder): Promise<boolean> {
  for (let look = 0; look < 60 && holds(holder); look += 1) await sleep(5);
  return !holds(holder);
}

/** What the kernel is told of the process limit: null where it knows none for a machine alone. */
const kernelProcesses = (options: BubblewrapOptions, { processes }: Policy['limits']): number | null =>
  limited(processes) && (options.kernelLimits ?? kernelLimitsNamespaces()) ? processes : null;

interface Started {
  holder: Holder;
  roots: string[];
  wayOut: WayOut;
  group: Group | null;
}

class BubblewrapMachine implements Machine {
  readonly spec: MachineSpec;
  readonly files;
  readonly ports: Ports;
  #options: BubblewrapOptions;
  #frame: Frame;
  #person: Person;
  #holder: Holder;
  #limits: string;
  #wayOut: WayOut;
  #leaks = inheritedDescriptors();
  #disposed = false;
  #running = new Set<SandboxProcess>();
  #pool = new PipePool();
  #reviving: Promise<Holder> | null = null;
  #kernelProcesses: number | null;
  #watchdog: Watchdog;
  #group: Group | null;

  constructor(spec: MachineSpec, options: BubblewrapOptions, person: Person, started: Started) {
    const { holder, roots, wayOut } = started;
    this.#group = started.group;
    this.spec = { ...spec };
    this.#wayOut = wayOut;
    this.files = openDoor(
      spec.worktree,
      spec.binds.map((bind) => bind.target),
    );
    this.#options = options;
    this.#person = person;
    this.#holder = holder;
    this.ports = new Ports(
      () => (this.#holder.alive ? this.#namespace : null),
      () => wayOut.ports,
    );
    this.#limits = limitText(spec.policy.limits);
    this.#frame = { spec: this.spec, roots, etc: person.etc, home: person.home, toolchains: person.toolchains };
    this.#kernelProcesses = kernelProcesses(options, spec.policy.limits);
    this.#watchdog = new Watchdog({
      holder: () => (this.#holder.alive ? this.#holder.pid : null),
      limits: () => this.spec.policy.limits,
      kernelProcesses: () => this.#kernelProcesses,
      endNamespace,
      disk: new DiskUse([`${spec.stateDir}/home`, `${spec.stateDir}/tmp`], spec.worktree),
    });
  }

  setPolicy(policy: Policy): void {
    // First, as they refuse what can't be held.
    checkLimits(policy.limits);
    this.#group?.set(policy.limits);
    this.#wayOut.set(policy.network);
    this.spec.policy = policy;
    this.#limits = limitText(policy.limits);
  }

  async run(request: RunRequest): Promise<SandboxProcess> {
    if (request.argv.length === 0) throw new Failure('invalid-input', 'There is no command to run.');
    if (request.argv.some((word) => word.includes('\0'))) throw new Failure('invalid-input', 'A command has no NUL in it.');
    if (this.#disposed)
      throw new Failure('cannot-confine', 'The sandbox of this workspace has ended, so nothing was run.', {
        fix: 'Open the workspace again.',
      });
    // Its namespaces go a moment before the core is told that it ended.
    if (!holds(this.#holder)) await this.#revive();
    const { env, binds } = await this.#wayIn();
    const launch = this.#launch(binds.length > 0 ? { ...request, binds: [...binds, ...(request.binds ?? [])] } : request, env);
    return request.tty ? this.#inTerminal(launch, request, request.tty) : this.#withPipes(launch, request);
  }

  async collect(request: Parameters<Machine['collect']>[0]) {
    const holder = this.#holder;
    const done = await collectFrom((inner) => this.run(inner), request);
    if (!neverBegan(done)) return done;
    // In the very moment its holder died: then it never began, and the next holder takes it. Once, so that nothing goes round.
    if (await lost(holder)) {
      const again = await collectFrom((inner) => this.run(inner), request);
      if (!neverBegan(again)) return again;
    }
    throw new Failure(
      'cannot-confine',
      `The sandbox could not be put around a command, so it was not run: ${done.stderr.toString().trim()}`,
      {
        command: request.argv.join(' '),
        output: done.stderr.toString(),
      },
    );
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    this.#watchdog.dispose();
    this.#wayOut.dispose();
    this.ports.dispose();
    await this.#holder.end();
    await this.#group?.remove();
    await Promise.all([...this.#running].map((child) => child.exited));
    this.#pool.dispose();
  }

  /** A holder that was ended from outside (out of memory, an administrator) took its processes along: starts a new one. */
  async #revive(): Promise<void> {
    const processes = kernelProcesses(this.#options, this.spec.policy.limits);
    this.#reviving ??= startHolder(this.#options.programs, this.#frame.roots, processes).finally(() => {
      this.#reviving = null;
    });
    const holder = await this.#reviving;
    this.#kernelProcesses = processes;
    this.#holder = holder;
    if (this.#disposed) await holder.end();
  }

  get #namespace(): Namespace {
    return { nsenter: this.#options.programs.nsenter, pid: this.#holder.pid, leaks: this.#leaks };
  }

  /** What leads a command to the way out, opened by the first one that may use it, and whom to trust there. */
  async #wayIn(): Promise<{ env: Record<string, string>; binds: Bind[] }> {
    const env = await this.#wayOut.environment(this.#namespace);
    if (this.#disposed) this.#wayOut.dispose();
    const hosts = hostsFile(this.#wayOut.hosts, this.spec.stateDir);
    const named: Bind[] = hosts === null ? [] : [{ source: hosts, target: '/etc/hosts', access: 'read' }];
    const bundle = await this.#options.trust?.(this.#wayOut.intercepts);
    if (!bundle) return { env, binds: named };
    const trusted = trustPlaces(this.#person.etc).map((target): Bind => ({ source: bundle, target, access: 'read' }));
    return { env: { ...trustEnvironment(), ...env }, binds: [...named, ...trusted] };
  }

  #launch(request: RunRequest, proxied: Record<string, string>): Launch {
    const { shared, args } = splitEnvironment({
      ...this.#person.env,
      HOME: this.#person.home,
      ...(request.tty ? { TERM: 'xterm-256color' } : {}),
      TMPDIR: '/tmp',
      ...proxied,
      ...this.spec.env,
      ...request.env,
    });
    return {
      programs: this.#options.programs,
      holder: this.#holder,
      seccomp: this.#options.seccomp,
      limits: this.#limits,
      leaks: this.#leaks,
      inside: [...fileSystemArguments(this.#frame, request), ...args, '--chdir', request.cwd ?? this.spec.worktree],
      argv: request.argv,
      env: shared,
      began: (pid) => this.#grouped(pid),
    };
  }

  async #withPipes(launch: Launch, request: RunRequest): Promise<SandboxProcess> {
    const { child, pipes } = await launchPiped(launch, this.#pool).catch((error: unknown) => {
      throw error instanceof Failure ? error : new Failure('cannot-confine', `The sandbox could not start a command: ${String(error)}`);
    });
    const tree = treeOf(child.pid, () => running.exited);
    const kill = treeKiller(tree);
    const running: SandboxProcess = pipeProcess(child, pipes, kill, this.#ending(tree, request, kill));
    endOrphans(tree, kill, running.exited);
    return this.#track(running);
  }

  async #inTerminal(launch: Launch, request: RunRequest, size: { cols: number; rows: number }): Promise<SandboxProcess> {
    // The native part is loaded at the first one: the core's start doesn't wait for it.
    const { openTerminal, terminalProcess } = await import('../../process/terminal.ts');
    const pty = launchTerminal(launch, size, openTerminal);
    const tree = treeOf(pty.pid, () => running.exited);
    const kill = treeKiller(tree);
    const running: SandboxProcess = terminalProcess(pty, kill, this.#ending(tree, request, kill));
    endOrphans(tree, kill, running.exited);
    return this.#track(running);
  }

  /** What a launcher starts is in the machine's control group from the first. Where that is refused, the watchdog is alone. */
  #grouped(launcher: number): void {
    if (!this.#group || this.#group.take(launcher)) return;
    void this.#group.remove();
    this.#group = null;
  }

  #ending(tree: ReturnType<typeof treeOf>, { signal, stalled }: RunRequest, kill: KillTree): Ending {
    const byKernel = this.#group?.watch(this.spec.policy.limits);
    const byWatchdog = this.#watchdog.watch({ namespace: tree.name, end: () => void kill('kill'), stalled });
    return { signal, limit: (code) => byWatchdog(code) ?? byKernel?.(code) };
  }

  #track(child: SandboxProcess): SandboxProcess {
    this.#running.add(child);
    void child.exited.then(() => this.#running.delete(child));
    return child;
  }
}

/** The Linux driver: a machine is a set of namespaces held by one process, and bwrap around each command that joins. */
export function createBubblewrapDriver(options: BubblewrapOptions): SandboxDriver {
  return {
    name: 'bubblewrap',
    async open(spec) {
      checkLimits(spec.policy.limits);
      mustExist(spec.worktree, 'the worktree');
      for (const bind of spec.binds) mustExist(bind.source, 'the bound path');
      for (const folder of ['home', 'tmp']) mkdirSync(`${spec.stateDir}/${folder}`, { recursive: true, mode: 0o700 });
      const wayOut = new WayOut(options.network?.(spec) ?? { env: {} }, spec.policy.network);
      const person = await options.person();
      const roots = systemRoots();
      const { limits } = spec.policy;
      const holder = await startHolder(options.programs, roots, kernelProcesses(options, limits));
      const group = groupFor(options.groups === undefined ? groupParent() : options.groups, spec.id, limits);
      return new BubblewrapMachine(spec, options, person, { holder, roots, wayOut, group });
    },
  };
}
