import type { DiffFile, Finding } from '../../contract/index.ts';

/** Of a patch at most this many bytes go into the request; what is left out is named, and can be read in the files. */
export const PATCH_BYTES = 240_000;

/** What a reviewing model is told about its turn. The answer's shape is the one that models of this family were trained on. */
export const REVIEW_PURPOSE = `Review: nothing is changed in this turn. Another engineer made the changes that you are shown; say what is wrong with them.
- Report what its author would mend if they knew of it: errors in behaviour, security, data, speed that matters, missing handling, tests that prove nothing. Not taste, not style, not what was there before.
- Be sure. Read the code around a change, and its callers, with exec_command; run what only looks. Say in which case it goes wrong. No finding is a good answer.
- Each finding is one thing, at the lines that cause it: as few as show it, and lines of the diff.
Answer with one JSON object and nothing else:
{"findings":[{"title":"at most 80 characters, what to do","body":"why it is wrong and when, in one paragraph of Markdown","confidence_score":0.0-1.0,"priority":0-3,"code_location":{"absolute_file_path":"…","line_range":{"start":1,"end":1}}}],"overall_correctness":"patch is correct" or "patch is incorrect","overall_explanation":"one to three sentences","overall_confidence_score":0.0-1.0}
Priority 0: drop everything, 1: next, 2: some day, 3: nice to have. Line numbers are those of the file after the change.`;

/** Asked once where an answer could not be read. */
export const JSON_ONLY = 'That was not the one JSON object that was asked for. Give the whole review again as that JSON object alone.';

const line = ({ path, oldPath, status, added, removed, binary }: DiffFile): string =>
  `${status} ${oldPath ? `${oldPath} → ` : ''}${path}${binary ? ' (binary)' : ` +${added ?? 0} −${removed ?? 0}`}`;

/** The request itself: what was to be done, what changed, and what the person doesn't want to hear again. */
export function reviewWords(of: {
  what: string;
  worktree: string;
  prompt: string;
  files: readonly DiffFile[];
  patch: string;
  truncated: boolean;
  dismissed: readonly Finding[];
}): string {
  const shown = of.truncated ? '\n(The patch is longer than this. Read the other files yourself.)' : '';
  const known = of.dismissed.map(({ title, path }) => `- ${title} (${path})`).join('\n');
  return [
    `Review ${of.what} in ${of.worktree}.`,
    `What the author was asked for:\n<task>\n${of.prompt.slice(0, 8000)}\n</task>`,
    `Changed files:\n${of.files.slice(0, 500).map(line).join('\n')}`,
    `<diff>\n${of.patch}\n</diff>${shown}`,
    ...(known ? [`The person has dismissed these; don't report them again:\n${known}`] : []),
  ].join('\n\n');
}
