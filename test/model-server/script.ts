import type { Ending, Output, TokenUsage, WireEvent } from '../../agent-core/demo/wire.ts';
import type { ChatDialect } from './chat.ts';
import type { Dialect } from './dialect.ts';
import type { InputItem, ResponsesRequest } from './request.ts';

/** An object as it goes over the wire. */
export type Json = Record<string, unknown>;

/** What the server does for one request, in order: things the model says, and ways to misbehave. */
export type Step =
  | Output
  | { type: 'usage'; usage: Partial<TokenUsage> }
  | { type: 'ending'; ending: Ending }
  /** Waits; at the front of the list before the headers, elsewhere before what follows it. */
  | { type: 'delay'; ms: number }
  /** Answers with this status and nothing else. */
  | { type: 'status'; status: number; body: unknown; headers: Record<string, string> }
  /** Answers 200 with an HTML page, as a captive portal does. */
  | { type: 'html200' }
  /** Destroys the connection after `after` events. */
  | { type: 'cut'; after: number }
  /** Says nothing more after `after` events and keeps the connection open. */
  | { type: 'stall'; after: number }
  /** Ends the stream cleanly without a terminal event. */
  | { type: 'noTerminal' }
  /** An event whose data is no JSON, after `after` events; the rest follows. */
  | { type: 'garbage'; after: number }
  /** The wire's own `error` event in place of the terminal one. */
  | { type: 'errorEvent'; code: string; message: string }
  /** Destroys the connection before a byte is answered. */
  | { type: 'reset' }
  /** Speaks as some other servers do; see `Dialect`. */
  | { type: 'dialect'; dialect: Dialect }
  /** The same for chat completions; see `ChatDialect`. */
  | { type: 'chatDialect'; dialect: ChatDialect }
  /** Changes the events of a reply, or the chunks of one for chat completions, before they are sent: for what no server should do. */
  | { type: 'twist'; events?: (events: WireEvent[]) => WireEvent[]; chunks?: (chunks: Json[]) => Json[] }
  /** Gives every call of the response the same call id. */
  | { type: 'sameCallIds' };

/** `n` counts requests from 1. Throwing makes the server answer 500. */
export type Script = (request: ResponsesRequest, n: number) => readonly Step[] | Promise<readonly Step[]>;

export const say = (text: string): Step => ({ type: 'message', text });
export const reasoning = (text: string): Step => ({ type: 'reasoning', text });
/** A call of a function tool; a string is sent as it is, broken or not. */
export const call = (name: string, args: unknown, callId?: string): Step => ({
  type: 'function',
  name,
  arguments: typeof args === 'string' ? args : JSON.stringify(args),
  ...(callId ? { callId } : {}),
});
/** A call of a freeform tool such as `apply_patch`. */
export const customCall = (name: string, input: string, callId?: string): Step => ({
  type: 'custom',
  name,
  input,
  ...(callId ? { callId } : {}),
});
/** A call whose arguments stop in the middle of a string. */
export const brokenJsonArguments = (name: string): Step => call(name, '{"cmd": "echo one');
/** The provider searches the web by itself. */
export const search = (query: string, sources: readonly string[] = []): Step => ({ type: 'search', query, sources });
export const usage = (tokens: Partial<TokenUsage>): Step => ({ type: 'usage', usage: tokens });
export const delayMs = (ms: number): Step => ({ type: 'delay', ms });
export const html200 = (): Step => ({ type: 'html200' });
export const cutAfter = (after: number): Step => ({ type: 'cut', after });
export const stall = (after = 2): Step => ({ type: 'stall', after });
export const endWithoutTerminal = (): Step => ({ type: 'noTerminal' });
export const garbage = (after = 2): Step => ({ type: 'garbage', after });
export const errorEvent = (code: string, message: string): Step => ({ type: 'errorEvent', code, message });
export const reset = (): Step => ({ type: 'reset' });
export const dialect = (how: Dialect): Step => ({ type: 'dialect', dialect: how });
export const chatDialect = (how: ChatDialect): Step => ({ type: 'chatDialect', dialect: how });
export const twist = (how: Omit<Extract<Step, { type: 'twist' }>, 'type'>): Step => ({ type: 'twist', ...how });
export const duplicateCallIds = (): Step => ({ type: 'sameCallIds' });
export const incomplete = (reason: 'max_output_tokens' | 'content_filter' = 'max_output_tokens'): Step => ({
  type: 'ending',
  ending: { status: 'incomplete', reason },
});
export const failed = (code: string, message: string): Step => ({ type: 'ending', ending: { status: 'failed', code, message } });
export const failedByRateLimit = (seconds: number): Step =>
  failed('rate_limit_exceeded', `Rate limit reached for this model on tokens per min (TPM). Please try again in ${seconds}s.`);
