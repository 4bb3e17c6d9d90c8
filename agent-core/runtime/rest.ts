import { threadOf, workspaceOf, type TaskId } from '../contract/index.ts';
import type { Store } from '../storage/store.ts';
import type { Workspaces } from '../workspace/index.ts';

/** A machine that nobody used for this long is given back; opening it again takes tens of milliseconds. */
const IDLE_MS = 5 * 60_000;
/** The same for a task that is done. */
const DONE_MS = 1000;

export interface RestOptions {
  store: Store;
  workspaces: Workspaces;
  log(message: string, error?: unknown): void;
}

/**
 * Closes the machines of tasks that nobody works in: no turn, no request under way, no command in the background, no
 * terminal. With hundreds of tasks on the board only those in use hold processes and descriptors.
 */
export class Rest {
  readonly #options: RestOptions;
  readonly #users = new Map<TaskId, number>();
  readonly #timers = new Map<TaskId, NodeJS.Timeout>();
  /** Whether a terminal runs in the task. Set once there are terminals. */
  hasTerminal: (taskId: TaskId) => boolean = () => false;

  constructor(options: RestOptions) {
    this.#options = options;
    options.store.onEvents((events) => {
      for (const { event } of events) if (event.type === 'task.phased' && event.phase === 'archived') this.#arm(event.taskId);
    });
  }

  /** The task's machine stays for as long as this runs. */
  async during<T>(taskId: TaskId, work: () => Promise<T>): Promise<T> {
    this.#users.set(taskId, (this.#users.get(taskId) ?? 0) + 1);
    try {
      return await work();
    } finally {
      const left = this.#users.get(taskId)! - 1;
      if (left) this.#users.set(taskId, left);
      else {
        this.#users.delete(taskId);
        this.#arm(taskId);
      }
    }
  }

  #arm(taskId: TaskId): void {
    clearTimeout(this.#timers.get(taskId));
    const done = this.#options.store.board.tasks[taskId]?.phase === 'archived';
    this.#timers.set(taskId, setTimeout(() => this.#close(taskId), done ? DONE_MS : IDLE_MS).unref());
  }

  #close(taskId: TaskId): void {
    this.#timers.delete(taskId);
    const { store, workspaces, log } = this.#options;
    const task = store.board.tasks[taskId];
    const workspace = task && workspaceOf(store.board, task);
    // Whoever uses it arms the timer again; what is deleted is closed already.
    if (this.#users.has(taskId) || workspace?.phase !== 'ready') return;
    const thread = threadOf(store.board, task!);
    if (this.hasTerminal(taskId) || (thread && store.openItems(thread.id).length > 0)) {
      this.#timers.set(taskId, setTimeout(() => this.#close(taskId), IDLE_MS).unref());
      return;
    }
    workspaces.close(workspace.id).catch((error: unknown) => log(`closing ${workspace.slug}`, error));
  }

  dispose(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }
}
