import {
  workspaceOf,
  threadOf,
  type AppError,
  type Approval,
  type DomainEvent,
  type Item,
  type StoredEvent,
  type Task,
  type Turn,
  type Usage,
  type Workspace,
} from '../../contract/index.ts';
import type { CoreClient } from '../client.ts';

/** How a task's turn ended: the last line of `exec --json`. */
export interface Ending {
  type: 'turn.completed' | 'turn.failed' | 'turn.interrupted';
  task: string;
  branch: string | null;
  worktree: string | null;
  usage: Usage;
  /** The agent's last words, or why it failed. */
  message: string;
  error?: AppError;
}

/** One JSON line of `exec` and `batch` (DESIGN §9). */
export type Line =
  | {
      type: 'task.created';
      task: string;
      title: string;
      repo: string;
      base: string;
      mode: Task['mode'];
      approval: Task['approval'];
      model: string;
    }
  | { type: 'workspace.ready'; task: string; branch: string; worktree: string; base: string | null }
  | { type: 'turn.started'; task: string; turn: string }
  | { type: 'item.started' | 'item.updated' | 'item.completed'; task: string; item: Item }
  | { type: 'approval.requested'; task: string; approval: Approval }
  | Ending;

type ItemEvent = Extract<DomainEvent, { item: Item }>;

/**
 * Follows one task from its creation until its turn ends, and tells it in lines: each stage once, items in order,
 * the ending last. What a gap in the events swallowed is read again from the core.
 */
export class TaskFeed {
  readonly ended: Promise<Ending>;
  readonly #client: CoreClient;
  readonly #task: Task;
  readonly #emit: (line: Line) => void;
  readonly #items = new Map<string, 'started' | 'completed'>();
  readonly #settle: (ending: Ending) => void;
  readonly #subscriptions: { dispose(): void }[];
  #ready = false;
  #turn: Turn['id'] | null = null;
  #message = '';
  #over = false;
  #started = false;

