import { Failure, type RecipeAction, type TaskId, type TerminalId, type TerminalInfo } from '../contract/index.ts';
import type { Client } from '../runtime/api.ts';
import type { Machine } from '../sandbox/types.ts';
import { newId } from '../support/ids.ts';
import { actionCommand, ownShell, shellCommand } from './shell.ts';
import type { Terminal } from './terminal.ts';

export interface TerminalsOptions {
  /** The machine and folder of a task's workspace; its failures are passed on. */
  open(taskId: TaskId): Promise<{ machine: Machine; cwd: string; title: string }>;
  /** A machine that does not confine, for one terminal, with the person's whole environment; it is disposed with it. */
  openOutside?(taskId: TaskId): Promise<{ machine: Machine; cwd: string; title: string }>;
  /** Told when something was printed in a terminal inside the sandbox. */
  active?(taskId: TaskId): void;
  /** The person's own shell; `$SHELL` by default. */
  shell?: string | undefined;
}

/**
 * The terminals of all tasks. They belong to the core, not to a window: one with nobody attached runs on, and
 * whoever attaches gets its screen from the mirror, never a replay. An unknown id is `Failure('not-found')`.
 */
export class Terminals {
  readonly #options: TerminalsOptions;
  readonly #all = new Map<TerminalId, Terminal>();
  readonly #known = new WeakSet<Client>();

  constructor(options: TerminalsOptions) {
    this.#options = options;
  }

  /** Starts a shell, or an action of the recipe, in the task's worktree, inside its machine. Throws what opening the workspace throws. */
  async open(taskId: TaskId, { cols, rows }: { cols: number; rows: number }, action?: RecipeAction): Promise<TerminalInfo> {
    // With its mirror it is loaded at the first one: the core's start doesn't wait for it.
    const [{ machine, cwd, title }, { Terminal }] = await Promise.all([this.#options.open(taskId), import('./terminal.ts')]);
    const shell = action ? actionCommand(action.command) : shellCommand(this.#shell);
    const running = await machine.run({ ...shell, cwd, tty: { cols, rows } });
    await this.#tidy(taskId);
    const terminal = new Terminal({
      id: newId<TerminalId>('term'),
      taskId,
      title: action?.name ?? title,
      size: { cols, rows },
      process: running,
      ...(action ? { action: action.name } : {}),
    });
    this.#all.set(terminal.id, terminal);
    const { active } = this.#options;
    if (active) running.onOutput(() => active(taskId));
    return terminal.info;
  }

  get #shell(): string | undefined {
    return 'shell' in this.#options ? this.#options.shell : process.env['SHELL'];
  }

  /**
   * Starts the person's own login shell in the task's worktree, outside the sandbox. Only ever on the person's word: nothing
   * of an agent's leads here, and what is shown there goes to the person's windows alone.
   */
  async openOutside(taskId: TaskId, { cols, rows }: { cols: number; rows: number }): Promise<TerminalInfo> {
    if (!this.#options.openOutside) throw new Failure('not-allowed', 'Terminals outside the sandbox can’t be opened here.');
    const [{ machine, cwd, title }, { Terminal }] = await Promise.all([this.#options.openOutside(taskId), import('./terminal.ts')]);
    const running = await machine.run({ ...ownShell(this.#shell), cwd, tty: { cols, rows } }).catch(async (error: unknown) => {
      await machine.dispose();
      throw error;
    });
    await this.#tidy(taskId);
    const id = newId<TerminalId>('term');
    const terminal = new Terminal({ id, taskId, title, size: { cols, rows }, process: running, outside: true });
    this.#all.set(id, terminal);
    void terminal.exited.then(() => machine.dispose());
    return terminal.info;
  }

  list(taskId: TaskId): TerminalInfo[] {
    return this.#of(taskId).map((terminal) => terminal.info);
  }

  attach(id: TerminalId, client: Client): Promise<{ info: TerminalInfo; screen: string }> {
    const terminal = this.#get(id);
    if (!this.#known.has(client)) {
      this.#known.add(client);
      client.onClose(() => {
        for (const each of this.#all.values()) each.detach(client);
      });
    }
    return terminal.attach(client);
  }

  detach(id: TerminalId, client: Client): void {
    this.#all.get(id)?.detach(client);
  }
  write(id: TerminalId, data: string): void {
    this.#get(id).write(data);
  }
  resize(id: TerminalId, { cols, rows }: { cols: number; rows: number }): void {
    this.#get(id).resize(cols, rows);
  }
  ack(id: TerminalId, client: Client, chars: number): void {
    this.#all.get(id)?.ack(client, chars);
  }

  /** Resolves when what runs in it has ended; at once for one that is gone. */
  async ended(id: TerminalId): Promise<void> {
    await this.#all.get(id)?.exited;
  }

  /** Ends what runs in it, gently first; the tab stays with what was printed. */
  async stop(id: TerminalId): Promise<void> {
    await this.#get(id).stop();
  }

  /** Ends the shell if it runs and forgets the terminal. */
  async close(id: TerminalId): Promise<void> {
    const terminal = this.#get(id);
    await terminal.close();
    this.#all.delete(id);
  }

  /** Ends all terminals of a task, before its worktree goes. */
  async closeTask(taskId: TaskId): Promise<void> {
    await Promise.all(this.#of(taskId).map((terminal) => this.close(terminal.id)));
  }

  async dispose(): Promise<void> {
    await Promise.all([...this.#all.keys()].map((id) => this.close(id)));
  }

  /** Ended terminals that nobody looks at make room for the new one. */
  async #tidy(taskId: TaskId): Promise<void> {
    for (const terminal of this.#of(taskId))
      if (!terminal.info.running && !terminal.watched && !terminal.info.action) await this.close(terminal.id);
  }

  #of(taskId: TaskId): Terminal[] {
    return [...this.#all.values()].filter((terminal) => terminal.taskId === taskId);
  }

  #get(id: TerminalId): Terminal {
    const terminal = this.#all.get(id);
    if (!terminal) throw new Failure('not-found', 'That terminal is gone.', { fix: 'Open a new one.' });
    return terminal;
  }
}
