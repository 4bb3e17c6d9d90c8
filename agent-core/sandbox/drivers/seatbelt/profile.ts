import { Failure } from '../../../contract/errors.ts';
import type { Bind, MachineSpec, RunRequest } from '../../types.ts';
import { ancestors, anyCase, kernelPath, literal, quoted, subpath } from './paths.ts';

/** What is the same for every command of a machine. Paths are real. */
export interface SeatbeltFrame {
  spec: MachineSpec;
  /** The person's toolchains, read-only. */
  toolchains: readonly string[];
  /** Xcode's or the command line tools' folder (`xcode-select -p`); null where there is none. */
  developer: string | null;
  /** The loopback port of our proxy; null where there is no network. */
  proxyPort: number | null;
}

/** The system's own files. Nothing of the person's is among them: no HOME, no keychain, no preferences. */
const SYSTEM = [
  '/usr/bin',
  '/usr/lib',
  '/usr/libexec',
  '/usr/sbin',
  '/usr/share',
  '/bin',
  '/sbin',
  '/System/Library',
  '/System/Cryptexes',
  '/System/Volumes/Preboot/Cryptexes',
  '/Library/Apple',
  '/Library/Developer/CommandLineTools',
  '/Library/Frameworks',
  '/private/etc',
  '/private/var/db/dyld',
  '/private/var/db/timezone',
  '/private/var/select',
];

/** Facts of the machine and its kernel. Those that tell of other processes, and of their environments, are not among them. */
const SYSCTL_PREFIXES = ['hw.', 'machdep.cpu.', 'net.inet.tcp.', 'sysctl.proc_'];
const SYSCTLS = [
  'kern.argmax',
  'kern.boottime',
  'kern.hostname',
  'kern.iossupportversion',
  'kern.maxfiles',
  'kern.maxfilesperproc',
  'kern.maxproc',
  'kern.ngroups',
  'kern.osproductversion',
  'kern.osrelease',
  'kern.ostype',
  'kern.osvariant_status',
  'kern.osversion',
  'kern.secure_kernel',
  'kern.usrstack64',
  'kern.version',
  'kern.willshutdown',
  'security.mac.lockdown_mode_state',
  'vm.loadavg',
  'vm.pagesize',
];

/** Services that a command line program needs: names of users and groups, its own temporary folder, the log. */
const SERVICES = [
  'com.apple.bsd.dirhelper',
  'com.apple.logd',
  'com.apple.system.logger',
  'com.apple.system.notification_center',
  'com.apple.system.opendirectoryd.libinfo',
  'com.apple.system.opendirectoryd.membership',
];
/** Go programs have certificates judged by this one, and by nothing else. It may look certificates up: only where there is a network. */
const NETWORK_SERVICES = ['com.apple.trustd.agent'];

const DEVICES = ['/dev/null', '/dev/zero', '/dev/random', '/dev/urandom', '/dev/tty', '/dev/dtracehelper'];

const rule = (verb: 'allow' | 'deny', operations: string, filters: readonly string[]): string[] =>
  filters.length === 0 ? [] : [`(${verb} ${operations}`, ...filters.map((filter) => `  ${filter}`), ')'];

/**
 * The profile of one command, from nothing: what is not named is refused. The last rule that fits decides, so what is kept
 * from being written comes after what may be. Throws `cannot-confine` for `full` (which has no fence), for a path that no
 * rule can hold, and for a bind that shows a file in another place, for that needs mounts.
 */
