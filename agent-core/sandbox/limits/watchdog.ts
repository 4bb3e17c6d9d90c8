import { exceeded, limited, refusedProcess, type Exceeded, type Limits } from './policy.ts';
import { hostSharedMemory, preciseUse, sample, sleeping, unmappedMemory, type CommandUse } from './sample.ts';
import type { DiskUse } from './disk.ts';

/** While something is near a limit, and while all is well. */
const NEAR_MS = 60;
const CALM_MS = 500;
/** Only daemons of ended commands are left: a server that waits for requests is looked at now and then. */
const IDLE_MS = 2000;

/** A running command, as the watchdog knows it. */
export interface Watched {
  /** The name of its mount namespace; null until it has one. */
  namespace: () => string | null;
  end: () => void;
  /** Seconds that it may sleep as a whole; see `RunRequest`. */
  stalled?: number | undefined;
}

export interface WatchedMachine {
  /** Process 1 of the machine; null while there is none. */
  holder: () => number | null;
  limits: () => Limits;
  /** How many processes the kernel itself lets this machine have; null when nothing but the watchdog limits them. */
  kernelProcesses: () => number | null;
  /** Ends what a command that has ended left behind. */
  endNamespace: (namespace: string) => void;
  disk: DiskUse;
}

interface Entry extends Watched {
  why: Exceeded | null;
  /** What the kernel kept from it, as far as was seen. */
  refused: Exceeded | null;
  timer: NodeJS.Timeout | undefined;
  /** What it had done when it was last seen to do something, and when that was. */
  slept: { since: number; as: string | null };
}

/**
 * Holds a machine's limits where the kernel doesn't: for root, and for memory and disk as a whole. It looks only while
 * something of the machine runs, and ends the command that holds the most.
 */
export class Watchdog {
  #machine: WatchedMachine;
  #entries = new Set<Entry>();
  #timer: NodeJS.Timeout | undefined;
  #every = NEAR_MS;
  #disposed = false;

  constructor(machine: WatchedMachine) {
    this.#machine = machine;
  }

