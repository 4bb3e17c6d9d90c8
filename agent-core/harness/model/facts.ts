import type { Effort, ModelFacts } from '../../contract/index.ts';

/**
 * What is known of models by their names, for when nobody says more. Windows, efforts and prices as their makers published
 * them; prices in US dollars for a million tokens. A price that is not known is left out rather than guessed.
 */

const gpt5: readonly Effort[] = ['minimal', 'low', 'medium', 'high'];
const later: readonly Effort[] = ['none', 'low', 'medium', 'high', 'xhigh'];
const reasoning: readonly Effort[] = ['low', 'medium', 'high'];

interface Row {
  name: RegExp;
  window: number;
  efforts: readonly Effort[];
  price?: readonly [input: number, cached: number, output: number];
  freeform?: boolean;
  images?: boolean;
}
const row = (name: RegExp, window: number, efforts: readonly Effort[], price?: Row['price'], more: Partial<Row> = {}): Row => ({
  name,
  window,
  efforts,
  ...(price ? { price } : {}),
  freeform: true,
  images: true,
  ...more,
});
const plain = { freeform: false };

/** The first that fits a name counts; a maker's prefix such as `openai/` is no part of the name. */
const rows: readonly Row[] = [
  row(/^gpt-6/, 272_000, [...later, 'max']),
  row(/^gpt-5\.5-pro/, 272_000, ['medium', 'high', 'xhigh'], [30, 30, 180]),
  row(/^gpt-5\.5$/, 272_000, later, [5, 0.5, 30]),
  row(/^gpt-5\.[4-9]/, 272_000, later),
  row(/^gpt-5\.2-pro/, 272_000, ['medium', 'high', 'xhigh'], [21, 21, 168]),
  row(/^gpt-5\.[23]/, 272_000, later, [1.75, 0.175, 14]),
  row(/^gpt-5\.1-codex-mini/, 272_000, reasoning, [0.25, 0.025, 2]),
  row(/^gpt-5\.1/, 272_000, ['none', 'low', 'medium', 'high'], [1.25, 0.125, 10]),
  row(/^gpt-5-mini/, 272_000, gpt5, [0.25, 0.025, 2]),
  row(/^gpt-5-nano/, 272_000, gpt5, [0.05, 0.005, 0.4]),
  row(/^gpt-5-pro/, 272_000, ['high'], [15, 15, 120]),
  row(/^gpt-5/, 272_000, gpt5, [1.25, 0.125, 10]),
  row(/^gpt-4\.1-mini/, 1_047_576, [], [0.4, 0.1, 1.6], plain),
  row(/^gpt-4\.1-nano/, 1_047_576, [], [0.1, 0.025, 0.4], plain),
  row(/^gpt-4\.1/, 1_047_576, [], [2, 0.5, 8], plain),
  row(/^gpt-4o-mini/, 128_000, [], [0.15, 0.075, 0.6], plain),
  row(/^gpt-4o/, 128_000, [], [2.5, 1.25, 10], plain),
  row(/^o4-mini/, 200_000, reasoning, [1.1, 0.275, 4.4], plain),
  row(/^o3-mini/, 200_000, reasoning, [1.1, 0.55, 4.4], { ...plain, images: false }),
  row(/^o3/, 200_000, reasoning, [2, 0.5, 8], plain),
  row(/^gpt-oss/, 131_072, reasoning, undefined, { ...plain, images: false }),
  row(/^demo$/, 272_000, []),
];

/** What the name of a model tells; nothing for a name that nobody knows. */
export function factsByName(model: string): ModelFacts {
  const name = model.replace(/^.*\//, '');
  const found = rows.find((each) => each.name.test(name));
  if (!found) return {};
  const { price } = found;
  return {
    contextWindow: found.window,
    efforts: [...found.efforts],
    images: found.images ?? false,
    patchTool: found.freeform ? 'freeform' : 'function',
    ...(price ? { price: { input: price[0], cached: price[1], output: price[2] } } : {}),
  };
}
