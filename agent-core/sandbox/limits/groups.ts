import { accessSync, constants, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { exceeded, limited, refusedProcess, type Exceeded, type Limits } from './policy.ts';

/** What a group must be able to hold; without them the watchdog is alone. */
const NEEDED = ['memory', 'pids'] as const;
/** Launchers of commands are in the group too. */
const LAUNCHERS = 64;

const attempt = <T>(get: () => T): T | null => {
  try {
    return get();
  } catch {
    return null;
  }
};

const read = (path: string): string => attempt(() => readFileSync(path, 'utf8')) ?? '';

/** Where the second version of control groups is mounted, and our own group in it. */
function ownGroup(): { mount: string; own: string } | null {
  const mount = /^\S+ \S+ \S+ \/ (\S+) [^\n]* - cgroup2 /m.exec(read('/proc/self/mountinfo'))?.[1];
  const own = /^0::(\/.*)$/m.exec(read('/proc/self/cgroup'))?.[1];
  return mount && own && !own.includes('/..') ? { mount, own: join(mount, own).replace(/\/$/, '') } : null;
}

/**
 * The nearest folder above our own group in which we may make groups that hold memory and processes: the person's own
 * slice on a desktop, the machine's for root. Null where there is none (groups of the first version, a container).
 */
export function groupParent(needed: readonly string[] = NEEDED): string | null {
  const found = ownGroup();
  if (!found) return null;
  const { mount, own } = found;
  for (let folder = own === mount ? mount : dirname(own); folder.startsWith(mount); folder = dirname(folder)) {
    const given = read(join(folder, 'cgroup.subtree_control')).split(/\s+/);
    const may = attempt(() => {
      for (const path of [folder, join(folder, 'cgroup.procs')]) accessSync(path, constants.W_OK);
      return true;
    });
    if (may && needed.every((name) => given.includes(name))) return folder;
    if (folder === mount) return null;
  }
  return null;
}

/** A process by its number and when it began, so that a number given out again is not taken for it; null when it is gone. */
function stamp(pid: number | string): string | null {
  const text = read(`/proc/${pid}/stat`);
  return text === '' ? null : (text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? null);
}

const NAME = /^signalbox-(\d+)-(\d+)-/;

const swept = new Set<string>();

/** A group for a machine with these limits, where one can be had; what a killed core left behind there is ended first, once. */
export function groupFor(parent: string | null, id: string, limits: Limits): Group | null {
  if (parent === null) return null;
  if (!swept.has(parent)) {
    swept.add(parent);
    void sweepGroups(parent);
  }
  return Group.make(parent, id, limits);
}

/** What the kernel did for a group's limits so far. */
export interface GroupEvents {
  /** Processes that it ended for want of memory. */
  ended: number;
  /** Processes that it did not let start. */
  refused: number;
}

/** A control group of one machine. */
export class Group {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Makes a group with these limits; null where that is refused. */
  static make(parent: string, id: string, limits: Limits): Group | null {
    const path = join(parent, `signalbox-${process.pid}-${stamp(process.pid) ?? 0}-${id.replaceAll(/[^\w-]/g, '_').slice(0, 80)}`);
    if (attempt(() => mkdirSync(path)) === null && !attempt(() => readdirSync(path))) return null;
    const group = new Group(path);
    if (group.set(limits)) return group;
    attempt(() => rmdirSync(path));
    return null;
  }

  /** Changes the limits. False where the kernel takes none of them. */
  set({ processes, memoryBytes }: Limits): boolean {
    const values: [string, string][] = [
      ['pids.max', limited(processes) ? String(Math.trunc(processes) + LAUNCHERS) : 'max'],
      ['memory.max', limited(memoryBytes) ? String(Math.trunc(memoryBytes)) : 'max'],
    ];
    // A group without a controller has no such file, and none can be made there.
    return values.every(
      ([name, value]) => attempt(() => (writeFileSync(join(this.path, name), value, { flag: 'r+' }), true)) ?? value === 'max',
    );
  }

  /**
   * Takes a process, what it has started, and what it starts from now on. False when the kernel refuses, such as from another
   * session's group. Its children are looked for after it was taken: those that it makes later are born in the group.
   */
  take(pid: number): boolean {
    const taken = attempt(() => (writeFileSync(join(this.path, 'cgroup.procs'), String(pid), { flag: 'r+' }), true)) ?? false;
    if (taken) for (const child of read(`/proc/${pid}/task/${pid}/children`).split(' ')) if (child !== '') this.take(Number(child));
    return taken;
  }

  events(): GroupEvents {
    const count = (file: string, name: string) => Number(new RegExp(`^${name} (\\d+)`, 'm').exec(read(join(this.path, file)))?.[1] ?? 0);
    return { ended: count('memory.events', 'oom_kill'), refused: count('pids.events', 'max') };
  }

  /** To be asked when a command has ended, which limit the kernel held since now. */
  watch(limits: Limits): (code: number) => Exceeded | undefined {
    const before = this.events();
    return (code) => {
      if (code === 0) return undefined;
      const now = this.events();
      if (now.ended > before.ended && limited(limits.memoryBytes)) return exceeded('memory', limits.memoryBytes, limits.memoryBytes);
      return now.refused > before.refused && limited(limits.processes) ? refusedProcess(limits.processes) : undefined;
    };
  }

  /** Ends all that is in it, and the group. */
  remove(): Promise<void> {
    return removeGroup(this.path);
  }
}

async function removeGroup(path: string): Promise<void> {
  for (let look = 0; look < 100; look += 1) {
    attempt(() => writeFileSync(join(path, 'cgroup.kill'), '1', { flag: 'r+' }));
    attempt(() => rmdirSync(path));
    if (!attempt(() => readdirSync(path))) return;
    await sleep(20);
  }
}

/** Ends groups that a core left behind which was killed: one whose process is gone, or whose number is another's by now. */
export async function sweepGroups(parent: string): Promise<void> {
  const left = (attempt(() => readdirSync(parent)) ?? []).filter((name) => {
    const found = NAME.exec(name);
    return found !== null && stamp(found[1] ?? '') !== found[2];
  });
  await Promise.all(left.map((name) => removeGroup(join(parent, name))));
}
