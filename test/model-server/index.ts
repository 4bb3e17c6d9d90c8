import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { listen, readBody, sendJson, startStream, writeEvents } from '../../agent-core/demo/http.ts';
import {
  errorBody,
  modelList,
  responseEvents,
  type Ending,
  type Output,
  type TokenUsage,
  type WireEvent,
} from '../../agent-core/demo/wire.ts';
import { streamChat, type ChatDialect } from './chat.ts';
import { keep } from './corpus.ts';
import { checkChat, type ChatRequest } from './chat-request.ts';
import { bytesOf, inDialect, type Dialect } from './dialect.ts';
import { checkRequest, type ResponsesRequest } from './request.ts';
import type { Script, Step } from './script.ts';

export * from './script.ts';
export type { ChatRequest } from './chat-request.ts';
export type { Dialect } from './dialect.ts';
export type { ChatDialect };
export type { InputItem, ResponsesRequest, ToolSpec } from './request.ts';

export interface RecordedRequest {
  n: number;
  /** The request; one for chat completions as the same request would be on the Responses wire. */
  body: ResponsesRequest;
  /** The request for chat completions as it came. */
  chat?: ChatRequest;
  headers: IncomingHttpHeaders;
  /** Path and query. */
  url: string;
  /** Milliseconds since the epoch when it had arrived. */
  at: number;
  /** True once the client went away before the answer was whole. */
  aborted: boolean;
}

export interface ModelServerOptions {
  /** Requires this key; any or none is taken where absent. */
  key?: string;
  /** The models that exist; any where absent. */
  models?: string[];
  /** Milliseconds between deltas; 0 by default. */
  pace?: number;
  /** Benchmarks: no checks, one delta a text, one write a response, requests not kept. */
  fast?: boolean;
  /** The APIs that it has; both where absent. The others are unknown addresses. */
  wires?: ('responses' | 'chat')[];
}

export interface ModelServer {
  /** Base URL for the client, ending in `/v1`. */
  url: string;
  /** The valid requests so far, oldest first. */
  requests: RecordedRequest[];
  /** What was refused by the strict checks, with the message answered. */
  refused: { status: number; message: string }[];
  /** Resolves with the nth valid request (from 1), now or when it comes. */
  request(n: number): Promise<RecordedRequest>;
  close(): Promise<void>;
}

interface Plan {
  outputs: Output[];
  usage: Partial<TokenUsage>;
  ending: Ending;
  steps: readonly Step[];
}

const isOutput = (step: Step): step is Output => ['message', 'reasoning', 'function', 'custom', 'search'].includes(step.type);

function plan(steps: readonly Step[]): Plan {
  const same = steps.some((step) => step.type === 'sameCallIds');
  const outputs = steps.filter(isOutput).map((output) => (same && 'name' in output ? { ...output, callId: 'call_the_same' } : output));
  const usage = Object.assign({}, ...steps.flatMap((step) => (step.type === 'usage' ? [step.usage] : []))) as Partial<TokenUsage>;
  const ending = steps.findLast((step) => step.type === 'ending')?.ending ?? { status: 'completed' };
  return { outputs, usage, ending, steps };
}

const of = <T extends Step['type']>(steps: readonly Step[], type: T) =>
  steps.find((step): step is Extract<Step, { type: T }> => step.type === type);

/** Plays the whole answer, misbehaviour included. */
async function answer(
  response: ServerResponse,
  request: ResponsesRequest,
  script: readonly Step[],
  options: ModelServerOptions,
  chat?: ChatRequest,
): Promise<void> {
  const { outputs, usage, ending, steps } = plan(script);
  if (steps[0]?.type === 'delay') await sleep(steps[0].ms);
  if (of(steps, 'reset')) {
    response.destroy();
    return;
  }
  const refusal = of(steps, 'status');
  if (refusal) {
    if (typeof refusal.body !== 'string') return sendJson(response, refusal.status, refusal.body, refusal.headers);
    response.writeHead(refusal.status, { 'content-type': 'text/plain', ...refusal.headers }).end(refusal.body);
    return;
  }
  if (of(steps, 'html200')) {
    response
      .writeHead(200, { 'content-type': 'text/html' })
      .end('<!doctype html><title>Sign in</title><p>Please sign in to this network.</p>');
    return;
  }
  const input = usage.input ?? (options.fast ? 1000 : Math.ceil(JSON.stringify(request).length / 4));
  const full = { input, cached: 0, output: Math.ceil(JSON.stringify(outputs).length / 4), reasoning: 0, ...usage };
  if (chat) {
    startStream(response);
    return streamChat(response, chat, { outputs, ending, usage: full, steps });
  }
  const plain = [...responseEvents(request, outputs, { usage: full, ending, deltas: options.fast ? 'whole' : 'words' })];
  const events = of(steps, 'twist')?.events?.(plain) ?? plain;
  if (!options.fast && events === plain && !of(steps, 'dialect')) for (const event of events) keep('responses event', event);
  if (request.stream !== true) return sendJson(response, 200, events.at(-1)?.['response']);
  startStream(response);
  const spoken = of(steps, 'dialect')?.dialect;
  if (spoken) return speak(response, events, spoken);
  await stream(response, events, steps, options.pace ?? 0);
}

/** Writes a whole answer as another server would. */
async function speak(response: ServerResponse, events: readonly WireEvent[], dialect: Dialect): Promise<void> {
  for (const piece of bytesOf(inDialect(events, dialect), dialect)) {
    if (response.destroyed) return;
    await new Promise((resolve) => response.write(piece, resolve));
  }
  response.end();
}

