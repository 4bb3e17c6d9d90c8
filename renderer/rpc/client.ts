import {
  Failure,
  ServerMessage,
  Snapshot,
  WIRE_VERSION,
  type AppError,
  type InputOf,
  type MethodName,
  type OutputOf,
  type StoredEvent,
  type Transient,
} from '../../agent-core/contract/index.ts';
import type { Connect, Link } from './transport.ts';

/** `refused` is final: the core won't have this client (wrong token or version). */
export type Connection =
  | { state: 'connecting' }
  | { state: 'open' }
  | { state: 'lost'; since: number; retryAt: number }
  | { state: 'refused'; error: AppError };

export interface ClientEvents {
  /** The truth from scratch: after connecting, and after a gap. */
  snapshot(snapshot: Snapshot): void;
  /** New events in order, each exactly once after the last snapshot. */
  events(events: readonly StoredEvent[]): void;
  transient(items: readonly Transient[]): void;
  connection(connection: Connection): void;
}

export interface Client {
  /** Asks the core; rejects with `Failure` (the method's expected failures, or `internal` when the link broke). */
  call<M extends MethodName>(method: M, input: InputOf<M>): Promise<OutputOf<M>>;
  /** Tries again at once instead of at the next backoff. */
  retryNow(): void;
  dispose(): void;
}

const BACKOFF_MS = [250, 500, 1000, 2000, 4000, 8000];

interface Waiting {
  resolve(value: unknown): void;
  reject(reason: Failure): void;
}

/** Requests that wait for their answer, by number. */
function createCalls() {
  const waiting = new Map<number, Waiting>();
  let nextId = 1;
  const take = (id: number) => {
    const found = waiting.get(id);
    waiting.delete(id);
    return found;
  };
  return {
    ask: (link: Link | null, method: string, params: unknown) =>
      new Promise<unknown>((resolve, reject) => {
        if (!link) {
          reject(new Failure('internal', 'The core is not connected.', { fix: 'Wait until the connection is back, then try again.' }));
          return;
        }
        const id = nextId++;
        waiting.set(id, { resolve, reject });
        link.send({ id, method, params });
      }),
    result: (id: number, value: unknown) => take(id)?.resolve(value),
    error: (id: number, { code, message, ...more }: AppError) => take(id)?.reject(new Failure(code, message, more)),
    failAll(reason: string) {
      for (const { reject } of waiting.values()) reject(new Failure('internal', reason));
      waiting.clear();
    },
  };
}

/** The sequence of events: whole, each once; a hole is filled by a snapshot. `giveUp` is called when none can be had. */
function createOrder(on: ClientEvents, ask: () => Promise<unknown>, giveUp: () => void) {
  let seq = -1;
  let resyncing = false;
  function take(value: unknown) {
    const snapshot = Snapshot.parse(value);
    seq = snapshot.seq;
    on.snapshot(snapshot);
  }
  async function resync() {
    if (resyncing) return;
    resyncing = true;
    try {
      take(await ask());
    } catch {
      giveUp();
    } finally {
      resyncing = false;
    }
  }
  return {
    take,
    resync,
    reset() {
      seq = -1;
    },
    advance(from: number, to: number, events: readonly StoredEvent[]) {
      if (to <= seq || seq < 0) return;
      if (from > seq + 1) {
        void resync();
        return;
      }
      const fresh = events.filter((event) => event.seq > seq);
      seq = to;
      if (!resyncing && fresh.length) on.events(fresh);
    },
  };
}

function receive(raw: unknown, calls: ReturnType<typeof createCalls>, order: ReturnType<typeof createOrder>, on: ClientEvents): void {
  const parsed = ServerMessage.safeParse(raw);
  if (!parsed.success) {
    // What can't be read may have been news: the whole truth is asked for again.
    console.error(parsed.error);
    void order.resync();
    return;
  }
  const message = parsed.data;
  switch (message.kind) {
    case 'result':
      calls.result(message.id, message.value);
      break;
    case 'error':
      calls.error(message.id, message.error);
      break;
    case 'events':
      order.advance(message.from, message.to, message.events);
      break;
    case 'transient':
      on.transient(message.items);
  }
}

/** Failures of the greeting that another try would not change. */
const final: ReadonlySet<AppError['code']> = new Set<AppError['code']>(['unauthorized', 'unsupported-version']);

/** A greeting that this page can't read comes from a core of another build. */
const unreadable = (thrown: unknown): AppError => ({
  code: 'unsupported-version',
  message: 'This page can’t read what the core says.',
  fix: 'Reload the page. If it stays so, start Signalbox again.',
  output: String(thrown).slice(0, 2000),
});

/** Keeps one link to the core alive, with its sequence of events whole. */
export function createClient(connect: Connect, token: string | undefined, on: ClientEvents): Client {
  let link: Link | null = null;
  let disposed = false;
  let attempt = 0;
  let lostSince = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const calls = createCalls();

  const call = <M extends MethodName>(method: M, input: InputOf<M>): Promise<OutputOf<M>> =>
    calls.ask(link, method, input) as Promise<OutputOf<M>>;
  const order = createOrder(
    on,
    () => call('snapshot', {}),
    () => link?.close(),
  );

  function lost() {
    link = null;
    order.reset();
    calls.failAll('The connection to the core broke before it answered.');
    if (disposed) return;
    lostSince ||= Date.now();
    const wait = BACKOFF_MS[Math.min(attempt++, BACKOFF_MS.length - 1)]!;
    on.connection({ state: 'lost', since: lostSince, retryAt: Date.now() + wait });
    clearTimeout(timer);
    timer = setTimeout(() => void open(), wait);
  }

  async function open() {
    if (disposed || link) return;
    try {
      link = await connect({ message: (raw) => receive(raw, calls, order, on), close: lost });
    } catch {
      lost();
      return;
    }
    try {
      order.take(await call('initialize', { version: WIRE_VERSION, ...(token === undefined ? {} : { token }) }));
      attempt = 0;
      lostSince = 0;
      on.connection({ state: 'open' });
    } catch (thrown) {
      const error = thrown instanceof Failure ? thrown.detail : unreadable(thrown);
      if (final.has(error.code)) {
        disposed = true;
        on.connection({ state: 'refused', error });
      }
      link?.close();
    }
  }

  on.connection({ state: 'connecting' });
  void open();
  return {
    call,
    retryNow() {
      clearTimeout(timer);
      if (!link) void open();
    },
    dispose() {
      disposed = true;
      clearTimeout(timer);
      link?.close();
    },
  };
}
