import {
  Failure,
  threadOf,
  type MessageId,
  type QueuedMessage,
  type Task,
  type TaskId,
  type Thread,
  type ThreadId,
  type TurnId,
  type TurnKind,
  type TurnModel,
} from '../contract/index.ts';
import { nextToStart } from '../domain/scheduling.ts';
import { getTask } from '../domain/tasks.ts';
import { createSessions, type ThreadSessions } from '../harness/index.ts';
import { newId } from '../support/ids.ts';
import { setActivity, settle, taskParts, type Context } from './context.ts';
import { dropStanding, onlyGates, standing, stands } from './gates-durable.ts';
import { announce, CLOSING, prepare } from './prepare.ts';
import { executeTurn, TurnRun, type Opening } from './turn.ts';

const inTrash = (task: Task): Failure => new Failure('conflict', `“${task.title}” is in the trash.`, { fix: 'Restore it first.' });

/** What a message asks of the turn that it opens. */
type Asked = TurnModel & { kind?: TurnKind | undefined };

const firstOf = (task: Task): Opening => ({ text: task.prompt, via: 'prompt', kind: task.kind });
const queued = ({ id, text, kind, model, effort }: QueuedMessage): Opening => ({
  text,
  via: 'queue',
  messageId: id,
  kind,
  on: { ...(model ? { model } : {}), ...(effort ? { effort } : {}) },
});

/** Starts what may start, runs turns, passes on what the person says, and stops what they stop. */
export class Supervisor {
  readonly #context: Context;
  readonly #runs = new Map<ThreadId, TurnRun>();
  /** From the moment a task leaves the queue until its first turn has begun. */
  readonly #preparing = new Map<TaskId, { abort: AbortController; done: Promise<void> }>();
  /** Tasks in which nothing may begin now, and why, in words: what is under way first, then what waits for it. */
  readonly #blocked = new Map<TaskId, string[]>();
  readonly #sessions = new Map<ThreadId, ThreadSessions>();
  /** Tasks that were made or queued since this core began. */
  readonly #touched = new Set<TaskId>();
  #scheduled = false;
  /** What else works for a task and ends when it is stopped. */
  alsoStops: (taskId: TaskId) => Promise<void> = async () => {};
  constructor(context: Context) {
    this.#context = context;
  }

