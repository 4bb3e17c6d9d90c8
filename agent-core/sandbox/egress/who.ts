import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { printable } from './log.ts';

const ESTABLISHED = '01';
/** A scan of all processes costs milliseconds: whoever knocks faster than this is told apart no more. */
const AT_MOST_EVERY_MS = 100;
/** Descriptors that one look goes through. */
const MOST_LOOKED = 20_000;

const quiet = <T>(get: () => T, other: T): T => {
  try {
    return get();
  } catch {
    return other;
  }
};

/** The inode of the socket that is bound to this port of the loopback and connected, as the kernel lists it. */
function inodeOf(namespace: number, port: number): string | null {
  const lines = quiet(() => readFileSync(`/proc/${namespace}/net/tcp`, 'latin1'), '').split('\n');
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  for (const line of lines) {
    const [, address, , state, , , , , , inode] = line.trim().split(/\s+/);
    if (address?.endsWith(local) && state === ESTABLISHED && inode) return inode;
  }
  return null;
}

/** Which of these sockets a process holds. What runs inside may have any number of descriptors: only so many are looked at. */
function heldBy(pid: string, sockets: ReadonlySet<string>, most: number): { found: string[]; looked: number } {
  const names = quiet(() => readdirSync(`/proc/${pid}/fd`), [] as string[]).slice(0, most);
  const found = names.map((name) => quiet(() => readlinkSync(`/proc/${pid}/fd/${name}`), '')).filter((link) => sockets.has(link));
  return { found, looked: names.length };
}

/**
 * The command lines of the processes of a machine that hold sockets, by inode; none for what can't be told. One look through
 * all processes, however many sockets are asked for.
 */
export function commandsHolding(namespace: number, inodes: readonly string[]): Map<string, string> {
  const commands = new Map<string, string>();
  const network = quiet(() => readlinkSync(`/proc/${namespace}/ns/net`), '');
  const missing = new Set(inodes.map((inode) => `socket:[${inode}]`));
  if (network === '' || missing.size === 0) return commands;
  const own = String(process.pid);
  let left = MOST_LOOKED;
  for (const pid of readdirSync('/proc')) {
    if (missing.size === 0 || left <= 0) break;
    if (!/^\d+$/.test(pid) || pid === own || quiet(() => readlinkSync(`/proc/${pid}/ns/net`), '') !== network) continue;
    const { found, looked } = heldBy(pid, missing, left);
    left -= looked;
    if (found.length === 0) continue;
    const words = quiet(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'), '')
      .split('\0')
      .filter(Boolean)
      .join(' ');
    for (const socket of found) {
      missing.delete(socket);
      commands.set(socket.slice('socket:['.length, -1), printable(words));
    }
  }
  return commands;
}

/** The same for one socket; '' where it can't be told. */
export const commandHolding = (namespace: number, inode: string): string => commandsHolding(namespace, [inode]).get(inode) ?? '';

/** Names the process of a machine that is at the other end of a connection, by its command line; '' where it can't be told. */
export class Askers {
  #last = 0;

  /** `namespace` is a process of the machine as the core numbers it; `port` the other end's. */
  commandOf(namespace: number, port: number | undefined): string {
    const now = Date.now();
    if (port === undefined || now - this.#last < AT_MOST_EVERY_MS) return '';
    this.#last = now;
    const inode = inodeOf(namespace, port);
    return inode === null ? '' : commandHolding(namespace, inode);
  }
}
