import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runTool, toolEnv } from './lib/run.mjs';
import { setup } from './setup.mjs';

/**
 * npm test: set-up, check, build where stale, then the tests. `--long` runs the long ones instead.
 * What else is given goes to vitest (a file name, -t "a name").
 */
const long = process.argv.includes('--long');
const rest = process.argv.slice(2).filter((arg) => arg !== '--long');

/** @type {string[]} */
const failedSteps = [];
/** @type {import('./lib/reporter.mjs').Summary} */
let summary = { passed: 0, failed: 0, skipped: [] };

const { fatal } = await setup({ tests: true });
if (fatal.length > 0) {
  for (const line of fatal) console.error(line);
  failedSteps.push('set-up');
} else {
  const { check } = await import('./check.mjs');
  if (!long) failedSteps.push(...check().failed);
  const { build } = await import('./build.mjs');
  failedSteps.push(...(await build({ force: false })).failed);
  await vitest();
}
conclude();

async function vitest() {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-tests-'));
  const file = join(folder, 'summary.json');
  const projects = long ? ['--project', 'long', '--passWithNoTests'] : ['--project', 'quick', '--project', 'e2e'];
  const args = ['run', ...projects, '--reporter', 'default', '--reporter', './scripts/lib/reporter.mjs', ...rest];
  const code = await runTool('node_modules/vitest/vitest.mjs', args, { env: { ...testEnv(folder), SIGNALBOX_TEST_SUMMARY: file } });
  try {
    summary = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    failedSteps.push('vitest gave no result');
  }
  if (code !== 0 && summary.failed === 0 && failedSteps.length === 0) failedSteps.push(`vitest ended with ${code}`);
  rmSync(folder, { recursive: true, force: true });
}

/**
 * The tests must not see the model, the settings or the home of the person who runs them.
 * @param {string} folder
 */
function testEnv(folder) {
  const { OPENAI_API_KEY, OPENAI_BASE_URL, SIGNALBOX_MODEL, NODE_ENV, ...env } = toolEnv();
  return { ...env, SIGNALBOX_HOME: join(folder, 'home') };
}

function conclude() {
  for (const { name, why } of summary.skipped) console.log(`skipped: ${name}${why ? ` (${why})` : ''}`);
  for (const step of failedSteps) console.log(`failed step: ${step}`);
  const failed = summary.failed + failedSteps.length;
  const skipped = summary.skipped.length > 0 ? `, ${summary.skipped.length} skipped` : '';
  console.log(`${summary.passed} passed, ${failed} failed${skipped}`);
  process.exit(failed === 0 ? 0 : 1);
}
