import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import type { z } from 'zod';
import {
  Failure, Request, WIRE_VERSION, methods, toAppError,
  type Channel, type MethodName, type ServerMessage, type Snapshot, type ThreadId,
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

/**
 * The core's side of the wire for one client: `initialize` first, then requests answered in any order, events and
 * transient news as {@link Outbound} says. Never throws; ends with the channel. With a `token`, a client that
 * doesn't know it is refused and cut off.
 */
export function serveClient(core: CoreApi, channel: Channel, { token }: { token?: string } = {}): Session {
  const threads = new Set<ThreadId>();
  const outbound = new Outbound(channel, threads);
  const closed: (() => void)[] = [];
  const client: Client = {
    id: randomUUID(), threads,
    send: (news) => outbound.transient(news),
    onClose: (listener) => { closed.push(listener); },
  };
  let welcome = false;
  let busy = 0;
  const subscriptions = [core.onEvents((events) => outbound.events(events)), core.onTransient((news) => outbound.transient(news))];
  const handshake = setTimeout(() => channel.close(), HANDSHAKE_MS).unref();
  const end = disposable(() => {
    clearTimeout(handshake);
    for (const subscription of subscriptions) subscription.dispose();
    outbound.dispose();
    for (const listener of closed) listener();
  });

  const snapshot = (): Snapshot => {
    const fresh = core.snapshot();
    outbound.startAt(fresh.seq);
    return fresh;
  };
  const initialize = (params: unknown): Snapshot => {
    const parsed = methods.initialize.input.safeParse(params);
    if (!parsed.success) throw explain('initialize', parsed.error);
    if (token !== undefined && !sameToken(parsed.data.token, token)) {
      throw new Failure('unauthorized', 'The access token is missing or wrong.', { fix: 'Open the whole address that Signalbox printed, with everything after the #.' });
    }
    if (parsed.data.version !== WIRE_VERSION) {
      throw new Failure('unsupported-version', `This Signalbox speaks version ${WIRE_VERSION} of the wire, the other side version ${parsed.data.version}.`,
        { fix: 'Close the older one, or reload the page.' });
    }
    welcome = true;
    clearTimeout(handshake);
    return snapshot();
  };
  const answer = async (method: string, params: unknown): Promise<unknown> => {
    if (method === 'initialize') return initialize(params);
    if (!welcome) throw new Failure('unauthorized', 'The first request must be “initialize”.');
    if (method === 'snapshot') return snapshot();
    return dispatch(core, client, method, params);
  };

  channel.onMessage((message) => {
    const request = Request.safeParse(message);
    if (!request.success) { channel.close(); return; }
    const { id, method, params } = request.data;
    const send = (reply: ServerMessage) => channel.send(reply);
    if (busy >= IN_FLIGHT_LIMIT) {
      send({ kind: 'error', id, error: { code: 'overloaded', message: `More than ${IN_FLIGHT_LIMIT} requests are waiting for an answer.`, fix: 'Try again in a moment.' } });
      return;
    }
    busy += 1;
    answer(method, params).then(
      (value) => send({ kind: 'result', id, value }),
      (thrown: unknown) => {
        const error = toAppError(thrown);
        if (error.code === 'internal') console.error(`signalbox: ${method} failed:`, thrown);
        send({ kind: 'error', id, error });
        if (!welcome) channel.close();
      },
    ).finally(() => { busy -= 1; });
  });
  channel.onClose(() => end.dispose());
  return { get busy() { return busy; }, dispose: () => { end.dispose(); channel.close(); } };
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
