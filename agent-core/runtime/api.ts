import type { Handlers, Snapshot, StoredEvent, ThreadId, Transient } from '../contract/index.ts';
import type { NetworkOptions } from '../sandbox/index.ts';
import type { Disposable } from '../support/disposable.ts';

/** One connected window, browser tab or command, as the core's handlers see it. */
export interface Client {
  readonly id: string;
  /** Threads whose item events and deltas it gets. */
  readonly threads: Set<ThreadId>;
  /** Sends news to this client alone; coalescing and dropping are the session's. */
  send(news: Transient): void;
  onClose(listener: () => void): void;
}

/** What a host needs of the core: answer requests, and pass on what happens. */
export interface CoreApi {
  readonly handlers: Handlers<Client>;
  snapshot(): Snapshot;
  /** Called with each committed batch, in order, after it is durable. */
  onEvents(listener: (events: readonly StoredEvent[]) => void): Disposable;
  /** News that isn't history, for every client it concerns. */
  onTransient(listener: (news: Transient) => void): Disposable;
}

/** Where the model key lives: Electron's safeStorage, or a 0600 file elsewhere. */
export interface KeyStore {
  get(): Promise<string | null>;
  set(key: string | null): Promise<void>;
}

export interface CoreOptions {
  /** SIGNALBOX_HOME, absolute. */
  home: string;
  host: Snapshot['host']['kind'];
  /** The folder the app was opened on. */
  openOn: string | null;
  /** The person's environment; OPENAI_API_KEY, OPENAI_BASE_URL, SIGNALBOX_MODEL and SIGNALBOX_WIRE are read from it. */
  env: Record<string, string | undefined>;
  keys?: KeyStore;
  /** In place of the system's own ways into the network, for tests. */
  network?: Pick<NetworkOptions, 'resolve' | 'dial'>;
}

/** A running core. `dispose` ends turns as interrupted, machines and terminals, and closes the store. */
export interface Core extends CoreApi {
  dispose(): Promise<void>;
}
