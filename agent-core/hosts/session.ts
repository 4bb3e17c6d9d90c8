import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import type { z } from 'zod';
import {
  Failure,
  Request,
  WIRE_VERSION,
  methods,
  toAppError,
  type Channel,
  type MethodName,
  type ServerMessage,
  type Snapshot,
  type ThreadId,
} from '../contract/index.ts';
import type { Client, CoreApi } from '../runtime/api.ts';
import { disposable, type Disposable } from '../support/disposable.ts';
import { Outbound } from './outbound.ts';

/** Requests of one client that may be under way; the next is answered `overloaded`. */
const IN_FLIGHT_LIMIT = 256;
const HANDSHAKE_MS = 10_000;

/** Compares in a time that doesn't tell how much was right. */
export function sameToken(given: string | undefined, wanted: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given ?? ''), digest(wanted)) && given !== undefined;
}

/** A schema's complaint in words that name the field. */
export function explain(where: string, error: z.ZodError): Failure {
  const issue = error.issues[0];
  const field = issue?.path.map(String).join('.') ?? '';
  if (issue?.code === 'custom') return new Failure('invalid-input', issue.message);
  const what = issue?.message.replace(/^Invalid input: /, '') ?? 'not understood';
  const words = what.endsWith('received undefined') ? 'is missing' : `is not right: ${what}`;
  return new Failure('invalid-input', `${where}: ${field ? `“${field}”` : 'the input'} ${words}.`);
}

export interface Session extends Disposable {
  /** Requests under way. */
  readonly busy: number;
}

/** One client's connection: who it is, what it may ask, what it is told. */
class ClientSession implements Session {
  readonly #core: CoreApi;
  readonly #channel: Channel;
  readonly #token: string | undefined;
  readonly #outbound: Outbound;
  readonly #client: Client;
  readonly #end: Disposable;
  readonly #handshake: NodeJS.Timeout;
  #welcome = false;
  #busy = 0;

  constructor(core: CoreApi, channel: Channel, token: string | undefined) {
    this.#core = core;
    this.#channel = channel;
    this.#token = token;
    const threads = new Set<ThreadId>();
    const outbound = new Outbound(channel, threads);
    const closers: (() => void)[] = [];
    this.#outbound = outbound;
    this.#client = {
      id: randomUUID(),
      threads,
      send: (news) => outbound.transient(news),
      onClose: (listener) => {
        closers.push(listener);
      },
    };
    const subscriptions = [core.onEvents((events) => outbound.events(events)), core.onTransient((news) => outbound.transient(news))];
    this.#handshake = setTimeout(() => channel.close(), HANDSHAKE_MS).unref();
    this.#end = disposable(() => {
      clearTimeout(this.#handshake);
      for (const subscription of subscriptions) subscription.dispose();
      outbound.dispose();
      for (const closer of closers) closer();
    });
    channel.onMessage((message) => this.#take(message));
    channel.onClose(() => this.#end.dispose());
  }

  get busy(): number {
    return this.#busy;
  }

  dispose(): void {
    this.#end.dispose();
    this.#channel.close();
  }

  #send(reply: ServerMessage): void {
    this.#channel.send(reply);
  }

  #take(message: unknown): void {
    const request = Request.safeParse(message);
    if (!request.success) {
      this.#channel.close();
      return;
    }
    const { id, method, params } = request.data;
    if (this.#busy >= IN_FLIGHT_LIMIT) {
      const full = `More than ${IN_FLIGHT_LIMIT} requests are waiting for an answer.`;
      this.#send({ kind: 'error', id, error: { code: 'overloaded', message: full, fix: 'Try again in a moment.' } });
      return;
    }
    this.#busy += 1;
    this.#answer(method, params)
      .then(
        (value) => this.#send({ kind: 'result', id, value }),
        (thrown: unknown) => this.#refuse(id, method, thrown),
      )
      .finally(() => {
        this.#busy -= 1;
      });
  }

  async #answer(method: string, params: unknown): Promise<unknown> {
    if (method === 'initialize') return this.#initialize(params);
    if (!this.#welcome) throw new Failure('unauthorized', 'The first request must be “initialize”.');
    if (method === 'snapshot') return this.#snapshot();
    return dispatch(this.#core, this.#client, method, params);
  }

  #refuse(id: number, method: string, thrown: unknown): void {
    const error = toAppError(thrown);
    if (error.code === 'internal') console.error(`signalbox: ${method} failed:`, thrown);
    this.#send({ kind: 'error', id, error });
    if (!this.#welcome) this.#channel.close();
  }

  #initialize(params: unknown): Snapshot {
    const parsed = methods.initialize.input.safeParse(params);
    if (!parsed.success) throw explain('initialize', parsed.error);
    if (this.#token !== undefined && !sameToken(parsed.data.token, this.#token)) throw wrongToken();
    if (parsed.data.version !== WIRE_VERSION) {
      const message = `This Signalbox speaks version ${WIRE_VERSION} of the wire, the other side version ${parsed.data.version}.`;
      throw new Failure('unsupported-version', message, { fix: 'Close the older one, or reload the page.' });
    }
    this.#welcome = true;
    clearTimeout(this.#handshake);
    return this.#snapshot();
  }

  /** Taken and marked in one go, so that no event falls between the snapshot and what follows it. */
  #snapshot(): Snapshot {
    const fresh = this.#core.snapshot();
    this.#outbound.startAt(fresh.seq);
    return fresh;
  }
}

/** What a client is told that doesn't know the token. */
export const wrongToken = (): Failure =>
  new Failure('unauthorized', 'The access token is missing or wrong.', {
    fix: 'Open the whole address that Signalbox printed, with everything after the #.',
  });

/**
 * The core's side of the wire for one client: `initialize` first, then requests answered in any order, events and
 * transient news as {@link Outbound} says. Never throws; ends with the channel. With a `token`, a client that
 * doesn't know it is refused and cut off.
 */
export function serveClient(core: CoreApi, channel: Channel, { token }: { token?: string } = {}): Session {
  return new ClientSession(core, channel, token);
}

const isMethod = (name: string): name is MethodName => Object.hasOwn(methods, name);

async function dispatch(core: CoreApi, client: Client, method: string, params: unknown): Promise<unknown> {
  if (!isMethod(method)) throw new Failure('invalid-input', `There is no method “${method}”.`);
  const parsed = methods[method].input.safeParse(params);
  if (!parsed.success) throw explain(method, parsed.error);
  // The schema of this very method made `parsed.data`; the compiler can't follow that through the table.
  const handler = core.handlers[method] as (input: unknown, client: Client) => Promise<unknown>;
  return handler(parsed.data, client);
}
