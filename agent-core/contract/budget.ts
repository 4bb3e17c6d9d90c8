import { z } from 'zod';
import type { Board } from './state.ts';
import type { Task, Usage } from './values.ts';

/** Most that may be spent before a person is asked. Absent: what the wider scope says. Null: no limit, whatever that says. */
export const Budget = z.object({
  /** In and out, cached ones too. */
  tokens: z.number().int().min(1).nullable().optional(),
  /** US dollars; requests without a known price count nothing. */
  money: z.number().positive().nullable().optional(),
  /** While it works; not while it waits for a person. */
  minutes: z.number().positive().nullable().optional(),
  commands: z.number().int().min(1).nullable().optional(),
});
export type Budget = z.infer<typeof Budget>;
export const BUDGET_KINDS = ['tokens', 'money', 'minutes', 'commands'] as const;
export type BudgetKind = (typeof BUDGET_KINDS)[number];

/** For each single turn, and for a task as a whole. */
export const Budgets = z.object({ turn: Budget.optional(), task: Budget.optional() });
export type Budgets = z.infer<typeof Budgets>;

/** What a task did so far, besides its tokens. */
export const Worked = z.object({ commands: z.number().int(), ms: z.number() });
export type Worked = z.infer<typeof Worked>;

export type Counted = Record<BudgetKind, number>;

export const countedOf = (usage: Usage, worked: Worked | undefined): Counted => ({
  tokens: usage.inputTokens + usage.outputTokens,
  money: usage.cost ?? 0,
  minutes: (worked?.ms ?? 0) / 60_000,
  commands: worked?.commands ?? 0,
});

/** What holds for a task: its own word, else its project's, else the settings'. */
export function budgetsOf(board: Board, task: Pick<Task, 'projectId' | 'budgets'>): Required<Budgets> {
  const all = [board.settings.defaults.budgets, board.projects[task.projectId]?.budgets, task.budgets];
  return { turn: merged(all.map((each) => each?.turn)), task: merged(all.map((each) => each?.task)) };
}

const merged = (budgets: readonly (Budget | undefined)[]): Budget => Object.assign({}, ...budgets) as Budget;

/** Which limits are reached. */
export const reached = (budget: Budget, counted: Counted): BudgetKind[] =>
  BUDGET_KINDS.filter((kind) => budget[kind] != null && counted[kind] >= budget[kind]);

/** "$2.00", "1,200,000 tokens", "10 commands", "30 min". */
export function limitWords(kind: BudgetKind, value: number): string {
  if (kind === 'money') return `$${value.toFixed(2)}`;
  const number = value.toLocaleString('en', { maximumFractionDigits: kind === 'minutes' ? 1 : 0 });
  return kind === 'minutes' ? `${number} min` : `${number} ${value === 1 ? kind.slice(0, -1) : kind}`;
}
