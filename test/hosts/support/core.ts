import {
  emptyBoard,
  project,
  methods,
  type Handlers,
  type MethodName,
  type Settings,
  type Snapshot,
  type StoredEvent,
  type DomainEvent,
  type ThreadId,
  type TaskId,
  type ItemId,
  type TurnId,
  type Transient,
} from '../../../agent-core/contract/index.ts';
import type { Client, Core } from '../../../agent-core/runtime/api.ts';
import { disposable } from '../../../agent-core/support/disposable.ts';
import { newId } from '../../../agent-core/support/ids.ts';

export const settings: Settings = {
  baseUrl: '',
  wire: 'responses',
  model: 'demo',
  hasKey: false,
  keySource: 'none',
  concurrency: 3,
  theme: 'system',
  worktreeRoot: null,
  defaults: { mode: 'workspace', approval: 'on-request' },
  models: [],
};

export interface SmallCore extends Core {
  /** Commits events, as the real core does after they are durable. */
  commit(...events: DomainEvent[]): void;
  tell(news: Transient): void;
  readonly clients: Set<Client>;
  disposed: boolean;
}

/** A core made of the contract alone: a board in memory and the handlers that a test gives. */
export function smallCore(home = '/nowhere', given: Partial<Handlers<Client>> = {}): SmallCore {
  let board = emptyBoard(settings);
  let seq = 0;
  const listeners = new Set<(events: readonly StoredEvent[]) => void>();
  const news = new Set<(news: Transient) => void>();
  const clients = new Set<Client>();
  const snapshot = (): Snapshot => ({
    seq,
    board,
    activity: {},
    sandbox: { state: 'confined', driver: 'test', probes: [], ms: 0 },
    host: { kind: 'test', home, user: 'tester', platform: 'linux', version: '0', openOn: null },
  });
  const basic: Partial<Handlers<Client>> = {
    'thread/subscribe': async ({ threadId }, client) => {
      clients.add(client);
      client.threads.add(threadId);
      return {};
    },
    'thread/unsubscribe': async ({ threadId }, client) => {
      client.threads.delete(threadId);
      return {};
    },
    'settings/write': async ({ change }) => {
      core.commit({ type: 'settings.changed', settings: { ...board.settings, ...change } as Settings });
      return board.settings;
    },
  };
  const unset = (name: string) => async () => {
    throw new Error(`the test has no ${name}`);
  };
  const handlers = Object.fromEntries(
    Object.keys(methods).map((name) => [name, given[name as MethodName] ?? basic[name as MethodName] ?? unset(name)]),
  ) as unknown as Handlers<Client>;
  const core: SmallCore = {
    handlers,
    snapshot,
    clients,
    disposed: false,
    onEvents: (listener) => {
      listeners.add(listener);
      return disposable(() => listeners.delete(listener));
    },
    onTransient: (listener) => {
      news.add(listener);
      return disposable(() => news.delete(listener));
    },
    commit: (...events) => {
      const batch = events.map((event) => ({ seq: ++seq, at: Date.now(), event }));
      board = batch.reduce(project, board);
      for (const listener of listeners) listener(batch);
    },
    tell: (value) => {
      for (const listener of news) listener(value);
    },
    dispose: async () => {
      core.disposed = true;
    },
  };
  return core;
}

export const threadId = () => newId<ThreadId>('thr');
export const taskId = () => newId<TaskId>('task');

/** An agent's message in `thread`, as `item.updated`. */
export const said = (thread: ThreadId, id: ItemId, text: string): DomainEvent => ({
  type: 'item.updated',
  taskId: taskId(),
  item: { type: 'agentMessage', id, threadId: thread, turnId: newId<TurnId>('turn'), startedAt: 0, endedAt: null, text },
});

/** Resolves once `check` holds; fails after `ms`. */
export async function until(check: () => boolean | Promise<boolean>, what: string, ms = 10_000): Promise<void> {
  const end = Date.now() + ms;
  while (!(await check())) {
    if (Date.now() > end) throw new Error(`still not: ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}
