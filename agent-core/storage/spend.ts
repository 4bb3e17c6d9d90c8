import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Board, EventOf, SpendRow } from '../contract/index.ts';

/** The day of a moment, by this machine's calendar. */
export function dayOf(at: number): string {
  const date = new Date(at);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** The day's accounts, written with the events that they count: a row for each day, task and model. */
export class Spend {
  readonly #add: StatementSync;
  readonly #read: StatementSync;

  constructor(db: DatabaseSync) {
    this.#add = db.prepare(`
      INSERT INTO spend (day, project, name, task, model, requests, input, cached, output, reasoning, cost, unpriced)
      VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (day, task, model) DO UPDATE SET name = excluded.name, requests = requests + 1, input = input + excluded.input,
        cached = cached + excluded.cached, output = output + excluded.output, reasoning = reasoning + excluded.reasoning,
        cost = cost + excluded.cost, unpriced = unpriced + excluded.unpriced`);
    this.#read = db.prepare('SELECT * FROM spend WHERE day >= ? AND day <= ? ORDER BY day, name, model, task');
  }

  /** Part of the transaction that writes the event. `board` is the one after it. */
  record(at: number, { taskId, usage, model }: EventOf<'turn.spent'>, board: Board): void {
    const task = board.tasks[taskId];
    if (!task) return;
    const name = board.projects[task.projectId]?.name ?? '';
    const { inputTokens, cachedTokens, outputTokens, reasoningTokens, cost } = usage;
    const unpriced = cost === null ? inputTokens + outputTokens : 0;
    this.#add.run(
      dayOf(at),
      task.projectId,
      name,
      taskId,
      model ?? task.model,
      inputTokens,
      cachedTokens,
      outputTokens,
      reasoningTokens,
      cost ?? 0,
      unpriced,
    );
  }

  /** Both days included. `board` knows which tasks there still are. */
  read(from: string, to: string, board: Board): SpendRow[] {
    return (this.#read.all(from, to) as unknown as Row[]).map((row) => ({
      day: row.day,
      projectId: row.project as SpendRow['projectId'],
      project: row.name,
      taskId: row.task as SpendRow['taskId'],
      title: board.tasks[row.task]?.title ?? null,
      model: row.model,
      requests: row.requests,
      inputTokens: row.input,
      cachedTokens: row.cached,
      outputTokens: row.output,
      reasoningTokens: row.reasoning,
      cost: row.cost,
      unpriced: row.unpriced,
    }));
  }
}

interface Row {
  day: string;
  project: string;
  name: string;
  task: string;
  model: string;
  requests: number;
  input: number;
  cached: number;
  output: number;
  reasoning: number;
  cost: number;
  unpriced: number;
}
