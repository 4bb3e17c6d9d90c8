import { Failure, type RunningAction, type TaskId, type TerminalInfo } from '../contract/index.ts';
import { getTask } from '../domain/tasks.ts';
import type { Terminals } from '../terminal/terminals.ts';
import { settle, taskParts, type Context } from './context.ts';

/** The named actions of a project's recipe, each in a terminal tab of a task's sandbox; one of a name at a time. */
export class Actions {
  readonly #context: Context;
  readonly #terminals: Terminals;
  /** Starts that are under way, so that two clicks make one. */
  readonly #starting = new Map<string, Promise<TerminalInfo>>();

  constructor(context: Context, terminals: Terminals) {
    this.#context = context;
    this.#terminals = terminals;
  }

  /** Starts it, or answers the one that runs. Throws `not-found` for a name that the recipe has not, and what a terminal throws. */
  start(taskId: TaskId, name: string, size: { cols: number; rows: number }): Promise<TerminalInfo> {
    const key = `${taskId} ${name}`;
    const starting = this.#starting.get(key) ?? this.#start(taskId, name, size).finally(() => this.#starting.delete(key));
    this.#starting.set(key, starting);
    return starting;
  }

  async #start(taskId: TaskId, name: string, size: { cols: number; rows: number }): Promise<TerminalInfo> {
    const { project } = taskParts(this.#context, taskId);
    const action = project.recipe?.actions.find((each) => each.name === name);
    if (!action) throw new Failure('not-found', `${project.name} has no action “${name}”.`, { fix: 'Add it in the project’s settings.' });
    const before = this.#terminals.list(taskId).filter((info) => info.action === name);
    const running = before.find((info) => info.running);
    if (running) return running;
    for (const { id } of before) await this.#terminals.close(id);
    const info = await this.#context.rest.during(taskId, () => this.#terminals.open(taskId, size, action));
    await this.#write(taskId, (all) => [...all, { name, terminalId: info.id }]);
    void this.#terminals
      .ended(info.id)
      .then(() => this.#write(taskId, (all) => all.filter(({ terminalId }) => terminalId !== info.id)))
      .catch((error: unknown) => {
        // A core that closes leaves it to the next one.
        if (!this.#context.closing.signal.aborted) this.#context.log(`noting the end of ${name}`, error);
      });
    return info;
  }

  /** Ends it with all that it started; its tab stays with what it printed. Harmless where it does not run. */
  async stop(taskId: TaskId, name: string): Promise<void> {
    getTask(this.#context.store.board, taskId);
    await this.#starting.get(`${taskId} ${name}`)?.catch(() => {
      /* told to who started it */
    });
    const running = this.#terminals.list(taskId).filter((info) => info.action === name && info.running);
    await Promise.all(running.map(({ id }) => this.#terminals.stop(id)));
  }

  async #write(taskId: TaskId, change: (all: readonly RunningAction[]) => RunningAction[]): Promise<void> {
    if (!this.#context.store.board.tasks[taskId]) return;
    await settle(this.#context, () => {
      const task = this.#context.store.board.tasks[taskId];
      return { events: task ? [{ type: 'task.running', taskId, running: change(task.running ?? []) }] : [] };
    });
  }

  /** What ran when the last core died does not run any more. */
  async recover(): Promise<void> {
    const left = Object.values(this.#context.store.board.tasks).filter(({ running }) => running && running.length > 0);
    if (left.length > 0)
      await this.#context.store.commit({ events: left.map(({ id }) => ({ type: 'task.running', taskId: id, running: [] })) });
  }
}
