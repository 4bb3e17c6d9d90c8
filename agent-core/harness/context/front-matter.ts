/**
 * The top-level texts of a file's YAML front matter, as far as skills use it: plain, quoted, folded (`>`) and literal
 * (`|`) values; nested ones are passed over. Null where there is no front matter that ends.
 */
export function frontMatter(text: string): Map<string, string> | null {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const end = lines.findIndex((line, at) => at > 0 && /^---\s*$/.test(line));
  if (!/^---\s*$/.test(lines[0] ?? '') || end < 0) return null;
  const values = new Map<string, string>();
  for (let at = 1; at < end; at += 1) {
    const match = /^([A-Za-z][\w-]*):(?:\s+(.*))?$/.exec(lines[at]!);
    if (!match) continue;
    const more: string[] = [];
    while (at + 1 < end && /^(\s|$)/.test(lines[at + 1]!)) more.push(lines[(at += 1)]!.trim());
    values.set(match[1]!, valueOf(match[2]?.trim() ?? '', more));
  }
  return values;
}

/** What stands below the front matter; the whole text where there is none. */
export function bodyOf(text: string): string {
  return text.replace(/^\uFEFF/, '').replace(/^---\s*\r?\n[^]*?\r?\n---\s*(?:\r?\n|$)/, '');
}

function valueOf(first: string, more: string[]): string {
  if (/^[>|][+-]?\d?\s*(#.*)?$/.test(first)) return more.join(first.startsWith('|') ? '\n' : ' ').trim();
  const whole = [first, ...more].join(' ').trim();
  if (/^".*"$/.test(whole)) return unescaped(whole);
  if (/^'.*'$/.test(whole)) return whole.slice(1, -1).replaceAll("''", "'");
  return whole.replace(/(^|\s)#.*$/, '').trim();
}

/** JSON knows nearly all escapes of a double-quoted text; what it doesn't know stays as it is written. */
function unescaped(quoted: string): string {
  try {
    return String(JSON.parse(quoted));
  } catch {
    return quoted.slice(1, -1);
  }
}
