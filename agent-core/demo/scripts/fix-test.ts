import type { Reply, Script } from '../play.ts';
import type { Result } from '../conversation.ts';
import { applyOnce, count, declinedText, lookAround, patch, plan, resultAt, run, runTests, testsText } from './common.ts';

const steps = ['Run the tests and find the one that fails', 'Fix the cause', 'Run the tests again', 'Commit'];
const message = 'Round the tax once, on the whole invoice';

const fix = patch(`*** Update File: src/invoice.js
@@
 /** The tax on a cart, in cents. */
 export function taxOf(cart) {
-  const perItem = cart.items.map((item) => Math.floor(item.product.cents * item.product.tax) * item.count);
-  return sum(perItem);
+  const perItem = cart.items.map((item) => item.product.cents * item.product.tax * item.count);
+  return Math.round(sum(perItem));
 }`);

/** Fix the failing test: run, read, patch, run again, commit. */
export const fixTest: Script = function* () {
  yield* lookAround('I look at the project first, then run its tests.');
  const before = yield* runTests({}, [plan(steps, 0)]);
  if (!before.ran) return 'The tests do not run here, so I cannot tell what fails. I changed nothing.';
  if (before.failed === 0) return yield* nothingToFix(before.passed);
  const failing = before.failing[0] ? `“${before.failing[0]}”` : 'one test';
  yield {
    think: `${count(before.failed, 'test')} of ${before.passed + before.failed} fails: ${failing}. The tax comes out too low, which smells of rounding. I read the code and the test.`,
    say: `${testsText(before)} I read the code behind it.`,
    calls: [run('cat src/invoice.js'), run("grep -n -A3 'rounds the tax' test/invoice.test.js")],
  };
  const how = yield* applyOnce(
    {
      think:
        'taxOf rounds each single item down and multiplies afterwards, so the lost fractions add up. AGENTS.md says: round once, at the end.',
      say: 'Found it: `taxOf` rounds the tax of every single item down, so each item loses part of a cent. `AGENTS.md` asks to round once, at the end.',
      calls: [plan(steps, 1), fix],
    },
    'src/invoice.js',
    'Math.round(sum(perItem))',
  );
  const after = yield* runTests({ say: how === 'there' ? 'The fix is in the file already. I run the tests.' : 'Now the tests again.' }, [
    plan(steps, 2),
  ]);
  if (after.failed > 0 || !after.ran)
    return `${testsText(after)} So the work is not done: my change to \`src/invoice.js\` is in the worktree, not committed.`;
  const [, commit] = yield {
    say: testsText(after),
    calls: [plan(steps, 3), run(`git add src/invoice.js && git commit -m '${message}'; git log --oneline -1; git status --short`)],
  };
  yield { calls: [plan(steps, steps.length)] };
  return summary(after.passed, commit);
};

function* nothingToFix(passed: number): Generator<Reply, string, Result[]> {
  const results = yield {
    say: `All ${count(passed, 'test')} pass already. I look whether that is committed.`,
    calls: [run('git status --short && git log --oneline -1')],
  };
  const text = resultAt(results, 0).output.trim();
  return `All ${count(passed, 'test')} pass; there is nothing to fix. The worktree:\n\n    ${text.split('\n').join('\n    ')}`;
}

function summary(passed: number, commit: Result | undefined): string {
  const cause =
    'The tax was rounded down on every single item before it was multiplied; three apples lost two cents. `taxOf` in `src/invoice.js` now adds up first and rounds once.';
  const tests = `All ${count(passed, 'test')} pass.`;
  if (commit && commit.declined !== null)
    return `${cause}\n\n${tests} ${declinedText(commit, 'The commit')}, so the change is in the worktree, not committed.`;
  const line = commit?.output.match(/^[0-9a-f]{7,} .+$/m)?.[0];
  return line?.includes(message)
    ? `${cause}\n\n${tests} Committed as \`${line}\`.`
    : `${cause}\n\n${tests} The commit did not work; git said:\n\n    ${commit?.output.trim().split('\n').join('\n    ')}`;
}