  /** Watches a command from its start. What it answers is to be called at its end, and says which limit ended it or failed it. */
  watch(command: Watched): (code: number) => Exceeded | undefined {
    const entry: Entry = { ...command, why: null, refused: null, timer: undefined, slept: { since: performance.now(), as: null } };
    const { seconds } = this.#machine.limits();
    if (limited(seconds))
      entry.timer = setTimeout(() => this.#end(entry, exceeded('seconds', seconds, seconds)), Math.min(seconds * 1000, 2 ** 31 - 1));
    entry.timer?.unref();
    this.#entries.add(entry);
    this.#schedule(NEAR_MS);
    return (code) => {
      clearTimeout(entry.timer);
      this.#entries.delete(entry);
      return entry.why ?? (code === 0 ? undefined : (entry.refused ?? undefined));
    };
  }

  dispose(): void {
    this.#disposed = true;
    clearTimeout(this.#timer);
    for (const entry of this.#entries) clearTimeout(entry.timer);
  }

  #schedule(ms: number): void {
    if (this.#disposed || (this.#timer && ms >= this.#every)) return;
    clearTimeout(this.#timer);
    this.#every = ms;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#look();
    }, ms);
    this.#timer.unref();
  }

  #look(): void {
    const holder = this.#machine.holder();
    const uses = holder === null ? null : sample(holder);
    if (holder === null || !uses) {
      // A machine that starts anew: its next command calls again.
      if (this.#entries.size > 0) this.#schedule(CALM_MS);
      return;
    }
    if (uses.size === 0 && this.#entries.size === 0) return;
    const near = [this.#processes(uses), this.#memory(holder, uses)].some(Boolean);
    this.#disk(uses);
    this.#stalled(holder, uses);
    this.#schedule(near ? NEAR_MS : this.#entries.size > 0 ? CALM_MS : IDLE_MS);
  }

  /** The two that look at use answer whether it comes near its limit. */
  #processes(uses: Map<string, CommandUse>): boolean {
    const { processes: limit } = this.#machine.limits();
    if (!limited(limit)) return false;
    const count = [...uses.values()].reduce((sum, use) => sum + use.pids.length, 0);
    const kernel = this.#machine.kernelProcesses();
    if (count > limit && (kernel === null || kernel > limit)) {
      this.#endLargest(uses, (use) => use.pids.length, exceeded('processes', limit, count));
    } else if (count >= limit - 4 && count * 20 >= limit * 19) {
      // The launchers of commands count for the kernel too, and not here.
      const largest = this.#largest(uses, (use) => use.pids.length);
      if (largest?.entry) largest.entry.refused = refusedProcess(limit);
    }
    return count * 2 > limit;
  }

  #memory(holder: number, uses: Map<string, CommandUse>): boolean {
    const { memoryBytes: limit } = this.#machine.limits();
    if (!limited(limit)) return false;
    const all = [...uses.values()];
    const sum = (of: (use: CommandUse) => number) => all.reduce((total, use) => total + of(use), 0);
    // Folders, segments and memfds hold all shared memory but unnamed mappings, and mappings all that is mapped.
    const objects = sum((use) => use.shm) + (hostSharedMemory() > limit / 4 ? unmappedMemory(holder, all) : 0);
    const total =
      sum((use) => use.anonymous) +
      Math.max(
        sum((use) => use.shared),
        objects,
      );
    if (total > limit) {
      const precise = new Map(all.map((use) => [use, preciseUse(holder, use)]));
      const of = (use: CommandUse) => precise.get(use) ?? { anonymous: 0, shared: 0 };
      const exact =
        sum((use) => of(use).anonymous) +
        Math.max(
          sum((use) => of(use).shared),
          objects,
        );
      if (exact > limit) {
        this.#endLargest(uses, (use) => of(use).anonymous + Math.max(of(use).shared, use.shm), exceeded('memory', limit, exact));
      }
    }
    return total * 2 > limit;
  }

  #disk(uses: Map<string, CommandUse>): void {
    const { diskBytes: limit } = this.#machine.limits();
    if (!limited(limit)) return;
    this.#machine.disk.look(limit, (bytes, before) => {
      // What has not grown is left alone, so that someone can clean up.
      if (bytes > limit && bytes > before && !this.#disposed) this.#endAll(uses, exceeded('disk', limit, bytes));
    });
  }

  #stalled(holder: number, uses: Map<string, CommandUse>): void {
    for (const entry of this.#entries) {
      if (!limited(entry.stalled)) continue;
      const use = uses.get(entry.namespace() ?? '');
      const as = use ? sleeping(holder, use) : null;
      if (as === null || as !== entry.slept.as) entry.slept = { since: performance.now(), as };
      else if (performance.now() - entry.slept.since > entry.stalled * 1000)
        this.#end(entry, exceeded('stalled', entry.stalled, entry.stalled));
    }
  }

  #largest(uses: Map<string, CommandUse>, size: (use: CommandUse) => number): { namespace: string; entry: Entry | undefined } | null {
    const [found] = [...uses].toSorted(([, a], [, b]) => size(b) - size(a));
    if (!found) return null;
    return { namespace: found[0], entry: [...this.#entries].findLast((each) => each.namespace() === found[0]) };
  }

  #endLargest(uses: Map<string, CommandUse>, size: (use: CommandUse) => number, why: Exceeded): void {
    const largest = this.#largest(uses, size);
    if (largest) this.#endNamespace(largest.namespace, why);
  }

  /** Which of them wrote the most is not known, and the one that fills the disk next would be no better off. */
  #endAll(uses: Map<string, CommandUse>, why: Exceeded): void {
    for (const namespace of uses.keys()) this.#endNamespace(namespace, why);
  }

  #endNamespace(namespace: string, why: Exceeded): void {
    const entry = [...this.#entries].findLast((each) => each.namespace() === namespace);
    if (entry) this.#end(entry, why);
    else if (namespace !== '') this.#machine.endNamespace(namespace);
  }

  #end(entry: Entry, why: Exceeded): void {
    if (entry.why) return;
    entry.why = why;
    entry.end();
  }
}
