import { randomBytes } from 'node:crypto';

/**
 * The server's side of the OpenAI Responses wire: what a model says, as the exact sequence of events that the API
 * streams (source: the API reference's "Streaming events" of `POST /v1/responses`). Used by the demo model and by
 * the tests' model server. Everything here is pure; writing to a socket is in `http.ts`.
 */

/** One thing a model puts out. `callId` is made up where absent; ids are unique within a conversation. */
export type Output =
  | { type: 'message'; text: string }
  | { type: 'reasoning'; text: string }
  | { type: 'function'; name: string; arguments: string; callId?: string }
  | { type: 'custom'; name: string; input: string; callId?: string }
  /** The provider's own search of the web. */
  | { type: 'search'; query: string; sources: readonly string[] };

/** Tokens, as the API counts them; a share of `input` may come from the cache, a share of `output` is reasoning. */
export interface TokenUsage {
  input: number;
  cached: number;
  output: number;
  reasoning: number;
}

/** How a response ends: its terminal event. */
export type Ending =
  | { status: 'completed' }
  | { status: 'incomplete'; reason: 'max_output_tokens' | 'content_filter' }
  | { status: 'failed'; code: string; message: string };

export interface WireEvent {
  type: string;
  sequence_number: number;
  [key: string]: unknown;
}

/** The parts of a request that a response repeats. */
export interface Echo {
  model: string;
  parallel_tool_calls?: boolean;
  tools?: unknown[];
  tool_choice?: unknown;
  reasoning?: unknown;
  text?: unknown;
  prompt_cache_key?: string;
}

export interface ResponseOptions {
  usage?: TokenUsage;
  ending?: Ending;
  /** `words` streams as a model does; `whole` sends each text as one delta, for benchmarks. */
  deltas?: 'words' | 'whole';
}

type Json = Record<string, unknown>;
const id = (prefix: string) => `${prefix}_${randomBytes(12).toString('hex')}`;
const estimate = (text: string) => Math.ceil(Buffer.byteLength(text) / 4);

/** Splits a text after its blanks, so that joining the pieces gives the text back. */
export const words = (text: string): string[] => text.match(/\s*\S+\s*|\s+/g) ?? [];

function body(outputs: readonly Output[]): string {
  return outputs
    .map((o) => (o.type === 'function' ? o.arguments : o.type === 'custom' ? o.input : o.type === 'search' ? o.query : o.text))
    .join('');
}

function usageJson(usage: TokenUsage): Json {
  return {
    input_tokens: usage.input,
    input_tokens_details: { cached_tokens: usage.cached, cache_write_tokens: 0 },
    output_tokens: usage.output,
    output_tokens_details: { reasoning_tokens: usage.reasoning },
    total_tokens: usage.input + usage.output,
  };
}

function responseJson(responseId: string, createdAt: number, echo: Echo): Json {
  return {
    id: responseId,
    object: 'response',
    created_at: createdAt,
    status: 'in_progress',
    access_programs: null,
    background: false,
    error: null,
    incomplete_details: null,
    instructions: null,
    max_output_tokens: null,
    max_tool_calls: null,
    model: echo.model,
    output: [],
    parallel_tool_calls: echo.parallel_tool_calls ?? true,
    previous_response_id: null,
    ...(echo.prompt_cache_key ? { prompt_cache_key: echo.prompt_cache_key } : {}),
    reasoning: echo.reasoning ?? { effort: null, summary: null },
    service_tier: 'default',
    temperature: 1,
    text: echo.text ?? { format: { type: 'text' }, verbosity: 'medium' },
    tool_choice: echo.tool_choice ?? 'auto',
    tools: echo.tools ?? [],
    top_logprobs: 0,
    top_p: 1,
    truncation: 'disabled',
    metadata: {},
  };
}

type Bare = { type: string } & Json;
type Split = (text: string) => string[];

function* message(text: string, at: { item_id: string; output_index: number }, split: Split): Generator<Bare, Json> {
  const item = { id: at.item_id, type: 'message', status: 'in_progress', content: [] as unknown[], role: 'assistant' };
  const place = { ...at, content_index: 0 };
  yield { type: 'response.output_item.added', output_index: at.output_index, item };
  yield { type: 'response.content_part.added', ...place, part: { type: 'output_text', annotations: [], logprobs: [], text: '' } };
  for (const delta of split(text)) yield { type: 'response.output_text.delta', ...place, delta, logprobs: [] };
  const part = { type: 'output_text', annotations: [], logprobs: [], text };
  yield { type: 'response.output_text.done', ...place, text, logprobs: [] };
  yield { type: 'response.content_part.done', ...place, part };
  return { ...item, status: 'completed', content: [part] };
}

