import { cp, lstat, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { existsSync, writeFileSync } from 'node:fs';
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { userInfo } from 'node:os';

/** What programs look up in /etc. Not here: shadow, sudoers, ssh, machine-id, hosts and resolv.conf (made), secrets of services. */
const NEEDED = [
  'alternatives',
  'bash.bashrc',
  'bash_completion.d',
  'ca-certificates',
  'ca-certificates.conf',
  'crypto-policies',
  'debian_version',
  'dpkg/origins',
  'environment.d',
  'fonts',
  'gai.conf',
  'group',
  'host.conf',
  'inputrc',
  'issue',
  'java',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'locale.alias',
  'locale.conf',
  'locale.gen',
  'localtime',
  'login.defs',
  'lsb-release',
  'magic',
  'magic.mime',
  'mailcap',
  'mime.types',
  'nanorc',
  'networks',
  'nsswitch.conf',
  'openssl',
  'os-release',
  'perl',
  'pki',
  'profile',
  'profile.d',
  'protocols',
  'python3',
  'redhat-release',
  'rpc',
  'rpm',
  'sensors3.conf',
  'services',
  'shells',
  'ssl/certs',
  'ssl/openssl.cnf',
  'terminfo',
  'timezone',
  'vim',
  'wgetrc',
  'xattr.conf',
  'xdg',
  'zsh',
  'zshenv',
  'zprofile',
  'zshrc',
  'java-17-openjdk',
  'java-21-openjdk',
  'chromium',
  'chromium.d',
  'php',
  'ImageMagick-6',
  'ODBCDataSources',
  'emacs',
  'skel',
];

const HOSTS = '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n';

const passwd = (home: string) => {
  const { username, uid, gid } = userInfo();
  const own = `${username}:x:${uid}:${gid}::${home}:/bin/bash\n`;
  const others = [
    ['root', 0, '/root'],
    ['nobody', 65534, '/nonexistent'],
  ].filter(([, id]) => id !== uid);
  return own + others.map(([name, id, at]) => `${name}:x:${id}:${id}::${at}:/usr/sbin/nologin\n`).join('');
};

/** Whether anyone may read it: what only root or a service may read stays out, also when we are root. */
const readable = async (path: string): Promise<boolean> => {
  const found = await lstat(path);
  return found.isSymbolicLink() || (found.mode & 0o004) !== 0;
};

async function stamp(home: string): Promise<string> {
  // The number rises with what is made here and not copied.
  const hash = createHash('sha256').update(`3${passwd(home)}`);
  for (const name of NEEDED) {
    const found = await lstat(join('/etc', name)).catch(() => null);
    hash.update(`${name}\0${found?.mtimeMs ?? 'none'}\0`);
  }
  return hash.digest('hex').slice(0, 16);
}

/**
 * A copy of the needed parts of `/etc` under `folder`, made anew when the originals changed; the path of the copy.
 * One copy is one mount for each command, and what is not on the list is absent.
 */
export async function copyEtc(folder: string, home: string): Promise<string> {
  const copy = join(folder, `etc-${await stamp(home)}`);
  if (existsSync(copy)) return copy;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const fresh = join(folder, `.etc-${randomBytes(6).toString('hex')}`);
  await mkdir(fresh, { mode: 0o755 });
  for (const name of NEEDED) {
    const source = join('/etc', name);
    if (!existsSync(source)) continue;
    await cp(source, join(fresh, name), { recursive: true, verbatimSymlinks: true, filter: readable }).catch(() => {});
  }
  await writeFile(join(fresh, 'passwd'), passwd(home));
  await writeFile(join(fresh, 'hosts'), HOSTS);
  await writeFile(join(fresh, 'resolv.conf'), '');
  // Browsers of this family greet servers with an encrypted part that hides nothing, and looks like one that does (RFC 9849,
  // 6.2): the proxy can't tell and lets neither pass, so here they are told to leave it out.
  for (const browser of ['chromium', 'opt/chrome', 'opt/chrome_for_testing', 'opt/edge']) {
    const folder = join(fresh, browser, 'policies/managed');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'signalbox.json'), JSON.stringify({ EncryptedClientHelloEnabled: false }));
  }
  // A place to mount what a machine is to trust; empty it says nothing.
  await mkdir(join(fresh, 'ssl'), { recursive: true });
  await writeFile(join(fresh, 'ssl/signalbox.pem'), '');
  await rename(fresh, copy).catch(async (error: unknown) => {
    await rm(fresh, { recursive: true, force: true });
    if (!existsSync(copy)) throw error;
  });
  return copy;
}

/** A machine's own hosts file with these lines added, written anew when they change; null where there are none. */
export function hostsFile(lines: string, stateDir: string): string | null {
  if (lines === '') return null;
  const path = join(stateDir, `hosts-${createHash('sha256').update(lines).digest('hex').slice(0, 12)}`);
  if (!existsSync(path)) writeFileSync(path, HOSTS + lines);
  return path;
}
