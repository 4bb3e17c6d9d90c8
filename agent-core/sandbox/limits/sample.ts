import { readdirSync, readFileSync, readlinkSync, statfsSync, statSync } from 'node:fs';

/** What the processes of one command hold at one moment. */
export interface CommandUse {
  /** As the machine numbers them. */
  pids: string[];
  /** Private memory in bytes, where two processes that share pages count them twice: an upper bound. */
  anonymous: number;
  /** Shared memory that is mapped, counted in the same way. */
  shared: number;
  /** What lies in the command's /dev/shm. */
  shm: number;
}

const NUMBER = /^\d+$/;

const attempt = <T>(get: () => T): T | null => {
  try {
    return get();
  } catch {
    return null;
  }
};

const kib = (text: string, name: string): number => {
  const found = new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(text);
  return found ? Number(found[1]) * 1024 : 0;
};

/** The process list of a machine, by way of its process 1: only its own are in there, however many the host has. */
export const processList = (holder: number): string => `/proc/${holder}/root/proc`;

/**
 * What each command of a machine holds, by the name of its mount namespace, which none of its processes can leave.
 * Those that can't be read are under ''. Null when the machine has ended.
 */
export function sample(holder: number): Map<string, CommandUse> | null {
  const list = processList(holder);
  const names = attempt(() => readdirSync(list));
  if (!names) return null;
  const found = new Map<string, CommandUse>();
  for (const pid of names) {
    if (!NUMBER.test(pid) || pid === '1') continue;
    const status = attempt(() => readFileSync(`${list}/${pid}/status`, 'latin1'));
    if (status === null) continue;
    const namespace = attempt(() => readlinkSync(`${list}/${pid}/ns/mnt`)) ?? '';
    let use = found.get(namespace);
    if (!use) {
      use = { pids: [], anonymous: 0, shared: 0, shm: sharedFolder(`${list}/${pid}/root/dev/shm`) };
      found.set(namespace, use);
    }
    use.pids.push(pid);
    use.anonymous += kib(status, 'RssAnon') + kib(status, 'VmSwap');
    use.shared += kib(status, 'RssShmem');
  }
  return found;
}

function sharedFolder(path: string): number {
  const found = attempt(() => statfsSync(path));
  return found ? (found.blocks - found.bfree) * found.bsize : 0;
}

/** The same as `anonymous` and `shared`, with pages that several processes share counted once. Slower than {@link sample}. */
export function preciseUse(holder: number, use: CommandUse): { anonymous: number; shared: number } {
  const list = processList(holder);
  const sum = { anonymous: 0, shared: 0 };
  for (const pid of use.pids) {
    const text = attempt(() => readFileSync(`${list}/${pid}/smaps_rollup`, 'latin1')) ?? '';
    sum.anonymous += kib(text, 'Pss_Anon') + kib(text, 'SwapPss');
    sum.shared += kib(text, 'Pss_Shmem');
  }
  return sum;
}

/** Shared memory that no folder shows, mapped or not: System V segments and memfds, in bytes. */
export function unmappedMemory(holder: number, uses: Iterable<CommandUse>): number {
  const list = processList(holder);
  let bytes = 0;
  const segments = attempt(() => readFileSync(`${list}/sysvipc/shm`, 'latin1')) ?? '';
  // Its columns 15 and 16 are the segment's resident and swapped bytes.
  for (const line of segments.split('\n').slice(1)) {
    const fields = line.trim().split(/\s+/);
    bytes += Number(fields[14] ?? 0) + Number(fields[15] ?? 0);
  }
  const seen = new Set<string>();
  for (const use of uses)
    for (const pid of use.pids)
      for (const descriptor of attempt(() => readdirSync(`${list}/${pid}/fd`)) ?? []) {
        const path = `${list}/${pid}/fd/${descriptor}`;
        if (!attempt(() => readlinkSync(path))?.startsWith('/memfd:')) continue;
        const found = attempt(() => statSync(path));
        if (!found || seen.has(`${found.dev}:${found.ino}`)) continue;
        seen.add(`${found.dev}:${found.ino}`);
        bytes += found.blocks * 512;
      }
  return bytes;
}

/** Shared memory of the whole host, in bytes: while little of it exists, nobody hides much in it. */
export const hostSharedMemory = (): number => kib(attempt(() => readFileSync('/proc/meminfo', 'latin1')) ?? '', 'Shmem');

/**
 * What a command has done so far, as a text that stays the same as long as all of its processes sleep and none came or went;
 * null while one is running or waits for a disk.
 */
export function sleeping(holder: number, use: CommandUse): string | null {
  const list = processList(holder);
  const parts: string[] = [];
  for (const pid of use.pids) {
    const text = attempt(() => readFileSync(`${list}/${pid}/stat`, 'latin1'));
    // After the name in brackets: state, then utime and stime as the 12th and 13th from it.
    const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ') ?? [];
    if (fields[0] === 'R' || fields[0] === 'D') return null;
    parts.push(`${pid} ${fields[11]} ${fields[12]}`);
  }
  return parts.join(', ');
}
