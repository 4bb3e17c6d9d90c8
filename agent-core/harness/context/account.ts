import type { ContextPart } from '../../contract/index.ts';
import { isCall, isOutput } from '../history.ts';
import { tokensOf } from '../tools/output.ts';
import type { HistoryItem, ToolSpec } from '../types.ts';

type Kind = ContextPart['kind'];
const SHOWN = 20_000;

const titles: Record<Kind, string> = {
  instructions: 'Instructions',
  permissions: 'Permissions and mode',
  skills: 'Skills',
  project: 'AGENTS.md',
  environment: 'Environment',
  tools: 'Tools',
  person: 'Your messages',
  agent: 'The agent’s words',
  reasoning: 'Reasoning',
  calls: 'Calls',
  outputs: 'Outputs of calls',
  summary: 'Summary of what came before',
  images: 'Images',
};
const order = Object.keys(titles) as Kind[];

/** What a text of ours begins with, by what it is. */
const marks: readonly [string, Kind][] = [
  ['<permissions>', 'permissions'],
  ['<turn_mode>', 'permissions'],
  ['<skills>', 'skills'],
  ['<skill_mention>', 'skills'],
  ['# AGENTS.md instructions', 'project'],
  ['<environment_context>', 'environment'],
  ['<turn_aborted>', 'environment'],
  ['Notes of the agent that worked on this before', 'summary'],
];

interface Piece {
  kind: Kind;
  text: string;
  bytes?: number;
}

function partsOf(content: readonly { type: string; text?: string; image_url?: string | null }[], plain: Kind): Piece[] {
  return content.flatMap((part): Piece[] => {
    if (part.image_url) return [{ kind: 'images', text: '[image]', bytes: Buffer.byteLength(part.image_url) }];
    const { text = '' } = part;
    return [{ kind: marks.find(([mark]) => text.startsWith(mark))?.[1] ?? plain, text }];
  });
}

function piecesOf(item: HistoryItem): Piece[] {
  if (item.type === 'message' && 'role' in item) {
    const plain: Kind = item.role === 'user' ? 'person' : item.role === 'assistant' ? 'agent' : 'instructions';
    return typeof item.content === 'string'
      ? partsOf([{ type: 'input_text', text: item.content }], plain)
      : partsOf(item.content as never, plain);
  }
  if (item.type === 'reasoning') {
    const text = item.summary.map((part) => part.text).join('\n');
    return [{ kind: 'reasoning', text: text || '(encrypted)', bytes: Buffer.byteLength(text) + (item.encrypted_content?.length ?? 0) }];
  }
  if (isCall(item)) return [{ kind: 'calls', text: `${item.name} ${item.type === 'function_call' ? item.arguments : item.input}` }];
  if (isOutput(item))
    return typeof item.output === 'string' ? [{ kind: 'outputs', text: item.output }] : partsOf(item.output as never, 'outputs');
  return [{ kind: 'agent', text: JSON.stringify(item) }];
}

/** What a request with this history and these tools holds, by kind, in the order in which the model reads it. */
export function account(history: readonly HistoryItem[], tools: readonly ToolSpec[]): ContextPart[] {
  const grouped = new Map<Kind, Piece[]>();
  const add = (piece: Piece): void => {
    const list = grouped.get(piece.kind);
    if (list) list.push(piece);
    else grouped.set(piece.kind, [piece]);
  };
  for (const tool of tools)
    add({
      kind: 'tools',
      text: 'name' in tool ? `${tool.name}: ${tool.description ?? ''}` : tool.type,
      bytes: Buffer.byteLength(JSON.stringify(tool)),
    });
  for (const item of history) piecesOf(item).forEach(add);
  return order.flatMap((kind): ContextPart[] => {
    const pieces = grouped.get(kind);
    if (!pieces) return [];
    const bytes = pieces.reduce((sum, { text, bytes: own }) => sum + (own ?? Buffer.byteLength(text)), 0);
    return [{ kind, title: titles[kind], tokens: tokensOf(bytes), count: pieces.length, text: beginning(pieces) }];
  });
}

function beginning(pieces: readonly Piece[]): string {
  let shown = '';
  for (const { text } of pieces) {
    if (shown.length > SHOWN) break;
    shown += (shown ? '\n\n' : '') + text;
  }
  return shown.length > SHOWN ? `${shown.slice(0, SHOWN)}…` : shown;
}
