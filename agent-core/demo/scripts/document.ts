import type { Script } from '../play.ts';
import { applyOnce, lookAround, patch, plan, resultAt, run, statusLines, type Part } from './common.ts';

/** The modules in the order in which they build on each other, and a sentence on each. */
const modules = [
  { name: 'money', about: 'Amounts in whole cents, and the one place where they become text.' },
  { name: 'catalog', about: 'What the shop sells, with price and tax rate.' },
  { name: 'cart', about: 'Carts are plain data; adding gives a new one.' },
  { name: 'invoice', about: 'From a cart to an invoice, as data and as text.' },
];
const steps = [...modules.map(({ name }) => `Read src/${name}.js and write it down`), 'Link it from the README'];

interface Export {
  name: string;
  about: string;
}

/** Exports with the comment above each, from the real file. */
function readExports(source: string): Export[] {
  return [...source.matchAll(/\/\*\* (.+?) \*\/\nexport function (\w+\([^)]*\))/g)].map(([, about = '', name = '']) => ({ about, name }));
}

const section = (name: string, about: string, found: readonly Export[]): string[] => [
  `## ${name}`,
  '',
  about,
  '',
  ...found.map((entry) => `- \`${entry.name}\`: ${entry.about}`),
  '',
];

/** Reads one module, slowly, and writes its section. Gives how many functions it found. */
function* document(at: number): Part<number> {
  const { name, about } = modules[at] ?? { name: '', about: '' };
  const results = yield {
    say: at === 0 ? 'I read the modules one after the other and write down what each exports.' : `Next: \`src/${name}.js\`.`,
    calls: [plan(steps, at), run(`sleep 1; cat src/${name}.js`), run(`sleep 1; grep -rn "${name}.js" src test | wc -l`)],
  };
  const found = readExports(resultAt(results, 1).output);
  const users = Number(resultAt(results, 2).output.trim()) || 0;
  const used = `${about} Imported in ${users} place${users === 1 ? '' : 's'}.`;
  const lines = section(name, used, found)
    .map((line) => `+${line}`)
    .join('\n');
  const first = `*** Add File: docs/api.md\n+# What the modules offer\n+\n+All amounts are whole cents.\n+\n${lines}`;
  const call = patch(at === 0 ? first : `*** Update File: docs/api.md\n@@\n${lines}\n*** End of File`);
  yield* applyOnce({ think: `src/${name}.js exports ${found.length} functions.`, calls: [call] }, 'docs/api.md', `## ${name}`);
  return found.length;
}

/** A longer task of many small steps. */
export const documentLibrary: Script = function* () {
  const seen = yield* lookAround('I look at what there is to document.');
  if (seen.output.includes('api.md')) return '`docs/api.md` is there already. I left it as it is.';
  let functions = 0;
  for (let at = 0; at < modules.length; at += 1) functions += yield* document(at);
  const link = patch(`*** Update File: README.md
@@
 Prices are whole cents everywhere; only \`formatMoney\` turns them into text.
+
+What each module offers is written down in [docs/api.md](docs/api.md).`);
  yield* applyOnce({ say: 'Now the README points to it.', calls: [plan(steps, modules.length), link] }, 'README.md', 'docs/api.md');
  const check = yield {
    calls: [run('sleep 1; grep -c "^- " docs/api.md; wc -l < docs/api.md; git status --short'), plan(steps, steps.length)],
  };
  const [listed = '0', lines = '0', ...changed] = statusLines(resultAt(check, 0).output);
  return [
    `\`docs/api.md\` lists ${listed} functions of ${modules.length} modules (${functions} found in the code) on ${lines} lines, and the README links to it. The descriptions are the comments in the code, so they say what it does today.`,
    `Nothing is committed:\n\n    ${changed.join('\n    ')}`,
  ].join('\n\n');
};
