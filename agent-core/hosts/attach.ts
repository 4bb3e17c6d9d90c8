import { chmodSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Failure, statusOf, type Channel, type Snapshot } from '../contract/index.ts';
import type { Core, CoreApi, CoreOptions } from '../runtime/api.ts';
import { REPLY_LIMIT, REQUEST_LIMIT, channelPair, socketChannel, throttle } from './channels.ts';
import { connectClient, type CoreClient } from './client.ts';
import { prepareHome, socketPath } from './home.ts';
import { takeLock } from './lock.ts';
import { serveClient, type Session } from './session.ts';

/** How long a core may take from its lock to its socket: it reconciles what a crash left behind. */
const START_MS = 60_000;
const RETRY_MS = 25;
/** How long a core that lets us in may take to answer. */
const ANSWER_MS = 15_000;

export interface ObtainOptions {
  home: string;
  host: Snapshot['host']['kind'];
  openOn?: string | null;
  env?: Record<string, string | undefined>;
  keys?: CoreOptions['keys'];
  /** Makes the core when this process is to have it. */
  createCore: (options: CoreOptions) => Promise<Core>;
}

export interface Obtained {
  client: CoreClient;
  /** The core, when it runs in this process. */
  own: Core | null;
  /** Another connection to the same core, as raw messages; `pending` tells how much waits where they go on to. */
  open(pending?: () => number): Promise<Channel>;
  /** Other clients of the core in this process that still have work under way. */
  othersBusy(): boolean;
  /** Ends the connection and, if the core is ours, the core and its socket. */
  close(): Promise<void>;
}

/** A socket to the running core of `home`, or null when none listens. */
export function connectSocket(home: string): Promise<Socket | null> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath(home));
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE'].includes(error.code ?? '')) resolve(null);
      else reject(new Failure('not-allowed', `The core's socket in ${home} can't be opened: ${error.message}.`));
    });
  });
}

/** The core's own door: clients on a 0600 socket, or in this process. */
export interface Listener {
  sessions: ReadonlySet<Session>;
  join(pending?: () => number): Channel;
  close(): Promise<void>;
}

/** Lets clients in at `path`. The caller holds the home's lock, so whatever lies at `path` is stale. */
export async function listen(core: CoreApi, path: string): Promise<Listener> {
  const sessions = new Set<Session>();
  const admit = (channel: Channel): void => {
    const session = serveClient(core, channel);
    sessions.add(session);
    channel.onClose(() => sessions.delete(session));
  };
  const server: Server = createServer((socket) => admit(socketChannel(socket, REQUEST_LIMIT)));
  if (process.platform !== 'win32') rmSync(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
  if (process.platform !== 'win32') chmodSync(path, 0o600);
  return {
    sessions,
    join: (pending) => {
      const [near, far] = channelPair(pending);
      admit(far);
      return near;
    },
    close: async () => {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      for (const session of [...sessions]) session.dispose();
      await closed;
    },
  };
}

async function attach(home: string): Promise<Obtained | null> {
  const socket = await connectSocket(home);
  if (!socket) return null;
  const channel = socketChannel(socket, REPLY_LIMIT);
  const late = setTimeout(() => channel.close(), ANSWER_MS);
  const client = await connectClient(channel)
    .finally(() => clearTimeout(late))
    .catch((thrown: unknown) => {
      channel.close();
      // The core was on its way out, or hangs: the lock tells.
      if (thrown instanceof Failure && thrown.detail.code === 'internal') return null;
      throw thrown;
    });
  if (!client) return null;
  const open = async (pending?: () => number): Promise<Channel> => {
    const another = await connectSocket(home);
    if (!another) throw new Failure('internal', 'The Signalbox core ended.', { fix: 'Start the command again.' });
    const relay = socketChannel(another, REPLY_LIMIT);
    if (pending) throttle(another, pending);
    return relay;
  };
  return { client, own: null, open, othersBusy: () => false, close: async () => client.close() };
}

async function become(options: ObtainOptions): Promise<Obtained | null> {
  const lock = takeLock(options.home);
  if (!lock) return null;
  let core: Core | null = null;
  try {
    // Late, because the core's own entry offers this very function.
    core = await options.createCore({
      home: options.home,
      host: options.host,
      openOn: options.openOn ?? null,
      env: options.env ?? process.env,
      ...(options.keys ? { keys: options.keys } : {}),
    });
    const own = core;
    const listener = await listen(own, socketPath(options.home));
    const client = await connectClient(listener.join());
    const close = async (): Promise<void> => {
      await listener.close();
      await own.dispose();
      lock.dispose();
    };
    return { client, own, open: async (pending) => listener.join(pending), othersBusy: () => hasWork(client, listener), close };
  } catch (thrown) {
    // A core that nobody can reach would go on working, and its home would look free.
    await core?.dispose();
    lock.dispose();
    throw thrown;
  }
}

/** Whether someone else is connected who waits for an answer or for a task. */
function hasWork(client: CoreClient, listener: Listener): boolean {
  if (listener.sessions.size <= 1) return false;
  const working = Object.values(client.board.tasks).some((task) => task.phase === 'active' && statusOf(client.board, task) === 'working');
  return working || [...listener.sessions].some((session) => session.busy > 0);
}

/**
 * One core per home: attaches to the one that runs, or becomes it and listens on `core.sock`. However many start at
 * once, one becomes the core and the others attach to it; a core that was killed leaves nothing that hinders.
 * Rejects with the home's own `Failure`, what `createCore` threw, or `conflict` when a core holds the lock and
 * doesn't answer in a minute.
 */
export async function obtainCore(options: ObtainOptions): Promise<Obtained> {
  prepareHome(options.home);
  const until = Date.now() + START_MS;
  do {
    const obtained = (await attach(options.home)) ?? (await become(options));
    if (obtained) return obtained;
    await delay(RETRY_MS);
  } while (Date.now() < until);
  throw new Failure('conflict', `Another Signalbox uses ${options.home} but doesn't answer.`, {
    fix: `End it, or set SIGNALBOX_HOME to another folder. (fuser ${options.home}/core.lock names the process.)`,
  });
}