  constructor(client: CoreClient, task: Task, emit: (line: Line) => void) {
    this.#client = client;
    this.#task = task;
    this.#emit = emit;
    const { promise, resolve } = Promise.withResolvers<Ending>();
    this.ended = promise;
    this.#settle = resolve;
    this.#subscriptions = [
      client.onEvents((events) => {
        for (const stored of events) this.#take(stored);
      }),
      client.onReset(() => void this.#catchUp()),
    ];
    this.#emit({
      type: 'task.created',
      task: task.id,
      title: task.title,
      repo: client.board.projects[task.projectId]?.root ?? '',
      base: task.base.ref,
      mode: task.mode,
      approval: task.approval,
      model: task.model,
    });
    client.onClose(() => this.#end('turn.interrupted', 'The Signalbox core ended. The task is kept: open Signalbox to go on with it.'));
  }

  /** Listens to the task's thread, then starts it. Rejects as `task/start` does. */
  async start(): Promise<void> {
    const { id } = this.#task;
    const thread = threadOf(this.#client.board, this.#client.board.tasks[id] ?? this.#task);
    if (thread) await this.#client.call('thread/subscribe', { threadId: thread.id });
    this.#started = true;
    await this.#client.call('task/start', { taskId: id });
  }

  /** Ends it without a turn: it could not begin. */
  fail(error: AppError): void {
    this.#end('turn.failed', error.message, error);
  }

  /** Stops what the task does; its ending follows. */
  async interrupt(): Promise<void> {
    if (!this.#started) {
      this.#end('turn.interrupted', 'Stopped before it began.');
      return;
    }
    await this.#client.call('task/stop', { taskId: this.#task.id });
    if (!this.#turn) this.#end('turn.interrupted', 'Stopped before the agent began.');
  }

  #take({ event }: StoredEvent): void {
    switch (event.type) {
      case 'workspace.changed':
        if (event.workspace.taskId === this.#task.id) this.#workspace(event.workspace);
        break;
      case 'turn.started':
        if (event.taskId === this.#task.id) this.#turnStarted(event.turn);
        break;
      case 'turn.ended':
        if (event.taskId === this.#task.id) this.#turnEnded(event.turn);
        break;
      case 'item.started':
      case 'item.updated':
      case 'item.completed':
        if (event.taskId === this.#task.id) this.#item(event.type, event.item);
        break;
      case 'approval.requested':
        if (event.approval.taskId === this.#task.id)
          this.#emit({ type: 'approval.requested', task: this.#task.id, approval: event.approval });
        break;
      case 'task.phased':
        if (event.taskId === this.#task.id && event.phase === 'held' && this.#started)
          this.#end('turn.interrupted', 'Stopped before the agent began.');
        break;
      case 'task.trashed':
      case 'task.purged':
        if (event.taskId === this.#task.id) this.#end('turn.interrupted', 'The task was deleted in another window.');
        break;
      default:
    }
  }

  #workspace(workspace: Workspace): void {
    if (workspace.phase === 'failed') this.fail(workspace.error ?? { code: 'internal', message: 'The worktree could not be made.' });
    if (workspace.phase !== 'ready' || this.#ready) return;
    this.#ready = true;
    this.#emit({
      type: 'workspace.ready',
      task: this.#task.id,
      branch: workspace.branch,
      worktree: workspace.path,
      base: workspace.baseCommit,
    });
  }

  #turnStarted(turn: Turn): void {
    if (this.#turn) return;
    this.#turn = turn.id;
    this.#emit({ type: 'turn.started', task: this.#task.id, turn: turn.id });
  }

  #turnEnded(turn: Turn): void {
    if (this.#turn && turn.id !== this.#turn) return;
    const type = turn.status === 'completed' ? 'turn.completed' : turn.status === 'failed' ? 'turn.failed' : 'turn.interrupted';
    const message =
      type === 'turn.failed'
        ? (turn.error?.message ?? this.#message)
        : type === 'turn.interrupted'
          ? this.#message || 'Interrupted.'
          : this.#message;
    this.#end(type, message, turn.error ?? undefined, turn.usage);
  }

  #item(type: ItemEvent['type'], item: Item): void {
    if (this.#over || this.#items.get(item.id) === 'completed') return;
    this.#items.set(item.id, type === 'item.completed' ? 'completed' : 'started');
    if (item.type === 'agentMessage' && item.text) this.#message = item.text;
    this.#emit({ type, task: this.#task.id, item });
  }

  /** After a gap: what is true now, told as if it had just come. */
  async #catchUp(): Promise<void> {
    const task = this.#client.board.tasks[this.#task.id];
    if (!task) {
      this.#end('turn.interrupted', 'The task was deleted in another window.');
      return;
    }
    const workspace = workspaceOf(this.#client.board, task);
    const thread = threadOf(this.#client.board, task);
    if (workspace) this.#workspace(workspace);
    if (!thread?.turn) return;
    this.#turnStarted(thread.turn);
    const read = await this.#client.call('thread/read', { threadId: thread.id, limit: 500 }).catch(() => null);
    for (const item of read?.items ?? []) {
      if (item.endedAt !== null) this.#item('item.completed', item);
      else if (!this.#items.has(item.id)) this.#item('item.started', item);
    }
    const now = threadOf(this.#client.board, task)?.turn;
    if (now && now.status !== 'running') this.#turnEnded(now);
  }

  #end(type: Ending['type'], message: string, error?: AppError, usage?: Usage): void {
    if (this.#over) return;
    this.#over = true;
    for (const subscription of this.#subscriptions) subscription.dispose();
    const task = this.#client.board.tasks[this.#task.id] ?? this.#task;
    const workspace = workspaceOf(this.#client.board, task);
    const ending: Ending = {
      type,
      task: task.id,
      branch: workspace?.branch || null,
      worktree: workspace?.path || null,
      usage: usage ?? task.usage,
      message,
      ...(error ? { error } : {}),
    };
    this.#emit(ending);
    this.#settle(ending);
  }
}
