/** Where each letter of the query was found; the higher the score the better. Null when it doesn't match. */
export interface Match {
  score: number;
  at: readonly number[];
}

const isEdge = (text: string, index: number) => index === 0 || /[\s/\-_.“(]/.test(text[index - 1]!);

/** Subsequence match that likes word starts and runs: "ncs" finds "New card style". Case doesn't matter. */
export function fuzzy(query: string, text: string): Match | null {
  const wanted = query.toLowerCase().replace(/\s+/g, '');
  if (!wanted) return { score: 0, at: [] };
  const lower = text.toLowerCase();
  const whole = lower.indexOf(query.trim().toLowerCase());
  if (whole >= 0)
    return { score: 100 + (isEdge(lower, whole) ? 50 : 0) - text.length / 100, at: Array.from(query.trim(), (_, index) => whole + index) };
  const at: number[] = [];
  let score = 0;
  let from = 0;
  for (const letter of wanted) {
    let found = -1;
    for (let index = lower.indexOf(letter, from); index >= 0; index = lower.indexOf(letter, index + 1)) {
      if (found < 0) found = index;
      if (isEdge(lower, index)) {
        found = index;
        break;
      }
      if (index - from > 30) break;
    }
    if (found < 0) return null;
    score += isEdge(lower, found) ? 8 : found === from ? 5 : 1;
    at.push(found);
    from = found + 1;
  }
  return { score: score - text.length / 100, at };
}
