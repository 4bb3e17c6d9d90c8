import type { APIPromise } from 'openai';
import type { Stream } from 'openai/core/streaming';
import { Failure } from '../../contract/index.ts';
import type { ModelConfig } from '../types.ts';
import { endedEarly, notAStream, stalled, toFault } from './fault.ts';
import type { ModelCall, ModelReply } from './port.ts';

/** Tells the listener of a piece of text; awaited, so that a slow listener slows the stream. */
export type Speaker = (type: 'text' | 'reasoning' | 'search' | 'call', at: number | undefined, delta: unknown) => void | Promise<void>;

/** What differs from wire to wire. */
export interface Exchange<Event> {
  open(signal: AbortSignal): APIPromise<Stream<Event>>;
  /** The reply, once an event says that it is complete. */
  take(event: Event, tell: Speaker): Promise<ModelReply | null>;
  /** The stream has ended: the reply, or null when it was not complete. */
  end(): ModelReply | null;
}

/**
 * One request and its stream. Throws a `ModelFault` for what the provider or the network did, silence of more than
 * `idle` ms included, and the signal's reason when aborted.
 */
export async function attempt<Event>(config: ModelConfig, idle: number, call: ModelCall, wire: Exchange<Event>): Promise<ModelReply> {
  const { signal } = call;
  const state = { silent: false, streaming: false };
  const ours = new AbortController();
  const abort = (): void => ours.abort();
  signal.throwIfAborted();
  signal.addEventListener('abort', abort, { once: true });
  const watchdog = setTimeout(() => {
    state.silent = true;
    ours.abort();
  }, idle);
  try {
    const reply = await stream(config, call, wire, { ours, watchdog, begun: () => (state.streaming = true) });
    signal.throwIfAborted();
    if (reply) return reply;
    throw state.silent ? stalled(idle) : endedEarly();
  } catch (thrown) {
    signal.throwIfAborted();
    if (thrown instanceof Failure) throw thrown;
    throw state.silent ? stalled(idle) : toFault(thrown, config, state.streaming);
  } finally {
    clearTimeout(watchdog);
    signal.removeEventListener('abort', abort);
  }
}

/** Null when the stream ended without saying that it is complete. */
async function stream<Event>(
  config: ModelConfig,
  call: ModelCall,
  wire: Exchange<Event>,
  { ours, watchdog, begun }: { ours: AbortController; watchdog: NodeJS.Timeout; begun: () => void },
): Promise<ModelReply | null> {
  const { data, response } = await wire.open(ours.signal).withResponse();
  const type = response.headers.get('content-type') ?? '';
  if (!type.includes('text/event-stream')) throw notAStream(config, type, await response.text().catch(() => ''));
  begun();
  const tell: Speaker = (kind, at, delta) => {
    if (kind === 'search') return call.on({ type: kind, ...searchOf(delta) });
    if (kind === 'call') {
      const { name, text } = delta as { name: string; text: unknown };
      return typeof text === 'string' && text ? call.on({ type: kind, at: at ?? 0, name, delta: text }) : undefined;
    }
    if (typeof delta === 'string' && delta) return call.on({ type: kind, at: at ?? 0, delta });
  };
  const events = data[Symbol.asyncIterator]();
  for (let next = await events.next(); !next.done; next = await events.next()) {
    watchdog.refresh();
    const reply = await wire.take(next.value, tell);
    if (!reply) continue;
    drain(events, ours);
    return reply;
  }
  return wire.end();
}

/** What was looked for and where, of a `web_search_call`; servers leave out what they like. */
function searchOf(item: unknown): { query: string; sources: string[] } {
  const { action } = item as { action?: { query?: unknown; queries?: unknown; url?: unknown; pattern?: unknown; sources?: unknown } };
  const text = (value: unknown): string[] => (typeof value === 'string' && value ? [value] : []);
  const queries = Array.isArray(action?.queries) ? action.queries.flatMap(text) : [];
  const sources = Array.isArray(action?.sources) ? action.sources.flatMap((source) => text((source as { url?: unknown } | null)?.url)) : [];
  const query = (queries.length ? queries : [...text(action?.query), ...text(action?.pattern)]).join(' · ');
  return { query: query || text(action?.url).join(''), sources: [...new Set([...text(action?.url), ...sources])] };
}

/** Lets the answer come to its own end, so that the connection can be used again; not for long, and nobody waits. */
function drain(events: AsyncIterator<unknown>, ours: AbortController): void {
  const enough = setTimeout(() => ours.abort(), 1000).unref();
  const rest = async (): Promise<void> => {
    while (!(await events.next()).done);
  };
  rest().then(
    () => clearTimeout(enough),
    () => clearTimeout(enough),
  );
}