  /** From now on, after the recovery, queued tasks start. */
  begin(): void {
    this.#context.events.on((events) => {
      for (const { event } of events)
        if (event.type === 'task.created' || event.type === 'task.phased')
          this.#touched.add(event.type === 'task.created' ? event.task.id : event.taskId);
      // What an agent says or does frees no place in the queue.
      if (events.some(({ event }) => !event.type.startsWith('item.'))) this.schedule();
    });
    this.schedule();
    this.#context.gates.onAnswered = (threadId) => this.#resume(threadId);
    for (const { id } of Object.values(this.#context.store.board.threads))
      if (standing(this.#context.store, id).answered.length) this.#resume(id);
  }

  /** A thread that waited for nothing but a person, in a core that is gone, goes on with the answer. */
  #resume(threadId: ThreadId): void {
    const thread = this.#context.store.board.threads[threadId];
    const task = thread && this.#context.store.board.tasks[thread.taskId];
    if (!task || task.phase !== 'active' || this.#closing || this.#runs.has(threadId) || this.#blocked.has(task.id)) return;
    if (onlyGates(this.#context.store, threadId) && this.#ready(task.id)) this.#turn(task.id, []);
  }

  get #closing(): boolean {
    return this.#context.closing.signal.aborted;
  }

  /** A command that became the core for its own task leaves what was queued before to the next app. */
  #mayStart(taskId: TaskId): boolean {
    return (
      !this.#blocked.has(taskId) && !this.#preparing.has(taskId) && (this.#context.options.host !== 'cli' || this.#touched.has(taskId))
    );
  }

  /** Looks, soon and once, whether a queued task can start. */
  schedule(): void {
    if (this.#scheduled || this.#closing) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#closing) return;
      // Commands count for themselves: a batch may have been told to run more at once than the app does.
      const concurrency = this.#context.options.host === 'cli' ? Infinity : this.#context.store.board.settings.concurrency;
      for (const id of nextToStart(this.#context.store.board, (each) => this.#mayStart(each), concurrency)) this.#start(id);
    });
  }

  /**
   * Nothing begins in this task until the answer is called. `why` ends “… is”, such as “being deleted”. Then what waits
   * in the queue of a thread whose turn completed goes on, unless `quiet`.
   */
  block(taskId: TaskId, why: string, quiet = false): () => void {
    this.#blocked.set(taskId, [...(this.#blocked.get(taskId) ?? []), why]);
    return () => {
      const [, ...rest] = this.#blocked.get(taskId) ?? [];
      if (rest.length) this.#blocked.set(taskId, rest);
      else this.#blocked.delete(taskId);
      if (rest.length || this.#closing || !this.#context.store.board.tasks[taskId]) return;
      this.schedule();
      if (!quiet && taskParts(this.#context, taskId).thread.turn?.status === 'completed') this.#next(taskId);
    };
  }

  #start(taskId: TaskId): void {
    const abort = new AbortController();
    const done = this.#makeReady(taskId, abort.signal)
      .catch((error: unknown) => this.#context.log('starting a task', error))
      .finally(() => this.#preparing.delete(taskId));
    this.#preparing.set(taskId, { abort, done });
  }

  /** Prepares the workspace, then begins the first turn. */
  async #makeReady(taskId: TaskId, signal: AbortSignal): Promise<void> {
    const intent = await announce(this.#context, taskId);
    const ready = await prepare(this.#context, taskId, intent.workspaceId, intent.id, signal);
    if (!ready || this.#closing) return;
    if (signal.aborted) {
      // Stopped when the worktree was made already: it waits for the next start.
      await this.#hold(taskId);
      return;
    }
    const task = getTask(this.#context.store.board, taskId);
    if (task.origin === 'sandbox') return;
    const thread = threadOf(this.#context.store.board, task);
    // A fork begins with a conversation, and perhaps with what is said next in it; one that was set up again has one.
    if (thread?.turn) {
      setActivity(this.#context, taskId, null);
      return thread.turn.status === 'running' ? undefined : this.#next(taskId);
    }
    this.#turn(taskId, [firstOf(task)]);
  }

  /** Back to where a task waits to be started. */
  async #hold(taskId: TaskId): Promise<void> {
    await settle(this.#context, () => ({ events: [{ type: 'task.phased', taskId, phase: 'held' }] }));
    setActivity(this.#context, taskId, null);
  }

  /** Begins a turn; when it completes, the next queued message follows. */
  #turn(taskId: TaskId, opening: Opening[], compact?: { hint: string }): TurnRun {
    const { thread } = taskParts(this.#context, taskId);
    const run = new TurnRun();
    this.#runs.set(thread.id, run);
    run.onEnd = () => {
      if (this.#runs.get(thread.id) === run) this.#runs.delete(thread.id);
    };
    run.onUnsaved = () => {
      if (!this.#runs.has(thread.id)) this.#runs.set(thread.id, run);
    };
    let sessions = this.#sessions.get(thread.id);
    if (!sessions) this.#sessions.set(thread.id, (sessions = createSessions()));
    run.done = this.#context.rest
      .during(taskId, () => executeTurn(this.#context, taskId, opening, run, sessions!, compact))
      .then((status) => {
        if (status === 'completed') this.#next(taskId);
      })
      .catch(async (error: unknown) => {
        run.onEnd();
        this.#context.log(`turn of ${taskId}`, error);
        // A first turn that could not even be written down: nothing works there.
        const task = this.#context.store.board.tasks[taskId];
        if (task?.phase === 'active' && !threadOf(this.#context.store.board, task)?.turn && !this.#closing) await this.#hold(taskId);
      })
      .catch((error: unknown) => this.#context.log(`holding ${taskId}`, error));
    return run;
  }

  #next(taskId: TaskId, woken = false): void {
    if (this.#closing) return;
    const { task, thread } = taskParts(this.#context, taskId);
    const message = thread.queue[0];
    if (
      message &&
      (woken || task.phase === 'active') &&
      !this.#runs.has(thread.id) &&
      !this.#blocked.has(taskId) &&
      !stands(this.#context.store, thread.id)
    )
      this.#turn(taskId, [queued(message)]);
  }

  /** On an idle thread begins a turn with this message, on a busy one queues it. Durable when it resolves. */
  async say(threadId: ThreadId, text: string, asked: Asked = {}): Promise<{ turnId: TurnId | null; queued: MessageId | null }> {
    const { taskId } = this.#thread(threadId);
    this.#mustBeFree(taskId);
    const messageId = await this.enqueue(threadId, text, asked);
    if (this.#runs.has(threadId) || this.#preparing.has(taskId) || this.#blocked.has(taskId) || this.#closing || !this.#ready(taskId))
      return { turnId: null, queued: messageId };
    // What it was asked before the core was started anew comes first.
    if (stands(this.#context.store, threadId)) return { turnId: null, queued: messageId };
    const { task, thread: now } = taskParts(this.#context, taskId);
    const first = now.queue[0];
    // Taken back, or taken up, while it was being saved.
    if (!first) return { turnId: null, queued: null };
    this.#wake(taskId);
    if (!now.turn && now.undone?.length) {
      // Its first turn was taken back: this is what it is about now.
      this.#background(
        this.#context.store.commit({ events: [{ type: 'task.prompted', taskId, prompt: first.text }] }),
        'saving what a task is about',
      );
      return { turnId: this.#turn(taskId, [{ ...queued(first), via: 'prompt' }]).turnId, queued: null };
    }
    // A task that was stopped before its first turn begins with what it is about.
    if (!now.turn) return { turnId: this.#turn(taskId, [firstOf(task)]).turnId, queued: messageId };
    const run = this.#turn(taskId, [first.id === messageId ? { ...queued(first), via: 'prompt' } : queued(first)]);
    return { turnId: run.turnId, queued: first.id === messageId ? null : messageId };
  }

  async enqueue(threadId: ThreadId, text: string, asked: Asked = {}): Promise<MessageId> {
    const message: QueuedMessage = { id: newId<MessageId>('msg'), text, at: this.#context.now(), ...asked };
    this.#thread(threadId);
    await this.#context.store.commit({ events: [{ type: 'queue.added', threadId, message }] });
    return message.id;
  }

  /** A turn that only shortens what the model is sent. Throws `conflict` while another runs. */
  compact(threadId: ThreadId, hint: string): void {
    const { taskId, turn } = this.#thread(threadId);
    this.#mustBeFree(taskId);
    const { title } = getTask(this.#context.store.board, taskId);
    if (this.isBusy(taskId)) throw new Failure('conflict', `“${title}” is still working.`, { fix: 'Stop it first, or wait.' });
    if (!turn || !this.#ready(taskId)) throw new Failure('conflict', `“${title}” has no conversation to summarize yet.`);
    this.#wake(taskId);
    this.#turn(taskId, [], { hint });
  }

  /** Joins the running turn at its next step. Throws `conflict` when that turn isn't running. */
  async steer(threadId: ThreadId, turnId: TurnId, text: string): Promise<void> {
    const thread = this.#thread(threadId);
    const run = this.#runs.get(threadId);
    if (!run || run.turnId !== turnId) throw new Failure('conflict', 'This turn has ended.', { fix: 'Send the message as a new turn.' });
    // It waits in the queue until the turn takes it at its next step: what comes too late for this turn opens the next.
    const message = { id: newId<MessageId>('msg'), text, at: this.#context.now(), steer: true };
    await this.#context.store.commit({ events: [{ type: 'queue.added', threadId: thread.id, message }] });
  }

  /** Goes on after a failure or a crash. */
  async retry(taskId: TaskId): Promise<void> {
    const { task, thread, workspace } = taskParts(this.#context, taskId);
    this.#mustBeFree(taskId);
    if (task.phase === 'trashed') throw inTrash(task);
    // One that has just failed is over in a moment.
    if (workspace?.phase === 'failed') await this.#preparing.get(taskId)?.done;
    if (this.#runs.has(thread.id) || this.#preparing.has(taskId)) throw new Failure('conflict', `“${task.title}” is at work already.`);
    if (!workspace || workspace.phase === 'failed') {
      await this.#context.store.commit({ events: [{ type: 'task.phased', taskId, phase: 'queued' }] });
      return;
    }
    this.#wake(taskId);
    const message = thread.queue[0];
    if (!thread.turn) this.#turn(taskId, [firstOf(task)]);
    else this.#turn(taskId, thread.turn.status === 'completed' && message ? [queued(message)] : []);
  }

  /** Stops whatever a task is doing and waits until it has stopped. A queued task is held. */
  async stop(taskId: TaskId): Promise<void> {
    const { thread } = taskParts(this.#context, taskId);
    const preparing = this.#preparing.get(taskId);
    if (preparing) {
      preparing.abort.abort(new Error('Stopped by the person.'));
      await preparing.done;
    }
    await this.#runs.get(thread.id)?.stop('person');
    await this.#drop(thread.id);
    await this.endSessions(thread.id);
    await this.alsoStops(taskId);
    if (this.#context.store.board.tasks[taskId]?.phase === 'queued')
      await this.#context.store.commit({ events: [{ type: 'task.phased', taskId, phase: 'held' }] });
  }

  async interrupt(threadId: ThreadId): Promise<void> {
    await this.#runs.get(threadId)?.stop('person');
    await this.#drop(threadId);
  }

  /** Takes back what an earlier core's turn was waiting for. */
  async #drop(threadId: ThreadId): Promise<void> {
    const dropped = dropStanding(this.#context.store, threadId, this.#context.now());
    if (dropped.events.length || dropped.done.length) await this.#context.store.commit(dropped);
  }

  /** Ends the background commands of a thread. */
  async endSessions(threadId: ThreadId): Promise<void> {
    await this.#sessions.get(threadId)?.dispose();
    this.#sessions.delete(threadId);
  }

  /** Whether a turn runs, or its worktree is being made. */
  isBusy(taskId: TaskId): boolean {
    const { id } = taskParts(this.#context, taskId).thread;
    return this.#preparing.has(taskId) || this.#runs.has(id) || stands(this.#context.store, id);
  }

  /** An idle task goes on with the first message that waits for it, if there is one. */
  goOn(taskId: TaskId): void {
    const { thread } = taskParts(this.#context, taskId);
    if (!thread.queue.length || !this.#ready(taskId)) return;
    this.#wake(taskId);
    this.#next(taskId, true);
  }

  isRunning(threadId: ThreadId): boolean {
    return this.#runs.has(threadId);
  }

  /** A task that is talked to again is not done any more. */
  #wake(taskId: TaskId): void {
    const task = getTask(this.#context.store.board, taskId);
    if (task.phase === 'active') return;
    this.#background(this.#context.store.commit({ events: [{ type: 'task.phased', taskId, phase: 'active' }] }), 'reopening a task');
  }

  #ready(taskId: TaskId): boolean {
    const { task, workspace } = taskParts(this.#context, taskId);
    if (task.phase === 'trashed') throw inTrash(task);
    return workspace?.phase === 'ready';
  }

  #mustBeFree(taskId: TaskId): void {
    const why = this.#blocked.get(taskId)?.[0];
    if (!why) return;
    const { title } = getTask(this.#context.store.board, taskId);
    throw new Failure('conflict', `“${title}” is ${why} just now.`, { fix: 'Try again in a moment.' });
  }

  #thread(id: ThreadId): Thread {
    const thread = this.#context.store.board.threads[id];
    if (!thread) throw new Failure('not-found', 'This conversation does not exist any more.');
    return thread;
  }

  #background(work: Promise<unknown>, what: string): void {
    work.catch((error: unknown) => this.#context.log(what, error));
  }

  /** Ends all turns as interrupted, their background commands too. */
  async dispose(): Promise<void> {
    this.#context.closing.abort();
    for (const { abort } of this.#preparing.values()) abort.abort(CLOSING);
    await Promise.allSettled([
      ...[...this.#preparing.values()].map(({ done }) => done),
      // What waits for a person goes on waiting, with the next core.
      ...[...this.#runs].map(([id, run]) => (stands(this.#context.store, id) ? run.leave() : run.stop('crash'))),
    ]);
    await Promise.allSettled([...this.#sessions.values()].map((sessions) => sessions.dispose()));
  }
}
