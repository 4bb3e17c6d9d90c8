import OpenAI from 'openai';
import type {
  ResponseCreateParamsStreaming,
  ResponseOutputItem,
  ResponseStreamEvent,
  ResponseUsage,
} from 'openai/resources/responses/responses';
import { Failure, type Usage } from '../../contract/index.ts';
import type { HistoryItem, ModelConfig } from '../types.ts';
import { endedEarly, faultFrom, ModelFault, notAStream, stalled, toFault } from './fault.ts';
import { leanFetch } from './http.ts';
import type { ModelCall, ModelPort, ModelReply, ModelRequest } from './port.ts';

const clients = new Map<string, OpenAI>();

/** One client per provider and key. It never retries and never times out: both are ours. */
export function clientFor(config: ModelConfig): OpenAI {
  const id = `${config.baseUrl}\n${config.key}`;
  let client = clients.get(id);
  if (!client) {
    client = new OpenAI({
      baseURL: config.baseUrl,
      apiKey: config.key || 'none',
      maxRetries: 0,
      timeout: 2 ** 31 - 1,
      fetch: leanFetch,
      logLevel: 'off',
    });
    clients.set(id, client);
  }
  return client;
}

const reasons = /(^|\/)(gpt-[5-9]|o\d|codex)/;
const cannotReason = /gpt-(3|4)/;

/** The request body. Its start, up to the newest input item, is the same bytes at each step of a thread. */
export function bodyOf(request: ModelRequest, config: ModelConfig): ResponseCreateParamsStreaming {
  const reasoning =
    config.effort || reasons.test(config.model)
      ? { reasoning: { ...(config.effort ? { effort: config.effort } : {}), summary: 'auto' as const } }
      : {};
  return {
    model: config.model,
    stream: true,
    store: false,
    ...(request.tools.length ? { tools: request.tools, tool_choice: 'auto', parallel_tool_calls: true } : {}),
    ...reasoning,
    ...(cannotReason.test(config.model) ? {} : { include: ['reasoning.encrypted_content'] }),
    prompt_cache_key: request.cacheKey,
    input: request.input,
  };
}

export const usageOf = (usage: ResponseUsage | null | undefined): Usage => ({
  inputTokens: usage?.input_tokens ?? 0,
  cachedTokens: usage?.input_tokens_details?.cached_tokens ?? 0,
  outputTokens: usage?.output_tokens ?? 0,
  reasoningTokens: usage?.output_tokens_details?.reasoning_tokens ?? 0,
  cost: null,
});

const kept = new Set(['message', 'reasoning', 'function_call', 'custom_tool_call', 'web_search_call']);

/** The Responses wire. One attempt: retries are `retry.ts`'s. */
export function responsesWire(config: ModelConfig, idle: number): ModelPort {
  return { ask: (request, call) => new Attempt(config, idle, call).run(request) };
}

class Attempt {
  readonly #config: ModelConfig;
  readonly #call: ModelCall;
  readonly #abort = new AbortController();
  readonly #watchdog: NodeJS.Timeout;
  #silent = false;
  #streaming = false;
  /** Finished items by their place in the reply; those without a place come last, as they came. */
  readonly #items = new Map<number, ResponseOutputItem>();

  readonly #idle: number;

