import { expect, test } from 'vitest';
import { ClientGuard } from '../../agent-core/terminal/guard.ts';

/** The same outcome however the stream is cut. */
function guarded(text: string): string {
  const whole = new ClientGuard().push(text);
  for (const size of [1, 2, 3, 7]) {
    const guard = new ClientGuard();
    let out = '';
    for (let at = 0; at < text.length; at += size) out += guard.push(text.slice(at, at + size));
    expect(out).toBe(whole);
  }
  return whole;
}

test.each([
  'plain text\r\n',
  '\x1b[31mred\x1b[0m',
  '\x1b[2J\x1b[H',
  '\x1b[?1049h\x1b[?25l',
  '\x1b]0;title\x07',
  '\x1b]8;;https://example.com\x1b\\link\x1b]8;;\x1b\\',
  '\x1b(B\x1b=\x1b>',
  '\x1b7\x1b8',
  '\x1bc',
  '\x1b[38;2;1;2;3mx',
  '\x1b[1;24r',
  '\x1b]133;A\x07',
  '\x1b]10;#ffffff\x07',
  '√🙂 ü',
  '\x1b[6 q',
  '\x1b[s\x1b[u',
  '\x1b[!p',
  '\x1b[8;24;80t',
])('lets through %j', (text) => {
  expect(guarded(`a${text}b`)).toBe(`a${text}b`);
});

test.each([
  ['the clipboard', '\x1b]52;c;aGVsbG8=\x07'],
  ['the clipboard, ended by ST', '\x1b]52;c;aGVsbG8=\x1b\\'],
  ['with zeros before', '\x1b]00052;c;aGk=\x07'],
  ['by a C1 introducer', '\x9d52;c;aGk=\x9c'],
  ['of any length', `\x1b]52;c;${'A'.repeat(100_000)}\x07`],
  ['behind many zeros', `\x1b]${'0'.repeat(5000)}52;c;aGk=\x07`],
  ['DA1', '\x1b[c'],
  ['DA1 with 0', '\x1b[0c'],
  ['DA2', '\x1b[>c'],
  ['DA3', '\x1b[=c'],
  ['DECID', '\x1bZ'],
  ['DSR', '\x1b[5n'],
  ['cursor', '\x1b[6n'],
  ['DEC cursor', '\x1b[?6n'],
  ['C1 cursor', '\x9b6n'],
  ['DECRQM', '\x1b[?2026$p'],
  ['XTVERSION', '\x1b[>0q'],
  ['kitty keys', '\x1b[?u'],
  ['window size', '\x1b[18t'],
  ['title', '\x1b[21t'],
  ['DECRQSS', '\x1bP$qm\x1b\\'],
  ['XTGETTCAP', '\x1bP+q544e\x1b\\'],
  ['background', '\x1b]11;?\x07'],
  ['palette', '\x1b]4;1;?\x1b\\'],
])('keeps back %s', (_name, text) => {
  expect(guarded(`a${text}b`)).toBe('ab');
});

test('a sequence within a sequence doesn’t smuggle one through', () => {
  expect(guarded('a\x1b]0;x\x1b]52;c;aGk=\x07b')).toBe('ab');
  expect(guarded('\x1b[3\x1b[6n')).not.toContain('[6n');
  expect(guarded('\x1b]52;c;aGk=\x1b[31mred')).toBe('\x1b[31mred');
  expect(guarded('\x1b]52;c;aGk=\x18after')).toBe('after');
});

test('what isn’t finished is kept, and comes with its end', () => {
  const guard = new ClientGuard();
  expect(guard.push('a\x1b[3')).toBe('a');
  expect(guard.push('1m')).toBe('\x1b[31m');
});
