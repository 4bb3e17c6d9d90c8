import { describe, expect, test } from 'vitest';
import { checkKinds, verdictOf } from '../../agent-core/domain/checks.ts';
import { citationsOf } from '../../agent-core/domain/evidence.ts';

/** What is cited, as short words. */
const cited = (text: string) =>
  citationsOf(text).map((each) => {
    expect(text.slice(each.at, each.at + each.length).length).toBe(each.length);
    if (each.kind === 'file') return `${each.path} ${each.line}${each.endLine > each.line ? `-${each.endLine}` : ''}`;
    return each.kind === 'command' ? `cmd ${each.chunk}${each.claims ? ' passes' : ''}` : `claim ${each.command ?? each.about.join('+')}`;
  });

describe('what a message cites', () => {
  test.each<[string, string[]]>([
    ['See `src/a.ts:12` and src/b/c.test.ts:3-9.', ['src/a.ts 12', 'src/b/c.test.ts 3-9']],
    ['In [a](src/a.ts#L10-L20), ./x.py:1, Makefile is not, bin/run:4 is.', ['src/a.ts 10-20', 'x.py 1', 'bin/run 4']],
    ['/work/tree/src/a.ts:5:17 at column 17', ['/work/tree/src/a.ts 5']],
    ['http://localhost:3000 and example.com:443, 12:30, node:22, 127.0.0.1:80, v1.2.3:4', []],
    ['`app/(group)/[id]/page.tsx:7`', ['app/(group)/[id]/page.tsx 7']],
    ['```\nat src/a.ts:12\nTests pass\n```\nand src/b.ts:1', ['src/b.ts 1']],
    ['All tests pass [cmd:3f9a1c].', ['cmd 3f9a1c passes']],
    ['It failed at first [cmd:3F9A1C]; now it is green in CI.', ['cmd 3f9a1c']],
    ['Not a number: [cmd:3] [cmd:zzzzzz].', []],
  ])('%s', (text, wanted) => expect(cited(text)).toEqual(wanted));
});

describe('what a message claims', () => {
  test.each<[string, string[]]>([
    ['All 128 tests pass.', ['claim test']],
    ['All **128** tests pass, with no failures.', ['claim test']],
    ['The build succeeds and `npm run lint` is clean.', ['claim npm run lint']],
    ['Type checks pass.', ['claim types']],
    ['All checks are green', ['claim test+lint+build+types']],
    ['- `npm test` passes', ['claim npm test']],
    ['The tests do not pass yet.', []],
    ['Run the tests to make sure they pass.', []],
    ['12 tests pass, 1 fails.', []],
    ['The tests passed before my change.', []],
    ['I pass the options to the test helper factory.', ['claim test']],
    ['I pass the key to the client.', []],
  ])('%s', (text, wanted) => expect(cited(text)).toEqual(wanted));
});

describe('what a check says', () => {
  const run = (command: string, exitCode: number, output = '') => verdictOf({ command, exitCode, output });
  test.each<[string, number, string, ReturnType<typeof verdictOf>]>([
    ['npm test', 0, '', 'passed'],
    ['npm test', 1, '', 'failed'],
    ['cd web && npm test', 0, '', 'passed'],
    ['npm test 2>&1', 0, '', 'passed'],
    ['npm test | tail -5', 0, '', 'unclear'],
    ['npm test | tail -5', 0, ' Tests  3 passed (3)', 'passed'],
    ['npm test | tail -5', 0, ' Tests  1 failed | 3 passed (4)', 'failed'],
    ['set -o pipefail; npm test | tail -5', 0, '', 'passed'],
    ['npm test || true', 0, '', 'unclear'],
    ['npm test; echo done', 0, '', 'unclear'],
    ['npm test && echo done', 0, '', 'passed'],
    ['npm test &', 0, '', 'unclear'],
    ['echo npm', 0, '', null],
  ])('%s → %i %s', (command, code, output, wanted) => expect(run(command, code, output)).toBe(wanted));
  test('is about tests, lint, types or the build', () => {
    expect(checkKinds('npm run lint')).toEqual(['lint']);
    expect(checkKinds('npx tsc --noEmit')).toEqual(['build', 'types']);
    expect(checkKinds('npm run check')).toEqual(['test', 'lint', 'build', 'types']);
    expect(checkKinds('cargo test')).toEqual(['test']);
    expect(checkKinds('ls')).toEqual([]);
  });
});