  constructor(config: ModelConfig, idle: number, call: ModelCall) {
    this.#config = config;
    this.#call = call;
    this.#idle = idle;
    this.#watchdog = setTimeout(() => {
      this.#silent = true;
      this.#abort.abort();
    }, idle);
  }

  async run(request: ModelRequest): Promise<ModelReply> {
    const { signal } = this.#call;
    const abort = () => this.#abort.abort();
    signal.throwIfAborted();
    signal.addEventListener('abort', abort, { once: true });
    try {
      const reply = await this.#stream(request);
      signal.throwIfAborted();
      if (reply) return reply;
      throw this.#silent ? stalled(this.#idle) : endedEarly();
    } catch (thrown) {
      signal.throwIfAborted();
      if (thrown instanceof Failure) throw thrown;
      throw this.#silent ? stalled(this.#idle) : toFault(thrown, this.#config, this.#streaming);
    } finally {
      clearTimeout(this.#watchdog);
      signal.removeEventListener('abort', abort);
    }
  }

  /** Null when the stream ended without saying that it is complete. */
  async #stream(request: ModelRequest): Promise<ModelReply | null> {
    const sent = clientFor(this.#config).responses.create(bodyOf(request, this.#config), { signal: this.#abort.signal });
    const { data, response } = await sent.withResponse();
    const type = response.headers.get('content-type') ?? '';
    if (!type.includes('text/event-stream')) throw notAStream(this.#config, type, await response.text().catch(() => ''));
    this.#streaming = true;
    const events = data[Symbol.asyncIterator]();
    for (let next = await events.next(); !next.done; next = await events.next()) {
      this.#watchdog.refresh();
      const reply = await this.#take(next.value);
      if (!reply) continue;
      this.#drain(events);
      return reply;
    }
    return null;
  }

  /** Lets the answer come to its own end, so that the connection can be used again; not for long, and nobody waits. */
  #drain(events: AsyncIterator<unknown>): void {
    const enough = setTimeout(() => this.#abort.abort(), 1000).unref();
    const rest = async (): Promise<void> => {
      while (!(await events.next()).done);
    };
    rest().then(
      () => clearTimeout(enough),
      () => clearTimeout(enough),
    );
  }

  async #take(event: ResponseStreamEvent): Promise<ModelReply | null> {
    switch (event.type) {
      case 'response.output_text.delta':
      case 'response.refusal.delta':
        await this.#tell('text', event.output_index, event.delta);
        return null;
      case 'response.reasoning_summary_text.delta':
      case 'response.reasoning_text.delta':
        await this.#tell('reasoning', event.output_index, event.delta);
        return null;
      case 'response.reasoning_summary_part.added':
        if (event.summary_index > 0) await this.#tell('reasoning', event.output_index, '\n\n');
        return null;
      case 'response.output_item.done':
        if (event.item && typeof event.item === 'object') this.#items.set(event.output_index ?? 1e6 + this.#items.size, event.item);
        return null;
      case 'response.completed':
        return this.#reply(event.response?.output, event.response?.usage);
      case 'response.failed': {
        const error = event.response?.error;
        throw faultFrom(
          { status: undefined, code: error?.code ?? '', words: error?.message ?? '', after: null, structured: true },
          this.#config,
        );
      }
      case 'response.incomplete':
        throw incomplete(event.response?.incomplete_details?.reason);
      default:
        return null;
    }
  }

  #tell(type: 'text' | 'reasoning', at: number | undefined, delta: string): void | Promise<void> {
    if (typeof delta === 'string' && delta) return this.#call.on({ type, at: at ?? 0, delta });
  }

  #reply(output: ResponseOutputItem[] | undefined, usage: ResponseUsage | undefined): ModelReply {
    const items = this.#items.size ? [...this.#items].toSorted(([a], [b]) => a - b).map(([, item]) => item) : (output ?? []);
    if (!items.length)
      throw new ModelFault('model-bad-reply', 'The model sent an empty reply.', {
        fix: 'Send the message again, or choose another model.',
        retry: 'stream',
        atMost: 2,
      });
    return { items: items.filter((item) => kept.has(item.type)) as HistoryItem[], usage: usageOf(usage) };
  }
}

const incomplete = (reason: string | undefined): ModelFault =>
  reason === 'content_filter'
    ? new ModelFault('model-refused', "The provider's content filter stopped the reply.", { fix: 'Word the message differently.' })
    : new ModelFault('model-interrupted', `The model stopped before the end of its reply${reason ? ` (${reason})` : ''}.`, {
        fix: 'Send "go on", or ask for less at once.',
      });
