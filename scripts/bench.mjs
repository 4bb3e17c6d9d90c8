import { readdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { node24, root, toolEnv } from './lib/run.mjs';
import { setup } from './setup.mjs';

/**
 * npm run bench: every bench/*.bench.ts by itself, on the Node that the app runs on. A bench prints its rows as JSON
 * lines {"what", "value", "baseline", "budget", "ok"} (all but ok are text) on stdout; anything else goes to stderr.
 * `--write` puts the table into bench/RESULTS.md; other words choose files by name.
 */
const write = process.argv.includes('--write');
const words = process.argv.slice(2).filter((arg) => !arg.startsWith('--'));

/** @typedef {{ what: string, value: string, baseline?: string, budget?: string, ok?: boolean }} Row */

/** @param {string} file @returns {{ rows: Row[], code: number }} */
function measure(file) {
  const node = node24() ?? process.execPath;
  const result = spawnSync(node, [join('bench', file)], {
    cwd: root,
    env: toolEnv(),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 64 << 20,
  });
  const rows = [];
  for (const line of result.stdout.split('\n')) {
    if (line.startsWith('{')) rows.push(JSON.parse(line));
    else if (line !== '') console.error(line);
  }
  return { rows, code: result.status ?? 1 };
}

/** @param {Row[]} rows */
function table(rows) {
  const lines = ['| what | measured | baseline in the same run | budget | |', '|---|---|---|---|---|'];
  for (const row of rows) {
    const mark = row.ok === undefined ? '' : row.ok ? 'within' : '**over**';
    lines.push(`| ${row.what} | ${row.value} | ${row.baseline ?? ''} | ${row.budget ?? ''} | ${mark} |`);
  }
  return lines.join('\n');
}

const { fatal } = await setup({ tests: true });
for (const line of fatal) console.error(line);
if (fatal.length > 0) process.exit(1);
const files = readdirSync(join(root, 'bench')).filter((name) => name.endsWith('.bench.ts') && words.every((word) => name.includes(word)));
const rows = [];
let broken = 0;
for (const file of files) {
  console.error(`… ${file}`);
  const result = measure(file);
  rows.push(...result.rows);
  if (result.code !== 0) broken += 1;
}
const head = `${process.platform}-${process.arch}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`;
console.log(`${head}\n\n${table(rows)}`);
if (write)
  writeFileSync(join(root, 'bench', 'RESULTS.md'), `# Results\n\nMade by \`npm run bench -- --write\`. ${head}\n\n${table(rows)}\n`);
process.exit(broken === 0 ? 0 : 1);
