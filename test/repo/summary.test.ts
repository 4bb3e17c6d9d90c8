import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { root } from '../../scripts/lib/run.mjs';

/** What `npm test` counts, on a small suite in which everything happens once. */
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signalbox-summary-'));
  mkdirSync(join(folder, 'test'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('counts what passed and failed, and names what was skipped with its reason', () => {
  const head = `import { expect, it } from 'vitest';\n`;
  writeFileSync(
    join(folder, 'test/a.test.ts'),
    `${head}it('good', () => {}); it('bad', () => { expect(1).toBe(2); }); it('not here', ({ skip }) => skip('no such machine')); it.skip('off', () => {});`,
  );
  writeFileSync(join(folder, 'test/b.test.ts'), `import './nothing.ts';`);
  const summary = join(folder, 'summary.json');
  const reporter = join(root, 'scripts/lib/reporter.mjs');
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const { status } = spawnSync(process.execPath, [vitest, 'run', '--root', folder, '--reporter', reporter], {
    cwd: folder,
    env: { ...process.env, SIGNALBOX_TEST_SUMMARY: summary },
  });
  expect(status).toBe(1);
  expect(JSON.parse(readFileSync(summary, 'utf8'))).toEqual({
    passed: 1,
    failed: 2,
    skipped: [
      { name: 'not here', why: 'no such machine' },
      { name: 'off', why: '' },
    ],
  });
});
