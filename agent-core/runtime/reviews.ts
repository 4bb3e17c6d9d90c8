import {
  Failure,
  reviewsOf,
  statusOf,
  threadOf,
  toAppError,
  type DomainEvent,
  type Finding,
  type ParsedInputOf,
  type Review,
  type ReviewId,
  type TaskId,
} from '../contract/index.ts';
import { getTask } from '../domain/tasks.ts';
import { newId } from '../support/ids.ts';
import { settle, taskParts, type Context } from './context.ts';
import { compare, fixWords, reviewPass } from './review-pass.ts';
import type { Supervisor } from './supervisor.ts';
import { priced } from './usage.ts';

/** So many of a task's reviews are kept. */
const KEPT = 8;

/** Second model passes over a task's changes: begun by hand or when a task reaches *Review*, one at a time for a task. */
export class Reviews {
  readonly #context: Context;
  readonly #supervisor: Supervisor;
  readonly #running = new Map<ReviewId, { taskId: TaskId; abort: AbortController; done: Promise<void> }>();

  constructor(context: Context, supervisor: Supervisor) {
    this.#context = context;
    this.#supervisor = supervisor;
  }

  /** After the recovery: ends what a dead core left running, and from now on follows tasks that reach *Review*. */
  async begin(): Promise<void> {
    const left = Object.values(this.#context.store.board.reviews).filter(({ state }) => state === 'running');
    const error = { code: 'model-interrupted' as const, message: 'Signalbox ended while this review ran.', fix: 'Start it again.' };
    const endedAt = this.#context.now();
    if (left.length)
      await this.#context.store.commit({
        events: left.map((review): DomainEvent => ({ type: 'review.changed', review: { ...review, state: 'failed', endedAt, error } })),
      });
    this.#context.events.on((events) => {
      for (const { event } of events) if (event.type === 'turn.ended' && event.turn.status === 'completed') this.#reached(event.taskId);
    });
  }

  #reached(taskId: TaskId): void {
    const { board } = this.#context.store;
    const task = board.tasks[taskId];
    const auto = task && board.projects[task.projectId]?.review;
    const thread = task && threadOf(board, task);
    if (!task || !auto?.on || !task.diff?.files || task.inPlace || (thread?.turn?.kind ?? 'work') !== 'work') return;
    if (thread?.queue.length || statusOf(board, task) !== 'review' || this.#context.closing.signal.aborted) return;
    this.#start(taskId, { kind: 'task' }, 'auto', auto.model ?? task.model).catch((error: unknown) =>
      this.#context.log('reviewing a task', error),
    );
  }

  async start({ taskId, target, model }: ParsedInputOf<'review/start'>): Promise<{ reviewId: ReviewId }> {
    const { task, workspace } = taskParts(this.#context, taskId);
    if (workspace?.phase !== 'ready')
      throw new Failure('worktree-missing', `“${task.title}” has no worktree to review.`, { fix: 'Start the task first.' });
    return { reviewId: await this.#start(taskId, target, 'person', model ?? task.model) };
  }

  async #start(taskId: TaskId, target: Review['target'], by: Review['by'], model: string): Promise<ReviewId> {
    const { board } = this.#context.store;
    const task = getTask(board, taskId);
    if ([...this.#running.values()].some((running) => running.taskId === taskId))
      throw new Failure('conflict', `“${task.title}” is being reviewed already.`, { fix: 'Wait for it, or stop it.' });
    const now = this.#context.now();
    const review: Review = {
      id: newId<ReviewId>('rev'),
      taskId,
      target,
      by,
      model,
      state: 'running',
      from: null,
      to: null,
      findings: [],
      summary: '',
      startedAt: now,
      endedAt: null,
      error: null,
    };
    const abort = new AbortController();
    // Taken before anything is awaited: two windows may ask at once.
    const running = { taskId, abort, done: Promise.resolve() };
    this.#running.set(review.id, running);
    try {
      const old = reviewsOf(board, taskId).slice(KEPT - 1);
      await this.#context.store.commit({
        events: [
          { type: 'review.changed', review },
          ...old.map(({ id }): DomainEvent => ({ type: 'review.dropped', reviewId: id, taskId })),
        ],
      });
    } catch (error) {
      this.#running.delete(review.id);
      throw error;
    }
    running.done = this.#context.rest
      .during(taskId, () => this.#run(review, abort.signal))
      .catch((error: unknown) => this.#context.log('a review', error))
      .finally(() => this.#running.delete(review.id));
    return review.id;
  }

  async #run(begun: Review, signal: AbortSignal): Promise<void> {
    let review = begun;
    try {
      const { task, thread, workspace } = taskParts(this.#context, review.taskId);
      const open = await this.#context.workspaces.open(workspace!.id);
      const compared = await compare(open, review.target, thread.turn?.treeBefore ?? null);
      review = { ...review, from: compared.from, to: compared.to };
      if (!compared.files.length) throw new Failure('nothing-to-land', 'There is nothing to review: no file has changed.');
      const dismissed = reviewsOf(this.#context.store.board, task.id).flatMap(({ findings }) =>
        findings.filter(({ state }) => state === 'dismissed'),
      );
      const spent = (usage: Parameters<typeof priced>[0]): void => {
        const event = {
          type: 'turn.spent',
          taskId: task.id,
          usage: priced(usage, this.#context.models.price(review.model)),
          model: review.model,
        } as const;
        this.#context.store.commit({ events: [event] }).catch((error: unknown) => this.#context.log('saving usage', error));
      };
      const done = await reviewPass(this.#context, { open, task, model: review.model, compared, dismissed, signal, spent });
      review = { ...review, ...done, state: 'done' };
    } catch (thrown) {
      review = signal.aborted ? { ...review, state: 'stopped' } : { ...review, state: 'failed', error: toAppError(thrown) };
    }
    // A task that is gone for good meanwhile has no reviews.
    if (!this.#context.store.board.tasks[review.taskId]) return;
    const ended: DomainEvent = { type: 'review.changed', review: { ...review, endedAt: this.#context.now() } };
    // Whoever hears that it has ended may begin the next.
    await settle(this.#context, () => ({ events: [ended] }), { tried: () => this.#running.delete(review.id) });
  }

  async stop(reviewId: ReviewId): Promise<void> {
    const running = this.#running.get(reviewId);
    running?.abort.abort(new Error('Stopped by the person.'));
    await running?.done;
  }

  /** Ends a task's review, such as before its worktree moves. */
  async stopTask(taskId: TaskId): Promise<void> {
    await Promise.all([...this.#running].filter(([, running]) => running.taskId === taskId).map(([id]) => this.stop(id)));
  }

  #review(id: ReviewId, findingIds: readonly string[]): { review: Review; chosen: Finding[] } {
    const review = this.#context.store.board.reviews[id];
    if (!review) throw new Failure('not-found', 'This review does not exist any more.');
    const chosen = review.findings.filter((finding) => findingIds.includes(finding.id));
    if (!chosen.length) throw new Failure('not-found', 'These findings do not exist any more.');
    return { review, chosen };
  }

  async #mark(review: Review, findingIds: readonly string[], state: Finding['state']): Promise<void> {
    const findings = review.findings.map((finding) => (findingIds.includes(finding.id) ? { ...finding, state } : finding));
    await this.#context.store.commit({ events: [{ type: 'review.changed', review: { ...review, findings } }] });
  }

  async fix({ reviewId, findingIds, note }: ParsedInputOf<'findings/fix'>): ReturnType<Supervisor['say']> {
    const { review, chosen } = this.#review(reviewId, findingIds);
    const { thread } = taskParts(this.#context, review.taskId);
    const said = await this.#supervisor.say(thread.id, fixWords(chosen, note), { kind: 'work' });
    await this.#mark(this.#context.store.board.reviews[reviewId] ?? review, findingIds, 'sent');
    return said;
  }

  async dismiss({ reviewId, findingIds, dismissed }: ParsedInputOf<'findings/dismiss'>): Promise<void> {
    const { review } = this.#review(reviewId, findingIds);
    await this.#mark(review, findingIds, dismissed ? 'dismissed' : 'open');
  }

  /** Ends all. What was running is told to be so at the next start. */
  async dispose(): Promise<void> {
    const all = [...this.#running.values()];
    for (const { abort } of all) abort.abort(new Error('Signalbox is closing.'));
    await Promise.allSettled(all.map(({ done }) => done));
  }
}
