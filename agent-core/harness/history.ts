import { randomBytes } from 'node:crypto';
import type { HistoryItem } from './types.ts';
import type { ToolOutput } from './tools/types.ts';

export type CallItem = Extract<HistoryItem, { type: 'function_call' | 'custom_tool_call' }>;

export const isCall = (item: HistoryItem): item is CallItem => item.type === 'function_call' || item.type === 'custom_tool_call';
export const isOutput = (item: HistoryItem): item is Extract<HistoryItem, { type: 'function_call_output' | 'custom_tool_call_output' }> =>
  item.type === 'function_call_output' || item.type === 'custom_tool_call_output';

export const message = (role: 'developer' | 'user', ...texts: string[]): HistoryItem => ({
  type: 'message',
  role,
  content: texts.map((text) => ({ type: 'input_text', text })),
});

type Part = { type: 'input_text'; text: string } | { type: 'input_image'; image_url: string; detail: 'auto' };

/** A person's message with these parts behind its words. */
export const withParts = (said: HistoryItem, parts: readonly Part[]): HistoryItem =>
  parts.length && said.type === 'message' && said.role === 'user' && Array.isArray(said.content)
    ? ({ ...said, content: [...said.content, ...parts] } as HistoryItem)
    : said;

/** What the model is told in place of the output of a call that never finished. */
export const ABORTED = 'aborted by user';
const LOST = 'aborted: Signalbox stopped before this call had finished';

export const outputOf = (call: CallItem, output: ToolOutput): HistoryItem =>
  call.type === 'function_call'
    ? { type: 'function_call_output', call_id: call.call_id, output }
    : { type: 'custom_tool_call_output', call_id: call.call_id, output };

/** What the API takes as the name of a tool: anything else in the history is refused, with all that comes after it. */
const nameOf = (name: unknown): string =>
  typeof name === 'string' && /^[a-zA-Z0-9_-]{1,64}$/.test(name)
    ? name
    : (typeof name === 'string' ? name : '').replaceAll(/[^a-zA-Z0-9_-]+/g, '_').slice(0, 64) || 'unnamed_tool';

const asText = (value: unknown, none: string): string => (typeof value === 'string' ? value : value == null ? none : JSON.stringify(value));

/** A call as the API takes it back: its name is one, its arguments are text. The same object when nothing is amiss. */
function wellFormed(call: CallItem): CallItem {
  const name = nameOf(call.name);
  if (call.type === 'custom_tool_call') {
    const input = asText(call.input, '');
    return name === call.name && input === call.input ? call : { ...call, name, input };
  }
  const args = asText(call.arguments, '{}');
  return name === call.name && args === call.arguments ? call : { ...call, name, arguments: args };
}

/**
 * Makes calls fit to be answered and to be sent back: each is well formed, and has an id that no other call of the
 * thread has. `taken` grows by the ids.
 */
export function withOwnIds(items: HistoryItem[], taken: Set<string>): HistoryItem[] {
  return items.map((raw) => {
    if (!isCall(raw)) return raw;
    const item = wellFormed(raw);
    const id =
      typeof item.call_id === 'string' && item.call_id && item.call_id.length <= 64 && !taken.has(item.call_id)
        ? item.call_id
        : `call_${randomBytes(12).toString('hex')}`;
    taken.add(id);
    return id === item.call_id ? item : { ...item, call_id: id };
  });
}

/**
 * A history that the API takes: each call has one output after it, each output a call before it. What a crash
 * left open gets an output that says so, at the end of its step; but for calls that are `waiting` and will get theirs.
 * The same array when nothing is amiss.
 */
export function repaired(history: HistoryItem[], waiting: ReadonlyMap<string, unknown> = new Map()): HistoryItem[] {
  const open = new Map<string, CallItem>();
  const fixed: HistoryItem[] = [];
  const close = () => {
    for (const call of open.values()) if (!waiting.has(call.call_id)) fixed.push(outputOf(call, LOST));
    for (const id of [...open.keys()]) if (!waiting.has(id)) open.delete(id);
  };
  for (const item of history) {
    if (isOutput(item)) {
      if (!item.call_id || !open.delete(item.call_id)) continue;
    } else if (!isCall(item) && item.type !== 'reasoning' && !(item.type === 'message' && item.role === 'assistant')) close();
    if (isCall(item)) open.set(item.call_id, item);
    fixed.push(item);
  }
  close();
  return fixed.length === history.length && fixed.every((item, at) => item === history[at]) ? history : fixed;
}

/** The words of an assistant's message. */
export function textOf(item: HistoryItem): string {
  if (item.type !== 'message' || !Array.isArray(item.content))
    return item.type === 'message' && typeof item.content === 'string' ? item.content : '';
  return item.content.map((part) => ('text' in part ? part.text : 'refusal' in part ? part.refusal : '')).join('');
}
