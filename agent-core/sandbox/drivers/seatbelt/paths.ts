import { Failure } from '../../../contract/errors.ts';

/**
 * Paths as macOS' kernel names them, and as a Seatbelt profile writes them. A rule compares with the one real name of a
 * file: links resolved, in the case that is on disk. What reaches this file went through `realpath` already; here is
 * what `realpath` leaves open, and what is needed for files that are not there yet.
 */

/** Links at the root of every Mac. */
const LINKED = ['/tmp', '/var', '/etc'];
/** Where the writable volume is mounted; its folders appear at the root too (firmlinks), and that is the name that counts. */
const DATA = '/System/Volumes/Data';
const FIRM = ['/Applications', '/Library', '/Users', '/Volumes', '/cores', '/opt', '/private', '/usr/local'];

const within = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);

/** The kernel's name of a path. Throws `cannot-confine` for one that no rule could hold. */
export function kernelPath(path: string): string {
  if (!path.startsWith('/') || /(?:^|\/)\.{1,2}(?:\/|$)/.test(path))
    throw new Failure('cannot-confine', `The sandbox needs a whole path, and got ${JSON.stringify(path)}.`);
  // A line break could begin a rule of its own in a reader's eyes, and NUL ends the text.
  if (/[\0-\x1f\x7f]/.test(path))
    throw new Failure('cannot-confine', `The folder ${JSON.stringify(path)} has a line break or another control character in its name.`, {
      fix: 'Rename the folder.',
    });
  let real = path.replaceAll(/\/{2,}/g, '/').replace(/(?<=.)\/$/, '');
  if (within(real, DATA)) {
    const bare = real.slice(DATA.length) || '/';
    if (FIRM.some((folder) => within(bare, folder))) real = bare;
  }
  return LINKED.some((folder) => within(real, folder)) ? `/private${real}` : real;
}

/** A string of the profile language. */
export const quoted = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;

/** A folder and all below it. */
export const subpath = (path: string): string => `(subpath ${quoted(kernelPath(path))})`;

/** One file or folder by itself. */
export const literal = (path: string): string => `(literal ${quoted(kernelPath(path))})`;

/**
 * A path and all below it, in any case: for names that are kept from being made. One that does not exist has no case on
 * disk, and on a disk that ignores case git would read `COMMONDIR` as `commondir`. Only for what is refused: characters
 * that an expression could take for its own, and those beyond ASCII, stand for any.
 */
export function anyCase(path: string): string {
  const pattern = Array.from(kernelPath(path)).map((letter) => {
    if (/[A-Za-z]/.test(letter)) return `[${letter.toLowerCase()}${letter.toUpperCase()}]`;
    if (/["\\^[\]]/.test(letter)) return '.';
    if (/[$.*+?(){}|]/.test(letter)) return `[${letter}]`;
    return letter.codePointAt(0)! > 127 ? '[^/]+' : letter;
  });
  return `(regex #"^${pattern.join('')}(/|$)")`;
}

/** The folders above a path, which a program must be able to look at (not list) to find its way. */
export function ancestors(path: string): string[] {
  const parts = kernelPath(path).split('/').slice(1, -1);
  return ['/', ...parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`)];
}
