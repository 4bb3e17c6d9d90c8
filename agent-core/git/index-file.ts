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
}

/** Reads an index (version 2, 3 or 4, SHA-1). Null where it is broken, sparse, or holds a name that must not be. */
export function checkIndex(index: Buffer): IndexCheck | null {
  if (index.length < 32 || index.toString('latin1', 0, 4) !== 'DIRC') return null;
  const version = index.readUInt32BE(4);
  const count = index.readUInt32BE(8);
  if (version < 2 || version > 4 || count > (index.length - 32) / 62 + 1) return null;
  const blobs = new Set<string>();
  const end = index.length - 20;
  let at = 12;
  let previous: Buffer = Buffer.alloc(0);
  let previousStage = -1;
  for (let entry = 0; entry < count; entry++) {
    const read = readEntry(index, at, end, version, previous);
    if (read === null) return null;
    const { mode, name, stage, next, oid } = read;
    if (!MODES.has(mode) || !isSafeName(name, mode)) return null;
    const order = Buffer.compare(previous, name);
    if (order > 0 || (order === 0 && previousStage >= stage)) return null;
    if (mode !== 0o160000) blobs.add(oid);
    previous = name;
    previousStage = stage;
    at = next;
  }
  const head = Buffer.from(index.subarray(0, at));
  return { bytes: Buffer.concat([head, createHash('sha1').update(head).digest()]), blobs };
}

interface Entry {
  mode: number;
  oid: string;
  stage: number;
  name: Buffer;
  next: number;
}

function readEntry(index: Buffer, at: number, end: number, version: number, previous: Buffer): Entry | null {
  if (at + 63 > end) return null;
  const flags = index.readUInt16BE(at + 60);
  const extended = (flags & 0x4000) !== 0;
  if (extended && version < 3) return null;
  let start = at + 62 + (extended ? 2 : 0);
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
  return { mode: index.readUInt32BE(at + 24), oid: index.toString('hex', at + 40, at + 60), stage: (flags >> 12) & 3, name, next };
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
