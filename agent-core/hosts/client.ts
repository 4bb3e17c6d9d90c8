import {
  Failure,
  WIRE_VERSION,
  project,
  type AppError,
  type Board,
  type Channel,
  type InputOf,
  type MethodName,
  type OutputOf,
  type ServerMessage,
  type Snapshot,
  type StoredEvent,
  type Transient,
} from '../contract/index.ts';
import { disposable, type Disposable } from '../support/disposable.ts';

/** A connection to a core, seen from the client. */
export interface CoreClient {
  /** The snapshot it began with, or the newest after a gap. */
  readonly snapshot: Snapshot;
  /** The board as of the newest event, folded by the contract's own `project`. */
  readonly board: Board;
  /** Rejects with a `Failure` of the method's kind, or `Failure('internal')` when the connection ends first. */
  call<M extends MethodName>(method: M, input: InputOf<M>): Promise<OutputOf<M>>;
  /** Events in order. After a gap they are replaced by {@link onReset}. */
  onEvents(listener: (events: readonly StoredEvent[]) => void): Disposable;
  onTransient(listener: (news: Transient) => void): Disposable;
  /** Events were lost; `snapshot` and `board` are fresh, threads have to be read again. */
  onReset(listener: () => void): Disposable;
  onClose(listener: () => void): void;
  readonly closed: boolean;
  close(): void;
}

class Listeners<T> {
  readonly #all = new Set<(value: T) => void>();
  add(listener: (value: T) => void): Disposable {
    this.#all.add(listener);
    return disposable(() => {
      this.#all.delete(listener);
    });
  }
  tell(value: T): void {
    for (const listener of [...this.#all]) listener(value);
  }
}

interface Waiting {
  resolve(value: unknown): void;
  reject(failure: Failure): void;
}

const asFailure = ({ code, message, ...more }: AppError): Failure => new Failure(code, message, more);
const gone = (): Failure => new Failure('internal', 'The connection to the Signalbox core ended.', { fix: 'Start the command again.' });

/** Answers of the core by request id. */
class Calls {
  readonly #channel: Channel;
  readonly #waiting = new Map<number, Waiting>();
  #next = 1;
  closed = false;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  /** `first` sees the answer at once, before any message that came with it. */
  send(method: string, params: unknown, first: (value: unknown) => void = () => {}): Promise<unknown> {
    if (this.closed) return Promise.reject(gone());
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, {
        resolve: (value) => {
          first(value);
          resolve(value);
        },
        reject,
      });
      this.#channel.send({ id, method, params });
    });
  }
  settle(message: Extract<ServerMessage, { id: number }>): void {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.kind === 'result') waiting?.resolve(message.value);
    else waiting?.reject(asFailure(message.error));
  }
  end(): void {
    this.closed = true;
    for (const waiting of this.#waiting.values()) waiting.reject(gone());
    this.#waiting.clear();
  }
}

/** Begins a session over `channel`. Rejects with the core's refusal, or when the channel ends before the answer. */
export async function connectClient(channel: Channel, { token }: { token?: string } = {}): Promise<CoreClient> {
  const calls = new Calls(channel);
  const events = new Listeners<readonly StoredEvent[]>();
  const transients = new Listeners<Transient>();
  const resets = new Listeners<void>();
  let snapshot: Snapshot | null = null;
  let board: Board | null = null;
  let seq = 0;

  const take = (value: unknown): void => {
    const fresh = value as Snapshot;
    snapshot = fresh;
    board = fresh.board;
    seq = fresh.seq;
  };
  const refresh = (): void => {
    calls
      .send('snapshot', {}, (value) => {
        take(value);
        resets.tell();
      })
      .catch(() => {});
  };
  const onEvents = (message: Extract<ServerMessage, { kind: 'events' }>): void => {
    if (!board) return;
    const gap = message.from > seq + 1;
    const fresh = message.events.filter((stored) => stored.seq > seq);
    seq = Math.max(seq, message.to);
    if (gap) {
      refresh();
      return;
    }
    board = fresh.reduce(project, board);
    if (fresh.length) events.tell(fresh);
  };
  channel.onMessage((raw) => {
    const message = raw as ServerMessage;
    if (message.kind === 'events') onEvents(message);
    else if (message.kind === 'transient') for (const news of message.items) transients.tell(news);
    else calls.settle(message);
  });
  channel.onClose(() => calls.end());

  await calls.send('initialize', { version: WIRE_VERSION, ...(token === undefined ? {} : { token }) }, take);
  const ready = (): { snapshot: Snapshot; board: Board } => {
    if (!snapshot || !board) throw gone();
    return { snapshot, board };
  };
  return {
    get snapshot() {
      return ready().snapshot;
    },
    get board() {
      return ready().board;
    },
    get closed() {
      return calls.closed;
    },
    call: <M extends MethodName>(method: M, input: InputOf<M>) => calls.send(method, input) as Promise<OutputOf<M>>,
    onEvents: (listener) => events.add(listener),
    onTransient: (listener) => transients.add(listener),
    onReset: (listener) => resets.add(listener),
    onClose: (listener) => channel.onClose(listener),
    close: () => channel.close(),
  };
}
