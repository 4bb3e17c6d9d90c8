import type { Check, ItemOf } from '../contract/index.ts';

const runners =
  /(?:^|[\s;&|(])(?:(?:npm|pnpm|yarn|bun)\s+(?:run\s+)?(?:test|lint|check|build|typecheck)\S*|npx\s+(?:vitest|jest|tsc|eslint|oxlint|playwright)|vitest|jest|pytest|tox|ruff|mypy|tsc|eslint|node\s+--test|cargo\s+(?:test|clippy|check|build)|go\s+(?:test|vet|build)|make\s+(?:test|check)|gradle\w*\s+\S*(?:test|check)|\.\/gradlew\s+\S*(?:test|check)|mvn\s+\S*(?:test|verify)|rspec|phpunit|ctest|dotnet\s+test|mix\s+test|swift\s+test|deno\s+test)(?:\s|$|[;&|)])/;

/** Whether a command looks like a test, lint or build run. */
export const isCheck = (command: string): boolean => runners.test(` ${command} `);

const counts: readonly [RegExp, (match: RegExpExecArray) => string][] = [
  // node --test, TAP and spec
  [/^[#ℹ]\s*pass (\d+)[\s\S]*?^[#ℹ]\s*fail (\d+)/m, (m) => tally(Number(m[1]), Number(m[2]))],
  // jest and vitest: "Tests  1 failed | 23 passed (24)", "Tests: 1 failed, 23 passed, 24 total"
  [/Tests:?\s+(?:(\d+) failed[\s|,]+)?(?:\d+ (?:skipped|todo)[\s|,]+)*(\d+) passed/, (m) => tally(Number(m[2]), Number(m[1] ?? 0))],
  // cargo: "test result: ok. 12 passed; 0 failed"
  [/test result: \w+\. (\d+) passed; (\d+) failed/, (m) => tally(Number(m[1]), Number(m[2]))],
  // pytest: "1 failed, 12 passed in 0.3s"
  [/(?:(\d+) failed, )?(\d+) passed(?:, \d+ \w+)* in [\d.]+s/, (m) => tally(Number(m[2]), Number(m[1] ?? 0))],
  // "N passed, N failed"
  [/(\d+) passed, (\d+) failed/, (m) => tally(Number(m[1]), Number(m[2]))],
];
const tally = (passed: number, failed: number): string => (failed ? `${failed} of ${passed + failed} failed` : `${passed} passed`);

/** Reads a count from the end of a runner's output; null where it prints none that we know. */
export function summaryOf(output: string): string | null {
  for (const [pattern, say] of counts) {
    const match = pattern.exec(output);
    if (match) return say(match);
  }
  return null;
}

/** What a finished command says about the work, if it was a check. */
export function checkOf(item: ItemOf<'command'>): Check | null {
  if (!isCheck(item.command) || item.exitCode === null || item.endedAt === null) return null;
  return {
    itemId: item.id,
    command: item.command,
    passed: item.exitCode === 0,
    summary: summaryOf(item.output),
    at: item.endedAt,
    stale: false,
  };
}
