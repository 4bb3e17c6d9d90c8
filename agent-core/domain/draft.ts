/** Of a patch that is being written so many lines are shown. */
const LINES = 12;
const TAIL = 8000;

/** The start of a JSON text, read as far as it goes: its end may be half an escape, or already the closing quote. */
function unquoted(text: string): string {
  for (let cut = 0; cut <= 8; cut += 1) {
    try {
      return String(JSON.parse(`"${text.slice(0, text.length - cut)}"`));
    } catch {
      // one character less
    }
  }
  return text;
}

/**
 * What a patch says so far: the file that it is at, and its newest lines. Takes the freeform tool's text and the
 * function's JSON. Null before it names a file.
 */
export function draftOf(written: string): { subject: string; preview: string } | null {
  const json = /^\s*\{\s*"(?:input|patch)"\s*:\s*"/.exec(written);
  const text = json ? unquoted(written.slice(json[0].length)) : written;
  const subject = [...text.matchAll(/^\*\*\* (?:Add|Update|Delete) File: (.+)$/gm)].at(-1)?.[1]?.trim();
  if (!subject) return null;
  const lines = text.slice(-TAIL).split('\n').slice(-LINES);
  return { subject, preview: lines.map((line) => line.slice(0, 240)).join('\n') };
}
