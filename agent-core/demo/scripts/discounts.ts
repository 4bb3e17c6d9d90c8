import type { Script } from '../play.ts';
import { applyOnce, lookAround, patch, plan, resultAt, run, runTests, statusLines, testsText, type Tests } from './common.ts';

const steps = ['Read the request and the cart', 'Write src/discount.js', 'Test it', 'Mark the issue as done'];

const code = patch(`*** Add File: src/discount.js
+import { cartTotal } from './cart.js';
+
+const codes = new Map([
+  ['SPRING10', (cents) => Math.round(cents * 0.1)],
+  ['WELCOME5', () => 500],
+]);
+
+/** What a code takes off an amount, in cents, never more than the amount. Throws for a code that doesn't exist. */
+export function discountOf(code, cents) {
+  const off = codes.get(code.trim().toUpperCase());
+  if (!off) throw new Error('There is no discount code "' + code.trim() + '"');
+  return Math.min(cents, off(cents));
+}
+
+/** What the cart costs with a code, in cents, before tax. */
+export function discountedTotal(cart, code) {
+  const total = cartTotal(cart);
+  return total - discountOf(code, total);
+}`);

const tests = patch(`*** Add File: test/discount.test.js
+import assert from 'node:assert/strict';
+import { test } from 'node:test';
+import { addToCart, emptyCart } from '../src/cart.js';
+import { discountedTotal, discountOf } from '../src/discount.js';
+
+test('SPRING10 takes ten percent off', () => {
+  assert.equal(discountedTotal(addToCart(emptyCart(), 'mug', 2), 'SPRING10'), 2250);
+});
+
+test('WELCOME5 takes five off, but never goes below zero', () => {
+  assert.equal(discountedTotal(addToCart(emptyCart(), 'mug'), 'WELCOME5'), 750);
+  assert.equal(discountedTotal(addToCart(emptyCart(), 'apple'), 'WELCOME5'), 0);
+});
+
+test('takes codes in any case and with blanks around', () => {
+  assert.equal(discountOf(' spring10 ', 1000), 100);
+});
+
+test('names a code that does not exist', () => {
+  assert.throws(() => discountOf('FREE', 1000), /no discount code "FREE"/);
+});`);

const issue = patch(`*** Update File: ISSUES.md
@@ ## 1. Discount codes
 
-Status: open
+Status: done, see \`src/discount.js\``);

function verdict(before: Tests, after: Tests): string {
  const fresh = after.failing.filter((name) => !before.failing.includes(name));
  if (!after.ran || fresh.length > 0) return `${testsText(after)} So this is not done yet.`;
  if (after.failed === 0) return testsText(after);
  return `${testsText(after)} That one failed before I began and has nothing to do with this; I left it alone.`;
}

/** Build the open feature request, with tests. */
export const discounts: Script = function* () {
  yield* lookAround('I read the request and the code that it touches.', '; cat ISSUES.md');
  const before = yield* runTests({}, [plan(steps, 0), run('cat src/cart.js')]);
  const how = yield* applyOnce(
    {
      think:
        'The cart knows its total. A module of its own keeps the codes out of the cart, and the amounts stay whole cents: one rounding, at the end.',
      say: `${testsText(before)} The codes get a module of their own, \`src/discount.js\`; the cart need not know about them.`,
      calls: [plan(steps, 1), code],
    },
    'src/discount.js',
    'export function discountOf',
  );
  yield* applyOnce(
    {
      say: how === 'there' ? 'The module is there already. Its tests:' : 'And a test for each line of the request.',
      calls: [plan(steps, 2), tests],
    },
    'test/discount.test.js',
    'SPRING10',
  );
  const after = yield* runTests({});
  const said = verdict(before, after);
  if (said.endsWith('not done yet.')) return `${said} \`src/discount.js\` and its tests are in the worktree; nothing is committed.`;
  yield* applyOnce({ say: said, calls: [plan(steps, 3), issue] }, 'ISSUES.md', 'Status: done, see `src/discount.js`');
  const results = yield { calls: [plan(steps, steps.length), run('git status --short')] };
  const changed = statusLines(resultAt(results, 1).output);
  return [
    'Discount codes work: `discountOf(code, cents)` and `discountedTotal(cart, code)` in `src/discount.js`, with a test for each line of the request. `ISSUES.md` marks it as done.',
    said,
    `Nothing is committed; these ${changed.length} paths wait for your look:\n\n    ${changed.join('\n    ')}`,
  ].join('\n\n');
};
