import { spawnSync } from 'node:child_process';
import { limited } from '../../limits/policy.ts';
import type { Policy } from '../../types.ts';

let processFlag: string | undefined;

/** dash and busybox count processes with `ulimit -p`, bash with `-u` (its `-p` is something else). Asked once. */
function flag(): string {
  processFlag ??= spawnSync('/bin/sh', ['-c', 'ulimit -u'], { env: {}, stdio: 'ignore' }).status === 0 ? '-u' : '-p';
  return processFlag;
}

/**
 * Shell text that sets a command's limits from inside the fence. Memory is a limit on writable private memory
 * (`RLIMIT_DATA`): address space would break every run time that reserves more than it uses. No core dumps. Where the
 * machine's memory ends all the same, the kernel is to end these processes first, and not the core.
 */
export function limitText({ memoryBytes, fileBytes, processes }: Policy['limits']): string {
  const set = [
    'ulimit -c 0',
    ...(limited(fileBytes) ? [`ulimit -f ${Math.max(1, Math.floor(fileBytes / 512))}`] : []),
    ...(limited(memoryBytes) ? [`ulimit -d ${Math.max(64 * 1024, Math.floor(memoryBytes / 1024))}`] : []),
    ...(limited(processes) ? [`ulimit ${flag()} ${Math.max(1, Math.trunc(processes))}`] : []),
  ];
  return `{ echo 600 > /proc/self/oom_score_adj; } 2>/dev/null; ${set.join('; ')}; `;
}
