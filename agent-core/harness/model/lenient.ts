import type { HistoryItem, ModelConfig } from '../types.ts';
import { ModelFault } from './fault.ts';
import type { ModelReply } from './port.ts';

/** Names of the parts of a request that a provider has refused. */
export type Refused = ReadonlySet<string>;

/** What each endpoint's models were found not to take, for as long as the core runs. */
const known = new Map<string, Set<string>>();

const imageWords = /\bimages?\b|image_url|input_image|vision|multimodal/i;
const refusingWords =
  /unsupported|not support|doesn't support|unknown|unrecognized|unexpected|extra|not (permitted|allowed|available|implemented)|invalid|verified/i;

/** Which optional part of the request a refusal names; the most specific name first. */
function named(fault: ModelFault, optional: readonly string[], refused: Refused): string | undefined {
  if (fault.status !== 400 && fault.status !== 422) return undefined;
  const words = `${fault.message} ${fault.app.output ?? ''}`;
  return optional.find((name) => {
    if (refused.has(name)) return false;
    if (name === 'images') return imageWords.test(words);
    if (fault.param === name || fault.param.startsWith(`${name}.`) || fault.param.startsWith(`${name}[`)) return true;
    return refusingWords.test(words) && new RegExp(`(^|[^\\w.])${name.replace('.', '\\.')}($|[^\\w])`).test(words);
  });
}

/**
 * Sends a request, and where the provider refuses an optional part of it by name, sends it again without. What turned
 * out to be the reason is left out of all later requests to that endpoint's model.
 */
export async function lenient(
  config: ModelConfig,
  optional: readonly string[],
  send: (refused: Refused) => Promise<ModelReply>,
): Promise<ModelReply> {
  const place = `${config.wire ?? 'responses'}\n${config.baseUrl}\n${config.model}`;
  const refused = new Set(known.get(place));
  const never = config.images === false ? ['images'] : [];
  for (;;) {
    try {
      const reply = await send(new Set([...refused, ...never]));
      if (refused.size) known.set(place, refused);
      return reply;
    } catch (thrown) {
      const name = thrown instanceof ModelFault ? named(thrown, optional, refused) : undefined;
      if (!name) throw thrown;
      refused.add(name);
    }
  }
}

const LEFT_OUT = '(An image was here. This model takes none.)';

/** The same item with a word in place of each image, for models that take none. */
export function withoutImages(item: HistoryItem): HistoryItem {
  if (item.type === 'message' && Array.isArray(item.content)) {
    const content = item.content.map((part) => (part.type === 'input_image' ? { type: 'input_text' as const, text: LEFT_OUT } : part));
    return { ...item, content } as HistoryItem;
  }
  if ((item.type === 'function_call_output' || item.type === 'custom_tool_call_output') && typeof item.output !== 'string')
    return { ...item, output: LEFT_OUT };
  return item;
}
