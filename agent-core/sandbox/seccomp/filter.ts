import { ACTION, and, DATA, encode, end, jumpAnySet, jumpAtLeast, jumpEqual, load, type Instruction } from './bpf.ts';
import { AUDIT, numberOf, type Architecture, type Syscall } from './syscalls.ts';

const EPERM = 1;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;

/** One rule: what to do when a system call is this one. A body ends in a decision on every path. */
type Rule = [name: Syscall, body: Instruction[]];

const refuse = (errno: number): Instruction[] => [end(ACTION.error(errno))];
const allow = end(ACTION.allow);

/** Refuses when any of the bits is set in the low word of an argument. */
const refuseBits = (argument: number, mask: number): Instruction[] => [
  load(DATA.low(argument)),
  jumpAnySet(mask, 0, 1),
  end(ACTION.error(EPERM)),
  allow,
];

/**
 * Refuses `ioctl` requests that type into a terminal or change its line discipline. The kernel takes 32 bits of the
 * request, so only those are compared: set high bits get nothing past it (CVE-2019-10063).
 */
const TERMINAL_REQUESTS = [0x5412 /* TIOCSTI */, 0x541c /* TIOCLINUX */, 0x5423 /* TIOCSETD */, 0x541d /* TIOCCONS */];

function ioctlRule(): Instruction[] {
  const tests = TERMINAL_REQUESTS.map((request, index) => jumpEqual(request, TERMINAL_REQUESTS.length - index, 0));
  return [load(DATA.low(1)), ...tests, allow, end(ACTION.error(EPERM))];
}

const AF = { unix: 1, inet: 2, inet6: 10, netlink: 16 } as const;
const SOCK_TYPE = 0xf;
const SOCK_RAW = 3;
/** With AF_INET this is another name for a packet socket. */
const SOCK_PACKET = 10;

/** Unix, IPv4 and IPv6 (no raw sockets), and netlink for routes only, which lists interfaces. */
function socketRule(): Instruction[] {
  const no = end(ACTION.error(EAFNOSUPPORT));
  const internet = [
    load(DATA.low(1)),
    and(SOCK_TYPE),
    jumpEqual(SOCK_RAW, 1, 0),
    jumpEqual(SOCK_PACKET, 0, 1),
    end(ACTION.error(EPERM)),
    allow,
  ];
  const netlink = [load(DATA.low(2)), jumpEqual(0, 0, 1), allow, no];
  return [
    load(DATA.low(0)),
    jumpEqual(AF.unix, 0, 1),
    allow,
    jumpEqual(AF.inet, 1, 0),
    jumpEqual(AF.inet6, 0, internet.length),
    ...internet,
    jumpEqual(AF.netlink, 0, netlink.length),
    ...netlink,
    no,
  ];
}

const socketpairRule = (): Instruction[] => [load(DATA.low(0)), jumpEqual(AF.unix, 0, 1), allow, end(ACTION.error(EAFNOSUPPORT))];

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. */
const NEW_NAMESPACES = 0x7e020000;
const CLONE_NEWTIME = 0x80;
/** S_ISUID and S_ISGID. */
const SET_ID = 0o6000;
const O_CREAT = 0o100;
const O_TMPFILE = 0o20000000;

/** Modes count only when a file may be made. */
const openRule = (flags: number, mode: number): Instruction[] => [
  load(DATA.low(flags)),
  jumpAnySet(O_CREAT | O_TMPFILE, 1, 0),
  allow,
  ...refuseBits(mode, SET_ID),
];

const ABSENT: Syscall[] = ['clone3', 'openat2', 'io_uring_setup', 'io_uring_enter', 'io_uring_register', 'statmount', 'listmount'];

const REFUSED: Syscall[] = [
  'setns',
  'mount',
  'umount2',
  'pivot_root',
  'chroot',
  'open_tree',
  'move_mount',
  'fsopen',
  'fsconfig',
  'fsmount',
  'fspick',
  'mount_setattr',
  'open_tree_attr',
  'bpf',
  'perf_event_open',
  'userfaultfd',
  'add_key',
  'request_key',
  'keyctl',
  'open_by_handle_at',
  'lookup_dcookie',
  'fanotify_init',
  'init_module',
  'finit_module',
  'delete_module',
  'create_module',
  'query_module',
  'get_kernel_syms',
  'kexec_load',
  'kexec_file_load',
  'reboot',
  'swapon',
  'swapoff',
  'sethostname',
  'setdomainname',
  'iopl',
  'ioperm',
  'acct',
  'settimeofday',
  'clock_settime',
  'syslog',
  'uselib',
  'ustat',
  'sysfs',
  '_sysctl',
  'nfsservctl',
  'quotactl',
  'quotactl_fd',
];

/** Every rule by name, so that a test can leave each one out and see what gets through. */
export function rules(): Rule[] {
  return [
    ['ioctl', ioctlRule()],
    ['socket', socketRule()],
    ['socketpair', socketpairRule()],
    ['clone', refuseBits(0, NEW_NAMESPACES)],
    ['unshare', refuseBits(0, NEW_NAMESPACES | CLONE_NEWTIME)],
    ['open', openRule(1, 2)],
    ['openat', openRule(2, 3)],
    ['creat', refuseBits(1, SET_ID)],
    ['mkdir', refuseBits(1, SET_ID)],
    ['mkdirat', refuseBits(2, SET_ID)],
    ['mknod', refuseBits(1, SET_ID)],
    ['mknodat', refuseBits(2, SET_ID)],
    ['chmod', refuseBits(1, SET_ID)],
    ['fchmod', refuseBits(1, SET_ID)],
    ['fchmodat', refuseBits(2, SET_ID)],
    ['fchmodat2', refuseBits(2, SET_ID)],
    ...ABSENT.map((name): Rule => [name, refuse(ENOSYS)]),
    ...REFUSED.map((name): Rule => [name, refuse(EPERM)]),
  ];
}

/** System calls of the x32 ABI carry this bit: an x86-64 filter would not recognise them. */
const X32_BIT = 0x40000000;

/**
 * Compiles the filter: a foreign architecture (int 0x80) or x32 kills the process, the rules decide, all else is allowed.
 * `without` leaves rules out, for tests.
 */
export function compileFilter(architecture: Architecture, without: Syscall[] = []): Buffer {
  const program: Instruction[] = [load(DATA.architecture), jumpEqual(AUDIT[architecture], 1, 0), end(ACTION.kill), load(DATA.number)];
  if (architecture === 'x64') program.push(jumpAtLeast(X32_BIT, 0, 1), end(ACTION.kill));
  for (const [name, body] of rules()) {
    const number = numberOf(name, architecture);
    if (number === null || without.includes(name)) continue;
    program.push(jumpEqual(number, 0, body.length), ...body);
  }
  program.push(allow);
  return encode(program);
}
