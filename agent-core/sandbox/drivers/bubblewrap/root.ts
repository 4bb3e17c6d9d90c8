import { lstatSync, readdirSync, readlinkSync } from 'node:fs';

const SYSTEM = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];

/** Arguments that show the system's programs and libraries read-only: `/usr`, and `/bin`, `/lib`, … as links or folders. */
export function systemRoots(): string[] {
  const args = ['--ro-bind', '/usr', '/usr'];
  for (const path of SYSTEM) {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found?.isSymbolicLink()) args.push('--symlink', readlinkSync(path), path);
    else if (found?.isDirectory()) args.push('--ro-bind', path, path);
  }
  return args;
}

/** Parts of `/proc`, besides the processes and `sys`, that could hold switches of the host. */
const HOST_KNOBS = ['/proc/mtrr', '/proc/acpi', '/proc/fs', '/proc/scsi', '/proc/driver', '/proc/asound', '/proc/pressure'];

/** Whether we could write it, or a file below it, without any capability: by its mode alone. All of it is uid 0's. */
function writableByMode(path: string, depth = 3): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found || found.isSymbolicLink()) return false;
  if (!found.isDirectory()) return (found.mode & (process.getuid?.() === 0 ? 0o200 : 0o002)) !== 0;
  if (depth === 0) return process.getuid?.() === 0;
  let names: string[] = [];
  try {
    names = readdirSync(path);
  } catch {
    return process.getuid?.() === 0;
  }
  return names.some((name) => writableByMode(`${path}/${name}`, depth - 1));
}

let known: string[] | undefined;

/**
 * A process list of the machine's own, with the kernel's settings read-only: bwrap 0.8 covers `/proc/sys` only where its
 * folder is writable, and leaves files such as `kernel/core_pattern` open to uid 0. Found out once.
 */
export function procArguments(): string[] {
  known ??= ['/proc/sys', ...HOST_KNOBS.filter((path) => writableByMode(path))].flatMap((path) => ['--ro-bind', path, path]);
  return ['--proc', '/proc', ...known];
}
