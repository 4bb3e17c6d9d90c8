import { describe, expect, test } from 'vitest';
import { flawOf, proposalOf, startWords, stepWords } from '../../agent-core/domain/plan.ts';

const steps = (text: string) => proposalOf(`Here it is.\n<proposed_plan>\n${text}\n</proposed_plan>`)?.steps;

describe('a plan is read from what a model wrote', () => {
  test('heading, words, steps with their details and what they need', () => {
    const plan = proposalOf(
      'I looked.\n<proposed_plan>\n# Cache rates\nOne request per key.\n\n1. **Find** the callers of `rate`\n   Use rg.\n\n   ```ts\n   - not a step\n   ```\n2. Cache by day (after 1)\n3) Read it in the report (after 1, 2)\nThat is all.\n</proposed_plan>',
    );
    expect(plan).toEqual({
      title: 'Cache rates',
      text: 'One request per key.\n\nThat is all.',
      steps: [
        { id: 's1', text: 'Find the callers of `rate`', detail: 'Use rg.\n\n```ts\n- not a step\n```', after: [], taskId: null },
        { id: 's2', text: 'Cache by day', detail: '', after: ['s1'], taskId: null },
        { id: 's3', text: 'Read it in the report', detail: '', after: ['s1', 's2'], taskId: null },
      ],
    });
  });
  test.each([
    ['bullets', '- one\n- two', ['one', 'two']],
    ['check boxes', '- [ ] one\n* [x] two', ['one', 'two']],
    ['lists in lists', '1. one\n   - deep\n2. two', ['one', 'two']],
    ['Windows line ends', '1. one\r\n2. two\r', ['one', 'two']],
    ['no list at all', '# Do it\nJust do it.', ['Do it']],
    ['a step that needs itself or none', '1. one (after 1)\n2. two (after 9)', ['one', 'two']],
  ])('%s', (_name, text, wanted) => {
    expect(steps(text)?.map((step) => step.text)).toEqual(wanted);
    expect(steps(text)?.flatMap((step) => step.after)).toEqual([]);
  });
  test('the newest of several, one that was cut off too; none where there is none', () => {
    expect(proposalOf('<proposed_plan>\n1. old\n</proposed_plan>\n<proposed_plan>\n1. new')?.steps[0]?.text).toBe('new');
    expect(proposalOf('1. no block')).toBe(null);
    expect(proposalOf('<proposed_plan>\n \n</proposed_plan>')).toBe(null);
  });
  test('a thousand steps are cut at a hundred', () => {
    expect(steps(Array.from({ length: 1000 }, (_, at) => `${at + 1}. step`).join('\n'))?.length).toBe(100);
  });
});

test('what can be no plan is said in words', () => {
  const step = (id: string, ...after: string[]) => ({ id, text: id, after });
  expect(flawOf([step('a'), step('b', 'a'), step('c', 'a', 'b')])).toBe(null);
  expect(flawOf([step('a'), step('a')])).toMatch(/same id/);
  expect(flawOf([step('a', 'x')])).toMatch(/not in the plan/);
  expect(flawOf([step('a', 'b'), step('b', 'a')])).toMatch(/in a circle: “a”, “b”/);
});

test('the words that carry a plan out hold every step, and a step’s own task only its step', () => {
  const plan = proposalOf('<proposed_plan>\n# T\n1. one\n   how\n2. two (after 1)\n</proposed_plan>')!;
  expect(startWords(plan)).toMatch(/: T\.[^]*1\. one\n {3}how\n2\. two \(after 1\)$/);
  expect(stepWords(plan, plan.steps[0]!)).toMatch(/^one\n\nhow\n\nIt is step 1 of a plan\. Do this step alone/);
});
