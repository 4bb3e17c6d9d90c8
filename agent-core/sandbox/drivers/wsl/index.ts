import { spawnSync } from 'node:child_process';
import { join } from 'node:path/win32';
import { Failure } from '../../../contract/errors.ts';

/**
 * Windows: nothing there confines a command line program as Linux can, so the core runs inside WSL 2, with the Linux
 * driver, and the window connects to it. Here is what finds WSL, and what translates paths between the two.
 */

export interface Distribution {
  name: string;
  version: 1 | 2;
  isDefault: boolean;
}

/** Reads `wsl.exe --list --verbose`. It writes UTF-16, whatever the console is set to. */
export function parseDistributions(output: Buffer): Distribution[] {
  const text = output.includes(0) ? output.toString('utf16le') : output.toString('utf8');
  return text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .flatMap((line): Distribution[] => {
      const match = /^\s*(\*)?\s*(\S.*?)\s{2,}\S+\s+([12])\s*$/.exec(line);
      return match?.[2] ? [{ name: match[2], version: match[3] === '2' ? 2 : 1, isDefault: match[1] === '*' }] : [];
    })
    .filter(({ name }) => !/^docker-desktop(?:-data)?$/.test(name));
}

/** The distribution to run in. Throws `cannot-confine` with the exact next step. `list` is null where there is no wsl.exe. */
export function chooseDistribution(list: Distribution[] | null): Distribution {
  const refuse = (message: string, fix: string): Failure => new Failure('cannot-confine', message, { fix });
  if (list === null)
    throw refuse('Windows alone can’t confine what an agent runs: Signalbox needs WSL 2, which is not installed.', 'wsl --install');
  const second = list.filter(({ version }) => version === 2);
  const chosen = second.find(({ isDefault }) => isDefault) ?? second[0];
  if (chosen) return chosen;
  const first = list[0];
  if (first) throw refuse(`${first.name} runs in WSL 1, which can’t confine what an agent runs.`, `wsl --set-version ${first.name} 2`);
  throw refuse('WSL is installed, but no Linux is installed in it.', 'wsl --install -d Debian');
}

/** The distributions of this machine, or null where there is no wsl.exe. */
export function listDistributions(env: NodeJS.ProcessEnv = process.env): Distribution[] | null {
  const program = join(env['SystemRoot'] ?? 'C:\\Windows', 'System32', 'wsl.exe');
  const got = spawnSync(program, ['--list', '--verbose'], { windowsHide: true });
  return got.error || got.status !== 0 ? null : parseDistributions(got.stdout);
}

/**
 * A Windows path as it is named inside the distribution. A network path and another distribution's file are refused:
 * neither is there under a name that can be fenced.
 */
export function toLinuxPath(path: string, distribution: string): string {
  const drive = /^(?:\\\\\?\\)?([A-Za-z]):[\\/](.*)$/s.exec(path);
  if (drive?.[1] !== undefined) return `/mnt/${drive[1].toLowerCase()}/${slashes(drive[2] ?? '')}`.replace(/(?<=.)\/$/, '');
  const shared = /^\\\\wsl(?:\.localhost|\$)\\([^\\]+)(.*)$/is.exec(path);
  if (shared?.[1]?.toLowerCase() === distribution.toLowerCase()) return slashes(shared[2] ?? '') || '/';
  throw new Failure('no-folder', `${path} is not a folder that ${distribution} can see.`, {
    fix: 'Choose a folder on a drive of this computer, or one of the distribution itself.',
  });
}

/** The same path as Windows names it, for editors and file managers. */
export function toWindowsPath(path: string, distribution: string): string {
  const mounted = /^\/mnt\/([a-z])(?:\/(.*))?$/s.exec(path);
  if (mounted?.[1] !== undefined) return `${mounted[1].toUpperCase()}:\\${backslashes(mounted[2] ?? '')}`;
  return `\\\\wsl.localhost\\${distribution}${backslashes(path)}`;
}

/** A drive of Windows seen from inside is slow, and has no modes: worth saying when a project lies there. */
export const isSlow = (path: string): boolean => /^\/mnt\/[a-z](?:\/|$)/.test(path);

/** The argument list that starts the core inside, with `wsl.exe`: no shell reads it. */
export const coreCommand = (distribution: string, core: string, args: readonly string[]): string[] => [
  '--distribution',
  distribution,
  '--cd',
  '~',
  '--exec',
  core,
  ...args,
];

const slashes = (path: string): string => path.replaceAll('\\', '/');
const backslashes = (path: string): string => path.replaceAll('/', '\\');
