import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { words, type Ending, type Output, type TokenUsage } from '../../agent-core/demo/wire.ts';
import type { ChatRequest } from './chat-request.ts';
import { keep } from './corpus.ts';
import type { Step } from './script.ts';

/** Ways in which servers other than OpenAI's stream chat completions; each must be borne. */
export interface ChatDialect {
  /** Calls come without ids, or without an index, or all with the index 0. */
  noIds?: boolean;
  noIndex?: boolean;
  sameIndex?: boolean;
  /** Whole arguments in one delta, as an object instead of text. */
  objectArguments?: boolean;
  /** The field for reasoning; OpenAI tells none. */
  reasoning?: 'reasoning_content' | 'reasoning';
  /** No count of tokens, whatever was asked; or in the chunk that finishes. */
  usage?: 'none' | 'with finish';
  noDone?: boolean;
}

type Json = Record<string, unknown>;

const finishOf = (ending: Ending, calls: boolean): string => {
  if (ending.status === 'incomplete') return ending.reason === 'content_filter' ? 'content_filter' : 'length';
  return calls ? 'tool_calls' : 'stop';
};
const usageJson = (usage: TokenUsage): Json => ({
  prompt_tokens: usage.input,
  completion_tokens: usage.output,
  total_tokens: usage.input + usage.output,
  prompt_tokens_details: { cached_tokens: usage.cached, audio_tokens: 0 },
  completion_tokens_details: {
    reasoning_tokens: usage.reasoning,
    audio_tokens: 0,
    accepted_prediction_tokens: 0,
    rejected_prediction_tokens: 0,
  },
});

function* callDeltas(output: Extract<Output, { type: 'function' }>, index: number, seed: string, dialect: ChatDialect): Generator<Json> {
  const place = dialect.noIndex ? {} : { index: dialect.sameIndex ? 0 : index };
  const id = dialect.noIds ? {} : { id: output.callId ?? `call_${seed}_${index}` };
  const whole = dialect.objectArguments || dialect.noIndex;
  const given = dialect.objectArguments ? (JSON.parse(output.arguments) as unknown) : output.arguments;
  yield { tool_calls: [{ ...place, ...id, type: 'function', function: { name: output.name, arguments: whole ? given : '' } }] };
  if (!whole) for (const text of words(output.arguments)) yield { tool_calls: [{ ...place, function: { arguments: text } }] };
}

function* deltas(outputs: readonly Output[], seed: string, dialect: ChatDialect): Generator<Json> {
  yield { role: 'assistant', content: '', refusal: null };
  let calls = 0;
  for (const output of outputs) {
    if (output.type === 'message') for (const content of words(output.text)) yield { content };
    if (output.type === 'reasoning' && dialect.reasoning)
      for (const text of words(output.text)) yield { content: null, [dialect.reasoning]: text };
    if (output.type === 'function') yield* callDeltas(output, calls++, seed, dialect);
    if (output.type === 'custom') throw new Error('Chat Completions has no freeform tools in this server: use call().');
  }
}

/** The chunks of a streamed answer (API reference: "The chat completion chunk object"), each as it goes over the wire. */
function* frames(
  request: ChatRequest,
  outputs: readonly Output[],
  ending: Ending,
  usage: TokenUsage,
  dialect: ChatDialect,
): Generator<string> {
  const seed = randomBytes(6).toString('hex');
  const counts = request.stream_options?.include_usage === true && dialect.usage !== 'none';
  const base = {
    id: `chatcmpl-${seed}`,
    object: 'chat.completion.chunk',
    created: Math.floor(Date.now() / 1000),
    model: request.model,
    service_tier: 'default',
  };
  const frame = (choices: Json[], more: Json = counts ? { usage: null } : {}): string =>
    `data: ${JSON.stringify({ ...base, choices, ...more })}\n\n`;
  for (const delta of deltas(outputs, seed, dialect)) yield frame([{ index: 0, delta, logprobs: null, finish_reason: null }]);
  const last = {
    index: 0,
    delta: {},
    logprobs: null,
    finish_reason: finishOf(
      ending,
      outputs.some(({ type }) => type === 'function'),
    ),
  };
  const within = counts && dialect.usage === 'with finish';
  yield frame([last], within ? { usage: usageJson(usage) } : undefined);
  if (counts && !within) yield frame([], { usage: usageJson(usage) });
  if (!dialect.noDone) yield 'data: [DONE]\n\n';
}

const of = <T extends Step['type']>(steps: readonly Step[], type: T) =>
  steps.find((step): step is Extract<Step, { type: T }> => step.type === type);

/** The frames with their chunks changed; the end mark stays. */
function rewritten(frames: readonly string[], twist: (chunks: Json[]) => Json[]): string[] {
  const chunks = frames.filter((frame) => frame.startsWith('data: {')).map((frame) => JSON.parse(frame.slice(6)) as Json);
  return [...twist(chunks).map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`), ...frames.filter((frame) => !frame.startsWith('data: {'))];
}

/** Streams an answer with its misbehaviour. `after` counts chunks, as it counts events on the other wire. */
export async function streamChat(
  response: ServerResponse,
  request: ChatRequest,
  { outputs, ending, usage, steps }: { outputs: readonly Output[]; ending: Ending; usage: TokenUsage; steps: readonly Step[] },
): Promise<void> {
  const plain = [...frames(request, outputs, ending, usage, of(steps, 'chatDialect')?.dialect ?? {})];
  if (!of(steps, 'chatDialect')) for (const frame of plain) if (frame.startsWith('data: {')) keep('chat chunk', JSON.parse(frame.slice(6)));
  const twisted = of(steps, 'twist')?.chunks;
  const all = twisted ? rewritten(plain, twisted) : plain;
  const cut = of(steps, 'cut');
  const stalled = of(steps, 'stall');
  const failure = of(steps, 'errorEvent');
  const broken = of(steps, 'garbage');
  const finish = all.findIndex((frame) => /"finish_reason":"/.test(frame));
  const stop = cut?.after ?? stalled?.after ?? (of(steps, 'noTerminal') || failure ? finish : all.length);
  const shown = all.slice(0, stop);
  if (broken) shown.splice(broken.after, 0, 'data: {"id": "chatcmpl\n\n');
  if (failure)
    shown.push(
      `data: ${JSON.stringify({ error: { message: failure.message, type: 'server_error', param: null, code: failure.code } })}\n\n`,
    );
  for (const frame of shown) {
    if (response.destroyed) return;
    await new Promise((resolve) => response.write(frame, resolve));
  }
  if (stalled) return;
  if (cut) response.destroy();
  else response.end();
}
