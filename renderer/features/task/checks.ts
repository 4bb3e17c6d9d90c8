import type { Check, Item, ItemOf } from '../../../agent-core/contract/index.ts';

/** A command of the thread that tells whether the work is right: its newest run. */
export interface CheckRow {
  item: ItemOf<'command'>;
  command: string;
  state: 'running' | 'passed' | 'failed' | 'stopped';
  /** "128 passed" where the core could read a count. */
  summary: string | null;
  /** Files changed after it started. */
  stale: boolean;
  runs: number;
}

const runner =
  /\b(?:vitest|jest|mocha|ava|playwright|pytest|tox|nox|rspec|phpunit|ctest|tsc|eslint|oxlint|biome|ruff|mypy|pyright|clippy|shellcheck|golangci-lint)\b/;
const verbs =
  /\b(?:npm|pnpm|yarn|bun|deno|cargo|go|make|just|gradle|gradlew|mvn|dotnet|swift|mix|node)\b[^|;&]*?\b(?:test|tests|check|lint|build|typecheck|type-check|vet|verify|--test)\b/;

/** Whether a command looks like a test, lint, type or build run. */
export const looksLikeCheck = (command: string): boolean => runner.test(command) || verbs.test(command);

function stateOf(item: ItemOf<'command'>): CheckRow['state'] {
  if (item.status === 'running') return 'running';
  if (item.status === 'interrupted' || item.status === 'declined') return 'stopped';
  return item.exitCode === 0 ? 'passed' : 'failed';
}

/** The checks of a thread, newest run of each command first, with the core's own word for the last one. */
export function checksOf(items: readonly Item[], last: Check | null): CheckRow[] {
  const rows = new Map<string, CheckRow>();
  let changedAt = -1;
  for (const item of items)
    if (item.type === 'fileChange' && item.status === 'completed') changedAt = Math.max(changedAt, item.endedAt ?? item.startedAt);
  for (const item of items) {
    if (item.type !== 'command') continue;
    const known = last?.itemId === item.id;
    if (!known && !looksLikeCheck(item.command)) continue;
    const command = item.command.trim();
    rows.set(command, {
      item,
      command,
      state: stateOf(item),
      summary: known ? last.summary : null,
      stale: known ? last.stale : changedAt > item.startedAt,
      runs: (rows.get(command)?.runs ?? 0) + 1,
    });
  }
  return [...rows.values()].sort((a, b) => b.item.startedAt - a.item.startedAt);
}
