import { appendFileSync, readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { defineConfig, type Plugin } from 'vitest/config';
import type { Cut } from './rule.ts';

const root = resolve(import.meta.dirname, '../../..');
/** What is to be taken out, as JSON; nothing for the run that shows that all is green with it. */
const cuts = JSON.parse(process.env['SIGNALBOX_WITHOUT'] ?? '[]') as Cut[];
const said = process.env['SIGNALBOX_WITHOUT_SAID'] ?? '/dev/null';

/** Takes a rule out of the product's source as vitest loads it. The file on disk stays as it is. */
const without: Plugin = {
  name: 'without-a-rule',
  enforce: 'pre',
  load(id) {
    const file = relative(root, id.split('?')[0] ?? '');
    const own = cuts.filter((cut) => cut.file === file);
    if (own.length === 0) return null;
    let text = readFileSync(resolve(root, file), 'utf8');
    for (const cut of own) text = text.replace(cut.cut, () => cut.put);
    appendFileSync(said, `${file}\n`);
    return text;
  },
};

export default defineConfig({
  root,
  plugins: [without],
  test: {
    include: (process.env['SIGNALBOX_WITHOUT_TESTS'] ?? '').split(','),
    // What was loaded for one rule must not serve the next.
    fsModuleCache: false,
    pool: 'forks',
    maxWorkers: 1,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    teardownTimeout: 5000,
    // One red test is all that is asked for.
    bail: cuts.length > 0 ? 1 : 0,
  },
});
