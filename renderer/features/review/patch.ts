/** One `@@` block of a file's patch, with its text as git wrote it. */
export interface RawHunk {
  header: string;
  oldStart: number;
  oldCount: number;
  newStart: number;
  newCount: number;
  /** What git wrote after the second `@@`: the function it stands in. */
  context: string;
  /** Lines with their prefix, without line ends. */
  lines: string[];
}

export interface RawFile {
  path: string;
  oldPath: string | null;
  /** Lines before the first hunk, as git wrote them. */
  head: string[];
  hunks: RawHunk[];
  binary: boolean;
}

const hunkHeader = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@ ?(.*)$/;

const escapes: Record<string, number> = { a: 7, b: 8, t: 9, n: 10, v: 11, f: 12, r: 13, '"': 34, '\\': 92 };

/** A path as git quotes it (`"a/\303\244.ts"`), bytes read as UTF-8; an unquoted one as it is. */
export function unquote(path: string): string {
  if (!path.startsWith('"')) return path.replace(/\t$/, '');
  const bytes: number[] = [];
  const body = path.slice(1, path.lastIndexOf('"'));
  for (let index = 0; index < body.length; index++) {
    const character = body[index] ?? '';
    if (character !== '\\') {
      bytes.push(...new TextEncoder().encode(character));
      continue;
    }
    const octal = /^[0-7]{3}/.exec(body.slice(index + 1));
    if (octal) {
      bytes.push(Number.parseInt(octal[0], 8));
      index += 3;
      continue;
    }
    const next = body[++index] ?? '';
    bytes.push(escapes[next] ?? next.charCodeAt(0));
  }
  return new TextDecoder().decode(new Uint8Array(bytes));
}

