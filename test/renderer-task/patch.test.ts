import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { firstChange, headAnchor, hunkAt, lineText } from '../../renderer/features/review/file-state.ts';
import { hunkPatch, patchOf, reversed, reversedHunk, splitPatch, unquote } from '../../renderer/features/review/patch.ts';
import { draftMessage } from '../../renderer/features/review/draft.ts';
import { inTreeOrder, treeRows } from '../../renderer/features/review/tree.ts';
import { diffFile } from './support/fixtures.ts';
import { DiffRepo, type Files } from './support/repo.ts';

const repos: DiffRepo[] = [];
const repo = (before: Files, after: Files): DiffRepo => {
  const made = new DiffRepo(before, after);
  repos.push(made);
  return made;
};
afterEach(() => {
  for (const made of repos.splice(0)) made.remove();
});

const apply = (where: DiffRepo, patch: string): void => {
  execFileSync('git', ['apply', '-R', '--whitespace=nowarn', '-'], { cwd: where.folder, input: patch, stdio: ['pipe', 'pipe', 'pipe'] });
};
const content = (where: DiffRepo, path: string): string => readFileSync(join(where.folder, path), 'utf8');
const lines = (count: number): string[] => Array.from({ length: count }, (_, index) => `line ${index + 1}`);
const text = (...parts: string[]): string => `${parts.join('\n')}\n`;

describe('git’s patch', () => {
  it('is split by file with the names that git quotes', () => {
    const names = [
      'plain.ts',
      'with space.ts',
      'tab\there.ts',
      'new\nline.ts',
      'quote".ts',
      'ünï/çode.ts',
      'esc\u001b[31mred.ts',
      '<img src=x onerror=alert(1)>.ts',
    ];
    const made = repo(Object.fromEntries(names.map((name) => [name, 'old\n'])), Object.fromEntries(names.map((name) => [name, 'new\n'])));
    const files = splitPatch(made.patch(names).patch);
    expect(files.map((file) => file.path).sort()).toEqual([...names].sort());
    expect(files.every((file) => file.hunks.length === 1)).toBe(true);
  });

  it('tells added, deleted, renamed and binary files', () => {
    const made = repo(
      { 'gone.ts': 'x\n', 'old.ts': text(...lines(20)), 'pic.bin': Buffer.from([0, 1, 2]) },
      { 'gone.ts': null, 'old.ts': null, 'moved.ts': text(...lines(20)), 'fresh.ts': 'y\n', 'pic.bin': Buffer.from([0, 3, 4]) },
    );
    const files = Object.fromEntries(
      splitPatch(made.patch(['gone.ts', 'old.ts', 'moved.ts', 'fresh.ts', 'pic.bin']).patch).map((file) => [file.path, file]),
    );
    expect(files['moved.ts']).toMatchObject({ oldPath: 'old.ts', hunks: [] });
    expect(files['pic.bin']?.binary).toBe(true);
    expect(files['fresh.ts']?.hunks).toHaveLength(1);
    expect(files['gone.ts']?.hunks).toHaveLength(1);
  });

  it('does not mistake content for a header', () => {
    const made = repo({ 'a.md': 'one\n' }, { 'a.md': 'diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n' });
    const [file, ...rest] = splitPatch(made.patch(['a.md']).patch);
    expect(rest).toEqual([]);
    expect(file?.hunks).toHaveLength(1);
    expect(file?.hunks[0]?.lines.filter((line) => line.startsWith('+'))).toEqual([
      '+diff --git a/x b/x',
      '+--- a/x',
      '++++ b/x',
      '+@@ -1 +1 @@',
    ]);
  });

  it('gives one hunk that git takes out, and the one that puts it back', () => {
    const old = lines(60);
    const changed = old.map((line, index) => (index === 4 ? 'changed early' : index === 50 ? 'changed late' : line));
    const made = repo({ 'a b.ts': text(...old) }, { 'a b.ts': text(...changed) });
    const [file] = splitPatch(made.patch(['a b.ts']).patch);
    if (!file) throw new Error('no file');
    apply(made, hunkPatch(file, file.hunks[1]!));
    expect(content(made, 'a b.ts')).toBe(text(...old.map((line, index) => (index === 4 ? 'changed early' : line))));
    apply(made, reversedHunk(file, file.hunks[1]!)!);
    expect(content(made, 'a b.ts')).toBe(text(...changed));
  });

  it('takes out one hunk of a renamed file and leaves it renamed', () => {
    const old = lines(60);
    const made = repo(
      { 'old.ts': text(...old) },
      { 'old.ts': null, 'new.ts': text(...old.map((line, index) => (index === 9 ? 'other' : line))) },
    );
    const [file] = splitPatch(made.patch(['old.ts', 'new.ts']).patch);
    if (!file) throw new Error('no file');
    expect(file.oldPath).toBe('old.ts');
    apply(made, hunkPatch(file, file.hunks[0]!));
    expect(content(made, 'new.ts')).toBe(text(...old));
  });

  it('takes out whole files, without a last line feed too, and puts them back', () => {
    const made = repo({ 'a.ts': 'one\ntwo' }, { 'a.ts': 'one\nthree', 'fresh.ts': 'y\n' });
    const files = splitPatch(made.patch(['a.ts', 'fresh.ts']).patch);
    for (const file of files) apply(made, patchOf(file));
    expect(content(made, 'a.ts')).toBe('one\ntwo');
    expect(() => content(made, 'fresh.ts')).toThrow();
    for (const file of files) apply(made, reversed(file)!);
    expect(content(made, 'a.ts')).toBe('one\nthree');
    expect(content(made, 'fresh.ts')).toBe('y\n');
  });

  it('can’t be turned round where it doesn’t hold both sides', () => {
    expect(reversed({ path: 'x', oldPath: null, head: [], hunks: [], binary: true })).toBeNull();
    expect(reversed({ path: 'x', oldPath: 'y', head: [], hunks: [], binary: false })).toBeNull();
  });

  it('knows lines and where a hunk’s head and a comment belong', () => {
    const old = lines(60);
    const made = repo(
      { 'a.ts': text(...old) },
      { 'a.ts': text(...old.flatMap((line, index) => (index === 4 ? ['x', 'y'] : index === 50 ? [] : [line]))) },
    );
    const [file] = splitPatch(made.patch(['a.ts']).patch);
    if (!file) throw new Error('no file');
    expect(file.hunks.map(firstChange)).toEqual([
      { side: 'additions', line: 5 },
      { side: 'deletions', line: 51 },
    ]);
    expect(headAnchor(file, 0, false)).toEqual({ side: 'additions', lineNumber: 0 });
    expect(headAnchor(file, 1, false)).toEqual({ side: 'additions', lineNumber: 9 });
    expect(lineText(file, 'additions', 6)).toBe('y');
    expect(lineText(file, 'deletions', 51)).toBe('line 51');
    expect([hunkAt(file, 'additions', 6), hunkAt(file, 'deletions', 51), hunkAt(file, 'additions', 30)]).toEqual([0, 1, -1]);
  });

  it('unquotes bytes as UTF-8', () => {
    expect(unquote('"a/\\303\\274 \\"x\\" \\\\ \\t.ts"')).toBe('a/ü "x" \\ \t.ts');
    expect(unquote('a/plain.ts')).toBe('a/plain.ts');
  });
});

