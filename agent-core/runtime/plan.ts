import {
  Failure,
  type DomainEvent,
  type Item,
  type ItemId,
  type ItemOf,
  type ParsedInputOf,
  type TaskId,
  type Turn,
} from '../contract/index.ts';
import type { AttemptId, ThreadId, WorkspaceId } from '../contract/index.ts';
import { flawOf, proposalOf, startWords, stepWords } from '../domain/plan.ts';
import { createTask } from '../domain/tasks.ts';
import { resolveBase } from '../git/repository.ts';
import type { Machine } from '../sandbox/types.ts';
import { newId } from '../support/ids.ts';
import { taskParts, type Context } from './context.ts';
import type { Supervisor } from './supervisor.ts';

type Proposed = ItemOf<'proposal'>;

/**
 * A machine in which nothing can be changed: what runs sees the worktree and the session store read-only, whatever it
 * asks for, and the files' door lets nothing in. It is the one that confines, in full access too.
 */
export function readOnly(machine: Machine): Machine {
  const refuse = (): Promise<never> =>
    Promise.reject(new Failure('not-allowed', 'Nothing can be changed in a turn that plans or answers.', { fix: 'Start a turn in Work.' }));
  return {
    spec: machine.spec,
    run: (request) => machine.run({ ...request, access: 'read' }),
    collect: (request) => machine.collect({ ...request, access: 'read' }),
    files: {
      read: (path, limit) => machine.files.read(path, limit),
      stat: (path) => machine.files.stat(path),
      list: (path) => machine.files.list(path),
      write: refuse,
      remove: refuse,
    },
    setPolicy: (policy) => machine.setPolicy(policy),
    dispose: () => machine.dispose(),
  };
}

/** What a plan turn leaves: its plan as an item, in the place of the thread's open ones; a note where it gave none. */
export function planEvents(context: Context, taskId: TaskId, turn: Turn, message: string): DomainEvent[] {
  if (turn.kind !== 'plan') return [];
  const now = context.now();
  const base = { id: newId<ItemId>('item'), threadId: turn.threadId, turnId: turn.id, startedAt: now, endedAt: now };
  const plan = proposalOf(message) ?? drawnPlan(context.store.itemsOfTurn(turn.id));
  if (!plan) {
    const text = 'This turn ended without a plan. Say what is missing, and it goes on in Plan.';
    return [{ type: 'item.completed', taskId, item: { ...base, type: 'notice', level: 'warn', text, error: null } }];
  }
  const item: Item = { ...base, type: 'proposal', ...plan, revision: 1, state: 'open' };
  return [...replaced(context, taskId, turn), { type: 'item.completed', taskId, item }];
}

/** A model that has a tool for plans may leave it at that. */
function drawnPlan(items: readonly Item[]): Pick<Proposed, 'title' | 'text' | 'steps'> | null {
  const plan = items.findLast((item) => item.type === 'plan');
  if (!plan?.steps.length) return null;
  const steps = plan.steps.map(({ step }, index) => ({ id: `s${index + 1}`, text: step, detail: '', after: [], taskId: null }));
  return { title: '', text: plan.explanation ?? '', steps };
}

function replaced(context: Context, taskId: TaskId, turn: Turn): DomainEvent[] {
  return context.store
    .turns(turn.threadId)
    .filter(({ kind, id }) => kind === 'plan' && id !== turn.id)
    .flatMap(({ id }) => context.store.itemsOfTurn(id))
    .flatMap((item): DomainEvent[] =>
      item.type === 'proposal' && item.state === 'open'
        ? [{ type: 'item.updated', taskId, item: { ...item, state: 'replaced', revision: item.revision + 1 } }]
        : [],
    );
}

/** The plan at the edition that a person saw. Throws `not-found`, or `conflict` where it is another one by now. */
function planOf(context: Context, itemId: ItemId, revision: number): { item: Proposed; taskId: TaskId } {
  const item = context.store.item(itemId);
  if (item?.type !== 'proposal') throw new Failure('not-found', 'This plan does not exist any more.');
  if (item.state === 'replaced') throw new Failure('conflict', 'A newer plan took the place of this one.', { fix: 'Use the newer one.' });
  if (item.revision !== revision)
    throw new Failure('conflict', 'This plan was changed in another window.', { fix: 'Look at it as it is now, and do it again.' });
  return { item, taskId: context.store.board.threads[item.threadId]!.taskId };
}