const strip = (path: string): string => unquote(path).replace(/^[ab]\//, '');

/** The two names of `diff --git a/x b/y` when no other line tells them: they are equal there. */
function namesOfFirstLine(line: string): { path: string; oldPath: string } {
  const rest = line.slice('diff --git '.length);
  const quoted = /^("(?:[^"\\]|\\.)*"|\S+) ("(?:[^"\\]|\\.)*")$/.exec(rest);
  if (quoted) return { oldPath: strip(quoted[1] ?? ''), path: strip(quoted[2] ?? '') };
  const half = (rest.length - 1) / 2;
  return { oldPath: strip(rest.slice(0, half)), path: strip(rest.slice(half + 1)) };
}

function namesOf(head: readonly string[]): { path: string; oldPath: string } {
  const names = namesOfFirstLine(head[0] ?? '');
  for (const line of head) {
    if (line.startsWith('rename from ')) names.oldPath = unquote(line.slice(12));
    else if (line.startsWith('rename to ')) names.path = unquote(line.slice(10));
    else if (line.startsWith('--- ') && line !== '--- /dev/null') names.oldPath = strip(line.slice(4));
    else if (line.startsWith('+++ ') && line !== '+++ /dev/null') names.path = strip(line.slice(4));
  }
  return names;
}

function parseFile(section: string): RawFile {
  const lines = section.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const head: string[] = [];
  const hunks: RawHunk[] = [];
  for (const line of lines) {
    const match = line.startsWith('@@ ') ? hunkHeader.exec(line) : null;
    const current = hunks.at(-1);
    if (match) {
      hunks.push({
        header: line,
        oldStart: Number(match[1]),
        oldCount: Number(match[2] ?? 1),
        newStart: Number(match[3]),
        newCount: Number(match[4] ?? 1),
        context: match[5] ?? '',
        lines: [],
      });
    } else if (current) current.lines.push(line);
    else head.push(line);
  }
  const names = namesOf(head);
  const binary = head.some((line) => line.startsWith('Binary files ') || line === 'GIT binary patch');
  return { path: names.path, oldPath: names.oldPath === names.path ? null : names.oldPath, head, hunks, binary };
}

/** Splits git's patch into files and hunks. Total: what it can't read it leaves in `head`. */
export function splitPatch(patch: string): RawFile[] {
  if (patch === '') return [];
  return patch
    .split(/^(?=diff --git )/m)
    .filter((section) => section.startsWith('diff --git '))
    .map(parseFile);
}

/** A patch of the file with these hunks only (all when none is named), as `git apply` takes it. */
export function patchOf(file: RawFile, hunks: readonly RawHunk[] = file.hunks): string {
  return [...file.head, ...hunks.flatMap((hunk) => [hunk.header, ...hunk.lines]), ''].join('\n');
}

const flipped = (line: string): string => (line.startsWith('+') ? '-' : line.startsWith('-') ? '+' : (line[0] ?? '')) + line.slice(1);

/** Within a run of changes git writes removals first; a reversed run has to be put back in that order. */
function flipLines(lines: readonly string[]): string[] {
  const out: string[] = [];
  let removed: string[] = [];
  let added: string[] = [];
  let last: string[] = out;
  const flush = (): void => {
    out.push(...removed, ...added);
    removed = [];
    added = [];
  };
  for (const line of lines) {
    if (line.startsWith('\\')) {
      last.push(line);
      continue;
    }
    if (line.startsWith('+') || line.startsWith('-')) {
      last = line.startsWith('+') ? removed : added;
      last.push(flipped(line));
    } else {
      flush();
      last = out;
      out.push(line);
    }
  }
  flush();
  return out;
}

function flipHead(head: readonly string[]): string[] {
  const names = { from: head.find((line) => line.startsWith('--- ')), to: head.find((line) => line.startsWith('+++ ')) };
  const swapSide = (path: string): string =>
    path.replace(/^("?)([ab])\//, (_all, quote: string, side: string) => `${quote}${side === 'a' ? 'b' : 'a'}/`);
  return head.map((line) => {
    if (line.startsWith('new file mode')) return line.replace('new file', 'deleted file');
    if (line.startsWith('deleted file mode')) return line.replace('deleted file', 'new file');
    if (line.startsWith('index ')) return line.replace(/^index ([0-9a-f]+)\.\.([0-9a-f]+)/, 'index $2..$1');
    if (line.startsWith('--- ')) return `--- ${swapSide((names.to ?? '+++ /dev/null').slice(4))}`;
    if (line.startsWith('+++ ')) return `+++ ${swapSide((names.from ?? '--- /dev/null').slice(4))}`;
    return line;
  });
}

/** The file's head for some of its hunks: a rename or a change of mode is not part of a hunk and stays. */
function contentHead(head: readonly string[]): string[] {
  const to = head.find((line) => line.startsWith('+++ '));
  const from = head.find((line) => line.startsWith('--- '));
  if (!to || !from || to === '+++ /dev/null' || from === '--- /dev/null') return [...head];
  const path = to.slice(4);
  const other = path.replace(/^("?)b\//, '$1a/');
  return [`diff --git ${other.replace(/\t$/, '')} ${path.replace(/\t$/, '')}`, `--- ${other}`, `+++ ${path}`];
}

/** One hunk as a patch of its own. */
export const hunkPatch = (file: RawFile, hunk: RawHunk): string => patchOf({ ...file, head: contentHead(file.head) }, [hunk]);

/** The patch that puts a discarded hunk back. */
export const reversedHunk = (file: RawFile, hunk: RawHunk): string | null =>
  reversed({ ...file, head: contentHead(file.head), oldPath: null }, [hunk]);

/**
 * The same change backwards, so that taking it back out puts a discarded change in again.
 * Null where a patch can't tell both sides (binary, rename).
 */
export function reversed(file: RawFile, hunks: readonly RawHunk[] = file.hunks): string | null {
  if (file.binary || file.oldPath !== null) return null;
  const turned = hunks.map((hunk) => ({
    ...hunk,
    header: `@@ -${hunk.newStart},${hunk.newCount} +${hunk.oldStart},${hunk.oldCount} @@`,
    lines: flipLines(hunk.lines),
  }));
  return patchOf({ ...file, head: flipHead(file.head) }, turned);
}
