import { lstatSync, readlinkSync } from 'node:fs';

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

/** Files of `/proc` that uid 0 could write although it has no capability: shown read-only. */
const HOST_KNOBS = ['/proc/mtrr', '/proc/acpi', '/proc/fs', '/proc/scsi', '/proc/driver'];

/**
 * A process list of the machine's own, with the kernel's settings read-only: bwrap 0.8 covers `/proc/sys` only where its
 * folder is writable, and leaves files such as `kernel/core_pattern` open to uid 0.
 */
export function procArguments(): string[] {
  const args = ['--proc', '/proc', '--ro-bind', '/proc/sys', '/proc/sys'];
  if (process.getuid?.() !== 0) return args;
  for (const path of HOST_KNOBS) if (lstatSync(path, { throwIfNoEntry: false })) args.push('--ro-bind', path, path);
  return args;
}
