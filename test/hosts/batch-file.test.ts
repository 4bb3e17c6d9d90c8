import { expect, test } from 'vitest';
import { readBatch } from '../../agent-core/hosts/cli/batch-file.ts';
import { folderOf } from '../../agent-core/hosts/cli/git.ts';

const lines = (...values: unknown[]) => values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))).join('\n');

test('tasks with their lines’ numbers, blank lines skipped, references by title or number', () => {
  const text = lines(
    { prompt: 'a', title: 'First' },
    '',
    { prompt: 'b', repo: '/r', base: 'dev', dependsOn: ['First'] },
    { prompt: 'c', dependsOn: [1, '3'] },
  );
  expect(readBatch(`\uFEFF${text}\r\n`, '.')).toEqual([
    { number: 1, prompt: 'a', title: 'First', repo: '.', base: undefined, dependsOn: [] },
    { number: 3, prompt: 'b', title: undefined, repo: '/r', base: 'dev', dependsOn: [1] },
    { number: 4, prompt: 'c', title: undefined, repo: '.', base: undefined, dependsOn: [1, 3] },
  ]);
});

test.each([
  ['not JSON', lines({ prompt: 'a' }, '{"prompt":'), 'Line 2: not JSON'],
  ['a list', lines([1]), 'Line 1: “it” is not right'],
  ['no prompt', lines({ title: 'x' }), 'Line 1: “prompt” is missing.'],
  ['an empty prompt', lines({ prompt: '  ' }), 'Line 1: The task is empty. Say what should be done.'],
  ['a long prompt', lines({ prompt: 'x'.repeat(300_000) }), 'Line 1: The task is longer than 256 KiB'],
  ['a wrong type', lines({ prompt: 'a', repo: 3 }), 'Line 1: “repo” is not right: expected string'],
  ['an unknown name', lines({ prompt: 'a', depends: [1] }), 'Line 1: “depends” is not known.'],
  ['an absent line', lines({ prompt: 'a', dependsOn: [7] }), 'Line 1: depends on line 7, which is not there.'],
  ['an absent title', lines({ prompt: 'a', dependsOn: ['Nope'] }), 'Line 1: depends on “Nope”, which is not there.'],
  ['itself', lines({ prompt: 'a', dependsOn: [1] }), 'Line 1: depends on itself.'],
  ['a circle', lines({ prompt: 'a', dependsOn: [2] }, { prompt: 'b', dependsOn: [1] }), 'depends on itself by way of line 2.'],
  [
    'a title twice',
    lines({ prompt: 'a', title: 'T' }, { prompt: 'b', title: 'T' }, { prompt: 'c', dependsOn: ['T'] }),
    'Line 3: depends on “T”, but lines 1 and 2 have that title.',
  ],
  ['nothing', '\n\n', 'The file has no tasks in it.'],
])('refuses %s, naming the line', (_name, text, message) => {
  expect(() => readBatch(text, '.')).toThrow(message);
});

test.each([
  [['status'], '/w', ['status']],
  [['-C', 'a', '-C', '../b', 'log', '-C'], '/w/b', ['log', '-C']],
  [['-c', 'a.b=-C', '-C', '/x', 'diff'], '/x', ['-c', 'a.b=-C', 'diff']],
  [['--no-pager', '--git-dir', 'g', 'log'], '/w', ['--no-pager', '--git-dir', 'g', 'log']],
])('git %j works in %s', (args, folder, rest) => {
  expect(folderOf(args, '/w')).toEqual({ folder, rest });
});
