import type { AppError, ErrorCode } from '../../contract/index.ts';
import type { ModelConfig } from '../types.ts';

/** `request`, `stream`: may be tried again, counted apart. `limit`: the provider asks for a pause. */
export type Retry = 'no' | 'request' | 'stream' | 'limit';

/** What a provider or the network did to one attempt: as data for the person, and whether to try again. */
export class ModelFault extends Error {
  readonly app: AppError;
  readonly retry: Retry;
  /** How long the provider asked to wait, in ms. */
  readonly after: number | null;
  /** Fewer retries than usual, for what seldom passes by itself. */
  readonly atMost: number;
  /** The parameter that the provider named, and its HTTP status, where it answered one. */
  param = '';
  status: number | undefined = undefined;
  constructor(
    code: ErrorCode,
    message: string,
    more: { fix?: string; output?: string; retry?: Retry; after?: number | null; atMost?: number } = {},
  ) {
    super(message);
    this.name = 'ModelFault';
    this.retry = more.retry ?? 'no';
    this.after = more.after ?? null;
    this.atMost = more.atMost ?? Infinity;
    this.app = { code, message, ...(more.fix ? { fix: more.fix } : {}), ...(more.output ? { output: more.output.slice(0, 2000) } : {}) };
  }
}

const CHECK_URL = 'Check the base URL in Settings; most end in /v1.';
const overflowWords = /context_length_exceeded|context (length|window)|maximum context|prompt is too long|too many (input )?tokens/i;
export const unknownModelWords = /model_not_found|model[^.]{0,80}(not (found|exist)|does not exist|unknown)|unknown model|no such model/i;

