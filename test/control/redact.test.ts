import { expect, test } from 'vitest';
import { redactAll, redactor, secretsIn } from '../../agent-core/domain/redact.ts';

const clean = redactor(['hunter2hunter2', 'short', 'with "quotes" in it']);

// Put together here, so that no scanner takes this file for a leak.
const shaped: [string, string][] = [
  ['OpenAI', `sk-${'proj-'}${'a1B2'.repeat(8)}`],
  ['Anthropic', `sk-${'ant-api03-'}${'x9'.repeat(20)}`],
  ['GitHub', `gh${'p_'}${'Ab3'.repeat(12)}`],
  ['GitHub, fine-grained', `github_${'pat_'}11${'ABCDEF'.repeat(6)}`],
  ['GitLab', `gl${'pat-'}${'abcd1234'.repeat(3)}`],
  ['npm', `npm${'_'}${'aB3d'.repeat(9)}`],
  ['AWS', `AK${'IA'}${'ABCDEFGH12345678'}`],
  ['Google', `AI${'za'}${'abcde12345'.repeat(3)}abcde`],
  ['Slack', `xo${'xb-'}123456789012-abcdefghij`],
  ['a token of JSON', `ey${'J'}hbGciOiJIUzI1NiJ9.ey${'J'}zdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9`],
  ['a private key', `-----BEGIN RSA ${'PRIVATE KEY'}-----\nMIIE\nabc\n-----END RSA ${'PRIVATE KEY'}-----`],
];
test.each(shaped)('%s', (_name, secret) => {
  expect(clean(`before ${secret} after`)).toBe('before [redacted] after');
});

test.each([
  ['DEPLOY_TOKEN=abc123def', 'DEPLOY_TOKEN=[redacted]'],
  ['export STRIPE_SECRET="p4ss word"', 'export STRIPE_SECRET="[redacted] word"'],
  ['{"apiKey": "abcdef123456"}', '{"apiKey": "[redacted]"}'],
  [String.raw`{"cmd":"API_KEY=abcdef123456 npm publish"}`, String.raw`{"cmd":"API_KEY=[redacted] npm publish"}`],
  [String.raw`{\"password\": \"abcdef123456\"}`, String.raw`{\"password\": \"[redacted]\"}`],
  ['Authorization: Bearer abcdef123456abcdef', 'Authorization: Bearer [redacted]'],
  ['git clone https://ada:s3cr3tpw@example.com/x.git', 'git clone https://ada:[redacted]@example.com/x.git'],
  ['the value hunter2hunter2 itself', 'the value [redacted] itself'],
  [String.raw`as JSON: with \"quotes\" in it.`, 'as JSON: [redacted].'],
])('%s', (text, expected) => {
  expect(clean(text)).toBe(expected);
});

test.each([
  'a short word stays: short',
  'const token = readToken(path);',
  'process.env.API_KEY ?? ""',
  'git commit 3f786850e387550fdab836ed7e6dc881de23001b',
  'skip-this-test and risk-based-testing-approach',
  'maxTokens: 10000',
  'the primary key of the table',
])('nothing is taken from “%s”', (text) => {
  expect(clean(text)).toBe(text);
});

test('secrets of the environment are told by their names, and taken out at any depth', () => {
  const secrets = secretsIn({
    MY_TOKEN: 'aaaaaaaa1',
    OPENAI_API_KEY: 'bbbbbbbb2',
    A_SECRET: 'cccccccc3',
    HOME: '/home/ada',
    KEYBOARD: 'dvorak-de',
  });
  expect(secrets).toEqual(['aaaaaaaa1', 'bbbbbbbb2', 'cccccccc3']);
  expect(redactAll({ a: ['x aaaaaaaa1', { b: 'bbbbbbbb2' }], n: 1, nothing: null }, redactor(secrets))).toEqual({
    a: ['x [redacted]', { b: '[redacted]' }],
    n: 1,
    nothing: null,
  });
});

test('a megabyte of output is cleaned in well under a second', () => {
  const text = `${'KEY_KEY_KEY_a_b-c-d '.repeat(20_000)}${'-----BEGIN '.repeat(20_000)}${'a'.repeat(300_000)}${'https://'.repeat(20_000)}`;
  const began = performance.now();
  clean(text);
  expect(performance.now() - began).toBeLessThan(1000);
});

test('no text takes long', () => {
  const before = performance.now();
  redactor([])('eyJaaaaaaaa-'.repeat(100_000));
  expect(performance.now() - before).toBeLessThan(5000);
});
