import type { SpendRow } from '../../../agent-core/contract/index.ts';

/** What several rows come to. */
export interface Sum {
  key: string;
  label: string;
  requests: number;
  inputTokens: number;
  cachedTokens: number;
  outputTokens: number;
  reasoningTokens: number;
  cost: number;
  unpriced: number;
}

const nothing = (key: string, label: string): Sum => ({
  key,
  label,
  requests: 0,
  inputTokens: 0,
  cachedTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
  cost: 0,
  unpriced: 0,
});
const numbers = ['requests', 'inputTokens', 'cachedTokens', 'outputTokens', 'reasoningTokens', 'cost', 'unpriced'] as const;

function add(sum: Sum, row: SpendRow): void {
  for (const name of numbers) sum[name] += row[name];
}

export function total(rows: readonly SpendRow[]): Sum {
  const sum = nothing('', 'All');
  for (const row of rows) add(sum, row);
  return sum;
}

/** Rows by what `name` says of them, the dearest first, then the one with most tokens. */
export function sumBy(rows: readonly SpendRow[], name: (row: SpendRow) => { key: string; label: string }): Sum[] {
  const sums = new Map<string, Sum>();
  for (const row of rows) {
    const { key, label } = name(row);
    const sum = sums.get(key) ?? nothing(key, label);
    sums.set(key, { ...sum, label });
    add(sums.get(key)!, row);
  }
  return [...sums.values()].sort((a, b) => b.cost - a.cost || b.inputTokens + b.outputTokens - a.inputTokens - a.outputTokens);
}

/** The day that many days before, by the calendar alone. */
export function daysBefore(day: string, count: number): string {
  const [year, month, date] = day.split('-').map(Number) as [number, number, number];
  return new Date(Date.UTC(year, month - 1, date - count)).toISOString().slice(0, 10);
}

/** Each day of a span with what was spent on it, days without anything too. */
export function byDay(rows: readonly SpendRow[], today: string, days: number): Sum[] {
  const known = new Map(sumBy(rows, ({ day }) => ({ key: day, label: day })).map((sum) => [sum.key, sum]));
  return Array.from({ length: days }, (_, index) => {
    const day = daysBefore(today, days - 1 - index);
    return known.get(day) ?? nothing(day, day);
  });
}

/** A cell of a CSV file (RFC 4180); one that a spreadsheet would run as a formula is made text. */
function cell(value: string | number): string {
  if (typeof value === 'number') return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function csv(rows: readonly SpendRow[]): string {
  const head =
    'day,project,task,model,requests,input tokens,cached tokens,output tokens,reasoning tokens,cost in USD,tokens without a price';
  const lines = rows.map((row) =>
    [
      row.day,
      row.project,
      row.title ?? 'deleted task',
      row.model,
      row.requests,
      row.inputTokens,
      row.cachedTokens,
      row.outputTokens,
      row.reasoningTokens,
      Number(row.cost.toFixed(6)),
      row.unpriced,
    ]
      .map(cell)
      .join(','),
  );
  return `${[head, ...lines].join('\r\n')}\r\n`;
}
