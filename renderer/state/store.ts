import { createStore } from 'zustand/vanilla';
import {
  project,
  toAppError,
  type Activity,
  type AppError,
  type Board,
  type McpHealth,
  type SandboxStatus,
  type Snapshot,
  type StoredEvent,
  type ThreadId,
  type Transient,
} from '../../agent-core/contract/index.ts';
import type { Client, ClientEvents, Connection } from '../rpc/client.ts';
import { foldDelta, foldThread, loadingThread, type ThreadState } from './threads.ts';

/** What the core says, and nothing of the page's own. */
export interface CoreState {
  connection: Connection;
  /** Null until the first snapshot; kept while the connection is lost. */
  board: Board | null;
  activity: Readonly<Record<string, Activity>>;
  sandbox: SandboxStatus | null;
  /** How MCP servers are, by their id, as far as it was asked for. */
  servers: Readonly<Record<string, McpHealth>>;
  host: Snapshot['host'] | null;
  threads: Readonly<Record<string, ThreadState>>;
}

const noState: CoreState = {
  connection: { state: 'connecting' },
  board: null,
  activity: {},
  sandbox: null,
  servers: {},
  host: null,
  threads: {},
};

/** The one store of what the core says. Written by `coreEvents` and the thread functions below only. */
export const core = createStore<CoreState>(() => noState);

type TerminalNews = Extract<Transient, { type: 'terminal.output' | 'terminal.exited' }>;
const terminalListeners = new Set<(news: TerminalNews) => void>();
const networkListeners = new Set<(taskId: string) => void>();
const eventListeners = new Set<(events: readonly StoredEvent[], before: Board) => void>();

/** Terminal bytes go past the store. Returns the unsubscribe. */
export function onTerminal(listener: (news: TerminalNews) => void): () => void {
  terminalListeners.add(listener);
  return () => {
    terminalListeners.delete(listener);
  };
}

/** Told when a task's log of connections has grown. Returns the unsubscribe. */
export function onNetwork(listener: (taskId: string) => void): () => void {
  networkListeners.add(listener);
  return () => {
    networkListeners.delete(listener);
  };
}

/** Told after events were folded; `before` is the board they were folded into. Returns the unsubscribe. */
export function onEvents(listener: (events: readonly StoredEvent[], before: Board) => void): () => void {
  eventListeners.add(listener);
  return () => {
    eventListeners.delete(listener);
  };
}

let client: Client | null = null;
/** The client in use; throws before `main.tsx` has set it. */
export function rpc(): Client {
  if (!client) throw new Error('The client is not set up yet.');
  return client;
}
export const setClient = (next: Client): void => {
  client = next;
};

function foldEvents(events: readonly StoredEvent[]) {
  const state = core.getState();
  if (!state.board) return;
  const board = events.reduce(project, state.board);
  let { threads } = state;
  for (const [id, thread] of Object.entries(threads)) {
    const next = events.reduce((folded, event) => foldThread(id, folded, event), thread);
    if (next !== thread) threads = { ...threads, [id]: next };
  }
  core.setState({ board, threads });
  for (const { event } of events) if (event.type === 'thread.rewound' && users.has(event.threadId)) void loadThread(event.threadId);
  for (const listener of eventListeners) listener(events, state.board);
}

function foldTransients(items: readonly Transient[]) {
  const state = core.getState();
  let { activity, threads, sandbox, servers } = state;
  for (const news of items) {
    switch (news.type) {
      case 'activity': {
        const { [news.taskId]: _old, ...rest } = activity;
        activity = news.activity ? { ...rest, [news.taskId]: news.activity } : rest;
        break;
      }
      case 'sandbox':
        sandbox = news.status;
        break;
      case 'mcp':
        servers = { ...servers, [news.health.serverId]: news.health };
        break;
      case 'item.delta': {
        const thread = threads[news.threadId];
        if (thread?.status === 'ready') threads = { ...threads, [news.threadId]: foldDelta(thread, news) };
        break;
      }
      case 'network':
        for (const listener of networkListeners) listener(news.taskId);
        break;
      case 'terminal.output':
      case 'terminal.exited':
        for (const listener of terminalListeners) listener(news);
    }
  }
  if (activity !== state.activity || threads !== state.threads || sandbox !== state.sandbox || servers !== state.servers)
    core.setState({ activity, threads, sandbox, servers });
}

