import { defineConfig } from 'vitest/config';

/**
 * Real processes and real Chromium on small machines: two files at a time, each in a process of its own.
 * `quick` is unit and contract; `e2e` starts browsers and whole cores; `long` runs by `npm run test:long` only.
 */
const slow = ['e2e', 'electron', 'renderer', 'renderer-task'].map((room) => `test/${room}/**/*.test.{ts,tsx}`);
const long = ['test/long/**/*.test.ts'];
/** A shared CI machine can stall for seconds: there, and only there, a failed test gets a second try. */
const retry = process.env['CI'] ? 1 : 0;
const common = {
  retry,
  globalSetup: './test/model-server/held.ts',
  pool: 'forks' as const,
  environment: 'node' as const,
  teardownTimeout: 10_000,
};

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        test: {
          ...common,
          name: 'quick',
          include: ['test/**/*.test.{ts,tsx}'],
          exclude: [...slow, ...long],
          testTimeout: 20_000,
          hookTimeout: 30_000,
        },
      },
      { test: { ...common, name: 'e2e', include: slow, testTimeout: 60_000, hookTimeout: 60_000, sequence: { groupOrder: 1 } } },
      { test: { ...common, name: 'long', include: long, testTimeout: 1_800_000, hookTimeout: 60_000, sequence: { groupOrder: 2 } } },
    ],
  },
});
