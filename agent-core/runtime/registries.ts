import {
  threadOf,
  type Approval,
  type ApprovalId,
  type DomainEvent,
  type ItemId,
  type ItemOf,
  type ProjectId,
  type Registry,
  type RegistryAnswers,
  type Task,
  type TaskId,
  type TurnId,
} from '../contract/index.ts';
import { closeItem, withdraw } from '../domain/turns.ts';
import type { Store } from '../storage/store.ts';
import { newId } from '../support/ids.ts';
import type { Gates } from './gates.ts';

const none: RegistryAnswers = { allowed: [], refused: [] };
const EFFECT = 'Setup may reach these hosts while it runs, in every new task of this project. After it the network is closed again.';

/** Rejects with the signal's reason; resolves when `other` is over, however it ended. */
function orAborted(other: Promise<unknown>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop, { once: true });
    const over = (): void => {
      signal.removeEventListener('abort', stop);
      resolve();
    };
    other.then(over, over);
  });
}

/** Which registries setup may reach: asked once per project and host, of the first task that needs it. */
export class Registries {
  readonly #store: Store;
  readonly #gates: Gates;
  readonly #now: () => number;
  /** The one gate of a project that is open. */
  readonly #asking = new Map<ProjectId, Promise<void>>();

  constructor(store: Store, gates: Gates, now: () => number) {
    this.#store = store;
    this.#gates = gates;
    this.#now = now;
  }

  #answers(projectId: ProjectId): RegistryAnswers {
    return this.#store.board.projects[projectId]?.registries ?? none;
  }

  #open(projectId: ProjectId, found: readonly Registry[]): Registry[] {
    const { allowed, refused } = this.#answers(projectId);
    return found.filter(({ host }) => !allowed.includes(host) && !refused.includes(host));
  }

  /**
   * Those of `found` that a person allowed, asked for where nobody has answered yet; waits as long as that takes. A task
   * that asks nobody (`never`) gets what is allowed already. `waits` is told before it waits. Rejects with the signal's reason.
   */
  async allowed(task: Task, found: readonly Registry[], signal: AbortSignal, waits: (hosts: string[]) => void): Promise<Registry[]> {
    for (let open = this.#open(task.projectId, found); open.length > 0; open = this.#open(task.projectId, found)) {
      if (task.approval === 'never') break;
      waits(open.map(({ host }) => host));
      const asked = this.#asking.get(task.projectId);
      if (asked) await orAborted(asked, signal);
      else await this.#ask(task, open, signal);
    }
    const { allowed } = this.#answers(task.projectId);
    return found.filter(({ host }) => allowed.includes(host));
  }

  async #ask(task: Task, open: readonly Registry[], signal: AbortSignal): Promise<void> {
    const asking = this.#gate(task, open, signal);
    const over = asking.catch(() => {
      /* told to who asked */
    });
    this.#asking.set(task.projectId, over);
    try {
      await asking;
    } finally {
      this.#asking.delete(task.projectId);
    }
  }

  async #gate(task: Task, open: readonly Registry[], signal: AbortSignal): Promise<void> {
    const { approval, item } = this.#request(task, open);
    const elsewhere = new AbortController();
    const heard = this.#store.onEvents((events) => {
      const ours = events.some(({ event }) => event.type === 'project.registries' && event.projectId === task.projectId);
      if (ours && this.#open(task.projectId, open).length === 0) elsewhere.abort();
    });
    const answered = this.#gates.wait(approval.id, AbortSignal.any([signal, elsewhere.signal]));
    answered.catch(() => {
      /* seen to below */
    });
    try {
      await this.#store.commit({
        events: [
          { type: 'item.started', taskId: task.id, item },
          { type: 'approval.requested', approval },
        ],
      });
      const answer = await answered;
      const closed: ItemOf<'approval'> = { ...item, endedAt: this.#now(), decision: answer.decision, scope: 'project', note: answer.note };
      await this.#store.commit({ events: [{ type: 'item.completed', taskId: task.id, item: closed }] });
      await this.answer(
        task.projectId,
        open.map(({ host }) => host),
        answer.decision === 'approved' ? 'allow' : 'refuse',
      );
    } catch (error) {
      // One that a dead core left is withdrawn by the next.
      await this.#withdraw(approval, item, elsewhere.signal.aborted).catch(() => {});
      if (!elsewhere.signal.aborted) throw error;
    } finally {
      heard.dispose();
    }
  }

  #request(task: Task, open: readonly Registry[]): { approval: Approval; item: ItemOf<'approval'> } {
    const at = this.#now();
    const threadId = threadOf(this.#store.board, task)!.id;
    const files = [...new Set(open.flatMap((registry) => registry.files))];
    const near = open.some((registry) => registry.near) ? ' Some of them lie on this computer or in your network.' : '';
    const approval: Approval = {
      id: newId<ApprovalId>('appr'),
      taskId: task.id,
      threadId,
      itemId: newId<ItemId>('item'),
      kind: 'setup',
      subject: open.map(({ host }) => host).join('\n'),
      argv: null,
      cwd: this.#store.board.projects[task.projectId]?.root ?? '',
      reason: `Named by ${files.slice(0, 5).join(', ')}${files.length > 5 ? ` and ${files.length - 5} more` : ''}.`,
      effect: EFFECT + near,
      prefix: null,
      at,
    };
    const item: ItemOf<'approval'> = {
      id: approval.itemId,
      threadId,
      turnId: newId<TurnId>('turn'),
      startedAt: at,
      endedAt: null,
      type: 'approval',
      approvalId: approval.id,
      subject: approval.subject,
      reason: approval.reason,
      decision: 'pending',
      scope: null,
      note: '',
    };
    return { approval, item };
  }

  async #withdraw(approval: Approval, item: ItemOf<'approval'>, elsewhere: boolean): Promise<void> {
    const { board } = this.#store;
    const note = elsewhere ? 'Answered in the project’s settings.' : 'Withdrawn: the task was stopped.';
    const events: DomainEvent[] = board.approvals[approval.id]
      ? withdraw(approval.taskId, { approvals: [approval.id], questions: [] })
      : [];
    if (this.#store.item(item.id)?.endedAt === null)
      events.push({ type: 'item.completed', taskId: approval.taskId, item: closeItem({ ...item, note }, this.#now()) });
    if (events.length) await this.#store.commit({ events });
  }

  /** Writes an answer for hosts, whatever was answered before. */
  async answer(projectId: ProjectId, hosts: readonly string[], answer: 'allow' | 'refuse' | 'forget'): Promise<void> {
    const { allowed, refused } = this.#answers(projectId);
    const rest = (list: readonly string[]): string[] => list.filter((host) => !hosts.includes(host));
    const registries: RegistryAnswers = {
      allowed: [...rest(allowed), ...(answer === 'allow' ? hosts : [])],
      refused: [...rest(refused), ...(answer === 'refuse' ? hosts : [])],
    };
    await this.#store.commit({ events: [{ type: 'project.registries', projectId, registries }] });
  }

  /** Gates that the last core left: nobody waits behind them; who needs the answer asks again. */
  async recover(): Promise<void> {
    const left = Object.values(this.#store.board.approvals).filter(({ kind }) => kind === 'setup');
    const events = left.flatMap(({ id, taskId }) => withdraw(taskId as TaskId, { approvals: [id], questions: [] }));
    if (events.length) await this.#store.commit({ events });
  }
}
