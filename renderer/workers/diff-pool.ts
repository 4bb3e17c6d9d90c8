import { registerCustomTheme } from '@pierre/diffs';
import { getOrCreateWorkerPoolSingleton, type WorkerPoolManager } from '@pierre/diffs/worker';
import { darkCode, lightCode } from './code-theme.ts';

export const codeThemes = { dark: 'signalbox-dark', light: 'signalbox-light' } as const;

let pool: WorkerPoolManager | undefined;

/**
 * The workers that colour code, shared by every diff in the window and started with the first one.
 * Two are enough: a file is coloured when it is shown, not before.
 */
export function diffPool(): WorkerPoolManager {
  if (pool) return pool;
  registerCustomTheme(codeThemes.dark, () => Promise.resolve(darkCode));
  registerCustomTheme(codeThemes.light, () => Promise.resolve(lightCode));
  pool = getOrCreateWorkerPoolSingleton({
    poolOptions: {
      poolSize: 2,
      workerFactory: () => new Worker(new URL('./diff-worker.ts', import.meta.url), { type: 'module' }),
    },
    highlighterOptions: { theme: codeThemes, lineDiffType: 'word-alt', preferredHighlighter: 'shiki-js' },
  });
  return pool;
}
