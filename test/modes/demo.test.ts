import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { DEMO_PROMPTS, startDemoModel, type DemoModel } from '../../agent-core/demo/index.ts';
import { proposalOf, startWords, stepWords } from '../../agent-core/domain/plan.ts';
import { linesShown, reviewIn } from '../../agent-core/harness/review/parse.ts';
import { REVIEW_PURPOSE } from '../../agent-core/harness/review/prompt.ts';
import { folderWith, type Folder } from '../apply-patch/folder.ts';
import { MiniLoop } from '../demo/loop.ts';
import { git, sampleRepository } from '../demo/sample.ts';

let server: DemoModel;
let folder: Folder;
let loop: MiniLoop;
beforeAll(async () => void (server = await startDemoModel({ pace: 0 })));
afterAll(() => server.close());
beforeEach(async () => {
  folder = await sampleRepository();
  loop = new MiniLoop(server, folder);
});
afterEach(async () => {
  await loop.dispose();
  await folder.remove();
});

const told = (words: string) => loop.input.push({ role: 'developer', content: `<turn_mode>\n${words}\n</turn_mode>` });
const planPrompt = DEMO_PROMPTS.find(({ kind }) => kind === 'plan')!.prompt;
const status = () => git(folder, 'status', '--porcelain').trim().split('\n').filter(Boolean).length;
const build = DEMO_PROMPTS.find(({ title }) => title.startsWith('Build'))!.prompt;

test.each([planPrompt, build])('a newcomer sees a plan, changes nothing by it, and can start it: %s', async (prompt) => {
  told('Plan: x');
  const plan = proposalOf(await loop.turn(prompt))!;
  expect(plan.title).toBe('Discount codes');
  expect(plan.steps.map(({ after }) => after)).toEqual([[], ['s1'], ['s1', 's2']]);
  expect(status()).toBe(0);
  told('Work: x');
  expect(await loop.turn(startWords(plan))).toMatch(/Discount codes work/);
  expect(status()).toBe(3);
});

test('the task of one step of the plan plays, too', async () => {
  told('Plan: x');
  const plan = proposalOf(await loop.turn(planPrompt))!;
  const other = new MiniLoop(server, folder);
  expect(await other.turn(stepWords(plan, plan.steps[0]!))).toMatch(/Discount codes work/);
  await other.dispose();
});

test('a review of what the demo built finds something at lines of the diff; sent on, it is mended', async () => {
  await loop.turn(build);
  git(folder, 'add', '-A');
  const diff = git(folder, 'diff', '--cached');
  const reviewer = new MiniLoop(server, folder);
  reviewer.input.push({ role: 'developer', content: `<turn_mode>\n${REVIEW_PURPOSE}\n</turn_mode>` });
  const { findings } = reviewIn(await reviewer.turn(`Review it.\n\n<diff>\n${diff}\n</diff>`), folder.path)!;
  await reviewer.dispose();
  const shown = linesShown(diff);
  expect(findings.length).toBe(2);
  for (const { path, line } of findings) expect(shown.get(path)?.some(([from, to]) => line >= from && line <= to)).toBe(true);
  const words = `Mend what a review found:\n\n1. ${findings[0]!.title} (${findings[0]!.path}:${findings[0]!.line})`;
  expect(await loop.turn(words)).toMatch(
    /names an empty code[^]*12 tests pass|names an empty code[^]*13 tests pass|names an empty code[^]*fail/,
  );
  expect(git(folder, 'diff')).toContain("String(code ?? '')");
});

test('a review of anything else finds nothing, and says what it is', async () => {
  const empty = await folderWith({});
  const reviewer = new MiniLoop(server, empty);
  reviewer.input.push({ role: 'developer', content: `<turn_mode>\n${REVIEW_PURPOSE}\n</turn_mode>` });
  const found = reviewIn(await reviewer.turn('Review it.\n\n<diff>\n+++ b/x\n@@ -0,0 +1 @@\n+y\n</diff>'), '/w')!;
  expect(found).toMatchObject({ findings: [], summary: expect.stringContaining('demo model') });
  await reviewer.dispose();
  await empty.remove();
});
