/** A card's title from a prompt: its first sentence or line, without markup, at most 72 characters, cut at a word. */
export function titleOf(prompt: string): string {
  const line =
    prompt
      .split('\n')
      .map((text) => text.replace(/^[#>*\-\s]+/, '').trim())
      .find((text) => text.length > 0) ?? 'Untitled task';
  const sentence = /^(.{8,}?[^.\s]{2})[.!?](\s|$)/.exec(line)?.[1] ?? line.replace(/[.!?:]+$/, '');
  const plain = sentence
    .replace(/[`*_]/g, '')
    .replace(/\p{Cc}/gu, ' ')
    .trim();
  if (plain.length <= 72) return plain || 'Untitled task';
  const cut = plain.slice(0, 72);
  return `${cut.slice(0, Math.max(cut.lastIndexOf(' '), 40)).trimEnd()}…`;
}
