import { truncateOutput } from '../harness/tools/output.ts';
import type { ToolOutput } from '../harness/tools/types.ts';
import type { CallToolResult } from './connection.ts';

const shownTypes = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp']);
/** Base64 characters of one picture that the model is shown. */
const PICTURE_LIMIT = 12 * 1024 * 1024;

type Block = CallToolResult['content'][number];

function words(block: Block): string {
  switch (block.type) {
    case 'text':
      return block.text;
    case 'image':
    case 'audio':
      return `[${block.type}: ${block.mimeType}, ${Math.round((block.data.length * 3) / 4)} bytes]`;
    case 'resource_link':
      return `[resource ${block.uri}${block.description ? `: ${block.description}` : ''}]`;
    case 'resource':
      return 'text' in block.resource ? block.resource.text : `[resource ${block.resource.uri}, binary]`;
  }
}

/** What the person sees of a result in the conversation. */
export function textOf(result: CallToolResult): string {
  const text = result.content.map(words).join('\n');
  return text || (result.structuredContent ? JSON.stringify(result.structuredContent, null, 1) : '');
}

/** What the model gets of it: at most 10,000 tokens of text, and pictures that models can see. */
export function outputOf(result: CallToolResult): ToolOutput {
  const pictures = result.content.filter(
    (block) => block.type === 'image' && shownTypes.has(block.mimeType) && block.data.length <= PICTURE_LIMIT,
  );
  const text = truncateOutput(textOf({ ...result, content: result.content.filter((block) => !pictures.includes(block)) }));
  const said = result.isError ? `The tool reports an error:\n${text}` : text;
  if (!pictures.length) return said;
  return [
    ...(said ? [{ type: 'input_text' as const, text: said }] : []),
    ...pictures.flatMap((block) =>
      block.type === 'image'
        ? [{ type: 'input_image' as const, image_url: `data:${block.mimeType};base64,${block.data}`, detail: 'auto' as const }]
        : [],
    ),
  ];
}
