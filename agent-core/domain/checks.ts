import type { Check, ItemOf } from '../contract/index.ts';

const runners =
  /(?:^|[\s;&|(])(?:(?:npm|pnpm|yarn|bun)\s+(?:run\s+)?(?:test|lint|check|build|typecheck)\S*|npx\s+(?:vitest|jest|tsc|eslint|oxlint|playwright)|vitest|jest|pytest|tox|ruff|mypy|tsc|eslint|node\s+--test|cargo\s+(?:test|clippy|check|build)|go\s+(?:test|vet|build)|make\s+(?:test|check)|gradle\w*\s+\S*(?:test|check)|\.\/gradlew\s+\S*(?:test|check)|mvn\s+\S*(?:test|verify)|rspec|phpunit|ctest|dotnet\s+test|mix\s+test|swift\s+test|deno\s+test)(?:\s|$|[;&|)])/;

/** Whether a command looks like a test, lint or build run. */
export const isCheck = (command: string): boolean => runners.test(` ${command} `);

/** What a check is about. `check` runs of a project are about all of it. */
export type CheckKind = 'test' | 'lint' | 'build' | 'types';
const kinds: readonly [CheckKind, RegExp][] = [
  ['test', /\b(?:test\S*|vitest|jest|pytest|tox|rspec|phpunit|ctest|verify|playwright|check)\b/],
  ['lint', /\b(?:lint\S*|eslint|oxlint|ruff|clippy|vet|check)\b/],
  ['build', /\b(?:build\S*|tsc|check)\b/],
  ['types', /\b(?:tsc|typecheck\S*|mypy|pyright|build|check)\b/],
];
/** What a check tells about; nothing for a command that is none. */
export function checkKinds(command: string): CheckKind[] {
  const run = runners.exec(` ${command} `)?.[0];
  return run ? kinds.flatMap(([kind, pattern]) => (pattern.test(run) ? [kind] : [])) : [];
}

const counts: readonly [RegExp, (match: RegExpExecArray) => [passed: number, failed: number]][] = [
  // node --test, TAP and spec
  [/^[#ℹ]\s*pass (\d+)[\s\S]*?^[#ℹ]\s*fail (\d+)/m, (m) => [Number(m[1]), Number(m[2])]],
  // jest and vitest: "Tests  1 failed | 23 passed (24)", "Tests: 1 failed, 23 passed, 24 total"
  [/Tests:?\s+(?:(\d+) failed[\s|,]+)?(?:\d+ (?:skipped|todo)[\s|,]+)*(\d+) passed/, (m) => [Number(m[2]), Number(m[1] ?? 0)]],
  // cargo: "test result: ok. 12 passed; 0 failed"
  [/test result: \w+\. (\d+) passed; (\d+) failed/, (m) => [Number(m[1]), Number(m[2])]],
  // pytest: "1 failed, 12 passed in 0.3s"
  [/(?:(\d+) failed, )?(\d+) passed(?:, \d+ \w+)* in [\d.]+s/, (m) => [Number(m[2]), Number(m[1] ?? 0)]],
  // "N passed, N failed"
  [/(\d+) passed, (\d+) failed/, (m) => [Number(m[1]), Number(m[2])]],
];

function countsOf(output: string): [passed: number, failed: number] | null {
  // No count has so many digits; a command that prints nothing else must not keep us busy.
  const text = output.replaceAll(/\d{10,}/g, '');
  for (const [pattern, read] of counts) {
    const match = pattern.exec(text);
    if (match) return read(match);
  }
  return null;
}

/** Reads a count from the end of a runner's output; null where it prints none that we know. */
export function summaryOf(output: string): string | null {
  const found = countsOf(output);
  if (!found) return null;
  const [passed, failed] = found;
  return failed ? `${failed} of ${passed + failed} failed` : `${passed} passed`;
}

/** Something after the runner that may put its own exit code in the place of the runner's. */
function isMasked(command: string): boolean {
  const padded = ` ${command} `;
  const run = runners.exec(padded)!;
  const rest = padded
    .slice(run.index + 1)
    .trimEnd()
    .replaceAll(/\d?>&\d|&>/g, '');
  return /\bpipefail\b/.test(padded) ? /;|\|\||(?<!&)&(?!&)|\n/.test(rest) : /[;|\n]|(?<!&)&(?!&)/.test(rest);
}

/**
 * What a command that has ended says: `unclear` where its exit code may be that of something else, such as `| tail`, and
 * no count was printed. Null for what is no check.
 */
export function verdictOf({
  command,
  exitCode,
  output,
}: Pick<ItemOf<'command'>, 'command' | 'exitCode' | 'output'>): 'passed' | 'failed' | 'unclear' | null {
  if (exitCode === null || !isCheck(command)) return null;
  const found = countsOf(output);
  if (exitCode !== 0 || (found && found[1] > 0)) return 'failed';
  return found || !isMasked(command) ? 'passed' : 'unclear';
}

/** What a finished command says about the work, if it was a check. */
export function checkOf(item: ItemOf<'command'>): Check | null {
  const verdict = verdictOf(item);
  if (verdict === null || verdict === 'unclear' || item.endedAt === null) return null;
  return {
    itemId: item.id,
    command: item.command,
    passed: verdict === 'passed',
    summary: summaryOf(item.output),
    at: item.endedAt,
    stale: false,
  };
}
