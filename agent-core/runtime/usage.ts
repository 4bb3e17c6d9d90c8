import type { Price, Usage } from '../contract/index.ts';

/**
 * What a request cost, in US dollars, by a price table: cached input at its own price, reasoning as output, which it
 * is part of. A provider's own count of the cost wins; null where nobody knows a price.
 */
export function priced(usage: Usage, price: Price | null): Usage {
  if (usage.cost !== null || !price) return usage;
  const cached = Math.min(usage.cachedTokens, usage.inputTokens);
  const cost = ((usage.inputTokens - cached) * price.input + cached * price.cached + usage.outputTokens * price.output) / 1e6;
  return { ...usage, cost };
}
