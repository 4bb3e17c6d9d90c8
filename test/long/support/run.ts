import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Cut, Rule } from './rule.ts';

const root = resolve(import.meta.dirname, '../../..');

interface Report {
  numPassedTests: number;
  numFailedTests: number;
  testResults: { message: string; assertionResults: { status: string; fullName: string }[] }[];
}

export interface Outcome {
  passed: number;
  failed: string[];
  /** Files that could not even be loaded: no proof of anything. */
  broken: string[];
  /** Whether the changed source was what the tests ran. */
  applied: boolean;
  output: string;
}

/** Runs tests in a vitest of their own, with the cuts applied to what it loads. */
export async function runWithout(cuts: Cut[], { tests, only }: Pick<Rule, 'tests' | 'only'>): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-without-'));
  const report = join(folder, 'report.json');
  const said = join(folder, 'said');
  const args = ['run', '--config', 'test/long/support/without.config.ts', '--reporter=json', `--outputFile=${report}`];
  const child = spawn(process.execPath, ['node_modules/vitest/vitest.mjs', ...args, ...(only ? ['-t', only] : [])], {
    cwd: root,
    env: {
      ...process.env,
      VITEST: undefined,
      VITEST_WORKER_ID: undefined,
      VITEST_POOL_ID: undefined,
      SIGNALBOX_WITHOUT: JSON.stringify(cuts),
      SIGNALBOX_WITHOUT_SAID: said,
      SIGNALBOX_WITHOUT_TESTS: tests.join(','),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const parts: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => parts.push(chunk));
  await new Promise((done) => child.once('close', done));
  const output = Buffer.concat(parts).toString();
  const read = existsSync(report) ? (JSON.parse(readFileSync(report, 'utf8')) as Report) : null;
  const outcome: Outcome = {
    passed: read?.numPassedTests ?? 0,
    failed: (read?.testResults ?? []).flatMap(({ assertionResults }) =>
      assertionResults.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName),
    ),
    broken: (read?.testResults ?? [])
      .filter(({ message, assertionResults }) => message !== '' && assertionResults.length === 0)
      .map(({ message }) => message),
    applied: existsSync(said),
    output: read ? '' : output,
  };
  rmSync(folder, { recursive: true, force: true });
  return outcome;
}

/** How often the cut's text is in its file: a rule whose source was changed must be looked at again. */
export const occurrences = ({ file, cut }: Cut): number => readFileSync(join(root, file), 'utf8').split(cut).length - 1;
