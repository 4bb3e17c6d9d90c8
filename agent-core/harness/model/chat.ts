import type { ChatCompletionChunk, ChatCompletionCreateParamsStreaming } from 'openai/resources/chat/completions';
import type { CompletionUsage } from 'openai/resources/completions';
import type { Usage } from '../../contract/index.ts';
import type { HistoryItem, ModelConfig } from '../types.ts';
import { attempt, type Speaker } from './attempt.ts';
import { messagesOf, REASONING_FIELDS, reasoningItem, toolsOf, type ReasoningField } from './chat-items.ts';
import { clientFor } from './client.ts';
import { emptyReply, incomplete } from './fault.ts';
import { lenient, withoutImages, type Refused } from './lenient.ts';
import type { ModelPort, ModelReply, ModelRequest } from './port.ts';

const OPTIONAL = ['stream_options', 'reasoning_effort', 'prompt_cache_key', 'reasoning_content', 'reasoning', 'images'] as const;
const takesCacheKey = /^https:\/\/api\.openai\.com\//;

/** The request body. Its start, up to the newest message, is the same bytes at each step of a thread. */
export function chatBody(request: ModelRequest, config: ModelConfig, refused: Refused = new Set()): ChatCompletionCreateParamsStreaming {
  const may = (name: (typeof OPTIONAL)[number]): boolean => !refused.has(name);
  const tools = toolsOf(request.tools);
  const input = may('images') ? request.input : request.input.map(withoutImages);
  return {
    model: config.model,
    stream: true,
    ...(may('stream_options') ? { stream_options: { include_usage: true } } : {}),
    ...(tools.length ? { tools } : {}),
    ...(config.effort && may('reasoning_effort') ? { reasoning_effort: config.effort } : {}),
    ...(takesCacheKey.test(config.baseUrl) && may('prompt_cache_key') ? { prompt_cache_key: request.cacheKey } : {}),
    messages: messagesOf(input, may('reasoning_content') && may('reasoning')),
  };
}

const usageOf = (usage: CompletionUsage | null | undefined): Usage => ({
  inputTokens: usage?.prompt_tokens ?? 0,
  cachedTokens: usage?.prompt_tokens_details?.cached_tokens ?? 0,
  outputTokens: usage?.completion_tokens ?? 0,
  reasoningTokens: usage?.completion_tokens_details?.reasoning_tokens ?? 0,
  // OpenRouter tells what it charges, in US dollars (openrouter.ai/docs, "Usage accounting").
  cost: usage && 'cost' in usage && typeof usage.cost === 'number' ? usage.cost : null,
});

/** The Chat Completions wire. One attempt: retries are `retry.ts`'s. */
export function chatWire(config: ModelConfig, idle: number): ModelPort {
  return {
    ask: (request, call) =>
      lenient(config, OPTIONAL, (refused) => {
        const reply = new Reply();
        return attempt<ChatCompletionChunk>(config, idle, call, {
          open: (signal) => clientFor(config).chat.completions.create(chatBody(request, config, refused), { signal }),
          take: (chunk, tell) => reply.take(chunk, tell),
          end: () => reply.end(),
        });
      }),
  };
}

type Delta = ChatCompletionChunk.Choice.Delta & Partial<Record<ReasoningField, string | null>>;
interface Slot {
  index: number | undefined;
  id: string;
  name: string;
  arguments: string;
}

/** A reply as its chunks come. Reasoning is at place 0, text at 1; calls follow. */
class Reply {
  #text = '';
  #thought = '';
  #field: ReasoningField | null = null;
  readonly #calls: Slot[] = [];
  #finish: string | null = null;
  #usage: CompletionUsage | null = null;

  async take(chunk: ChatCompletionChunk, tell: Speaker): Promise<ModelReply | null> {
    if (chunk.usage) this.#usage = chunk.usage;
    const choice = chunk.choices?.[0];
    if (choice?.delta) await this.#delta(choice.delta, tell);
    if (choice?.finish_reason) this.#finish = choice.finish_reason;
    // The count of tokens comes last, in a chunk without choices.
    return this.#finish && this.#usage && !choice ? this.end() : null;
  }

  async #delta(delta: Delta, tell: Speaker): Promise<void> {
    const field = REASONING_FIELDS.find((name) => delta[name]);
    if (field) {
      this.#field ??= field;
      this.#thought += delta[field];
      await tell('reasoning', 0, delta[field]);
    }
    const text = delta.content || delta.refusal;
    if (text) {
      this.#text += text;
      await tell('text', 1, text);
    }
    for (const part of delta.tool_calls ?? []) this.#part(part);
  }

  /** Servers differ: some leave out the index or the id, some give every call the same index. */
  #part({ index, id, function: called }: ChatCompletionChunk.Choice.Delta.ToolCall): void {
    const at = index === undefined ? this.#calls.at(-1) : this.#calls.findLast((slot) => slot.index === index);
    const begins = !at || (id && at.id && id !== at.id) || (index === undefined && called?.name);
    const slot = begins ? { index, id: '', name: '', arguments: '' } : at;
    if (begins) this.#calls.push(slot);
    slot.id ||= id ?? '';
    slot.name ||= called?.name ?? '';
    const text: unknown = called?.arguments;
    if (text) slot.arguments += typeof text === 'string' ? text : JSON.stringify(text);
  }

  /** Null where the stream ended before the model said that it had finished. */
  end(): ModelReply | null {
    if (!this.#finish) return null;
    if (this.#finish === 'length') throw incomplete('max_output_tokens');
    if (this.#finish === 'content_filter') throw incomplete('content_filter');
    const items: HistoryItem[] = [];
    if (this.#field) items.push(reasoningItem(this.#field, this.#thought));
    if (this.#text) items.push({ type: 'message', role: 'assistant', content: this.#text });
    for (const call of this.#calls) {
      items.push({ type: 'function_call', call_id: call.id, name: call.name, arguments: call.arguments || '{}' });
    }
    if (!this.#text && !this.#calls.length) throw emptyReply();
    return { items, usage: usageOf(this.#usage) };
  }
}
