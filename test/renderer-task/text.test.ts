import { describe, expect, it } from 'vitest';
import { visible, visibleLine } from '../../renderer/ui/safe-text.ts';
import { ansiSpans, plainOutput } from '../../renderer/features/conversation/ansi.ts';
import { markdownBlocks } from '../../renderer/features/conversation/markdown-blocks.ts';
import { rowsOf, waitingCalls } from '../../renderer/features/conversation/rows.ts';
import { testCount, toolWords } from '../../renderer/features/conversation/tool-words.ts';
import { checksOf, looksLikeCheck } from '../../renderer/features/task/checks.ts';
import { START, item, turn } from './support/fixtures.ts';

describe('text that isn’t ours', () => {
  it('shows what would hide or turn the rest of a line', () => {
    expect(visible('if (a\u202e) \u2066x\u2069\u200b\n\tok\r\n')).toBe('if (a⟨U+202E⟩) ⟨U+2066⟩x⟨U+2069⟩⟨U+200B⟩\n\tok\n');
    expect(visible('\u001b[2J\u0007\u0000')).toBe('␛[2J␇␀');
    expect(visibleLine('a\nb\tc')).toBe('a␊b␉c');
  });
});

describe('the output of a command', () => {
  it('keeps colours as our own tones', () => {
    expect(ansiSpans('\u001b[1;31mFAIL\u001b[0m ok \u001b[38;5;200mx\u001b[39m')).toEqual([
      { text: 'FAIL', tone: 'bad', strong: true },
      { text: ' ok x', tone: null, strong: false },
    ]);
  });
  it('drops every other sequence', () => {
    const evil =
      '\u001b]0;title\u0007a\u001b]52;c;Y2xpcA==\u001b\\b\u001b[2J\u001b[10;10Hc\u001b]8;;http://evil\u0007d\u001b]8;;\u0007\u001bPq#0\u001b\\e\u001b[?1049h';
    expect(plainOutput(evil)).toBe('abcde');
    expect(plainOutput('cut \u001b[3')).toBe('cut ');
  });
  it('shows the last state of a progress line and marks what is left', () => {
    expect(plainOutput('10%\r50%\r100%\ndone\r\n')).toBe('100%\ndone\n');
    expect(plainOutput('a\u0008\u202eb')).toBe('a␈⟨U+202E⟩b');
  });
});

describe('markdown', () => {
  it('is cut between blocks but not inside fences, lists and tables', () => {
    expect(markdownBlocks('One.\n\nTwo.\n\n```js\na\n\nb\n```\n\n- x\n\n- y\n\nThree.')).toEqual([
      'One.\n',
      'Two.\n',
      '```js\na\n\nb\n```\n\n- x\n\n- y\n',
      'Three.',
    ]);
  });
  it('joins again to the same text', () => {
    const text = '# A\n\ntext\n\n~~~\n```\n\n~~~\n\n> q\n\n1. a\n\n   b\n\nend';
    expect(markdownBlocks(text).join('\n')).toBe(text);
  });
});

describe('the rows of a conversation', () => {
  it('groups tool calls, keeps a plan where it began with its newest steps, ends turns', () => {
    const early = item('plan', { steps: [] });
    const late = item('plan', { steps: [{ step: 'x', status: 'completed' }] });
    const items = [
      item('userMessage'),
      early,
      item('command'),
      item('fileChange'),
      late,
      item('reasoning', { text: ' ' }),
      item('agentMessage'),
    ];
    expect(
      rowsOf(items, [turn()]).map((row) =>
        row.kind === 'tools' ? row.items.map((one) => one.type).join('+') : row.kind === 'item' ? row.item.type : 'end',
      ),
    ).toEqual(['userMessage', 'plan', 'command+fileChange', 'agentMessage', 'end']);
    expect(rowsOf(items, [turn()])[1]).toEqual({ kind: 'item', key: early.id, item: late });
  });
  it('knows which call waits for a person', () => {
    const call = item('command', { command: 'npx tsd', status: 'running', exitCode: null, endedAt: null });
    const other = item('command', { command: 'npm run dev', status: 'running', exitCode: null, endedAt: null });
    const asked = item('approval', { subject: 'npx tsd' });
    expect([...waitingCalls([call, other, asked])]).toEqual([call.id]);
    expect([...waitingCalls([call, other, { ...asked, decision: 'approved' }])]).toEqual([]);
    expect(toolWords(call, true)).toMatchObject({ verb: 'Wants to run', result: 'waits for you' });
  });
  it('has no end while the turn runs', () => {
    expect(rowsOf([item('userMessage')], [turn({ status: 'running', endedAt: null })]).map((row) => row.kind)).toEqual(['item']);
  });
});

describe('the words of a tool call', () => {
  it('tell the result', () => {
    expect(toolWords(item('command', { command: 'pnpm test', output: 'Tests  1 failed | 23 passed (24)\n', exitCode: 1 }))).toMatchObject({
      verb: 'Ran',
      result: '1 of 24 failed',
      tone: 'bad',
    });
    expect(toolWords(item('command', { command: 'ls', exitCode: 2 }))).toMatchObject({ result: 'exit 2', tone: 'bad' });
    expect(toolWords(item('command', { command: 'ls' }))).toMatchObject({ result: '' });
    expect(toolWords(item('command', { command: 'x\u202ey', outside: true, status: 'running', exitCode: null }))).toMatchObject({
      verb: 'Running outside the sandbox',
      subject: 'x⟨U+202E⟩y',
    });
    expect(testCount('ℹ pass 5\nℹ fail 0\n')).toEqual({ text: '5 passed', failed: false });
  });
});

describe('checks', () => {
  it('are the newest run of each command, stale once files changed', () => {
    const first = item('command', { command: 'npm test', exitCode: 1, startedAt: START });
    const lint = item('command', { command: 'npx eslint .', startedAt: START + 10 });
    const edit = item('fileChange', { startedAt: START + 20, endedAt: START + 30 });
    const second = item('command', { command: 'npm test', startedAt: START + 40 });
    const rows = checksOf([first, lint, edit, second, item('command', { command: 'ls' })], {
      itemId: second.id,
      command: 'npm test',
      passed: true,
      summary: '5 passed',
      at: START,
      stale: false,
    });
    expect(rows.map((row) => [row.command, row.state, row.summary, row.stale, row.runs])).toEqual([
      ['npm test', 'passed', '5 passed', false, 2],
      ['npx eslint .', 'passed', null, true, 1],
    ]);
  });
  it('are told from other commands', () => {
    expect(['npm run build', 'cargo test -p x', 'npx tsc -p .', 'node --test', 'make check'].every(looksLikeCheck)).toBe(true);
    expect(['ls', 'git status', 'cat test.txt', 'npm install'].some(looksLikeCheck)).toBe(false);
  });
});
