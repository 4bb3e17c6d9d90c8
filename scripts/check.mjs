import { pathToFileURL } from 'node:url';
import { capture, node24 } from './lib/run.mjs';

const lint = 'node_modules/oxlint/bin/oxlint';

/** What must hold before any test counts. The import law and the size limits are lint rules. */
const steps = [
  { name: 'types', file: 'node_modules/typescript/bin/tsc', args: ['-p', '.'] },
  { name: 'types of the renderer', file: 'node_modules/typescript/bin/tsc', args: ['-p', 'renderer'] },
  { name: 'lint, import law and sizes', file: lint, args: ['--type-aware', '--deny-warnings'] },
  { name: 'format', file: 'node_modules/oxfmt/bin/oxfmt', args: ['--check'], fix: 'npm run format' },
];

/** Rooms that grow: told, not refused. @param {boolean} list */
function sizes(list) {
  const { output } = capture(node24() ?? process.execPath, [lint, '-c', 'scripts/lint/sizes.json', '-f', 'unix']);
  const rows = output.split('\n').filter((row) => row.includes('max-lines'));
  const functions = rows.filter((row) => row.includes('max-lines-per-function')).length;
  console.log(
    `  (${rows.length - functions} files over 300 lines, ${functions} functions over 50${list ? ':' : '; npm run check -- --sizes lists them'})`,
  );
  if (list) console.log(rows.join('\n'));
}

/**
 * Runs every step, prints what fails.
 * @param {{ list?: boolean }} [options]
 * @returns {{ failed: string[] }} the names of the steps that failed
 */
export function check({ list = false } = {}) {
  const failed = [];
  for (const step of steps) {
    const { code, output } = capture(node24() ?? process.execPath, [step.file, ...step.args]);
    console.log(`${code === 0 ? 'ok    ' : 'FAILED'}  ${step.name}`);
    if (code === 0) continue;
    failed.push(step.name);
    console.log(output.trimEnd());
    if (step.fix) console.log(`To mend it: ${step.fix}`);
  }
  sizes(list);
  return { failed };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.exit(check({ list: process.argv.includes('--sizes') }).failed.length === 0 ? 0 : 1);
}
