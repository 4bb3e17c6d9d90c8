/**
 * Cuts markdown between blocks at blank lines outside fences, so that a message that is still being written parses
 * only its last block again. A list or quote that goes on after a blank line stays one block.
 */
export function markdownBlocks(text: string): string[] {
  const blocks: string[] = [];
  let lines: string[] = [];
  let fence: string | null = null;
  const flush = (): void => {
    if (lines.some((line) => line.trim() !== '')) blocks.push(lines.join('\n'));
    lines = [];
  };
  for (const line of text.split('\n')) {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (mark) {
      if (fence === null) fence = mark;
      else if (mark[0] === fence[0] && mark.length >= fence.length) fence = null;
    }
    const previous = lines.at(-1);
    const starts = fence === null || mark !== undefined;
    if (
      starts &&
      previous !== undefined &&
      previous.trim() === '' &&
      line.trim() !== '' &&
      !/^(\s+|[-*+>|]|\d+[.)])/.test(line) &&
      !(mark && fence === null)
    )
      flush();
    lines.push(line);
  }
  flush();
  return blocks;
}