describe('the tree of files', () => {
  const files = ['z.md', 'src/a/one.ts', 'src/a/two.ts', 'docs/deep/er/x.md'].map((path) => diffFile(path));
  it('joins chains of folders and puts folders first', () => {
    expect(treeRows(files, new Set()).map((row) => `${row.level} ${row.label}`)).toEqual([
      '1 src/a',
      '2 one.ts',
      '2 two.ts',
      '1 docs/deep/er',
      '2 x.md',
      '1 z.md',
    ]);
    expect(treeRows(files, new Set(['src/a'])).map((row) => row.label)).toEqual(['src/a', 'docs/deep/er', 'x.md', 'z.md']);
    expect(inTreeOrder(files).map((file) => file.path)).toEqual(['src/a/one.ts', 'src/a/two.ts', 'docs/deep/er/x.md', 'z.md']);
  });
});

describe('a draft', () => {
  it('is one message with place, quote and words', () => {
    expect(
      draftMessage([
        { id: '1', path: 'src/a.ts', side: 'additions', line: 12, quote: 'const x = 1', text: ' Name it. ' },
        { id: '2', path: 'b.ts', side: 'deletions', line: 3, quote: 'old()', text: 'Why gone?' },
      ]),
    ).toBe('2 comments on your changes:\n\nsrc/a.ts:12\n> const x = 1\nName it.\n\nb.ts:3 (removed line)\n> old()\nWhy gone?');
  });
});
