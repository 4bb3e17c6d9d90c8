/** The sample repository's papers: what a project has besides its code. */
export const documents: Record<string, string> = {
  'package.json': `{
  "name": "corner-shop",
  "version": "0.3.0",
  "private": true,
  "description": "Carts, prices and invoices of a small shop",
  "type": "module",
  "engines": { "node": ">=20" },
  "scripts": {
    "start": "node src/server.js",
    "test": "node --test"
  },
  "signalboxSample": 1
}
`,
  '.gitignore': 'node_modules/\n*.log\n',
  'README.md': `# Corner Shop

The arithmetic of a small shop: what is in the cart, what it costs, and the invoice for it. Plain JavaScript, no dependencies.

    npm test     runs the tests
    npm start    serves the invoices on http://127.0.0.1:4173

Prices are whole cents everywhere; only \`formatMoney\` turns them into text.

This repository came with Signalbox. Try things out in it as you like: it is made anew when you delete it.
`,
  'AGENTS.md': `# Working here

- Run \`npm test\` before you start and when you are done. There are no dependencies to install.
- Money is whole cents (integers). Never store or add fractions of a cent; round once, at the end.
- One module a subject in \`src/\`, its tests beside it in \`test/\` under the same name.
- Open wishes are in \`ISSUES.md\`. Mark a wish as done there when you have built it.
- Commit messages: one line that says what changed for the shop.
`,
  'ISSUES.md': `# Open issues

## 1. Discount codes

Status: open

Customers get codes such as \`SPRING10\` and want to use them in the cart.

- \`SPRING10\` takes 10 % off, \`WELCOME5\` takes 5.00 off.
- A code works in upper and lower case, with blanks around it.
- The total never goes below zero.
- An unknown code is an error that names the code.

## 2. The tax on invoices is a cent too low

Status: open

Our accountant says: three items of 0.99 at 19 % make 0.56 tax, and we print 0.54. There is a test for it, which fails.

## 3. Nobody knows what the modules offer

Status: open

There should be a page \`docs/api.md\` that lists what each module exports.
`,
};