/** The place in the events before which the output at `index` begins. */
const beginOf = (events: readonly WireEvent[], index: number) =>
  events.findIndex((event) => event.type === 'response.output_item.added' && event['output_index'] === index);

async function stream(response: ServerResponse, all: WireEvent[], steps: readonly Step[], pace: number): Promise<void> {
  const cut = of(steps, 'cut');
  const stalled = of(steps, 'stall');
  const junk = of(steps, 'garbage');
  const failure = of(steps, 'errorEvent');
  const stop = cut?.after ?? stalled?.after ?? (of(steps, 'noTerminal') || failure ? all.length - 1 : all.length);
  const events = all.slice(0, stop);
  let written = 0;
  const upTo = async (end: number) => {
    if (end <= written) return;
    await writeEvents(response, events.slice(written, end), pace);
    written = Math.min(end, events.length);
  };
  let outputs = 0;
  for (const [i, step] of steps.entries()) {
    if (isOutput(step)) outputs += 1;
    if (step.type !== 'delay' || i === 0) continue;
    const place = beginOf(events, outputs);
    await upTo(place < 0 ? events.length - 1 : place);
    await sleep(step.ms);
  }
  if (junk) {
    await upTo(junk.after);
    response.write('event: response.output_text.delta\ndata: {"type": "response.output_text.del\n\n');
  }
  await upTo(events.length);
  if (failure) {
    const event = { type: 'error', code: failure.code, message: failure.message, param: null, sequence_number: all.length - 1 };
    response.write(`event: error\ndata: ${JSON.stringify(event)}\n\n`);
  }
  if (stalled) return;
  if (cut) {
    // What was written must reach the client before the reset, or the cut comes before the nth event.
    await new Promise<void>((resolve) => response.write(':\n\n', () => resolve()));
    response.destroy();
    return;
  }
  response.end();
}

interface Room {
  options: ModelServerOptions;
  script: Script;
  requests: RecordedRequest[];
  refused: ModelServer['refused'];
  waiting: { n: number; resolve: (request: RecordedRequest) => void }[];
  count: number;
}

function authorised(request: IncomingMessage, response: ServerResponse, key: string | undefined): boolean {
  if (key === undefined || request.headers.authorization === `Bearer ${key}` || request.headers['api-key'] === key) return true;
  const given = request.headers.authorization?.replace('Bearer ', '');
  const message = given
    ? `Incorrect API key provided: ${given.slice(0, 5)}***. You can find your API key at https://platform.openai.com/account/api-keys.`
    : "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth.";
  sendJson(response, 401, errorBody(message, 'invalid_request_error', given ? 'invalid_api_key' : null));
  return false;
}

async function create(room: Room, incoming: IncomingMessage, response: ServerResponse, wire: 'responses' | 'chat'): Promise<void> {
  const text = await readBody(incoming);
  if (room.options.fast) {
    room.count += 1;
    const body = JSON.parse(text) as ResponsesRequest;
    return answer(response, body, await room.script(body, room.count), room.options);
  }
  const checked = wire === 'chat' ? checkChat(text) : checkRequest(text);
  if ('refusal' in checked) {
    const { error } = checked.refusal.body as { error: { message: string } };
    room.refused.push({ status: checked.refusal.status, message: error.message });
    return sendJson(response, checked.refusal.status, checked.refusal.body);
  }
  const chat = 'view' in checked ? checked.request : undefined;
  const body = 'view' in checked ? checked.view : checked.request;
  if (room.options.models && !room.options.models.includes(body.model)) {
    const message = `The model \`${body.model}\` does not exist or you do not have access to it.`;
    return sendJson(response, 404, errorBody(message, 'invalid_request_error', 'model_not_found', 'model'));
  }
  keep(chat ? 'chat request' : 'responses request', JSON.parse(text));
  room.count += 1;
  const record: RecordedRequest = {
    n: room.count,
    body,
    headers: incoming.headers,
    url: incoming.url ?? '',
    at: Date.now(),
    aborted: false,
    ...(chat ? { chat } : {}),
  };
  room.requests.push(record);
  response.on('close', () => (record.aborted ||= !response.writableFinished));
  for (const waiter of room.waiting.filter(({ n }) => n === record.n)) waiter.resolve(record);
  await answer(response, body, await room.script(body, record.n), room.options, chat);
}

/** Starts a server on a free loopback port that plays `script` over the Responses wire or that of Chat Completions. */
export async function startModelServer(script: Script, options: ModelServerOptions = {}): Promise<ModelServer> {
  const room: Room = { options, script, requests: [], refused: [], waiting: [], count: 0 };
  const local = await listen(async (request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    if (!authorised(request, response, options.key)) return;
    const wire = (['responses', 'chat'] as const).find((name) => path === (name === 'chat' ? '/v1/chat/completions' : '/v1/responses'));
    if (wire && options.wires?.includes(wire) === false)
      return void response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found');
    if (request.method === 'POST' && wire) return create(room, request, response, wire);
    if (request.method === 'GET' && path === '/v1/models')
      return sendJson(response, 200, modelList(options.models ?? ['test-model'], 'test'));
    sendJson(response, 404, errorBody(`Invalid URL (${request.method} ${path})`, 'invalid_request_error'));
  });
  return {
    url: `${local.origin}/v1`,
    requests: room.requests,
    refused: room.refused,
    request: (n) => {
      const known = room.requests.find((request) => request.n === n);
      return known ? Promise.resolve(known) : new Promise((resolve) => room.waiting.push({ n, resolve }));
    },
    close: local.close,
  };
}
