import type { ChatCompletionMessageParam, ChatCompletionTool, ChatCompletionContentPart } from 'openai/resources/chat/completions';
import { isCall, textOf, type CallItem } from '../history.ts';
import type { HistoryItem, ToolSpec } from '../types.ts';

/**
 * The history in the shape of Chat Completions. Kept to what all servers take: one system message at the start, no
 * two user messages in a row, arguments that are JSON, images in user messages only.
 */

/** Fields in which servers tell a model's reasoning, and want it back between the calls of a turn. */
export const REASONING_FIELDS = ['reasoning_content', 'reasoning'] as const;
export type ReasoningField = (typeof REASONING_FIELDS)[number];

const MARK = 'rs_chat_';

/** Reasoning that came over this wire, with the name of its field. */
export const reasoningItem = (field: ReasoningField, text: string): HistoryItem => ({
  type: 'reasoning',
  id: MARK + field,
  summary: [{ type: 'summary_text', text }],
});

/** Such reasoning means nothing on the other wire. */
export const isFromChat = (item: HistoryItem): boolean => item.type === 'reasoning' && item.id?.startsWith(MARK) === true;

type Assistant = Extract<ChatCompletionMessageParam, { role: 'assistant' }> & Partial<Record<ReasoningField, string>>;

export const toolsOf = (tools: ToolSpec[]): ChatCompletionTool[] =>
  tools.flatMap((tool): ChatCompletionTool[] =>
    tool.type === 'function'
      ? [{ type: 'function', function: { name: tool.name, description: tool.description ?? '', parameters: tool.parameters ?? {} } }]
      : [],
  );

/** Servers that parse the arguments of earlier calls refuse a request in which one of them is broken. */
function argumentsOf(call: CallItem): string {
  if (call.type === 'custom_tool_call') return JSON.stringify({ input: call.input });
  try {
    const parsed: unknown = JSON.parse(call.arguments);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? call.arguments : '{}';
  } catch {
    return '{}';
  }
}

const imagePart = (url: string): ChatCompletionContentPart => ({ type: 'image_url', image_url: { url } });

class Messages {
  readonly all: ChatCompletionMessageParam[] = [];
  readonly #reasoning: boolean;
  /** What the next assistant message begins with, and images that follow the outputs of a step. */
  #thought: Partial<Record<ReasoningField, string>> = {};
  #images: ChatCompletionContentPart[] = [];

  constructor(reasoning: boolean) {
    this.#reasoning = reasoning;
  }

  add(item: HistoryItem): void {
    if (item.type === 'function_call_output' || item.type === 'custom_tool_call_output')
      return this.#output(item.call_id ?? '', item.output);
    this.flush();
    if (isCall(item)) return this.#call(item);
    if (isFromChat(item) && item.type === 'reasoning') this.#think(item.id!.slice(MARK.length), item.summary[0]?.text ?? '');
    else if (item.type === 'message' && item.role === 'assistant') this.#open().content = textOf(item);
    else if (item.type === 'message') this.#said(item.role, item.content);
  }

  #think(field: string, text: string): void {
    const known = REASONING_FIELDS.find((name) => name === field);
    if (known && this.#reasoning) this.#thought = { [known]: text };
  }

  /** An assistant message of its own. */
  #open(): Assistant {
    const message: Assistant = { role: 'assistant', content: null, ...this.#thought };
    this.#thought = {};
    this.all.push(message);
    return message;
  }

  #call(item: CallItem): void {
    const last = this.all.at(-1);
    const message = last?.role === 'assistant' ? last : this.#open();
    message.tool_calls = [
      ...(message.tool_calls ?? []),
      { id: item.call_id, type: 'function', function: { name: item.name, arguments: argumentsOf(item) } },
    ];
  }

  #output(id: string, output: Extract<HistoryItem, { type: 'function_call_output' }>['output']): void {
    const images =
      typeof output === 'string'
        ? []
        : output.flatMap((part) => (part.type === 'input_image' && part.image_url ? [imagePart(part.image_url)] : []));
    const text = typeof output === 'string' ? output : output.map((part) => ('text' in part ? part.text : '')).join('');
    this.#images.push(...images);
    this.all.push({ role: 'tool', tool_call_id: id, content: text || (images.length ? 'The image follows.' : '') });
  }

  /** What is told to the model later than at the start comes as a user's message: many templates take no other. */
  #said(role: string, content: string | readonly { type: string; text?: string; image_url?: string | null }[]): void {
    const parts = typeof content === 'string' ? [{ type: 'input_text', text: content }] : content;
    const shown = parts.flatMap((part): ChatCompletionContentPart[] => {
      if (part.text !== undefined) return [{ type: 'text', text: part.text }];
      return 'image_url' in part && part.image_url ? [imagePart(part.image_url)] : [];
    });
    this.#join(role !== 'user' && this.all.every((message) => message.role === 'system') ? 'system' : 'user', shown);
  }

  /** Images that came as the output of a tool, once all outputs of the step are there. */
  flush(): void {
    if (this.#images.length) this.#join('user', this.#images);
    this.#images = [];
  }

  /** One after another of the same role become one message; plain text stays a plain string. */
  #join(role: 'system' | 'user', parts: ChatCompletionContentPart[]): void {
    const last = this.all.at(-1);
    const before =
      last?.role === role ? (typeof last.content === 'string' ? [{ type: 'text' as const, text: last.content }] : last.content) : [];
    const all = [...(before as ChatCompletionContentPart[]), ...parts];
    if (last?.role === role) this.all.pop();
    const texts = all.flatMap((part) => (part.type === 'text' ? [part.text] : []));
    const content = texts.length === all.length ? texts.join('\n\n') : all;
    this.all.push({ role, content } as ChatCompletionMessageParam);
  }
}

/** The whole history as messages. `reasoning` tells whether to hand earlier reasoning back. */
export function messagesOf(history: HistoryItem[], reasoning: boolean): ChatCompletionMessageParam[] {
  const messages = new Messages(reasoning);
  for (const item of history) messages.add(item);
  messages.flush();
  return messages.all;
}
