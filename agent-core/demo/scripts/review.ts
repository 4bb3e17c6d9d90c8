import type { Script } from '../play.ts';
import { applyOnce, patch, runTests, testsText } from './common.ts';

interface Known {
  file: string;
  /** Part of the line that it is about. */
  line: string;
  title: string;
  body: string;
  priority: number;
  confidence: number;
}

/** What there is to say about the changes that the other scripts make. */
const known: readonly Known[] = [
  {
    file: 'src/discount.js',
    line: 'codes.get(code.trim()',
    title: 'Name the missing code when none was given',
    body: '`discountOf(undefined, 1000)` ends in “Cannot read properties of undefined”, not in the error that the request asks for. A form that was left empty gets there.',
    priority: 1,
    confidence: 0.85,
  },
  {
    file: 'test/discount.test.js',
    line: "'SPRING10'), 2250",
    title: 'Test an amount that ten percent does not divide',
    body: 'Every amount here divides by ten, so the rounding is never seen to work. One apple would show it.',
    priority: 3,
    confidence: 0.6,
  },
  {
    file: 'src/invoice.js',
    line: 'Math.round(sum(perItem))',
    title: 'Test a cart with two tax rates',
    body: 'The sum is rounded over all rates at once. That is what AGENTS.md asks for, but no test has two rates in one cart.',
    priority: 2,
    confidence: 0.5,
  },
];

/** Where in a patch a file has an added line with these words: its number in the new file. */
function lineIn(diff: string, { file, line }: Known): number | null {
  let inside = false;
  let at = 0;
  for (const text of diff.split('\n')) {
    if (text.startsWith('+++ ')) inside = text === `+++ b/${file}`;
    const hunk = /^@@ -\S+ \+(\d+)/.exec(text);
    if (hunk) at = Number(hunk[1]);
    else if (inside && text.startsWith('+') && !text.startsWith('+++')) {
      if (text.includes(line)) return at;
      at += 1;
    } else if (text.startsWith(' ')) at += 1;
  }
  return null;
}

/** A review of the diff in a request, as the JSON object that reviews are asked for. */
export function reviewOf(request: string): string {
  const findings = known.flatMap((each) => {
    const line = lineIn(request, each);
    if (line === null) return [];
    const { title, body, priority, confidence, file } = each;
    return [
      {
        title,
        body,
        priority,
        confidence_score: confidence,
        code_location: { absolute_file_path: file, line_range: { start: line, end: line } },
      },
    ];
  });
  return JSON.stringify({
    findings,
    overall_correctness: findings.length ? 'patch is incorrect' : 'patch is correct',
    overall_explanation: findings.length
      ? 'A scripted review: the demo knows these places of the sample’s changes. A real model, set up in Settings, reads any.'
      : 'The demo model only knows the changes that its own scripts make, and found nothing of them here.',
    overall_confidence_score: 0.7,
  });
}

const mend = patch(`*** Update File: src/discount.js
@@ export function discountOf(code, cents) {
-  const off = codes.get(code.trim().toUpperCase());
-  if (!off) throw new Error('There is no discount code "' + code.trim() + '"');
+  const name = String(code ?? '').trim();
+  const off = codes.get(name.toUpperCase());
+  if (!off) throw new Error('There is no discount code "' + name + '"');
*** Update File: test/discount.test.js
@@ test('names a code that does not exist', () => {
   assert.throws(() => discountOf('FREE', 1000), /no discount code "FREE"/);
+  assert.throws(() => discountOf(undefined, 1000), /no discount code ""/);
 });`);

/** Mends what the review of the discount codes found. */
export const mendDiscounts: Script = function* () {
  yield* applyOnce(
    { say: 'The first holds: without a code the error is another one. I mend that, with a test.', calls: [mend] },
    'src/discount.js',
    "String(code ?? '')",
  );
  const after = yield* runTests({});
  return `\`discountOf\` names an empty code as one that does not exist, in \`src/discount.js\`. ${testsText(after)} Nothing is committed.`;
};
