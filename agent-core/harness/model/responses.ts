import type {
  ResponseCreateParamsStreaming,
  ResponseOutputItem,
  ResponseStreamEvent,
  ResponseUsage,
} from 'openai/resources/responses/responses';
import type { Usage } from '../../contract/index.ts';
import type { HistoryItem, ModelConfig } from '../types.ts';
import { attempt, type Speaker } from './attempt.ts';
import { isFromChat } from './chat-items.ts';
import { clientFor } from './client.ts';
import { emptyReply, faultFrom, incomplete } from './fault.ts';
import { lenient, withoutImages, type Refused } from './lenient.ts';
import type { ModelPort, ModelReply, ModelRequest } from './port.ts';

const reasons = /(^|\/)(gpt-[5-9]|o\d|codex)/;
const cannotReason = /gpt-(3|4)/;

/** What a provider may do without. */
const OPTIONAL = [
  'web_search_call.action.sources',
  'web_search',
  'reasoning.summary',
  'reasoning.effort',
  'reasoning',
  'include',
  'parallel_tool_calls',
  'prompt_cache_key',
  'store',
  'tool_choice',
  'images',
] as const;

/** The request body. Its start, up to the newest input item, is the same bytes at each step of a thread. */
export function bodyOf(request: ModelRequest, config: ModelConfig, refused: Refused = new Set()): ResponseCreateParamsStreaming {
  const may = (name: (typeof OPTIONAL)[number]): boolean => !refused.has(name);
  const reasoning = {
    ...(config.effort && may('reasoning.effort') ? { effort: config.effort } : {}),
    ...((config.effort || reasons.test(config.model)) && may('reasoning.summary') ? { summary: 'auto' as const } : {}),
  };
  const tools = request.tools.filter((tool) => tool.type !== 'web_search' || may('web_search'));
  const searches = tools.some((tool) => tool.type === 'web_search') && may('web_search_call.action.sources');
  const include = [
    ...(cannotReason.test(config.model) ? [] : ['reasoning.encrypted_content' as const]),
    ...(searches ? ['web_search_call.action.sources' as const] : []),
  ];
  const input = request.input.filter((item) => !isFromChat(item));
  return {
    model: config.model,
    stream: true,
    ...(may('store') ? { store: false } : {}),
    ...(tools.length
      ? {
          tools,
          ...(may('tool_choice') ? { tool_choice: 'auto' as const } : {}),
          ...(may('parallel_tool_calls') ? { parallel_tool_calls: true } : {}),
        }
      : {}),
    ...(Object.keys(reasoning).length && may('reasoning') ? { reasoning } : {}),
    ...(include.length && may('include') ? { include } : {}),
    ...(may('prompt_cache_key') ? { prompt_cache_key: request.cacheKey } : {}),
    input: may('images') ? input : input.map(withoutImages),
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
  return {
    ask: (request, call) =>
      lenient(config, OPTIONAL, (refused) => {
        const reply = new Reply(config);
        return attempt<ResponseStreamEvent>(config, idle, call, {
          open: (signal) => clientFor(config).responses.create(bodyOf(request, config, refused), { signal }),
          take: (event, tell) => reply.take(event, tell),
          end: () => null,
        });
      }),
  };
}

/** A reply as its events come. */
class Reply {
  readonly #config: ModelConfig;
  /** Finished items by their place in the reply; those without a place come last, as they came. */
  readonly #items = new Map<number, ResponseOutputItem>();
  /** Names of the calls that are being written, by their place. */
  readonly #names = new Map<number, string>();

  constructor(config: ModelConfig) {
    this.#config = config;
  }

  async take(event: ResponseStreamEvent, tell: Speaker): Promise<ModelReply | null> {
    switch (event.type) {
      case 'response.output_text.delta':
      case 'response.refusal.delta':
        await tell('text', event.output_index, event.delta);
        return null;
      case 'response.reasoning_summary_text.delta':
      case 'response.reasoning_text.delta':
        await tell('reasoning', event.output_index, event.delta);
        return null;
      case 'response.reasoning_summary_part.added':
        if (event.summary_index > 0) await tell('reasoning', event.output_index, '\n\n');
        return null;
      case 'response.output_item.added':
        if (event.item?.type === 'function_call' || event.item?.type === 'custom_tool_call')
          this.#names.set(event.output_index, event.item.name);
        return null;
      case 'response.function_call_arguments.delta':
      case 'response.custom_tool_call_input.delta':
        await tell('call', event.output_index, { name: this.#names.get(event.output_index) ?? '', text: event.delta });
        return null;
      case 'response.output_item.done':
        if (event.item?.type === 'web_search_call') await tell('search', event.output_index, event.item);
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

  #reply(output: ResponseOutputItem[] | undefined, usage: ResponseUsage | undefined): ModelReply {
    const items = this.#items.size ? [...this.#items].toSorted(([a], [b]) => a - b).map(([, item]) => item) : (output ?? []);
    if (!items.length) throw emptyReply();
    return { items: items.filter((item) => kept.has(item.type)) as HistoryItem[], usage: usageOf(usage) };
  }
}
