import type { Hit, Item } from '../contract/index.ts';

const AROUND = 80;

/** All that is written in an item, in the order in which a person would look for it. */
function textsOf(item: Item): string[] {
  const fields = item as unknown as Record<string, unknown>;
  const plain = ['text', 'command', 'subject', 'answer', 'name', 'arguments', 'output'].flatMap((name) => fields[name] ?? []);
  const lists = [fields['changes'], fields['steps']].flatMap((list) =>
    Array.isArray(list) ? (list as Record<string, unknown>[]).flatMap((each) => [each['path'], each['step'], each['text']]) : [],
  );
  return [...plain, ...lists].filter((text) => typeof text === 'string');
}

const bare = (text: string): string => text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase();

/** The line of an item in which the first of the words stands, cut around it. */
export function snippetOf(item: Item, query: string): Pick<Hit, 'before' | 'match' | 'after'> {
  const texts = textsOf(item);
  for (const word of query.split(/\s+/).filter(Boolean)) {
    for (const text of texts) {
      // Marks that stand alone after taking them off would shift the place: only texts of the same length are cut there.
      const plain = bare(text);
      const at = (plain.length === text.length ? plain : text.toLowerCase()).indexOf(bare(word));
      if (at >= 0) return cut(text, at, word.length);
    }
  }
  return { before: (texts[0] ?? '').replaceAll(/\s+/g, ' ').slice(0, 2 * AROUND), match: '', after: '' };
}

function cut(text: string, at: number, length: number): Pick<Hit, 'before' | 'match' | 'after'> {
  const from = Math.max(text.lastIndexOf('\n', at) + 1, at - AROUND);
  const end = text.indexOf('\n', at + length);
  return {
    before: text.slice(from, at).trimStart(),
    match: text.slice(at, at + length),
    after: text.slice(at + length, Math.min(end < 0 ? text.length : end, at + length + AROUND)),
  };
}
