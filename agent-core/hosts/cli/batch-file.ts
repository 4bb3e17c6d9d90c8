import { z } from 'zod';
import { Failure, Prompt } from '../../contract/index.ts';

const Entry = z.strictObject({
  prompt: Prompt,
  title: z.string().trim().min(1).max(200).optional(),
  repo: z.string().min(1).optional(),
  base: z.string().min(1).optional(),
  dependsOn: z.array(z.union([z.string(), z.number().int()])).optional(),
});

/** One line of a batch file. `number` counts the file's lines from 1; `dependsOn` holds numbers of other lines. */
export interface BatchLine {
  number: number;
  prompt: string;
  title: string | undefined;
  repo: string;
  base: string | undefined;
  dependsOn: number[];
}

/** A line that can't be run: which, and why. */
export const badLine = (number: number, why: string): Failure =>
  new Failure('invalid-input', `Line ${number}: ${why}`, { fix: 'Nothing has started. Correct the line and run the batch again.' });

function readLine(text: string, number: number): z.infer<typeof Entry> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (thrown) {
    throw badLine(number, `not JSON (${thrown instanceof Error ? thrown.message : String(thrown)}).`);
  }
  const parsed = Entry.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  if (issue?.code === 'unrecognized_keys')
    throw badLine(number, `“${issue.keys.join('”, “')}” is not known. A line has prompt, title, repo, base and dependsOn.`);
  const field = issue?.path.join('.') || 'it';
  throw badLine(
    number,
    issue?.code === 'custom'
      ? issue.message
      : `“${field}” ${issue?.message.endsWith('received undefined') ? 'is missing' : `is not right: ${issue?.message.replace(/^Invalid input: /, '') ?? ''}`}.`,
  );
}

/** The line that a reference means: a title, or a line's number (also as text, where no title is the same). */
function resolveReference(lines: BatchLine[], from: number, reference: string | number): number {
  const titled = lines.filter((line) => line.title === reference);
  if (titled.length > 1)
    throw badLine(from, `depends on “${reference}”, but lines ${titled.map((line) => line.number).join(' and ')} have that title.`);
  const number = titled[0]?.number ?? (/^\d+$/.test(String(reference)) ? Number(reference) : null);
  if (number === from) throw badLine(from, 'depends on itself.');
  if (number === null || !lines.some((line) => line.number === number))
    throw badLine(from, `depends on ${typeof reference === 'number' ? `line ${reference}` : `“${reference}”`}, which is not there.`);
  return number;
}

function refuseCircles(lines: BatchLine[]): void {
  const done = new Set<number>();
  const visit = (line: BatchLine, path: number[]): void => {
    if (done.has(line.number)) return;
    const at = path.indexOf(line.number);
    if (at >= 0) throw badLine(line.number, `depends on itself by way of line ${path.slice(at + 1).join(', ') || line.number}.`);
    for (const number of line.dependsOn)
      visit(
        lines.find((other) => other.number === number)!,
        [...path, line.number],
      );
    done.add(line.number);
  };
  for (const line of lines) visit(line, []);
}

/**
 * Reads a batch file: a task a line, blank lines skipped. Throws `invalid-input` that names the first bad line and
 * the reason; repositories and bases aren't looked at here.
 */
export function readBatch(text: string, defaultRepo: string): BatchLine[] {
  const entries = text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .map((line, at) => ({ line: line.trim(), number: at + 1 }))
    .filter(({ line }) => line !== '')
    .map(({ line, number }) => ({ number, ...readLine(line, number) }));
  if (!entries.length) throw new Failure('invalid-input', 'The file has no tasks in it.');
  const lines: BatchLine[] = entries.map(({ number, prompt, title, repo, base }) => ({
    number,
    prompt,
    title,
    repo: repo ?? defaultRepo,
    base,
    dependsOn: [],
  }));
  lines.forEach((line, at) => {
    line.dependsOn = (entries[at]?.dependsOn ?? []).map((reference) => resolveReference(lines, line.number, reference));
  });
  refuseCircles(lines);
  return lines;
}
