/**
 * Reads a patch in the envelope format that models of this family write (HARNESS: `*** Begin Patch` …).
 * It is read leniently, as models write it: blanks around markers, a shell's heredoc around the whole, CRLF line ends.
 */

/** One line of a change: kept, added or removed; `text` is without its sign and line end. */
export interface PatchLine {
  sign: ' ' | '+' | '-';
  text: string;
}

/** A run of lines to be found in the file and changed. */
export interface Chunk {
  /** A line further up that narrows the search, such as a function's head; null where none is named. */
  anchor: string | null;
  lines: PatchLine[];
  /** The run is the end of the file. */
  atEnd: boolean;
}

export type Hunk =
  | { type: 'add'; path: string; lines: string[] }
  | { type: 'delete'; path: string }
  | { type: 'update'; path: string; moveTo: string | null; chunks: Chunk[] };

/** A patch that can't be read; `line` counts from 1 within the patch, null when it is about the whole. */
export class PatchError extends Error {
  readonly line: number | null;
  constructor(message: string, line: number | null = null) {
    super(line === null ? `invalid patch: ${message}` : `invalid hunk at line ${line}, ${message}`);
    this.name = 'PatchError';
    this.line = line;
  }
}

const BEGIN = '*** Begin Patch';
const END = '*** End Patch';
const ADD = '*** Add File: ';
const DELETE = '*** Delete File: ';
const UPDATE = '*** Update File: ';
const MOVE = '*** Move to: ';
const END_OF_FILE = '*** End of File';

const heredoc = /^(?:apply_?patch\s+)?<<-?\s*(['"]?)([A-Za-z_][A-Za-z0-9_]*)\1$/;
/** `@@ -1,7 +1,9 @@ …`: the head of a unified diff, whose numbers models make up. */
const unifiedHead = /^@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@/;

/** The lines between the markers, and the number of the first one. */
function body(text: string): { lines: string[]; from: number } {
  let lines = text.trim().split(/\r?\n/);
  let from = 2;
  const wrapped = heredoc.exec(lines[0]?.trim() ?? '');
  if (wrapped && lines.length >= 4 && lines.at(-1)?.trim() === wrapped[2]) {
    lines = lines.slice(1, -1);
    from += 1;
    while (lines.length > 1 && lines.at(-1)?.trim() === '') lines.pop();
  }
  if (lines[0]?.trim() !== BEGIN) throw new PatchError(`The first line of the patch must be '${BEGIN}'`);
  if (lines.length < 2 || lines.at(-1)?.trim() !== END) throw new PatchError(`The last line of the patch must be '${END}'`);
  return { lines: lines.slice(1, -1), from };
}

/** Walks the lines of a patch. */
class Reader {
  private at = 0;
  private readonly lines: readonly string[];
  private readonly from: number;
  constructor(lines: readonly string[], from: number) {
    this.lines = lines;
    this.from = from;
  }
  get line(): string | undefined {
    return this.lines[this.at];
  }
  get number(): number {
    return this.at + this.from;
  }
  next(): void {
    this.at += 1;
  }
  skipBlank(): void {
    while (this.line !== undefined && this.line.trim() === '') this.next();
  }
}

function added(reader: Reader): string[] {
  const lines: string[] = [];
  for (; reader.line?.startsWith('+'); reader.next()) lines.push(reader.line.slice(1));
  return lines;
}

/** The anchor of a chunk's head; undefined where the line is no head. */
function anchorOf(line: string): string | null | undefined {
  if (line.trimEnd() === '@@' || unifiedHead.test(line)) return null;
  return line.startsWith('@@ ') ? line.slice(3) : undefined;
}

function signed(line: string): PatchLine | null {
  if (line === '') return { sign: ' ', text: '' };
  const sign = line[0];
  return sign === ' ' || sign === '+' || sign === '-' ? { sign, text: line.slice(1) } : null;
}

function chunk(reader: Reader, first: boolean): Chunk {
  const head = reader.line ?? '';
  const anchor = anchorOf(head);
  if (anchor === undefined && !first)
    throw new PatchError(`Expected update hunk to start with a @@ context marker, got: '${head}'`, reader.number);
  if (anchor !== undefined) reader.next();
  const start = reader.number;
  const found: Chunk = { anchor: anchor ?? null, lines: [], atEnd: false };
  for (; reader.line !== undefined; reader.next()) {
    if (reader.line.trimEnd() === END_OF_FILE) {
      found.atEnd = true;
      reader.next();
      break;
    }
    const line = signed(reader.line);
    if (!line) break;
    found.lines.push(line);
  }
  if (found.lines.length > 0) return found;
  if (reader.line === undefined || found.atEnd || reader.line.startsWith('***'))
    throw new PatchError('Update hunk does not contain any lines', start);
  const rule = `Every line should start with ' ' (context line), '+' (added line), or '-' (removed line)`;
  throw new PatchError(`Unexpected line found in update hunk: '${reader.line}'. ${rule}`, start);
}

function update(reader: Reader, path: string, number: number): Hunk {
  let moveTo: string | null = null;
  if (reader.line?.trimStart().startsWith(MOVE)) {
    moveTo = reader.line.trim().slice(MOVE.length).trim();
    reader.next();
  }
  const chunks: Chunk[] = [];
  for (reader.skipBlank(); reader.line !== undefined && !reader.line.startsWith('*'); reader.skipBlank()) {
    chunks.push(chunk(reader, chunks.length === 0));
  }
  if (chunks.length === 0 && moveTo === null) throw new PatchError(`Update file hunk for path '${path}' is empty`, number);
  return { type: 'update', path, moveTo, chunks };
}

function hunk(reader: Reader): Hunk {
  const number = reader.number;
  const head = reader.line?.trim() ?? '';
  reader.next();
  const after = (marker: string) => (head.startsWith(marker) ? head.slice(marker.length).trim() : '');
  const [add, remove, change] = [after(ADD), after(DELETE), after(UPDATE)];
  if (add) return { type: 'add', path: add, lines: added(reader) };
  if (remove) return { type: 'delete', path: remove };
  if (change) return update(reader, change, number);
  const valid = `Valid hunk headers: '${ADD}{path}', '${DELETE}{path}', '${UPDATE}{path}'`;
  throw new PatchError(`'${head}' is not a valid hunk header. ${valid}`, number);
}

/** Reads a patch; throws {@link PatchError} where it is not one. An empty patch has no hunks. */
export function parsePatch(text: string): Hunk[] {
  const { lines, from } = body(text);
  const reader = new Reader(lines, from);
  const hunks: Hunk[] = [];
  for (reader.skipBlank(); reader.line !== undefined; reader.skipBlank()) hunks.push(hunk(reader));
  return hunks;
}

/** The paths a patch would touch, as written in it, each once and in order. */
export function patchPaths(hunks: readonly Hunk[]): string[] {
  return [...new Set(hunks.flatMap((entry) => (entry.type === 'update' && entry.moveTo ? [entry.path, entry.moveTo] : [entry.path])))];
}