export function seatbeltProfile(frame: SeatbeltFrame, request: Pick<RunRequest, 'access' | 'binds'>): string {
  const { spec } = frame;
  if (spec.policy.mode === 'full') throw new Failure('cannot-confine', 'Full access has no sandbox, so there is no profile for it.');
  const readOnly = spec.policy.mode === 'read-only' || request.access === 'read';
  const binds = [...spec.binds.map((bind) => (readOnly ? { ...bind, access: 'read' as const } : bind)), ...(request.binds ?? [])];
  for (const bind of binds) mustStay(bind);
  const own = [`${spec.stateDir}/home`, `${spec.stateDir}/tmp`];
  const worktree: Bind = { source: spec.worktree, target: spec.worktree, access: readOnly ? 'read' : 'write' };
  const shown = [worktree, ...binds];
  const read = [
    ...SYSTEM,
    ...(frame.developer === null ? [] : [frame.developer]),
    ...frame.toolchains,
    ...own,
    ...shown.map(({ source }) => source),
  ];
  const lines = [
    '(version 1)',
    '(deny default)',
    ...processRules(),
    ...rule(
      'allow',
      'file-read-metadata',
      [...new Set([...read.flatMap(ancestors), '/tmp', '/var', '/etc'])].map((path) => `(literal ${quoted(path)})`),
    ),
    ...rule('allow', 'file-read* file-map-executable', ['(literal "/")', ...[...new Set(read)].map(subpath)]),
    ...deviceRules(),
    ...rule('allow', 'file-write*', own.map(subpath)),
    // In their order: a read-only file or folder within a writable one is taken out of it again.
    ...shown.flatMap((bind) => fileRules(bind)),
    ...networkRules(frame, [...own, ...(readOnly ? [] : [spec.worktree])]),
  ];
  return `${lines.join('\n')}\n`;
}

function mustStay({ source, target }: Bind): void {
  if (kernelPath(source) === kernelPath(target)) return;
  throw new Failure('cannot-confine', `The sandbox of macOS can't show ${source} at ${target}: it has no mounts.`);
}

const fileRules = ({ source, access }: Bind): string[] =>
  access === 'write'
    ? rule('allow', 'file-write*', [subpath(source)])
    : // By any spelling, so that a name which is not there yet can't be made either.
      rule('deny', 'file-write*', [subpath(source), anyCase(source)]);

/** Programs, signals and facts; nothing of processes outside. No link to a file elsewhere can be made: `file-link` is never allowed. */
const processRules = (): string[] => [
  '(allow process-exec process-fork)',
  '(allow signal (target same-sandbox))',
  '(allow process-info* (target same-sandbox))',
  '(allow ipc-posix-sem)',
  ...rule('allow', 'sysctl-read', [
    ...SYSCTL_PREFIXES.map((name) => `(sysctl-name-prefix ${quoted(name)})`),
    ...SYSCTLS.map((name) => `(sysctl-name ${quoted(name)})`),
  ]),
  ...rule(
    'allow',
    'mach-lookup',
    SERVICES.map((name) => `(global-name ${quoted(name)})`),
  ),
];

/** Terminals that a command opens itself, such as `script` or `tmux`: only those, never a window of the person's. */
const deviceRules = (): string[] => [
  ...rule('allow', 'file-read* file-write* file-ioctl', [...DEVICES.map(literal), '(subpath "/dev/fd")']),
  '(allow pseudo-tty)',
  '(allow file-read* file-write* file-ioctl (literal "/dev/ptmx"))',
  '(allow file-read* file-write* file-ioctl (require-all (regex #"^/dev/ttys[0-9]+$") (extension "com.apple.sandbox.pty")))',
  // `xcrun` keeps where tools are in a file that the person's own git trusts too: it may be read and never written.
  '(allow file-read* (regex #"^/private/var/folders/[^/]+/[^/]+/T/xcrun_db[^/]*$"))',
];

/** Sockets in the workspace's own folders, and of TCP only the proxy: another port of the loopback is somebody else's. */
function networkRules({ proxyPort, spec }: SeatbeltFrame, folders: readonly string[]): string[] {
  const local = rule('allow', 'network-outbound network-bind network-inbound', folders.map(subpath));
  if (proxyPort === null) return local;
  if (!Number.isInteger(proxyPort) || proxyPort < 1 || proxyPort > 65535)
    throw new Failure('cannot-confine', `${proxyPort} is no port for the proxy of ${spec.id}.`);
  return [
    ...local,
    `(allow network-outbound (remote ip "localhost:${proxyPort}"))`,
    ...rule(
      'allow',
      'mach-lookup',
      NETWORK_SERVICES.map((name) => `(global-name ${quoted(name)})`),
    ),
  ];
}

/** What the environment says besides: private folders, and no cache that `xcrun` would share with the person's. */
export const seatbeltEnvironment = ({ spec }: Pick<SeatbeltFrame, 'spec'>): Record<string, string> => ({
  HOME: `${spec.stateDir}/home`,
  TMPDIR: `${spec.stateDir}/tmp/`,
  xcrun_nocache: '1',
});