function* reasoning(text: string, at: { item_id: string; output_index: number }, split: Split): Generator<Bare, Json> {
  const place = { ...at, summary_index: 0 };
  const item = { id: at.item_id, type: 'reasoning', summary: [] as unknown[], encrypted_content: null as string | null };
  yield { type: 'response.output_item.added', output_index: at.output_index, item };
  yield { type: 'response.reasoning_summary_part.added', ...place, part: { type: 'summary_text', text: '' } };
  for (const delta of split(text)) yield { type: 'response.reasoning_summary_text.delta', ...place, delta };
  const part = { type: 'summary_text', text };
  yield { type: 'response.reasoning_summary_text.done', ...place, text };
  yield { type: 'response.reasoning_summary_part.done', ...place, part };
  return { ...item, summary: [part], encrypted_content: randomBytes(96).toString('base64') };
}

function* call(
  output: Extract<Output, { type: 'function' | 'custom' }>,
  at: { item_id: string; output_index: number },
  split: Split,
): Generator<Bare, Json> {
  const custom = output.type === 'custom';
  const key = custom ? 'input' : 'arguments';
  const text = custom ? output.input : output.arguments;
  const family = custom ? 'response.custom_tool_call_input' : 'response.function_call_arguments';
  const item = {
    id: at.item_id,
    type: custom ? 'custom_tool_call' : 'function_call',
    ...(custom ? {} : { status: 'in_progress' }),
    call_id: output.callId,
    name: output.name,
    [key]: '',
  };
  yield { type: 'response.output_item.added', output_index: at.output_index, item };
  for (const delta of split(text)) yield { type: `${family}.delta`, ...at, delta };
  yield { type: `${family}.done`, ...at, [key]: text };
  return { ...item, ...(custom ? {} : { status: 'completed' }), [key]: text };
}

function* search(output: Extract<Output, { type: 'search' }>, at: { item_id: string; output_index: number }): Generator<Bare, Json> {
  const { query } = output;
  const item = { id: at.item_id, type: 'web_search_call', action: { type: 'search', query, queries: [query] } };
  yield { type: 'response.output_item.added', output_index: at.output_index, item: { ...item, status: 'in_progress' } };
  for (const state of ['in_progress', 'searching', 'completed']) yield { type: `response.web_search_call.${state}`, ...at };
  return { ...item, status: 'completed', action: { ...item.action, sources: output.sources.map((url) => ({ type: 'url', url })) } };
}

const idPrefix = { message: 'msg', reasoning: 'rs', function: 'fc', custom: 'ctc', search: 'ws' } as const;

/**
 * The events of one response, in the API's order and numbered from 0. Call ids without one are made from the
 * response's own id (`call_<response>_<n>`), so that the calls of one response can be told apart from the next one's.
 */
export function* responseEvents(echo: Echo, outputs: readonly Output[], options: ResponseOptions = {}): Generator<WireEvent> {
  const split: Split = options.deltas === 'whole' ? (text) => [text] : words;
  const ending = options.ending ?? { status: 'completed' };
  const responseId = id('resp');
  const response = responseJson(responseId, Math.floor(Date.now() / 1000), echo);
  let sequence = 0;
  const numbered = (event: Bare): WireEvent => ({ ...event, sequence_number: sequence++ });
  yield numbered({ type: 'response.created', response });
  yield numbered({ type: 'response.in_progress', response });
  const done: Json[] = [];
  for (const [output_index, raw] of outputs.entries()) {
    const output = 'name' in raw ? { ...raw, callId: raw.callId ?? `call_${responseId.slice(5, 17)}_${output_index}` } : raw;
    const at = { item_id: id(idPrefix[output.type]), output_index };
    const events =
      output.type === 'message'
        ? message(output.text, at, split)
        : output.type === 'reasoning'
          ? reasoning(output.text, at, split)
          : output.type === 'search'
            ? search(output, at)
            : call(output, at, split);
    for (let next = events.next(); ; next = events.next()) {
      if (!next.done) yield numbered(next.value);
      else {
        done.push(next.value);
        yield numbered({ type: 'response.output_item.done', output_index, item: next.value });
        break;
      }
    }
  }
  const output = estimate(body(outputs));
  const usage = usageJson(options.usage ?? { input: 0, cached: 0, output, reasoning: 0 });
  const failed = ending.status === 'failed';
  yield numbered({
    type: `response.${ending.status}`,
    response: {
      ...response,
      status: ending.status,
      ...(ending.status === 'completed' ? { completed_at: Math.floor(Date.now() / 1000) } : {}),
      error: failed ? { code: ending.code, message: ending.message } : null,
      incomplete_details: ending.status === 'incomplete' ? { reason: ending.reason } : null,
      output: done,
      ...(failed ? {} : { usage }),
    },
  });
}

/** An event as it goes over the wire. */
export const frame = (event: WireEvent): string => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;

/** The API's error body. */
export const errorBody = (message: string, type: string, code: string | null = null, param: string | null = null): Json => ({
  error: { message, type, param, code },
});

/** The answer to `GET /v1/models`. */
export const modelList = (ids: readonly string[], owner: string): Json => ({
  object: 'list',
  data: ids.map((model) => ({ id: model, object: 'model', created: 1_760_000_000, owned_by: owner })),
});
