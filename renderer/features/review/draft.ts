/** A comment that waits to go to the agent with the others, as one message. */
export interface Comment {
  id: string;
  path: string;
  side: 'additions' | 'deletions';
  line: number;
  /** The line as it stood when the comment was written, so that it is found again after the file moved on. */
  quote: string;
  text: string;
}

const fence = (quote: string): string =>
  quote
    .split('\n')
    .map((line) => `> ${line}`)
    .join('\n');

/** The message that the agent gets: each comment with its file, its line, the quoted line and the words. */
export function draftMessage(comments: readonly Comment[]): string {
  const parts = comments.map((comment) => {
    const where = `${comment.path}:${comment.line}${comment.side === 'deletions' ? ' (removed line)' : ''}`;
    return `${where}\n${fence(comment.quote)}\n${comment.text.trim()}`;
  });
  const opening = comments.length === 1 ? 'A comment on your changes:' : `${comments.length} comments on your changes:`;
  return [opening, ...parts].join('\n\n');
}
