import { processFile, type FileDiffMetadata } from '@pierre/diffs';
import type { DiffFile } from '../../../agent-core/contract/index.ts';
import { visible } from '../../ui/safe-text.ts';
import type { RawFile, RawHunk } from './patch.ts';

/** Longer than this a file is folded until asked for: lines changed, or characters in its longest line. */
export const LONG_FILE_LINES = 3_000;
export const LONG_LINE = 5_000;

/** Why a file's lines aren't shown by themselves; null when they are. */
export function foldReason(file: DiffFile): string | null {
  if (file.binary) return 'Binary file';
  if (file.generated) return 'Generated file';
  const lines = (file.added ?? 0) + (file.removed ?? 0);
  return lines > LONG_FILE_LINES ? `${lines.toLocaleString('en')} changed lines` : null;
}

/** What is drawn of a file: git's hunks as the diff view wants them, with hidden characters made visible. */
export interface LoadedFile {
  raw: RawFile;
  meta: FileDiffMetadata;
  longLine: boolean;
  truncated: boolean;
}

const kindOf = (file: DiffFile): string[] =>
  file.status === 'added' ? ['new file mode 100644'] : file.status === 'deleted' ? ['deleted file mode 100644'] : [];

/** A line of a patch as it may be shown: its prefix stays, what follows is made harmless. */
const shown = (line: string): string => (line[0] ?? ' ') + visible(line.slice(1).replace(/\r$/, ''));

/**
 * Rebuilds the patch under a plain name before the diff view parses it: names with quotes, line feeds or escapes
 * never reach its parser, and the lines and their order stay git's own.
 */
export function loadFile(file: DiffFile, raw: RawFile, key: string, truncated: boolean): LoadedFile {
  const plain = /\.[A-Za-z0-9]{1,12}$/.exec(file.path)?.[0] ?? '';
  const base = file.path.slice(file.path.lastIndexOf('/') + 1);
  const name = /^[\w.-]+$/.test(base) ? base : `file${plain}`;
  const longLine = raw.hunks.some((hunk) => hunk.lines.some((line) => line.length > LONG_LINE));
  const text = [
    `diff --git a/${name} b/${name}`,
    ...kindOf(file),
    `--- ${file.status === 'added' ? '/dev/null' : `a/${name}`}`,
    `+++ ${file.status === 'deleted' ? '/dev/null' : `b/${name}`}`,
    ...raw.hunks.flatMap((hunk) => [
      `@@ -${hunk.oldStart},${hunk.oldCount} +${hunk.newStart},${hunk.newCount} @@`,
      ...hunk.lines.map(shown),
    ]),
    '',
  ].join('\n');
  const meta = processFile(text, { cacheKey: key, disableLineMatching: true, isGitDiff: true });
  return { raw, longLine, truncated, meta: meta ?? emptyMeta(name) };
}

/** Stands for a file whose patch isn't here yet. */
export function emptyMeta(name: string): FileDiffMetadata {
  return {
    name,
    type: 'change',
    hunks: [],
    splitLineCount: 0,
    unifiedLineCount: 0,
    isPartial: true,
    deletionLines: [],
    additionLines: [],
    deletionCharacterCount: 0,
    additionCharacterCount: 0,
  };
}

/** Where a hunk's head stands: under the last line of the hunk before it, or above everything. */
export function headAnchor(raw: RawFile, index: number, deleted: boolean): { side: 'additions' | 'deletions'; lineNumber: number } {
  const before = raw.hunks[index - 1];
  if (!before) return { side: deleted ? 'deletions' : 'additions', lineNumber: 0 };
  const last = before.lines.findLast((line) => !line.startsWith('\\')) ?? ' ';
  if (last.startsWith('-')) return { side: 'deletions', lineNumber: before.oldStart + before.oldCount - 1 };
  return { side: 'additions', lineNumber: before.newStart + before.newCount - 1 };
}

/** The first changed line of a hunk, which a comment by key is about. */
export function firstChange(hunk: RawHunk): { side: 'additions' | 'deletions'; line: number } {
  let oldLine = hunk.oldStart;
  let newLine = hunk.newStart;
  let removed: number | null = null;
  for (const line of hunk.lines) {
    if (line.startsWith('+')) return { side: 'additions', line: newLine };
    if (line.startsWith('-')) {
      removed ??= oldLine;
      oldLine++;
    } else if (removed !== null) break;
    else {
      oldLine++;
      newLine++;
    }
  }
  return { side: 'deletions', line: removed ?? hunk.oldStart };
}

/** The text of a line on one side, '' when the patch doesn't show it. */
export function lineText(raw: RawFile, side: 'additions' | 'deletions', wanted: number): string {
  const own = side === 'additions' ? '+' : '-';
  for (const hunk of raw.hunks) {
    let at = side === 'additions' ? hunk.newStart : hunk.oldStart;
    for (const line of hunk.lines) {
      if (!line.startsWith(own) && !line.startsWith(' ')) continue;
      if (at === wanted) return line.slice(1).replace(/\r$/, '');
      at++;
    }
  }
  return '';
}

/** Which hunk of the file a line stands in, -1 for none. */
export const hunkAt = (raw: RawFile, side: 'additions' | 'deletions', line: number): number =>
  raw.hunks.findIndex((hunk) =>
    side === 'additions'
      ? line >= hunk.newStart && line < hunk.newStart + hunk.newCount
      : line >= hunk.oldStart && line < hunk.oldStart + hunk.oldCount,
  );

/** Short words for a hunk's place: `16–27 rate`. */
export function hunkLabel(hunk: RawHunk): string {
  const end = hunk.newStart + Math.max(hunk.newCount, 1) - 1;
  const lines = end > hunk.newStart ? `${hunk.newStart}–${end}` : `${hunk.newStart}`;
  return hunk.context ? `${lines} ${visible(hunk.context)}` : lines;
}
