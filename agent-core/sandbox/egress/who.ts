import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const ESTABLISHED = '01';
/** A scan of all processes costs milliseconds: whoever knocks faster than this is told apart no more. */
const AT_MOST_EVERY_MS = 100;

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

function holds(pid: string, socket: string): boolean {
  const names = quiet(() => readdirSync(`/proc/${pid}/fd`), [] as string[]);
  return names.some((name) => quiet(() => readlinkSync(`/proc/${pid}/fd/${name}`), '') === socket);
}

/** The command line of the process of a machine that holds a socket; '' where it can't be told. Looks through all processes. */
export function commandHolding(namespace: number, inode: string): string {
  const network = quiet(() => readlinkSync(`/proc/${namespace}/ns/net`), '');
  if (network === '') return '';
  const own = String(process.pid);
  const found = readdirSync('/proc').find(
    (pid) =>
      /^\d+$/.test(pid) &&
      pid !== own &&
      quiet(() => readlinkSync(`/proc/${pid}/ns/net`), '') === network &&
      holds(pid, `socket:[${inode}]`),
  );
  if (found === undefined) return '';
  return quiet(() => readFileSync(`/proc/${found}/cmdline`, 'utf8'), '')
    .split('\0')
    .filter(Boolean)
    .join(' ');
}

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
