/**
 * Text of repositories and models is data. What would change how the rest of a line reads (direction overrides,
 * zero-width marks, control characters) is replaced by a mark that can be seen.
 * Source of the set: Unicode TR 36 and CVE-2021-42574 ("Trojan Source").
 */
// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const hidden = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu;

function mark(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  if (code === 0x7f) return '\u2421';
  return `⟨U+${code.toString(16).toUpperCase().padStart(4, '0')}⟩`;
}

/** Tabs and line feeds stay; a carriage return before a line feed goes; every other hidden character becomes a visible mark. */
export function visible(text: string): string {
  return text.replace(/\r\n/g, '\n').replace(hidden, mark);
}

/** One line: also line feeds and tabs become marks, as in a file name made to look like two. */
export function visibleLine(text: string): string {
  return visible(text)
    .replace(/\n/g, '\u240a')
    .replace(/\t/g, '\u2409')
    .replace(/[\u2028\u2029]/g, mark);
}
