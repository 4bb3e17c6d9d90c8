import type { ModelFacts } from '../../../agent-core/contract/index.ts';

/** "272k", "1M"; '' where it isn't known. */
export const windowWords = ({ contextWindow }: ModelFacts): string =>
  contextWindow === undefined
    ? ''
    : contextWindow >= 1e6
      ? `${Number((contextWindow / 1e6).toFixed(2))}M`
      : `${Math.round(contextWindow / 1000)}k`;

const dollars = (value: number): string => `$${Number(value.toPrecision(4))}`;
/** "$5 / $0.5 / $30": input, cached and output for a million tokens; "free"; '' where it isn't known. */
export const priceWords = ({ price }: ModelFacts): string =>
  !price
    ? ''
    : price.input === 0 && price.output === 0
      ? 'free'
      : `${dollars(price.input)} / ${dollars(price.cached)} / ${dollars(price.output)}`;

/** "none–xhigh", "low, high"; '—' for a model that doesn't reason, '' where it isn't known. */
export const effortWords = ({ efforts }: ModelFacts): string =>
  !efforts ? '' : !efforts.length ? '—' : efforts.length < 3 ? efforts.join(', ') : `${efforts[0]}–${efforts.at(-1)}`;
