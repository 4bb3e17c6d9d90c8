/**
 * How well letters fit a path; the higher the better, null where they don't stand in it in this order. Letters that
 * begin a word, follow each other, or lie in the file's name count more; of equals the shorter path wins.
 */
export function pathScore(query: string, path: string): number | null {
  const wanted = query.toLowerCase().replaceAll(/\s+/g, '');
  const text = path.toLowerCase();
  const name = text.lastIndexOf('/') + 1;
  if (!wanted) return -path.length;
  const whole = text.lastIndexOf(wanted);
  if (whole >= 0) return 1000 + (whole >= name ? 500 : 0) + (edge(path, whole) ? 200 : 0) - path.length;
  return scattered(wanted, path, text, name);
}

function scattered(wanted: string, path: string, text: string, name: number): number | null {
  let score = 0;
  // From the end, so that the file's own name is matched before its folders.
  let at = text.length;
  let last = -1;
  for (let letter = wanted.length - 1; letter >= 0; letter -= 1) {
    at = text.lastIndexOf(wanted[letter]!, at - 1);
    if (at < 0) return null;
    score += (edge(path, at) ? 8 : 1) + (last === at + 1 ? 6 : 0) + (at >= name ? 2 : 0);
    last = at;
    if (at === 0 && letter > 0) return null;
  }
  return score - path.length / 100;
}

const edge = (path: string, at: number): boolean =>
  at === 0 || /[/._\-\s]/.test(path[at - 1]!) || (/[A-Z]/.test(path[at]!) && /[a-z]/.test(path[at - 1]!));

/** The best of many paths, best first. */
export function bestPaths(query: string, paths: readonly string[], limit: number): string[] {
  const scored = paths.flatMap((path) => {
    const score = pathScore(query, path);
    return score === null ? [] : [{ path, score }];
  });
  return scored
    .toSorted((a, b) => b.score - a.score || (a.path < b.path ? -1 : 1))
    .slice(0, limit)
    .map(({ path }) => path);
}
