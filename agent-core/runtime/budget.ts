import {
  budgetsOf,
  countedOf,
  Failure,
  limitWords,
  reached,
  type Budget,
  type BudgetKind,
  type Task,
  type TaskId,
  type Usage,
} from '../contract/index.ts';
import type { Context } from './context.ts';

/** Puts a gate before a person; true for yes. Rejects when the turn is aborted. */
type Ask = (subject: string, effect: string) => Promise<boolean>;

/**
 * Counts what a turn does and, before each step, holds it against the budgets. Commands and minutes of a task are on
 * disk by the next step; tokens and money are the task's usage.
 */
export class BudgetKeeper {
  readonly #context: Context;
  readonly #taskId: TaskId;
  readonly #ask: Ask;
  /** Of this turn. */
  readonly #done = { commands: 0, ms: 0 };
  /** How much of that the task's account has. */
  readonly #saved = { commands: 0, ms: 0 };
  /** What a person added for this turn alone. */
  #raised: Budget = {};
  #since: number;
  #pauses = 0;

  constructor(context: Context, taskId: TaskId, ask: Ask) {
    this.#context = context;
    this.#taskId = taskId;
    this.#ask = ask;
    this.#since = context.now();
  }

  command(): void {
    this.#done.commands += 1;
  }

  /** The clock stands while a person is waited for. */
  async pause<T>(waiting: Promise<T>): Promise<T> {
    this.#tick();
    this.#pauses += 1;
    try {
      return await waiting;
    } finally {
      this.#tick();
      this.#pauses -= 1;
    }
  }

  #tick(): void {
    const now = this.#context.now();
    if (!this.#pauses) this.#done.ms += Math.max(0, now - this.#since);
    this.#since = now;
  }

  /** Writes what was done since the last time. */
  async save(): Promise<void> {
    this.#tick();
    const commands = this.#done.commands - this.#saved.commands;
    const ms = this.#done.ms - this.#saved.ms;
    if (!commands && ms < 1) return;
    Object.assign(this.#saved, this.#done);
    await this.#context.store.commit({ events: [{ type: 'task.worked', taskId: this.#taskId, commands, ms }] });
  }

  /**
   * Whether the next step may begin. A reached budget asks first: yes raises it by as much again. Throws `budget-spent`
   * where nobody is there to be asked.
   */
  async mayGoOn(turn: Usage): Promise<boolean> {
    await this.save();
    for (;;) {
      const { board } = this.#context.store;
      const task = board.tasks[this.#taskId];
      if (!task) return true;
      const budgets = budgetsOf(board, task);
      const ofTurn = { ...budgets.turn, ...this.#raised };
      const counts = { turn: countedOf(turn, this.#done), task: countedOf(task.usage, task.worked) };
      const over = (['task', 'turn'] as const).flatMap((scope) =>
        reached(scope === 'task' ? budgets.task : ofTurn, counts[scope]).map((kind) => ({ scope, kind })),
      )[0];
      if (!over) return true;
      const { scope, kind } = over;
      const limit = (scope === 'task' ? budgets.task : ofTurn)[kind]!;
      if (!(await this.#raise(task, scope, kind, { limit, spent: counts[scope][kind] }))) return false;
    }
  }

  async #raise(task: Task, scope: 'turn' | 'task', kind: BudgetKind, at: { limit: number; spent: number }): Promise<boolean> {
    const spent = `${limitWords(kind, at.spent)} of ${limitWords(kind, at.limit)} for this ${scope}`;
    if (task.approval === 'never' && task.origin !== 'app')
      throw new Failure('budget-spent', `The budget is spent: ${spent}.`, { fix: 'Give the task a larger budget, then retry it.' });
    let next = at.limit;
    while (next <= at.spent) next += at.limit;
    if (!(await this.#ask(`Budget spent: ${spent}`, `Goes on until ${limitWords(kind, next)}. Declining stops the turn here.`)))
      return false;
    if (scope === 'turn') this.#raised = { ...this.#raised, [kind]: next };
    else {
      const { board } = this.#context.store;
      const now = board.tasks[task.id];
      // The person set another limit meanwhile: that one holds.
      if (!now || budgetsOf(board, now).task[kind] !== at.limit) return true;
      const { budgets } = now;
      await this.#context.store.commit({
        events: [{ type: 'task.budgeted', taskId: task.id, budgets: { ...budgets, task: { ...budgets?.task, [kind]: next } } }],
      });
    }
    return true;
  }
}
