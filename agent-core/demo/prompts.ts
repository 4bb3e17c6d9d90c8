import type { Script } from './play.ts';
import { devServer } from './scripts/dev-server.ts';
import { discounts } from './scripts/discounts.ts';
import { documentLibrary } from './scripts/document.ts';
import { fixTest } from './scripts/fix-test.ts';
import { gitName } from './scripts/git-name.ts';
import { PLAN_TITLE, planDiscounts } from './scripts/plan.ts';
import { mendDiscounts } from './scripts/review.ts';

export interface DemoPrompt {
  title: string;
  prompt: string;
  detail: string;
  /** What its turn is for; work where absent. */
  kind?: 'plan';
}

interface Scripted extends DemoPrompt {
  script: Script;
}

const scripted: readonly Scripted[] = [
  {
    title: 'Fix the failing test',
    prompt: '`npm test` fails. Find out why, fix the cause and commit the fix.',
    detail: 'Runs the tests, reads the code, patches it and commits',
    script: fixTest,
  },
  {
    title: 'Build discount codes',
    prompt: 'Build the open feature request in ISSUES.md, discount codes, with tests. Do not commit.',
    detail: 'A new module with its tests, left for you to review',
    script: discounts,
  },
  {
    title: 'Plan discount codes first',
    prompt: 'Plan how to build the open feature request in ISSUES.md, discount codes.',
    detail: 'Changes nothing; ends in a plan that you can edit, start or split',
    kind: 'plan',
    script: planDiscounts,
  },
  {
    title: 'Document the modules',
    prompt: 'Write docs/api.md: what each module exports. Link it from the README.',
    detail: 'A longer task of many small steps, to watch at work',
    script: documentLibrary,
  },
  {
    title: 'Start the shop and check it',
    prompt: 'Start the dev server, check that it answers, and tell me what it serves.',
    detail: 'A server in the background that only this task can reach',
    script: devServer,
  },
  {
    title: 'Whose name is on my commits?',
    prompt: 'Whose name is on the commits here, and whose in my own git configuration?',
    detail: 'Asks you to let one command out of the sandbox',
    script: gitName,
  },
];

/** What the demo model can play on the sample repository, as suggestions to the person. */
export const DEMO_PROMPTS: readonly DemoPrompt[] = scripted.map(({ script: _script, ...prompt }) => prompt);

const plain = (text: string) =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();

/**
 * The script for what a person typed: its prompt or title, whatever the case and punctuation, or what Signalbox writes
 * when a plan or findings of the demo are sent on; null for all else.
 */
export function scriptFor(text: string, planning = false): Script | null {
  if (text.startsWith('Carry out this plan now') || text.includes(`“${PLAN_TITLE}”:`)) return discounts;
  if (text.startsWith('Mend what a review found') && text.includes('src/discount.js')) return mendDiscounts;
  const said = plain(text);
  const script = scripted.find(({ title, prompt }) => said === plain(prompt) || said === plain(title))?.script ?? null;
  return planning && script === discounts ? planDiscounts : script;
}
