import type { Chunk, PatchLine } from './parse.ts';

/** A line of a file with the line end it has; '' for a last line without one. */
export interface SourceLine {
  text: string;
  end: '\n' | '\r\n' | '\r' | '';
}

/** A chunk that is nowhere in the file. `expected` are the lines looked for. */
export class NotFound extends Error {
  readonly what: 'lines' | 'anchor';
  readonly expected: string;
  constructor(what: 'lines' | 'anchor', expected: string) {
    super(expected);
    this.what = what;
    this.expected = expected;
  }
}

const dashes = /[\u2010-\u2015\u2212]/g;
const singleQuotes = /[\u2018-\u201b]/g;
const doubleQuotes = /[\u201c-\u201f]/g;
const spaces = /[\u00a0\u2002-\u200a\u202f\u205f\u3000]/g;
const plain = (text: string) => text.replace(dashes, '-').replace(singleQuotes, "'").replace(doubleQuotes, '"').replace(spaces, ' ').trim();

/** From strict to lenient: the first that finds the lines anywhere wins over a later one that finds them earlier. */
const views: ((text: string) => string)[] = [(text) => text, (text) => text.trimEnd(), (text) => text.trim(), plain];

/** The first place at or after `from` where all of `wanted` stands, else -1. With `atEnd` the file's end is tried first. */
function seek(lines: readonly string[], wanted: readonly string[], from: number, atEnd: boolean): number {
  const last = lines.length - wanted.length;
  for (const view of views) {
    const seen = lines.map(view);
    const sought = wanted.map(view);
    const standsAt = (place: number) => sought.every((text, i) => seen[place + i] === text);
    if (atEnd && last >= from && standsAt(last)) return last;
    for (let place = from; place <= last; place += 1) if (standsAt(place)) return place;
  }
  return -1;
}

/** Drops the blank line with which a patch means the file's last line end, which is no line of the file. */
function withoutTrailingBlank(lines: readonly PatchLine[]): PatchLine[] | null {
  const at = lines.findLastIndex((line) => line.sign !== '+');
  if (lines[at]?.text !== '') return null;
  const rest = lines.toSpliced(at, 1);
  return lines[at].sign === '-' && rest.at(-1)?.text === '' ? rest.slice(0, -1) : rest;
}

const oldLines = (lines: readonly PatchLine[]) => lines.filter((line) => line.sign !== '+').map((line) => line.text);

interface Found {
  start: number;
  lines: readonly PatchLine[];
}

function locate(texts: readonly string[], chunk: Chunk, after: number): Found {
  let from = after;
  if (chunk.anchor !== null) {
    const anchor = seek(texts, [chunk.anchor], after, false);
    if (anchor < 0) throw new NotFound('anchor', chunk.anchor);
    from = anchor + 1;
  }
  const wanted = oldLines(chunk.lines);
  if (wanted.length === 0) return { start: chunk.anchor === null || chunk.atEnd ? texts.length : from, lines: chunk.lines };
  // Models sometimes repeat the anchor as the first line of context, so it may be part of the run itself.
  const froms = chunk.anchor === null ? [from] : [from, from - 1];
  for (const lines of [chunk.lines, withoutTrailingBlank(chunk.lines)]) {
    if (!lines) continue;
    for (const place of froms) {
      const start = seek(texts, oldLines(lines), place, chunk.atEnd);
      if (start >= 0) return { start, lines };
    }
  }
  throw new NotFound('lines', wanted.join('\n'));
}

/** A file's lines; LF, CRLF and a lone CR each end one, mixed as they may be. */
export function splitLines(content: string): SourceLine[] {
  const lines: SourceLine[] = [];
  let start = 0;
  for (const found of content.matchAll(/\r\n|\n|\r/g)) {
    lines.push({ text: content.slice(start, found.index), end: found[0] as SourceLine['end'] });
    start = found.index + found[0].length;
  }
  if (start < content.length) lines.push({ text: content.slice(start), end: '' });
  return lines;
}

/**
 * The content after the chunks, which stand in the file's order. Lines that stay keep their exact text and line end;
 * new ones end as the file's first line does; the last line always ends. Throws {@link NotFound}.
 */
export function applyChunks(content: string, chunks: readonly Chunk[]): string {
  const source = splitLines(content);
  const texts = source.map((line) => line.text);
  const usual = source.find((line) => line.end !== '')?.end ?? '\n';
  const result: SourceLine[] = [];
  let done = 0;
  // Places are found in the untouched file first: what one chunk adds is never matched by the next.
  const places: Found[] = [];
  for (const chunk of chunks) {
    const found = locate(texts, chunk, done);
    places.push(found);
    const end = found.start + oldLines(found.lines).length;
    // An addition at the end doesn't bar a later chunk from the lines above it.
    if (oldLines(found.lines).length > 0 || chunk.anchor !== null) done = end;
  }
  done = 0;
  for (const found of places.toSorted((a, b) => a.start - b.start)) {
    result.push(...source.slice(done, found.start));
    done = found.start;
    for (const line of found.lines) {
      if (line.sign === '+') result.push({ text: line.text, end: usual });
      else {
        const original = source[done];
        if (line.sign === ' ' && original) result.push(original);
        done += 1;
      }
    }
  }
  result.push(...source.slice(done));
  return result.map((line) => line.text + (line.end || usual)).join('');
}
