import { closeSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

const read = <T>(get: () => T): T | null => {
  try {
    return get();
  } catch {
    return null;
  }
};

/** A mount namespace by name, and the descriptor that keeps the kernel from giving that name to another. */
export interface Pinned {
  name: string;
  descriptor: number;
}

/**
 * Pins the mount namespace of the command that a bwrap launcher started; null before it forked and after it ended. The
 * caller closes the descriptor. Unpinned, the number goes to the next command at once, which would then be killed too.
 */
export function pinNamespace(launcher: number): Pinned | null {
  const children = read(() => readFileSync(`/proc/${launcher}/task/${launcher}/children`, 'utf8'))?.trim();
  const child = children?.split(' ').at(-1);
  const descriptor = child ? read(() => openSync(`/proc/${child}/ns/mnt`, 'r')) : null;
  if (descriptor === null) return null;
  const name = readlinkSync(`/proc/self/fd/${descriptor}`);
  if (name !== readlinkSync('/proc/self/ns/mnt')) return { name, descriptor };
  closeSync(descriptor);
  return null;
}

/**
 * All processes of a command, daemons included. Each command has a mount namespace of its own that nothing inside can
 * leave (that takes a capability), so belonging to it can't be shaken off by a double fork or a new session.
 */
export function processesIn(namespace: string): number[] {
  const found: number[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    if (read(() => readlinkSync(`/proc/${name}/ns/mnt`)) === namespace) found.push(Number(name));
  }
  return found;
}

/** Whether one of them has gone on from the launcher's own program, bwrap, to what it was to run. */
export function beyondLauncher(launcher: number, pids: number[]): boolean {
  const program = read(() => readlinkSync(`/proc/${launcher}/exe`));
  return pids.some((pid) => {
    const own = read(() => readlinkSync(`/proc/${pid}/exe`));
    return own !== null && program !== null && own !== program;
  });
}

/** Signals each; those that are gone meanwhile are no error. */
export function signalAll(pids: number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      /* gone */
    }
  }
}

/** Ends all that belongs to a mount namespace, daemons of a command that has ended. */
export function endNamespace(namespace: string): void {
  // A few rounds: a fork bomb makes new ones between two looks, and the next look of the watchdog comes soon.
  for (let round = 0; round < 20; round += 1) {
    const pids = processesIn(namespace);
    if (pids.length === 0) return;
    signalAll(pids, 'SIGSTOP');
    signalAll(pids, 'SIGKILL');
  }
}
