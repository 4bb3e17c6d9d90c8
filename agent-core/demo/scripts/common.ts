import { SAMPLE_MARKER } from '../sample.ts';
import type { Result } from '../conversation.ts';
import type { DemoCall, Reply } from '../play.ts';

/** Part of a script: yields replies like one, and may end the whole script with words. */
export type Part<T> = Generator<Reply, T, Result[]>;

export const run = (cmd: string, more: Partial<Extract<DemoCall, { tool: 'exec_command' }>> = {}): DemoCall => ({
  tool: 'exec_command',
  cmd,
  ...more,
});
export const patch = (body: string): DemoCall => ({ tool: 'apply_patch', patch: `*** Begin Patch\n${body}\n*** End Patch\n` });

/** The plan with the first `done` steps completed and the next one in progress. */
export const plan = (steps: readonly string[], done: number): DemoCall => ({
  tool: 'update_plan',
  plan: steps.map((step, i) => ({ step, status: i < done ? 'completed' : i === done ? 'in_progress' : 'pending' })),
});

const nothing: Result = { tool: '', text: '', output: '', exitCode: null, session: null, declined: null, aborted: false, failure: null };
export const resultAt = (results: readonly Result[], at: number): Result => results[at] ?? nothing;

export const notHome =
  'I am the offline demo model: I only play scripts, and this one belongs to the sample repository, which this is not. I changed nothing. Choose a real model in Settings to work here.';

/** Ends a script from within a part, with its closing words. */
export class Ending extends Error {}

/** Lines of an output without their indentation and empty ones. */
export const statusLines = (output: string): string[] =>
  output
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);

/** Words for a refusal, with the person's own where they gave some. */
export function declinedText(result: Result, what: string): string {
  const said = result.declined ? ` (“${result.declined.trim()}”)` : '';
  return `${what} was declined${said}`;
}

/** Looks at the repository first; ends the script where it is not the sample. */
export function* lookAround(say: string, more = ''): Part<Result> {
  const [seen = nothing] = yield { say, calls: [run(`cat package.json && ls src test docs 2>/dev/null${more}; true`)] };
  if (seen.declined !== null)
    throw new Ending(`${declinedText(seen, 'Looking at the repository')}, so there is nothing that I can do. I changed nothing.`);
  if (!seen.output.includes(SAMPLE_MARKER)) throw new Ending(notHome);
  return seen;
}

/** What a test run says, by its own count. */
export interface Tests {
  passed: number;
  failed: number;
  /** Names of the failing tests. */
  failing: string[];
  ran: boolean;
}

export function readTests(output: string): Tests {
  const count = (what: string) => Number(new RegExp(`^\\W{0,3}${what} (\\d+)\\s*$`, 'm').exec(output)?.[1] ?? Number.NaN);
  const [passed, failed] = [count('pass'), count('fail')];
  const names = [...output.matchAll(/^\s*(?:not ok \d+ - |✖ )(.+?)(?: \(\d[\d.]*ms\))?\s*$/gm)].map((found) => found[1] ?? '');
  const failing = [...new Set(names)].filter((name) => name !== 'failing tests:' && !name.endsWith('.js'));
  return { passed: passed || 0, failed: failed || 0, failing, ran: !Number.isNaN(passed) && !Number.isNaN(failed) };
}

/** Runs the tests, by npm or, where there is none, by Node alone. */
export function* runTests(reply: Omit<Reply, 'calls'>, before: DemoCall[] = []): Part<Tests> {
  const results = yield { ...reply, calls: [...before, run('npm test')] };
  let result = results.at(-1) ?? nothing;
  if (result.exitCode === 127)
    [result = nothing] = yield { say: 'There is no npm here; Node can run the tests itself.', calls: [run('node --test')] };
  for (let look = 0; look < 30 && result.session !== null; look += 1)
    [result = nothing] = yield { calls: [{ tool: 'write_stdin', session_id: result.session, chars: '' }] };
  if (result.declined !== null)
    throw new Ending(`${declinedText(result, 'Running the tests')}. Without them I cannot tell whether anything works, so I stop here.`);
  return readTests(result.output);
}

export const count = (n: number, one: string): string => `${n} ${one}${n === 1 ? '' : 's'}`;

/** The tests in one sentence, as they were counted. */
export function testsText(tests: Tests): string {
  if (!tests.ran) return 'The tests did not run to their end.';
  if (tests.failed === 0) return `All ${count(tests.passed, 'test')} pass.`;
  const names = tests.failing.map((name) => `“${name}”`).join(', ');
  return `${count(tests.passed, 'test')} pass, ${tests.failed} fail${names ? `: ${names}` : ''}.`;
}

export type Patched = 'applied' | 'there';

/**
 * Applies a patch. Where it doesn't fit, looks whether its change is there already (`sign` is a part of the new text
 * of `file`); else ends the script and says so.
 */
export function* applyOnce(reply: Reply, file: string, sign: string): Part<Patched> {
  const results = yield reply;
  const result = resultAt(
    results,
    reply.calls.findIndex((call) => call.tool === 'apply_patch'),
  );
  if (result.declined !== null)
    throw new Ending(`${declinedText(result, `The change to \`${file}\``)}, so I leave it at that. The rest of the worktree is as it was.`);
  if (result.exitCode === 0) return 'applied';
  const [seen = nothing] = yield { say: `The patch does not fit \`${file}\`. I look at what is there now.`, calls: [run(`cat ${file}`)] };
  if (seen.output.includes(sign)) return 'there';
  throw new Ending(
    `\`${file}\` is not as this script expects it: someone changed it since. I did not force my change on it.\n\n    ${result.text.split('\n')[0] ?? ''}`,
  );
}
