import { constants } from 'node:os';
import type { Collected, Machine, RunRequest, SandboxProcess } from '../types.ts';

export const DEFAULT_LIMIT = 64 * 1024 * 1024;

/** The number of a signal, 0 when it is unknown. */
export const signalNumber = (signal: NodeJS.Signals): number => constants.signals[signal] ?? 0;

/** `Machine.collect` on top of `run`: input in, both streams gathered up to the limit. */
export async function collectFrom(
  run: (request: RunRequest) => Promise<SandboxProcess>,
  request: Parameters<Machine['collect']>[0],
): Promise<Collected> {
  const { input, limit = DEFAULT_LIMIT, ...rest } = request;
  const child = await run(rest);
  const kept = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] };
  const bytes = { stdout: 0, stderr: 0 };
  let truncated = false;
  child.onOutput((chunk, stream) => {
    const room = limit - bytes[stream];
    if (chunk.length > room) truncated = true;
    if (room <= 0) return;
    const part = chunk.length > room ? chunk.subarray(0, room) : chunk;
    kept[stream].push(part);
    bytes[stream] += part.length;
  });
  if (input !== undefined) child.write(input);
  child.endInput();
  const exit = await child.exited;
  return { ...exit, stdout: Buffer.concat(kept.stdout), stderr: Buffer.concat(kept.stderr), truncated };
}