const noToolsWords = /(does not|doesn't|not) support (tools|tool|function)|(tools|tool use|function calling) (is|are) not supported/i;

/** `Retry-After` in seconds or as a date, or OpenAI's `retry-after-ms`; null where there is none that makes sense. */
export function retryAfter(headers: Headers | undefined, now = Date.now()): number | null {
  const ms = Number(headers?.get('retry-after-ms') ?? Number.NaN);
  if (ms >= 0) return ms;
  const text = headers?.get('retry-after')?.trim();
  if (!text) return null;
  const wait = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isFinite(wait) ? Math.max(0, wait) : null;
}

interface Told {
  status: number | undefined;
  code: string;
  words: string;
  after: number | null;
  structured: boolean;
}

/** What a provider's error says, as an HTTP status, a streamed `error` event or a `response.failed`. */
export function faultFrom(told: Told, config: ModelConfig): ModelFault {
  const { status, code, words } = told;
  const said = words ? `: ${words}` : '';
  if (overflowWords.test(`${code} ${words}`) || status === 413) {
    return new ModelFault('context-overflow', `The conversation no longer fits the window of ${config.model}${said}`, {
      fix: 'Start a new task from here, or choose a model with a larger context window.',
    });
  }
  if (status === 401 || code === 'invalid_api_key') {
    return new ModelFault('model-unauthorized', `${config.baseUrl} does not accept the model key (401)${said}`, {
      fix: 'Check the key in Settings.',
    });
  }
  if (status === 404 && !told.structured && !unknownModelWords.test(words)) {
    return new ModelFault('model-unreachable', `There is no model service at ${config.baseUrl} (404).`, { fix: CHECK_URL, output: words });
  }
  if (status === 404 || (status === 400 && unknownModelWords.test(`${code} ${words}`)) || code === 'model_not_found') {
    return new ModelFault('model-unknown', `${config.baseUrl} has no model "${config.model}" for this key${said}`, {
      fix: 'Choose another model in Settings.',
    });
  }
  if (code === 'insufficient_quota') {
    return new ModelFault('model-limited', `The account at ${config.baseUrl} has used up its quota${said}`, {
      fix: 'Check the plan and billing of the account, or use another key.',
    });
  }
  if (status === 429 || /rate_limit/.test(code)) {
    return new ModelFault('model-limited', `${config.baseUrl} limits the rate of requests${said}`, {
      fix: 'Wait a while, or run fewer tasks at once (Settings).',
      retry: 'limit',
      after: told.after ?? spokenPause(words),
    });
  }
  if (status === undefined || status === 408 || status === 409 || status >= 500) {
    const what = status === undefined ? `The model's server failed${code ? ` (${code})` : ''}` : `The model's server answered ${status}`;
    const permanent = status === undefined && /invalid_prompt|content_policy|invalid_request/.test(code);
    return new ModelFault(permanent ? 'model-refused' : 'model-unreachable', `${what}${said}`, {
      ...(permanent ? {} : { fix: 'Try again later; the provider may have an outage.' }),
      retry: permanent ? 'no' : 'request',
      after: told.after,
    });
  }
  return new ModelFault('model-refused', `The provider refused the request (${status})${said}`, {
    fix: noToolsWords.test(words)
      ? 'Choose a model that can call tools: an agent works by them.'
      : 'What it said tells what it did not like; another model or setting may help.',
  });
}

/** "Please try again in 1.3s", as rate-limit errors inside a stream say it. */
function spokenPause(words: string): number | null {
  const match = /try again in (\d+(?:\.\d+)?)\s*(ms|s)/i.exec(words);
  return match ? Number(match[1]) * (match[2]!.toLowerCase() === 'ms' ? 1 : 1000) : null;
}

/** What a broken socket or name lookup says, as far down the causes as it goes. */
function causeOf(thrown: unknown): { code: string; message: string } {
  let code = '';
  let message = '';
  let at: unknown = thrown;
  while (at instanceof Error) {
    message = at.message || message;
    if ('code' in at && typeof at.code === 'string') code = at.code;
    at = at.cause ?? (at instanceof AggregateError ? at.errors[0] : undefined);
  }
  return { code, message };
}

/** Some gateways tell an HTTP status as the code of an error inside the stream. */
const statusIn = (code: unknown): number | undefined => (Number(code) >= 400 && Number(code) < 600 ? Number(code) : undefined);

interface ApiError extends Error {
  status: number | undefined;
  headers: Headers | undefined;
  error: unknown;
  code?: string | number | null;
  param?: string | null;
}

/** The `openai` client's error for what a provider answered; known by its shape, so that this file needs no client. */
const isApiError = (thrown: unknown): thrown is ApiError =>
  thrown instanceof Error &&
  'status' in thrown &&
  'headers' in thrown &&
  'error' in thrown &&
  (thrown.status !== undefined || thrown.error !== undefined);

/** Turns whatever one attempt threw into a {@link ModelFault}. `streaming` tells whether the reply had begun. */
export function toFault(thrown: unknown, config: ModelConfig, streaming: boolean): ModelFault {
  if (thrown instanceof ModelFault) return thrown;
  if (isApiError(thrown)) {
    const body = thrown.error as { message?: unknown } | null | undefined;
    const structured = typeof body === 'object' && body !== null;
    const words = typeof body?.message === 'string' ? body.message : thrown.message.replace(/^\d{3} /, '');
    const status = thrown.status ?? statusIn(thrown.code);
    const fault = faultFrom(
      { status, code: String(thrown.code ?? ''), words: words.slice(0, 1000), after: retryAfter(thrown.headers), structured },
      config,
    );
    return Object.assign(fault, { status, param: thrown.param ?? '' });
  }
  const { code, message } = causeOf(thrown);
  if (thrown instanceof SyntaxError) {
    return new ModelFault('model-bad-reply', `${config.baseUrl} sent an event that is not JSON.`, {
      fix: CHECK_URL,
      output: message,
      retry: 'stream',
    });
  }
  if (streaming) {
    return new ModelFault('model-interrupted', `The model's reply was cut off (${code || message}).`, {
      fix: 'Send the message again to go on.',
      retry: 'stream',
    });
  }
  return new ModelFault('model-unreachable', `Can't reach ${config.baseUrl} (${code || message}).`, {
    fix: `Is it running, and is there a network? ${CHECK_URL}`,
    retry: 'request',
  });
}

export const stalled = (ms: number): ModelFault =>
  new ModelFault('model-interrupted', `The model said nothing for ${Math.round(ms / 1000)} s.`, {
    fix: 'Send the message again to go on.',
    retry: 'stream',
  });
export const endedEarly = (): ModelFault =>
  new ModelFault('model-interrupted', "The model's reply stopped half-way.", { fix: 'Send the message again to go on.', retry: 'stream' });
export const notAStream = (config: ModelConfig, type: string, body: string): ModelFault =>
  new ModelFault('model-bad-reply', `${config.baseUrl} answered with ${type || 'no content type'} instead of an event stream.`, {
    fix: CHECK_URL,
    output: body,
    retry: 'stream',
    atMost: 2,
  });
export const emptyReply = (): ModelFault =>
  new ModelFault('model-bad-reply', 'The model sent an empty reply.', {
    fix: 'Send the message again, or choose another model.',
    retry: 'stream',
    atMost: 2,
  });
export const incomplete = (reason: string | undefined): ModelFault =>
  reason === 'content_filter'
    ? new ModelFault('model-refused', "The provider's content filter stopped the reply.", { fix: 'Word the message differently.' })
    : new ModelFault('model-interrupted', `The model stopped before the end of its reply${reason ? ` (${reason})` : ''}.`, {
        fix: 'Send "go on", or ask for less at once.',
      });
