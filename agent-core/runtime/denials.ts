import {
  Failure,
  threadOf,
  type Denial,
  type DenialId,
  type DomainEvent,
  type Item,
  type ItemId,
  type ParsedInputOf,
  type Scope,
  type Thread,
} from '../contract/index.ts';
import { getTask } from '../domain/tasks.ts';
import { newId } from '../support/ids.ts';
import type { Store } from '../storage/store.ts';

/** Lets a denied thing through. What it changes is on disk, or in the worktree, when it resolves. Throws a `Failure` where it can't. */
export type LetThrough = (denial: Denial, scope: Scope) => Promise<void>;

export type Denied = Pick<Denial, 'taskId' | 'kind' | 'subject' | 'command' | 'detail' | 'scopes' | 'kept' | 'digest'>;

const COMMAND_SHOWN = 1000;

/** What the sandbox kept from happening, until a person lets it through or waves it off. */
export class Denials {
  readonly #store: Store;
  readonly #now: () => number;
  readonly #through = new Map<Denial['kind'], LetThrough>();

  constructor(store: Store, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  /** Says who lets things of a kind through. */
  handle(kind: Denial['kind'], through: LetThrough): void {
    this.#through.set(kind, through);
  }

  /**
   * Durable when it resolves. The same thing of the same task stands once while it is open; then null. Another content of
   * the same file takes the place of the one before: who allows it must know which.
   */
  async record(denied: Denied): Promise<Denial | null> {
    const { board } = this.#store;
    const thread = threadOf(board, getTask(board, denied.taskId));
    const known = Object.values(board.denials).find(
      (other) => other.taskId === denied.taskId && other.kind === denied.kind && other.subject === denied.subject,
    );
    if (!thread || (known && known.kept === denied.kept)) return null;
    if (known) await this.#settle(known, 'dismissed', 'once');
    return this.#fresh(denied, thread);
  }

  async #fresh(denied: Denied, thread: Thread): Promise<Denial> {
    const at = this.#now();
    // A command may be a whole script, and the board has every open denial.
    const command = denied.command.slice(0, COMMAND_SHOWN);
    const denial: Denial = { ...denied, command, id: newId<DenialId>('deny'), threadId: thread.id, itemId: newId<ItemId>('item'), at };
    const events: DomainEvent[] = [{ type: 'denial.recorded', denial }];
    if (thread.turn) events.push({ type: 'item.completed', taskId: denial.taskId, item: itemOf(denial, thread.turn.id) });
    await this.#store.commit({ events });
    return denial;
  }

  /** Answers those that are still open; returns which. Throws what letting one through throws; those before it stand. */
  async decide({ denialIds, decision, scope }: ParsedInputOf<'denial/decide'>): Promise<DenialId[]> {
    const decided: DenialId[] = [];
    for (const id of denialIds) {
      const denial = this.#store.board.denials[id];
      if (!denial) continue;
      if (decision === 'allow') await this.#allow(denial, scope);
      await this.#settle(denial, decision === 'allow' ? 'allowed' : 'dismissed', scope);
      decided.push(id);
    }
    return decided;
  }

  async #allow(denial: Denial, scope: Scope): Promise<void> {
    if (!denial.scopes.includes(scope))
      throw new Failure('not-allowed', `${denial.subject} can't be allowed for that long.`, {
        fix: `Choose one of: ${denial.scopes.join(', ')}.`,
      });
    await this.#through.get(denial.kind)?.(denial, scope);
  }

  async #settle(denial: Denial, decision: 'allowed' | 'dismissed', scope: Scope): Promise<void> {
    const item = this.#store.item(denial.itemId);
    const events: DomainEvent[] = [
      { type: 'denial.decided', denialId: denial.id, taskId: denial.taskId, decision, scope: decision === 'allowed' ? scope : null },
    ];
    if (item?.type === 'denial') {
      const closed: Item = { ...item, decision, scope: decision === 'allowed' ? scope : null };
      events.push({ type: 'item.updated', taskId: denial.taskId, item: closed });
    }
    await this.#store.commit({ events });
  }
}

function itemOf(denial: Denial, turnId: Item['turnId']): Item {
  const { threadId, kind, subject, command, detail, at } = denial;
  return {
    id: denial.itemId,
    threadId,
    turnId,
    startedAt: at,
    endedAt: at,
    type: 'denial',
    denialId: denial.id,
    kind,
    subject,
    command,
    detail,
    decision: 'open',
    scope: null,
  };
}
