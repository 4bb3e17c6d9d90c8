import { z } from 'zod';
import { errorBody } from '../../agent-core/demo/wire.ts';
import type { InputItem, Refusal, ResponsesRequest } from './request.ts';

/** What the API checks of a `POST /v1/chat/completions`, as far as a coding harness uses it, and the same request as scripts read it. */

const textPart = z.strictObject({ type: z.literal('text'), text: z.string() });
const imagePart = z.strictObject({
  type: z.literal('image_url'),
  image_url: z.strictObject({ url: z.string().regex(/^(https?:|data:image\/)/), detail: z.enum(['low', 'high', 'auto']).optional() }),
});
const text = z.union([z.string(), z.array(textPart).min(1)]);
const callOf = z.strictObject({
  id: z.string().min(1).max(64),
  type: z.literal('function'),
  function: z.strictObject({ name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/), arguments: z.string() }),
});
const message = z.discriminatedUnion('role', [
  z.strictObject({ role: z.literal('system'), content: text }),
  z.strictObject({ role: z.literal('developer'), content: text }),
  z.strictObject({ role: z.literal('user'), content: z.union([z.string(), z.array(z.union([textPart, imagePart])).min(1)]) }),
  z.strictObject({
    role: z.literal('assistant'),
    content: text.nullish(),
    tool_calls: z.array(callOf).min(1).optional(),
    reasoning_content: z.string().optional(),
    reasoning: z.string().optional(),
  }),
  z.strictObject({ role: z.literal('tool'), tool_call_id: z.string().min(1), content: text }),
]);
const requestSchema = z.strictObject({
  model: z.string().min(1),
  messages: z.array(message).min(1),
  stream: z.boolean().optional(),
  stream_options: z.strictObject({ include_usage: z.boolean().optional() }).optional(),
  tools: z
    .array(
      z.strictObject({
        type: z.literal('function'),
        function: z.strictObject({
          name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/),
          description: z.string().optional(),
          parameters: z.looseObject({ type: z.literal('object') }).optional(),
          strict: z.boolean().optional(),
        }),
      }),
    )
    .min(1)
    .optional(),
  reasoning_effort: z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh']).optional(),
  parallel_tool_calls: z.boolean().optional(),
  prompt_cache_key: z.string().optional(),
});
export type ChatRequest = z.infer<typeof requestSchema>;
type Message = ChatRequest['messages'][number];

const refuse = (message: string, param: string | null, code: string | null = null): { refusal: Refusal } => ({
  refusal: { status: 400, body: errorBody(message, 'invalid_request_error', code, param) },
});

/** Each message with calls is followed at once by one output for each of them. */
function pairing(messages: readonly Message[]): { refusal: Refusal } | null {
  let open = new Set<string>();
  for (const [i, entry] of messages.entries()) {
    if (entry.role === 'tool') {
      if (!open.delete(entry.tool_call_id)) {
        return refuse(
          "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
          `messages.[${i}].role`,
        );
      }
      continue;
    }
    if (open.size) return refuse(unanswered(open), `messages.[${i}].role`);
    open = new Set(entry.role === 'assistant' ? entry.tool_calls?.map(({ id }) => id) : []);
    if (entry.role === 'assistant' && !entry.content && !open.size)
      return refuse('Invalid value for assistant message: content or tool_calls is needed.', `messages.[${i}].content`);
  }
  return open.size ? refuse(unanswered(open), 'messages') : null;
}
const unanswered = (ids: Iterable<string>) =>
  `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${[...ids].join(', ')}`;

const parts = (content: Message['content']): InputItem['content'] =>
  typeof content === 'string'
    ? content
    : content?.map((part) =>
        part.type === 'text' ? { type: 'input_text', text: part.text } : { type: 'input_image', image_url: part.image_url.url },
      );

function itemsOf(entry: Message): InputItem[] {
  if (entry.role === 'tool') return [{ type: 'function_call_output', call_id: entry.tool_call_id, output: entry.content as string }];
  const calls = entry.role === 'assistant' ? (entry.tool_calls ?? []) : [];
  return [
    ...(entry.content ? [{ type: 'message', role: entry.role, content: parts(entry.content) } as InputItem] : []),
    ...calls.map((each): InputItem => ({
      type: 'function_call',
      call_id: each.id,
      name: each.function.name,
      arguments: each.function.arguments,
    })),
  ];
}

/** The request as scripts written for the Responses wire read it. */
const viewOf = (request: ChatRequest): ResponsesRequest => ({
  model: request.model,
  input: request.messages.flatMap(itemsOf),
  ...(request.stream === undefined ? {} : { stream: request.stream }),
  tools: (request.tools ?? []).map((tool) => ({ type: 'function', ...tool.function }) as NonNullable<ResponsesRequest['tools']>[number]),
});

/** Checks a request as the API would; a refusal is the status and body to answer with. */
export function checkChat(body: string): { request: ChatRequest; view: ResponsesRequest } | { refusal: Refusal } {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return refuse('We could not parse the JSON body of your request.', null);
  }
  const parsed = requestSchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    const where = issue.path.join('.');
    if (issue.code === 'unrecognized_keys') return refuse(`Unrecognized request argument supplied: ${issue.keys[0]}`, null);
    return refuse(`Invalid value for '${where}': ${issue.message}`, where, 'invalid_value');
  }
  return pairing(parsed.data.messages) ?? { request: parsed.data, view: viewOf(parsed.data) };
}
