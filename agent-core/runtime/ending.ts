import { Failure, type DomainEvent, type Landing, type TaskId, type Workspace, type WorkspaceId } from '../contract/index.ts';
import { archiveTask, getTask, purgeTask, restoreTask, trashTask } from '../domain/tasks.ts';
import { withdraw } from '../domain/turns.ts';
import { taskParts, type Context } from './context.ts';
import { tearDown } from './recipe.ts';
import type { Supervisor } from './supervisor.ts';
import type { Terminals } from '../terminal/terminals.ts';

/** Deleting, restoring and landing: each an intent on disk first, then the deed, then its outcome. */
export class Ending {
  readonly #context: Context;
  readonly #supervisor: Supervisor;
  readonly #terminals: Terminals;

  /** The newest of what is asked of a task, by task: one after the other, in the order of asking. */
  readonly #last = new Map<TaskId, Promise<unknown>>();

  constructor(context: Context, supervisor: Supervisor, terminals: Terminals) {
    this.#context = context;
    this.#supervisor = supervisor;
    this.#terminals = terminals;
  }

  /** Two windows may ask for different things at once, and nothing may begin in a worktree that is about to move. */
  alone<T>(taskId: TaskId, why: string, work: () => Promise<T>, quiet = false): Promise<T> {
    const free = this.#supervisor.block(taskId, why, quiet);
    const mine = (this.#last.get(taskId) ?? Promise.resolve()).then(work).finally(free);
    const over = mine.catch(() => {
      /* told to the caller */
    });
    this.#last.set(taskId, over);
    void over.then(() => {
      if (this.#last.get(taskId) === over) this.#last.delete(taskId);
    });
    return mine;
  }

  /** Stops the task, then moves its worktree to the trash. */
  trash(taskId: TaskId): Promise<void> {
    return this.alone(taskId, 'being deleted', () => this.#trash(taskId));
  }

  async #trash(taskId: TaskId): Promise<void> {
    if (taskParts(this.#context, taskId).task.phase === 'trashed') return;
    await this.#supervisor.stop(taskId);
    await this.#terminals.closeTask(taskId);
    await tearDown(this.#context, taskId);
    // As it is now: stopping may have taken a half-made worktree back.
    const { workspace } = taskParts(this.#context, taskId);
    const board = this.#context.store.board;
    const gates = {
      approvals: Object.values(board.approvals)
        .filter((gate) => gate.taskId === taskId)
        .map((gate) => gate.id),
      questions: Object.values(board.questions)
        .filter((gate) => gate.taskId === taskId)
        .map((gate) => gate.id),
    };
    const events = [...withdraw(taskId, gates), ...trashTask(board, taskId)];
    if (workspace?.phase !== 'ready') {
      await this.#context.store.commit({ events });
      return;
    }
    const { intents } = await this.#context.store.commit({ intents: [{ kind: 'trash', taskId, workspaceId: workspace.id }] });
    try {
      await this.trashNow(taskId, workspace.id, intents[0]!.id, events);
    } catch (error) {
      await this.#context.store.commit({ done: [intents[0]!.id] });
      throw error;
    }
  }

  async trashNow(
    taskId: TaskId,
    id: WorkspaceId,
    intent: number,
    events: DomainEvent[] = trashTask(this.#context.store.board, taskId),
  ): Promise<void> {
    await this.#context.workspaces.trash(id);
    await this.#context.store.commit({ events: [...this.#phase(id, 'trashed', this.#context.now()), ...events], done: [intent] });
  }

  restore(taskId: TaskId): Promise<void> {
    return this.alone(taskId, 'being restored', () => this.#restore(taskId));
  }

  async #restore(taskId: TaskId): Promise<void> {
    const { task, workspace } = taskParts(this.#context, taskId);
    if (task.phase !== 'trashed') return;
    if (workspace?.phase !== 'trashed') {
      await this.#context.store.commit({ events: restoreTask(this.#context.store.board, taskId) });
      return;
    }
    const { intents } = await this.#context.store.commit({ intents: [{ kind: 'restore', taskId, workspaceId: workspace.id }] });
    try {
      await this.restoreNow(taskId, workspace.id, intents[0]!.id);
    } catch (error) {
      await this.#context.store.commit({ done: [intents[0]!.id] });
      throw error;
    }
  }

  async restoreNow(taskId: TaskId, id: WorkspaceId, intent: number): Promise<void> {
    await this.#context.workspaces.restore(id);
    await this.#context.store.commit({
      events: [...this.#phase(id, 'ready', null), ...restoreTask(this.#context.store.board, taskId)],
      done: [intent],
    });
  }

  purge(taskId: TaskId): Promise<void> {
    return this.alone(taskId, 'being deleted for good', () => this.#purge(taskId));
  }

  async #purge(taskId: TaskId): Promise<void> {
    const events = purgeTask(this.#context.store.board, taskId);
    const { workspace } = taskParts(this.#context, taskId);
    const { intents } = await this.#context.store.commit({ intents: [{ kind: 'purge', taskId, workspaceId: workspace?.id ?? null }] });
    try {
      await this.purgeNow(taskId, workspace?.id ?? null, intents[0]!.id, events);
    } catch (error) {
      // Never left for a later start: the person may have brought the task back by then.
      await this.#context.store.commit({ done: [intents[0]!.id] });
      throw error;
    }
  }

  async purgeNow(
    taskId: TaskId,
    id: WorkspaceId | null,
    intent: number,
    events: DomainEvent[] = [{ type: 'task.purged', taskId }],
  ): Promise<void> {
    const attempt = Object.values(this.#context.store.board.attempts).find((each) => each.taskId === taskId);
    if (id) await this.#context.workspaces.purge(id);
    if (attempt) await this.#context.outputs.forget(attempt.threadId);
    this.#context.endpoints.delete(taskId);
    await this.#context.store.commit({ events, done: [intent], ...(attempt ? { forget: attempt.threadId } : {}) });
  }

  #phase(id: WorkspaceId, phase: Workspace['phase'], trashedAt: number | null): DomainEvent[] {
    const workspace = this.#context.store.board.workspaces[id];
    return workspace ? [{ type: 'workspace.changed', workspace: { ...workspace, phase, trashedAt } }] : [];
  }

  /** Lands the task's final tree into its base branch. A landed task is done. */
  land(taskId: TaskId, method: Landing['method'], message: string | undefined): Promise<Landing> {
    return this.alone(taskId, 'being landed', () => this.#land(taskId, method, message));
  }

  async #land(taskId: TaskId, method: Landing['method'], message: string | undefined): Promise<Landing> {
    const { task, thread, workspace } = taskParts(this.#context, taskId);
    if (workspace?.phase !== 'ready') throw new Failure('worktree-missing', `“${task.title}” has no worktree to land.`);
    if (this.#supervisor.isRunning(thread.id)) {
      throw new Failure('conflict', `“${task.title}” is still working.`, { fix: 'Stop it, or wait until it is ready for review.' });
    }
    const open = await this.#context.workspaces.open(workspace.id);
    const { into } = await open.landPreview();
    const { intents } = await this.#context.store.commit({ intents: [{ kind: 'land', taskId, method, into }] });
    try {
      const { commit } = await open.land(method, message ?? task.title);
      const landing: Landing = { method, into, commit, at: this.#context.now() };
      await this.landed(taskId, landing, intents[0]!.id);
      return landing;
    } catch (error) {
      await this.#context.store.commit({ done: [intents[0]!.id] });
      throw error;
    }
  }

  async landed(taskId: TaskId, landing: Landing, intent: number): Promise<void> {
    getTask(this.#context.store.board, taskId);
    await this.#context.store.commit({
      events: [{ type: 'task.landed', taskId, landing }, ...archiveTask(this.#context.store.board, taskId)],
      done: [intent],
    });
  }
}
