import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import type { Probe } from '../../contract/settings.ts';

const setting = (path: string): string | null => {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return null;
  }
};

/** The command that installs a package on this distribution. */
export function installCommand(name: string): string {
  if (existsSync('/usr/bin/dnf')) return `sudo dnf install ${name}`;
  if (existsSync('/usr/bin/pacman')) return `sudo pacman -S ${name}`;
  if (existsSync('/usr/bin/zypper')) return `sudo zypper install ${name}`;
  if (existsSync('/sbin/apk')) return `sudo apk add ${name}`;
  return `sudo apt install ${name}`;
}

/** Lets bubblewrap alone make user namespaces where Ubuntu's AppArmor refuses them to all programs. */
const APPARMOR_PROFILE = [
  'abi <abi/4.0>,',
  'include <tunables/global>',
  'profile bwrap /usr/bin/bwrap flags=(unconfined) {',
  '  userns,',
  '  include if exists <local/bwrap>',
  '}',
];
export const apparmorFix = () =>
  `printf '%s\\n' ${APPARMOR_PROFILE.map((line) => `'${line}'`).join(' ')} | sudo tee /etc/apparmor.d/bwrap && sudo apparmor_parser -r /etc/apparmor.d/bwrap`;

/** Why user namespaces are refused here, and the command that allows them. `read` and `exists` are for tests. */
export function namespaceFix(read: (path: string) => string | null = setting, exists: (path: string) => boolean = existsSync): string {
  if (read('/proc/sys/kernel/apparmor_restrict_unprivileged_userns') === '1') return apparmorFix();
  if (read('/proc/sys/kernel/unprivileged_userns_clone') === '0') return 'sudo sysctl -w kernel.unprivileged_userns_clone=1';
  if (read('/proc/sys/user/max_user_namespaces') === '0') return 'sudo sysctl -w user.max_user_namespaces=15000';
  if (exists('/.dockerenv') || exists('/run/.containerenv')) {
    return 'Start the container with --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined';
  }
  return 'Allow unprivileged user namespaces on this machine (see `man 7 user_namespaces`).';
}

/** Checks the parts before anything is started; the probes that are not ok say what is missing and its fix. */
export function partProbes(find: (name: string) => string | null): Probe[] {
  const has = (name: string, ok: boolean, detail: string, fix: string): Probe => ({ name, ok, kind: 'has', detail, fix: ok ? null : fix });
  const bwrap = find('bwrap');
  const version = bwrap ? spawnSync(bwrap, ['--version'], { env: {}, encoding: 'utf8' }).stdout?.trim().replace('bubblewrap ', '') : '';
  const probes = [
    has('bubblewrap', bwrap !== null, bwrap ? `${version} at ${bwrap}` : 'not installed', installCommand('bubblewrap')),
    has('nsenter', find('nsenter') !== null, find('nsenter') ?? 'not installed', installCommand('util-linux')),
  ];
  if (bwrap) {
    const tried = spawnSync(bwrap, ['--unshare-user', '--unshare-net', '--ro-bind', '/', '/', '--', '/bin/true'], {
      env: {},
      cwd: '/',
      encoding: 'utf8',
      timeout: 5000,
    });
    probes.push(
      has('User namespaces', tried.status === 0, tried.status === 0 ? 'allowed' : tried.stderr.trim() || 'refused', namespaceFix()),
    );
  }
  return probes;
}
