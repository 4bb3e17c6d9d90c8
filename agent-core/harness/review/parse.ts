import { z } from 'zod';
import { MAX_FINDING_TITLE, type Finding } from '../../contract/index.ts';

const number = z.coerce.number();
const Raw = z.object({
  title: z.string().trim().min(1),
  body: z.string().default(''),
  confidence_score: number.optional(),
  priority: z.preprocess(
    (value) => (value === null || value === undefined ? undefined : String(value).replace(/^P/i, '')),
    number.optional(),
  ),
  code_location: z
    .object({
      absolute_file_path: z.string().optional(),
      file_path: z.string().optional(),
      path: z.string().optional(),
      line_range: z.object({ start: number, end: number.optional() }).optional(),
    })
    .optional(),
});
const Answer = z.object({ findings: z.array(z.unknown()), overall_explanation: z.string().default('') });

export interface ReviewAnswer {
  findings: Omit<Finding, 'place' | 'state'>[];
  summary: string;
}

const MAX_FINDINGS = 100;
/** Characters of a finding's body, and of the summary: findings are on the board, which every page has whole. */
const MAX_WORDS = 8000;
const between = (value: number | undefined, low: number, high: number, fallback: number): number =>
  value === undefined || Number.isNaN(value) ? fallback : Math.min(high, Math.max(low, value));

/** The JSON object in a text: all of it, in a fence, or from the first brace to the last. */
function jsonIn(text: string): unknown {
  const fenced = /```(?:json)?[^\S\n]*\n([\s\S]*?)\n```/.exec(text)?.[1];
  for (const candidate of [text, fenced, text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1)]) {
    if (!candidate?.trim().startsWith('{')) continue;
    try {
      return JSON.parse(candidate);
    } catch {
      // the next may do
    }
  }
  return undefined;
}

/** `[P1] ` before a title says the priority once more. */
function titled(title: string): { title: string; priority: number | undefined } {
  const match = /^\s*\[?P([0-3])\]?[:\s-]+(.+)$/s.exec(title);
  const words = (match?.[2] ?? title).replaceAll(/\s+/g, ' ').trim();
  return {
    title: words.length > MAX_FINDING_TITLE ? `${words.slice(0, MAX_FINDING_TITLE - 1).trimEnd()}…` : words,
    priority: match ? Number(match[1]) : undefined,
  };
}

/**
 * Reads a review. Paths become those from the top of the worktree; a finding that can't be read is left out. Null where
 * there is no review in the text at all.
 */
export function reviewIn(text: string, worktree: string): ReviewAnswer | null {
  const answer = Answer.safeParse(jsonIn(text));
  if (!answer.success) return null;
  const findings = answer.data.findings.slice(0, MAX_FINDINGS).flatMap((each, index) => {
    const raw = Raw.safeParse(each);
    if (!raw.success) return [];
    const { data } = raw;
    const { title, priority } = titled(data.title);
    const place = data.code_location;
    const path = place?.absolute_file_path ?? place?.file_path ?? place?.path ?? '';
    const start = Math.floor(between(place?.line_range?.start, 0, 1e9, 0));
    return [
      {
        id: `f${index + 1}`,
        title,
        body: data.body.trim().slice(0, MAX_WORDS),
        priority: Math.round(between(data.priority ?? priority, 0, 3, 2)),
        confidence: between(data.confidence_score, 0, 1, 0.5),
        path: (path.startsWith(`${worktree}/`) ? path.slice(worktree.length + 1) : path.replace(/^(?:\.\/|[ab]\/(?=.*\/))/, '')).slice(
          0,
          4096,
        ),
        line: start,
        endLine: Math.max(start, Math.floor(between(place?.line_range?.end, 0, 1e9, start))),
      },
    ];
  });
  return { findings, summary: answer.data.overall_explanation.trim().slice(0, MAX_WORDS) };
}

/** The new sides of a patch's hunks, by path: what lines of a file it shows. */
export function linesShown(patch: string): Map<string, [from: number, to: number][]> {
  const shown = new Map<string, [number, number][]>();
  let path = '';
  let left = 0;
  for (const line of patch.split('\n')) {
    if (left > 0) {
      if (!line.startsWith('-') && !line.startsWith('\\')) left -= 1;
      continue;
    }
    if (line.startsWith('+++ ')) path = unquoted(line.slice(4)).replace(/^b\//, '');
    const hunk = /^@@ -\d+(?:,\d+)? \+(\d+)(?:,(\d+))? @@/.exec(line);
    if (!hunk) continue;
    const [start, count] = [Number(hunk[1]), Number(hunk[2] ?? 1)];
    left = count;
    shown.set(path, [...(shown.get(path) ?? []), [start, start + Math.max(count, 1) - 1]]);
  }
  return shown;
}

/** Git quotes names with control characters, quotes or backslashes in them. */
function unquoted(name: string): string {
  const plain = name.replace(/\t$/, '');
  if (!plain.startsWith('"')) return plain;
  const bytes: number[] = [];
  const escapes: Record<string, string> = { n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v' };
  for (const [, octal, escape, character] of plain.slice(1, -1).matchAll(/\\([0-7]{3})|\\(.)|([^\\])/gsu))
    bytes.push(...(octal ? [Number.parseInt(octal, 8)] : Buffer.from(escape ? (escapes[escape] ?? escape) : character!)));
  return Buffer.from(bytes).toString('utf8');
}
