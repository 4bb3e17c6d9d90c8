import { describe, expect, test } from 'vitest';
import { formatExec, newChunk, HeadTail, truncateMiddle, truncateOutput } from '../../agent-core/harness/tools/output.ts';

describe('truncation', () => {
  test('leaves alone what fits to the byte', () => {
    expect(truncateOutput('x'.repeat(40_000))).toBe('x'.repeat(40_000));
    expect(truncateOutput('x'.repeat(40_001))).toMatch(
      /^Warning: truncated output \(original token count: 10001\)\nTotal output lines: 1\n\nx{20000}…1 tokens truncated…x{20000}$/,
    );
  });
  test('never cuts a character', () => {
    const smiles = `${'😀'.repeat(10)}\nsecond line with text\n`;
    expect(truncateMiddle(smiles, 8)).toBe('😀😀😀😀…8 tokens truncated… line with text\n');
    for (let tokens = 1; tokens < 30; tokens += 1) expect(truncateMiddle(`é${'漢字😀'.repeat(20)}`, tokens)).not.toContain('\ufffd');
  });
  test('the header is exact', () => {
    expect(formatExec({ seconds: 0.08424, end: { exitCode: 0 }, text: 'hi\n', maxTokens: 10_000, chunk: newChunk() })).toMatch(
      /^Chunk ID: [0-9a-f]{6}\nWall time: 0\.0842 seconds\nProcess exited with code 0\nOriginal token count: 1\nOutput:\nhi\n$/,
    );
    expect(formatExec({ seconds: 12, end: { session: 54_321 }, text: '', maxTokens: 10_000, chunk: newChunk() })).toMatch(
      /\nWall time: 12\.0000 seconds\nProcess running with session ID 54321\nOriginal token count: 0\nOutput:\n$/,
    );
  });
});

describe('a bounded buffer', () => {
  test('keeps head and tail exactly, however the bytes are cut into chunks', () => {
    const source = Buffer.from(Array.from({ length: 5000 }, (_, at) => 97 + (at % 26)));
    for (const size of [1, 7, 99, 100, 101, 5000]) {
      const kept = new HeadTail(200);
      for (let at = 0; at < source.length; at += size) kept.add(source.subarray(at, at + size));
      expect([size, kept.total, kept.omitted]).toEqual([size, 5000, 4800]);
      expect(kept.text((omitted) => `[${omitted}]`)).toBe(`${source.toString('utf8', 0, 100)}[4800]${source.toString('utf8', 4900)}`);
    }
  });
  test('shows all of what fits, and begins anew after a read', () => {
    const kept = new HeadTail(200);
    for (let at = 0; at < 200; at += 10) kept.add(Buffer.from('0123456789'));
    expect(kept.drain()).toEqual({ text: '0123456789'.repeat(20), total: 200 });
    expect(kept.drain()).toEqual({ text: '', total: 0 });
    kept.add(Buffer.from('x'));
    expect(kept.text()).toBe('x');
  });
});
