import type { Script } from '../play.ts';
import { lookAround, resultAt, run } from './common.ts';

/** The title of the plan, by which the tasks that are made of its steps are known. */
export const PLAN_TITLE = 'Discount codes';

/** Plans the open feature request: looks, and changes nothing. */
export const planDiscounts: Script = function* () {
  yield* lookAround('I read the request and the code that it touches; nothing is changed.', '; cat ISSUES.md');
  const results = yield { calls: [run('cat -n src/cart.js'), run('cat test/cart.test.js | head -20')] };
  const total = /^\s*(\d+)\s+export function cartTotal/m.exec(resultAt(results, 0).output)?.[1];
  return `The cart knows its total (\`src/cart.js:${total ?? 1}\`), so codes need no change there: a module of their own can take them off it.

<proposed_plan>
# ${PLAN_TITLE}
A module of its own keeps the codes out of the cart; amounts stay whole cents and are rounded once, at the end.
1. Write \`src/discount.js\` with \`discountOf\` and \`discountedTotal\`
   SPRING10 takes ten percent off, WELCOME5 five, never below zero. Codes count in any case, with blanks around.
2. Test each line of the request in \`test/discount.test.js\` (after 1)
   A code that doesn't exist is named in the error.
3. Mark the request as done in \`ISSUES.md\` (after 1, 2)
</proposed_plan>`;
};
