import { describe, expect, test } from 'vitest';
import { summaryOf } from '../../agent-core/domain/checks.ts';
import { citationsOf } from '../../agent-core/domain/evidence.ts';
import { proposalOf } from '../../agent-core/domain/plan.ts';
import { linesShown, reviewIn } from '../../agent-core/harness/review/parse.ts';

const finding = (more: object = {}) => ({
  title: '[P1] Keep the key',
  body: ' Because. ',
  confidence_score: 0.8,
  priority: 1,
  code_location: { absolute_file_path: '/w/src/a.ts', line_range: { start: 3, end: 5 } },
  ...more,
});
const answer = (findings: unknown[], more: object = {}) =>
  JSON.stringify({ findings, overall_correctness: 'patch is incorrect', overall_explanation: 'So.', ...more });
const first = (text: string) => reviewIn(text, '/w')?.findings[0];

describe('a review is read from what a model wrote', () => {
  test('as it was asked for', () => {
    expect(reviewIn(answer([finding()]), '/w')).toEqual({
      summary: 'So.',
      findings: [
        { id: 'f1', title: 'Keep the key', body: 'Because.', priority: 1, confidence: 0.8, path: 'src/a.ts', line: 3, endLine: 5 },
      ],
    });
  });
  test.each([
    ['in a fence', `Here:\n\`\`\`json\n${answer([finding()])}\n\`\`\`\nThat is all.`],
    ['among words', `Review: ${answer([finding()])} — done`],
    ['with words for numbers', answer([finding({ priority: 'P1', confidence_score: '0.8' })])],
    ['with a relative path', answer([finding({ code_location: { path: './src/a.ts', line_range: { start: 3, end: 5 } } })])],
    ['with the path of a diff', answer([finding({ code_location: { file_path: 'b/src/a.ts', line_range: { start: '3', end: '5' } } })])],
  ])('%s', (_name, text) =>
    expect(first(text)).toMatchObject({ title: 'Keep the key', priority: 1, confidence: 0.8, path: 'src/a.ts', line: 3, endLine: 5 }),
  );
  test.each<[string, object, object]>([
    ['no place', { code_location: undefined }, { path: '', line: 0, endLine: 0 }],
    ['absurd numbers', { priority: 99, confidence_score: -4 }, { priority: 3, confidence: 0 }],
    ['nothing about weight', { title: 'Plain', priority: null, confidence_score: undefined }, { priority: 2, confidence: 0.5 }],
    ['lines the wrong way around', { code_location: { path: 'a', line_range: { start: 9, end: 2 } } }, { line: 9, endLine: 9 }],
  ])('%s', (_name, more, wanted) => expect(first(answer([finding(more)]))).toMatchObject(wanted));
  test('a title is cut at 80 characters, a list at 100; what can’t be read is left out', () => {
    expect(first(answer([finding({ title: 'x'.repeat(500) })]))!.title.length).toBe(80);
    expect(reviewIn(answer(Array.from({ length: 500 }, () => finding())), '/w')!.findings.length).toBe(100);
    expect(reviewIn(answer([null, 'x', {}, finding()]), '/w')!.findings.length).toBe(1);
  });
  test.each(['', 'LGTM', '{"findings": 3}', '{"findings": [', '[]', 'null'])('no review: %s', (text) =>
    expect(reviewIn(text, '/w')).toBe(null),
  );
});

test('the lines that a patch shows, whatever the files are called and hold', () => {
  const patch = [
    'diff --git a/x b/x',
    '--- a/x',
    '+++ b/x',
    '@@ -1,3 +1,4 @@ head',
    ' a',
    '+++ b/evil',
    '-@@ -1 +900,9 @@',
    '+c',
    ' d',
    '@@ -20 +21 @@',
    '-y',
    '+z',
    'diff --git "a/t\\303\\244b\\t.ts" "b/t\\303\\244b\\t.ts"',
    '--- /dev/null',
    '+++ "b/t\\303\\244b\\t.ts"',
    '@@ -0,0 +1,2 @@',
    '+1',
    '+2',
    '\\ No newline at end of file',
  ].join('\n');
  expect([...linesShown(patch)]).toEqual([
    [
      'x',
      [
        [1, 4],
        [21, 21],
      ],
    ],
    ['täb\t.ts', [[1, 2]]],
  ]);
});

test('nothing that a model says or a command prints takes long to read', () => {
  const before = performance.now();
  reviewIn(`\`\`\`${'\n'.repeat(100_000)}x`, '/w');
  proposalOf(`<proposed_plan>\n1. a${' '.repeat(100_000)}b\n# ${'#'.repeat(100_000)}a\n</proposed_plan>`);
  citationsOf('a+'.repeat(100_000));
  citationsOf('`'.repeat(200_000));
  summaryOf('1'.repeat(200_000));
  expect(performance.now() - before).toBeLessThan(5000);
});