/** Asks how the MCP servers are; from then on the store follows. */
export async function loadServers(): Promise<void> {
  const { servers } = await rpc().call('mcp/health', {});
  core.setState({ servers: Object.fromEntries(servers.map((health) => [health.serverId, health])) });
}

/** What the client tells, folded into the store. */
export const coreEvents: ClientEvents = {
  snapshot({ board, activity, sandbox, host }) {
    core.setState({ board, activity, sandbox, host });
    for (const id of Object.keys(core.getState().threads)) void loadThread(id as ThreadId);
  },
  events: foldEvents,
  transient: foldTransients,
  connection: (connection) => core.setState({ connection }),
};

const PAGE = 200;
const users = new Map<string, number>();
const setThread = (id: ThreadId, change: Partial<ThreadState>) =>
  core.setState(({ threads }) => ({ threads: { ...threads, [id]: { ...(threads[id] ?? loadingThread), ...change } } }));

async function loadThread(id: ThreadId): Promise<void> {
  try {
    await rpc().call('thread/subscribe', { threadId: id });
    const page = await rpc().call('thread/read', { threadId: id, limit: PAGE });
    if (!users.has(id)) return;
    setThread(id, {
      status: 'ready',
      error: null,
      turns: page.turns,
      more: page.more,
      seq: page.seq,
      order: page.items.map((item) => item.id),
      items: Object.fromEntries(page.items.map((item) => [item.id, item])),
    });
  } catch (thrown) {
    const error: AppError = toAppError(thrown);
    if (users.has(id)) setThread(id, { status: 'failed', error });
  }
}

/**
 * Reads and follows a thread as long as someone shows it. Returns the release; the conversation stays
 * in memory until its last user is gone.
 */
export function openThread(id: ThreadId): () => void {
  const count = users.get(id) ?? 0;
  users.set(id, count + 1);
  if (count === 0) {
    setThread(id, loadingThread);
    void loadThread(id);
  }
  let released = false;
  return () => {
    if (released) return;
    released = true;
    const left = (users.get(id) ?? 1) - 1;
    if (left > 0) {
      users.set(id, left);
      return;
    }
    users.delete(id);
    core.setState(({ threads: { [id]: _gone, ...rest } }) => ({ threads: rest }));
    rpc()
      .call('thread/unsubscribe', { threadId: id })
      .catch(() => undefined);
  };
}

/** Reads the page before the oldest item that is there. Throws `Failure`. */
export async function readOlder(id: ThreadId, limit = PAGE): Promise<void> {
  const thread = core.getState().threads[id];
  const oldest = thread?.order[0];
  if (!thread?.more || !oldest) return;
  const page = await rpc().call('thread/read', { threadId: id, before: thread.items[oldest]!.id, limit });
  const now = core.getState().threads[id];
  if (!now || now.order[0] !== oldest) return;
  const known = new Set(now.turns.map((turn) => turn.id));
  setThread(id, {
    turns: [...page.turns.filter((turn) => !known.has(turn.id)), ...now.turns],
    more: page.more,
    order: [...page.items.map((item) => item.id), ...now.order],
    items: { ...Object.fromEntries(page.items.map((item) => [item.id, item])), ...now.items },
  });
}

/** Reads back until an item is there. False where it is not in the conversation (any more). Throws `Failure`. */
export async function readBackTo(id: ThreadId, itemId: string): Promise<boolean> {
  for (
    let thread = core.getState().threads[id];
    thread?.status === 'ready' && !thread.items[itemId];
    thread = core.getState().threads[id]
  ) {
    if (!thread.more) return false;
    await readOlder(id, 500);
  }
  return core.getState().threads[id]?.items[itemId] !== undefined;
}

/** Lets go of all but the newest items: whoever stands at the end doesn't need them, and they can be read again. */
export function trimThread(id: ThreadId, keep: number): void {
  const thread = core.getState().threads[id];
  if (!thread || thread.order.length <= keep) return;
  const order = thread.order.slice(-keep);
  const items = Object.fromEntries(order.map((item) => [item, thread.items[item]!]));
  const first = thread.turns.find((turn) => turn.id === items[order[0]!]!.turnId)?.number ?? 0;
  setThread(id, { order, items, turns: thread.turns.filter((turn) => turn.number >= first - 1), more: true });
}

/** Reads a failed thread again. */
export function reloadThread(id: ThreadId): void {
  setThread(id, loadingThread);
  void loadThread(id);
}
