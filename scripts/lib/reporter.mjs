import { writeFileSync } from 'node:fs';

/**
 * A vitest reporter that leaves the counts and the names of skipped tests where scripts/test.mjs reads them.
 * A file that could not even be loaded, and an error outside any test, count as one failure each.
 * @typedef {{ passed: number, failed: number, skipped: { name: string, why: string }[] }} Summary
 */
export default class SummaryReporter {
  /** @param {import('vitest/node').TestModule[]} modules @param {readonly unknown[]} errors */
  onTestRunEnd(modules, errors) {
    /** @type {Summary} */
    const summary = { passed: 0, failed: errors.length, skipped: [] };
    for (const module of modules) {
      let failedTests = 0;
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === 'passed') summary.passed += 1;
        else if (result.state === 'failed') failedTests += 1;
        else summary.skipped.push({ name: test.fullName, why: result.state === 'skipped' ? (result.note ?? '') : 'never ran' });
      }
      summary.failed += failedTests > 0 || module.ok() ? failedTests : 1;
    }
    const path = process.env.SIGNALBOX_TEST_SUMMARY;
    if (path) writeFileSync(path, JSON.stringify(summary));
  }
}