/** What a person does with a plan. */
export class Plans {
  readonly #context: Context;
  readonly #supervisor: Supervisor;
  /** One at a time: an edition is checked and written in the same breath. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(context: Context, supervisor: Supervisor) {
    this.#context = context;
    this.#supervisor = supervisor;
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work);
    this.#last = mine.catch(() => {
      /* told to the caller */
    });
    return mine;
  }

  async #write(taskId: TaskId, item: Proposed, more: DomainEvent[] = []): Promise<Proposed> {
    const next = { ...item, revision: item.revision + 1 };
    await this.#context.store.commit({ events: [...more, { type: 'item.updated', taskId, item: next }] });
    return next;
  }

  edit({ itemId, revision, steps }: ParsedInputOf<'plan/edit'>): Promise<{ revision: number }> {
    return this.#alone(async () => {
      const { item, taskId } = planOf(this.#context, itemId, revision);
      const flaw = flawOf(steps);
      if (flaw) throw new Failure('invalid-input', flaw);
      const made = new Map(item.steps.map((step) => [step.id, step.taskId]));
      return this.#write(taskId, { ...item, steps: steps.map((step) => ({ ...step, taskId: made.get(step.id) ?? null })) });
    });
  }

  start({ itemId, revision }: ParsedInputOf<'plan/start'>): ReturnType<Supervisor['say']> {
    return this.#alone(async () => {
      const { item, taskId } = planOf(this.#context, itemId, revision);
      if (!item.steps.length) throw new Failure('invalid-input', 'The plan has no steps.', { fix: 'Add a step.' });
      if (item.state === 'started') throw new Failure('conflict', 'This plan was started already.');
      const said = await this.#supervisor.say(item.threadId, startWords(item), { kind: 'work' });
      await this.#write(taskId, { ...item, state: 'started' });
      return said;
    });
  }

  split(input: ParsedInputOf<'plan/split'>): Promise<{ taskIds: TaskId[] }> {
    return this.#alone(async () => {
      const { item, taskId } = planOf(this.#context, input.itemId, input.revision);
      const chosen = item.steps.filter(({ id }) => input.stepIds.includes(id));
      if (chosen.length < new Set(input.stepIds).size) throw new Failure('conflict', 'A chosen step is not in the plan any more.');
      const again = chosen.find((step) => step.taskId && this.#context.store.board.tasks[step.taskId]);
      if (again) throw new Failure('conflict', `“${again.text}” is a task already.`);
      const { task, project } = taskParts(this.#context, taskId);
      const base = { ref: task.base.ref, kind: task.base.kind };
      const resolved = {
        base: { ...base, commit: await resolveBase(project, base) },
        model: task.model,
      };
      const ids = new Map(chosen.map((step) => [step.id, newId<TaskId>('task')]));
      const made = chosen.map((step, index): DomainEvent[] => {
        const before = input.order === 'sequence' ? chosen.slice(Math.max(0, index - 1), index).map(({ id }) => id) : step.after;
        const dependsOn = before.flatMap((id) => ids.get(id) ?? item.steps.find((each) => each.id === id)?.taskId ?? []);
        return this.#task(input, { item, step, index, task, resolved, id: ids.get(step.id)!, dependsOn });
      });
      const steps = item.steps.map((step) => ({ ...step, taskId: ids.get(step.id) ?? step.taskId }));
      await this.#write(taskId, { ...item, steps, state: item.state === 'open' ? 'split' : item.state }, made.flat());
      return { taskIds: [...ids.values()] };
    });
  }

  #task(
    { start }: ParsedInputOf<'plan/split'>,
    of: {
      item: Proposed;
      step: Proposed['steps'][number];
      index: number;
      task: ReturnType<typeof taskParts>['task'];
      resolved: Parameters<typeof createTask>[2];
      id: TaskId;
      dependsOn: TaskId[];
    },
  ): DomainEvent[] {
    const { board } = this.#context.store;
    const { projectId, mode, approval } = of.task;
    const events = createTask(
      board,
      {
        projectId,
        mode,
        approval,
        prompt: stepWords(of.item, of.step),
        title: of.step.text.slice(0, 72),
        start,
        dependsOn: [],
        origin: 'app',
        inPlace: false,
      },
      of.resolved,
      { task: of.id, attempt: newId<AttemptId>('att'), thread: newId<ThreadId>('thr'), workspace: newId<WorkspaceId>('ws') },
      this.#context.now(),
    );
    // All in one batch: those it waits for are not on the board yet, and each stands behind the one before it.
    return events.map((event) =>
      event.type === 'task.created'
        ? { ...event, task: { ...event.task, order: event.task.order + of.index, dependsOn: of.dependsOn } }
        : event,
    );
  }
}
