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
 * Shell text that sets a command's limits from inside the fence. None on memory: the kernel's count address space that was
 * only reserved, which breaks sanitizers and run times; the watchdog counts what is held. No core dumps. Where the machine's
 * memory ends all the same, the kernel is to end these processes first, and not the core.
 */
export function limitText({ fileBytes, processes }: Policy['limits']): string {
  const set = [
    'ulimit -c 0',
    ...(limited(fileBytes) ? [`ulimit -f ${Math.max(1, Math.floor(fileBytes / 512))}`] : []),
    ...(limited(processes) ? [`ulimit ${flag()} ${Math.max(1, Math.trunc(processes))}`] : []),
  ];
  return `{ echo 600 > /proc/self/oom_score_adj; } 2>/dev/null; ${set.join('; ')}; `;
}