export const failedByContext = (): Step =>
  failed('context_length_exceeded', 'Your input exceeds the context window of this model. Please adjust your input and try again.');

const apiErrors: Record<number, { message: string; type: string; code: string | null }> = {
  400: { message: 'The request is not valid.', type: 'invalid_request_error', code: null },
  401: { message: 'Incorrect API key provided: sk-wr***ng.', type: 'invalid_request_error', code: 'invalid_api_key' },
  403: { message: 'Your project has no access to this model.', type: 'invalid_request_error', code: 'model_not_found' },
  404: { message: 'The model does not exist or you do not have access to it.', type: 'invalid_request_error', code: 'model_not_found' },
  429: { message: 'Rate limit reached for requests.', type: 'requests', code: 'rate_limit_exceeded' },
  500: { message: 'The server had an error while processing your request.', type: 'server_error', code: null },
  503: { message: 'The engine is currently overloaded, please try again later.', type: 'server_error', code: null },
};

/** An HTTP status with the API's own error body, or with `body` where given (a string is sent as text). */
export const status = (code: number, options: { headers?: Record<string, string>; body?: unknown } = {}): Step => {
  const known = apiErrors[code] ?? { message: `Status ${code}.`, type: 'server_error', code: null };
  const body = options.body ?? { error: { message: known.message, type: known.type, param: null, code: known.code } };
  return { type: 'status', status: code, body, headers: options.headers ?? {} };
};
/** The API's answer to an account without money: a 429 that no waiting cures. */
export const quotaExhausted = (): Step =>
  status(429, {
    body: {
      error: {
        message: 'You exceeded your current quota, please check your plan and billing details.',
        type: 'insufficient_quota',
        param: null,
        code: 'insufficient_quota',
      },
    },
  });
/** The API's answer to an input that is too long, before any stream. */
export const contextOverflow400 = (): Step =>
  status(400, {
    body: {
      error: {
        message: 'Your input exceeds the context window of this model. Please adjust your input and try again.',
        type: 'invalid_request_error',
        param: 'input',
        code: 'context_length_exceeded',
      },
    },
  });

/** A message's whole text. */
export function textOf(item: InputItem): string {
  const content = item.content;
  if (typeof content === 'string') return content;
  return (content ?? []).map((part) => part.text ?? '').join('');
}

/** What the person said, newest last: user messages without the harness's own (AGENTS.md, environment). */
export const userTexts = (request: ResponsesRequest): string[] => request.input.filter((item) => item.role === 'user').map(textOf);

/** The output of a call as text, or undefined when the input holds none. */
export function outputOf(request: ResponsesRequest, callId: string): string | undefined {
  const item = request.input.find((entry) => entry.type?.endsWith('_call_output') && entry.call_id === callId);
  if (!item) return undefined;
  return typeof item.output === 'string' ? item.output : (item.output ?? []).map((part) => part.text ?? '').join('');
}

/** The newest tool output in the input, '' where there is none. */
export function lastOutput(request: ResponsesRequest): string {
  const item = request.input.findLast((entry) => entry.type?.endsWith('_call_output'));
  return item?.call_id ? (outputOf(request, item.call_id) ?? '') : '';
}

/** How many responses with tool calls followed the item at `from` (the server's call ids name their response). */
export function roundsAfter(request: ResponsesRequest, from: number): number {
  const rounds = new Set<string>();
  for (const item of request.input.slice(from + 1)) {
    if ((item.type === 'function_call' || item.type === 'custom_tool_call') && item.call_id) {
      rounds.add(/^call_([0-9a-f]{12})_\d+$/.exec(item.call_id)?.[1] ?? item.call_id);
    }
  }
  return rounds.size;
}

type PlayStep = Step | readonly Step[] | ((request: ResponsesRequest) => readonly Step[]);

/**
 * Plays by conversation, not by request count, so that many threads can share the server and a retry or a restart
 * repeats the right step: of the newest user message that contains one of the keys, step k is played when k-1 rounds
 * of tool calls followed it. After the last step it says "Done."; without a matching prompt "Hello.".
 */
export function scriptByPrompt(scripts: Record<string, readonly PlayStep[]>): Script {
  return (request) => {
    const keyOf = (item: InputItem) => (item.role === 'user' ? Object.keys(scripts).find((key) => textOf(item).includes(key)) : undefined);
    const at = request.input.findLastIndex((item) => keyOf(item) !== undefined);
    const found = request.input[at];
    const key = found && keyOf(found);
    if (key === undefined) return [say('Hello.')];
    const step = scripts[key]?.[roundsAfter(request, at)];
    if (step === undefined) return [say('Done.')];
    if (typeof step === 'function') return step(request);
    return 'type' in step ? [step] : step;
  };
}
