import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Steps of a turn that is timed: a model call and a command each. */
export const STEPS = 10;

/** A row as `npm run bench` prints it. */
export interface Row {
  what: string;
  value: string;
  baseline?: string;
  budget?: string;
  ok?: boolean;
}

export function report(row: Row): void {
  process.stdout.write(`${JSON.stringify(row)}\n`);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Milliseconds that `work` takes. */
export async function time(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/**
 * Runs the contenders in turn, `rounds` times after one warm-up round, so that a drifting machine hits all alike.
 * Returns each one's times in ms.
 */
export async function alternate<K extends string>(
  rounds: number,
  contenders: Record<K, () => Promise<unknown>>,
): Promise<Record<K, number[]>> {
  const names = Object.keys(contenders) as K[];
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<K, number[]>;
  for (let round = -1; round < rounds; round++) {
    for (const name of names) {
      const ms = await time(contenders[name]);
      if (round >= 0) times[name].push(ms);
    }
  }
  return times;
}

/** Median of the pairwise ratios a/b of the same round. */
export const ratio = (a: readonly number[], b: readonly number[]): number => median(a.map((value, n) => value / b[n]!));

export const ms = (value: number): string => `${value < 10 ? value.toFixed(2) : value.toFixed(1)} ms`;
export const times = (value: number): string => `${value.toFixed(2)} ×`;

/** A folder of its own that goes when the process ends. */
export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-bench-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
