import { createHash } from 'node:crypto';
import { accessSync, chmodSync, constants, lstatSync, mkdirSync, statSync } from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { Failure } from '../contract/index.ts';

type Env = Record<string, string | undefined>;

/** Where Signalbox keeps its things: SIGNALBOX_HOME, else the platform's own place. Absolute; nothing is created. */
export function resolveHome(env: Env = process.env, platform: NodeJS.Platform = process.platform, user = env['HOME'] || homedir()): string {
  if (env['SIGNALBOX_HOME']) return resolve(env['SIGNALBOX_HOME']);
  if (platform === 'darwin') return join(user, 'Library', 'Application Support', 'Signalbox');
  if (platform === 'win32') return join(env['APPDATA'] || join(user, 'AppData', 'Roaming'), 'Signalbox');
  const data = env['XDG_DATA_HOME'];
  // The XDG rules: a relative path there is to be ignored.
  return join(data && isAbsolute(data) ? data : join(user, '.local', 'share'), 'signalbox');
}

const setOther = 'Set SIGNALBOX_HOME to a folder of your own.';

/** Makes a folder that only this user can open, or says in words why it can't be used (`not-allowed`, `disk-full`, `no-folder`). */
export function privateFolder(path: string): string {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code;
    if (code === 'ENOSPC')
      throw new Failure('disk-full', `There is no room on the disk for ${path}.`, {
        fix: 'Free some space, or set SIGNALBOX_HOME to another disk.',
      });
    if (code === 'EEXIST' || code === 'ENOTDIR') throw new Failure('no-folder', `${path} is not a folder.`, { fix: setOther });
    throw new Failure('not-allowed', `${path} can't be created (${code ?? String(thrown)}).`, { fix: setOther });
  }
  const stat = statSync(path);
  const uid = process.getuid?.();
  if (uid !== undefined && stat.uid !== uid) {
    throw new Failure('not-allowed', `${path} belongs to another user (uid ${stat.uid}, you are ${uid}).`, { fix: setOther });
  }
  if (uid !== undefined && (stat.mode & 0o077) !== 0) chmodSync(path, 0o700);
  try {
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    throw new Failure('not-allowed', `${path} is not writable for you.`, { fix: setOther });
  }
  return path;
}

/** Creates SIGNALBOX_HOME, 0700, where it is missing. Throws a `Failure` that says what is wrong with it. */
export const prepareHome = (home: string): string => privateFolder(home);

/** Linux allows 107 bytes in a socket's path, macOS 103. */
const SOCKET_PATH_LIMIT = 103;

/**
 * Where the core of `home` listens: `core.sock` in it, or, when that path is too long for a socket, a name made
 * from it in a private folder for temporary files; on Windows a named pipe.
 */
export function socketPath(home: string): string {
  const name = createHash('sha256').update(home).digest('hex').slice(0, 24);
  if (process.platform === 'win32') return `\\\\.\\pipe\\signalbox-${userInfo().username}-${name}`;
  const inside = join(home, 'core.sock');
  if (Buffer.byteLength(inside) <= SOCKET_PATH_LIMIT) return inside;
  const folder = join(tmpdir().length < 60 ? tmpdir() : '/tmp', `signalbox-${process.getuid?.() ?? 0}`);
  // Anyone may make a name in /tmp: a link there could lead elsewhere.
  if (lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink()) {
    throw new Failure('not-allowed', `${folder} is a symbolic link.`, {
      fix: `Remove it, or give SIGNALBOX_HOME a shorter path than ${home}.`,
    });
  }
  return join(privateFolder(folder), `${name}.sock`);
}
