import { createHash } from 'node:crypto';

/**
 * Git trusts the names in its index: one that names `.git/hooks/…` or `../…` would make a later `git checkout .`,
 * `git stash` or `git reset --hard` write there. So what an agent's index says is read here, judged name by name,
 * and written anew without its extensions (which can point at other files and at hooks' helpers).
 */

const MODES = new Set([0o100644, 0o100755, 0o120000, 0o160000]);
/** Characters that HFS+ ignores in names, so that `.g\u200cit` is `.git` there. */
const IGNORED = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;

const PLAIN = /^(?!\.|git~)[\w +@,=#()[\]{}-][\w +@,=#()[\]{}.-]*(?:\/(?!\.|git~)[\w +@,=#()[\]{}-][\w +@,=#()[\]{}.-]*)*$/i;

export interface IndexCheck {
  /** The same entries without extensions, ready to be put in the worktree's admin folder. */
  bytes: Buffer;
  /** Object ids of the staged blobs. */
  blobs: Set<string>;
  /** Names of the submodules, and whether git leaves them alone (their skip-worktree bit). */
  links: Map<string, boolean>;
}

/** Bytes of an object name: 20 (SHA-1), or 32 in a repository with SHA-256 names such as this one. */
export const hashLength = (oid: string): number => oid.length / 2;

/** Reads an index (version 2, 3 or 4). Null where it is broken, sparse, or holds a name that must not be. */
export function checkIndex(index: Buffer, hash = 20): IndexCheck | null {
  const blobs = new Set<string>();
  const links = new Map<string, boolean>();
  const end = walk(index, hash, (entry) => {
    if (entry.mode === LINK) links.set(entry.name.toString('latin1'), entry.skipped);
    else blobs.add(entry.oid);
  });
  if (end === null) return null;
  return { bytes: signed(Buffer.from(index.subarray(0, end)), hash), blobs, links };
}

const LINK = 0o160000;

/** The same bytes with git's checksum at their end. */
const signed = (head: Buffer, hash: number): Buffer =>
  Buffer.concat([
    head,
    createHash(hash === 32 ? 'sha256' : 'sha1')
      .update(head)
      .digest(),
  ]);

/**
 * Sets or clears the skip-worktree bit of the submodules in a checked index. Git leaves one that has it alone: the
 * person's `git status` would otherwise start git in the submodule's folder, with whatever settings an agent put there.
 */
export function markLinks(checked: IndexCheck, hash: number, skip: (name: string) => boolean): Buffer {
  const { bytes, links } = checked;
  if ([...links].every(([name, skipped]) => skip(name) === skipped)) return bytes;
  const version = bytes.readUInt32BE(4);
  const header = Buffer.from(bytes.subarray(0, 12));
  if (version === 2) header.writeUInt32BE(3, 4);
  const parts: Buffer[] = [header];
  walk(bytes, hash, (entry) => {
    const wanted = skip(entry.name.toString('latin1'));
    if (entry.mode !== LINK || wanted === entry.skipped) parts.push(bytes.subarray(entry.at, entry.next));
    else parts.push(withBit(bytes, entry, version, 42 + hash, wanted));
  });
  return signed(Buffer.concat(parts), hash);
}

const EXTENDED = 0x4000;
const SKIP = 0x4000;

function withBit(bytes: Buffer, entry: Entry, version: number, fixed: number, skip: boolean): Buffer {
  const head = Buffer.from(bytes.subarray(entry.at, entry.at + fixed));
  const flags = head.readUInt16BE(fixed - 2);
  const had = (flags & EXTENDED) !== 0;
  const more = Buffer.alloc(2);
  more.writeUInt16BE(skip ? entry.extended | SKIP : entry.extended & ~SKIP);
  head.writeUInt16BE(more.readUInt16BE() === 0 ? flags & ~EXTENDED : flags | EXTENDED, fixed - 2);
  const extension = more.readUInt16BE() === 0 ? Buffer.alloc(0) : more;
  const rest = entry.at + fixed + (had ? 2 : 0);
  if (version === 4) return Buffer.concat([head, extension, bytes.subarray(rest, entry.next)]);
  const length = fixed + extension.length + entry.name.length;
  return Buffer.concat([head, extension, entry.name, Buffer.alloc(((length + 8) & ~7) - length)]);
}

/** Reads all entries and judges them; null where one must not be. Returns where they end. */
function walk(index: Buffer, hash: number, use: (entry: Entry) => void): number | null {
  if (index.length < 12 + hash || index.toString('latin1', 0, 4) !== 'DIRC') return null;
  const version = index.readUInt32BE(4);
  const count = index.readUInt32BE(8);
  if (version < 2 || version > 4 || count > (index.length - 12 - hash) / (42 + hash) + 1) return null;
  const end = index.length - hash;
  let at = 12;
  let previous: Buffer = Buffer.alloc(0);
  let previousStage = -1;
  for (let number = 0; number < count; number++) {
    const entry = readEntry(index, at, end, { version, fixed: 42 + hash }, previous);
    if (entry === null) return null;
    const { mode, name, stage, next } = entry;
    if (!MODES.has(mode) || !isSafeName(name, mode)) return null;
    const order = Buffer.compare(previous, name);
    if (order > 0 || (order === 0 && previousStage >= stage)) return null;
    use(entry);
    previous = name;
    previousStage = stage;
    at = next;
  }
  return at;
}

interface Entry {
  at: number;
  /** The flags of version 3 and later. */
  extended: number;
  skipped: boolean;
  mode: number;
  oid: string;
  stage: number;
  name: Buffer;
  next: number;
}

function readEntry(
  index: Buffer,
  at: number,
  end: number,
  { version, fixed }: { version: number; fixed: number },
  previous: Buffer,
): Entry | null {
  if (at + fixed + 1 > end) return null;
  const flags = index.readUInt16BE(at + fixed - 2);
  const isExtended = (flags & EXTENDED) !== 0;
  if (isExtended && version < 3) return null;
  const extended = isExtended ? index.readUInt16BE(at + fixed) : 0;
  let start = at + fixed + (isExtended ? 2 : 0);
  let prefix: Buffer = Buffer.alloc(0);
  if (version === 4) {
    const strip = readVarint(index, start, end);
    if (strip === null || strip.value > previous.length) return null;
    prefix = previous.subarray(0, previous.length - strip.value);
    start = strip.next;
  }
  const stop = index.indexOf(0, start);
  if (stop < 0 || stop >= end) return null;
  const name = prefix.length === 0 ? index.subarray(start, stop) : Buffer.concat([prefix, index.subarray(start, stop)]);
  const recorded = flags & 0x0fff;
  if (recorded !== Math.min(name.length, 0x0fff)) return null;
  const next = version === 4 ? stop + 1 : at + ((start - at + name.length + 8) & ~7);
  if (next > end) return null;
  return {
    at,
    extended,
    skipped: (extended & SKIP) !== 0,
    mode: index.readUInt32BE(at + 24),
    oid: index.toString('hex', at + 40, at + fixed - 2),
    stage: (flags >> 12) & 3,
    name,
    next,
  };
}

function readVarint(index: Buffer, at: number, end: number): { value: number; next: number } | null {
  let byte = index[at] ?? 0;
  let value = byte & 0x7f;
  let next = at + 1;
  while (byte & 0x80) {
    if (next >= end || value > 0xffff) return null;
    byte = index[next++] ?? 0;
    value = ((value + 1) << 7) | (byte & 0x7f);
  }
  return { value, next };
}

/** Whether git itself would take this name into an index, on any file system. */
export function isSafeName(name: Buffer, mode: number): boolean {
  if (name.length === 0 || name.length > 4096) return false;
  // Most names hold nothing that could be one of the spellings: plain characters, and no part that begins with a dot or "git".
  if (PLAIN.test(name.toString('latin1'))) return true;
  const text = name.toString('utf8');
  return text.split('/').every((part) => {
    if (part === '' || part === '.' || part === '..') return false;
    const folded = part.replaceAll(IGNORED, '').toLowerCase();
    if (isGitName(folded)) return false;
    return mode !== 0o120000 || !/^\.git(?:modules|attributes|ignore)[ .:]*$/.test(folded);
  });
}

/** `.git` in the spellings that NTFS and HFS+ take for it. */
function isGitName(folded: string): boolean {
  const first = folded.split(/[\\:]/, 1)[0] ?? '';
  return /^(?:\.git|git~1)[ .]*$/.test(first) || folded.split('\\').some((part) => /^(?:\.git|git~1)[ .]*$/.test(part));
}
