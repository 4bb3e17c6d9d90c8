/** Processor architectures that the filter knows, by Node's names. */
export type Architecture = 'x64' | 'arm64';

/** AUDIT_ARCH_* of linux/audit.h. */
export const AUDIT: Record<Architecture, number> = { x64: 0xc000003e, arm64: 0xc00000b7 };

/** Numbers of the system calls that the filter names; `null` where an architecture hasn't got one. [x86-64, arm64] */
export const SYSCALLS = {
  // decided by an argument
  ioctl: [16, 29],
  socket: [41, 198],
  socketpair: [53, 199],
  clone: [56, 220],
  unshare: [272, 97],
  open: [2, null],
  creat: [85, null],
  openat: [257, 56],
  mkdir: [83, null],
  mkdirat: [258, 34],
  mknod: [133, null],
  mknodat: [259, 33],
  chmod: [90, null],
  fchmod: [91, 52],
  fchmodat: [268, 53],
  fchmodat2: [452, 452],
  // glibc falls back when they don't exist; their arguments lie in memory, where a filter can't look
  clone3: [435, 435],
  openat2: [437, 437],
  io_uring_setup: [425, 425],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  statmount: [457, 457],
  listmount: [458, 458],
  // refused
  setns: [308, 268],
  mount: [165, 40],
  umount2: [166, 39],
  pivot_root: [155, 41],
  chroot: [161, 51],
  open_tree: [428, 428],
  move_mount: [429, 429],
  fsopen: [430, 430],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fspick: [433, 433],
  mount_setattr: [442, 442],
  open_tree_attr: [467, 467],
  bpf: [321, 280],
  perf_event_open: [298, 241],
  userfaultfd: [323, 282],
  add_key: [248, 217],
  request_key: [249, 218],
  keyctl: [250, 219],
  open_by_handle_at: [304, 265],
  lookup_dcookie: [212, 18],
  fanotify_init: [300, 262],
  init_module: [175, 105],
  finit_module: [313, 273],
  delete_module: [176, 106],
  create_module: [174, null],
  query_module: [178, null],
  get_kernel_syms: [177, null],
  kexec_load: [246, 104],
  kexec_file_load: [320, 294],
  reboot: [169, 142],
  swapon: [167, 224],
  swapoff: [168, 225],
  sethostname: [170, 161],
  setdomainname: [171, 162],
  iopl: [172, null],
  ioperm: [173, null],
  acct: [163, 89],
  settimeofday: [164, 170],
  clock_settime: [227, 112],
  syslog: [103, 116],
  uselib: [134, null],
  ustat: [136, null],
  sysfs: [139, null],
  _sysctl: [156, null],
  nfsservctl: [180, 42],
  quotactl: [179, 60],
  quotactl_fd: [443, 443],
} satisfies Record<string, [number, number | null]>;

export type Syscall = keyof typeof SYSCALLS;

export function numberOf(name: Syscall, architecture: Architecture): number | null {
  return SYSCALLS[name][architecture === 'x64' ? 0 : 1] ?? null;
}
