import { spawnSync } from 'node:child_process';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compileFilter, rules } from '../../agent-core/sandbox/seccomp/filter.ts';
import { numberOf, SYSCALLS, type Syscall } from '../../agent-core/sandbox/seccomp/syscalls.ts';
import { openMachine, shell, temporary } from './helpers.ts';

const here = process.arch === 'arm64' ? 'arm64' : 'x64';
const number = (name: Syscall) => numberOf(name, here) ?? -1;

/** A small machine for classic BPF: what the filter decides for a call. */
function decide(program: Buffer, arch: number, nr: number, args: bigint[] = []): number {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(nr >>> 0, 0);
  data.writeUInt32LE(arch, 4);
  args.forEach((value, index) => data.writeBigUInt64LE(BigInt.asUintN(64, value), 16 + 8 * index));
  let accumulator = 0;
  for (let at = 0; ; at += 1) {
    const [code, jt, jf, k] = [
      program.readUInt16LE(at * 8),
      program.readUInt8(at * 8 + 2),
      program.readUInt8(at * 8 + 3),
      program.readUInt32LE(at * 8 + 4),
    ];
    if (code === 0x20) accumulator = data.readUInt32LE(k);
    else if (code === 0x54) accumulator = (accumulator & k) >>> 0;
    else if (code === 0x15) at += accumulator === k ? jt : jf;
    else if (code === 0x35) at += accumulator >= k ? jt : jf;
    else if (code === 0x45) at += (accumulator & k) !== 0 ? jt : jf;
    else if (code === 0x06) return k;
    else throw new Error(`code ${code}`);
  }
}

const ALLOW = 0x7fff0000;
const KILL = 0x80000000;
const errno = (n: number) => 0x50000 | n;

for (const arch of ['x64', 'arm64'] as const) {
  const audit = arch === 'x64' ? 0xc000003e : 0xc00000b7;
  const program = compileFilter(arch);
  const ask = (name: Syscall, ...args: (number | bigint)[]) => decide(program, audit, numberOf(name, arch) ?? -1, args.map(BigInt));

  test(`${arch}: foreign architectures are killed, and x32`, () => {
    expect(decide(program, 0x40000003, 1)).toBe(KILL);
    expect(decide(program, arch === 'x64' ? 0xc00000b7 : 0xc000003e, 1)).toBe(KILL);
    if (arch === 'x64') expect(decide(program, audit, 0x40000000 | 16)).toBe(KILL);
  });

  test(`${arch}: terminal requests by their low 32 bits`, () => {
    for (const request of [0x5412n, 0x541cn, 0x5412n | (1n << 32n), 0x541cn | (0xffffffffn << 32n)])
      expect(ask('ioctl', 0, request)).toBe(errno(1));
    for (const request of [0x5423, 0x541d]) expect(ask('ioctl', 0, request)).toBe(errno(1));
    for (const request of [0x5413, 0x5401, 0x5421]) expect(ask('ioctl', 0, request)).toBe(ALLOW);
  });

  test(`${arch}: sockets by family, type and protocol`, () => {
    expect([ask('socket', 1, 1, 0), ask('socket', 2, 1, 0), ask('socket', 10, 2, 0), ask('socket', 16, 3, 0)]).toEqual([
      ALLOW,
      ALLOW,
      ALLOW,
      ALLOW,
    ]);
    for (const family of [17, 38, 40, 44, 3, 9, 29, 31, 45]) expect(ask('socket', family, 1, 0)).toBe(errno(97));
    expect([ask('socket', 2, 3, 0), ask('socket', 2, 10, 0), ask('socket', 10, 3 | 0o2000000, 0)]).toEqual([errno(1), errno(1), errno(1)]);
    expect(ask('socket', 16, 3, 9)).toBe(errno(97));
    expect([ask('socketpair', 1, 1, 0), ask('socketpair', 40, 1, 0)]).toEqual([ALLOW, errno(97)]);
  });

  test(`${arch}: new namespaces are refused, threads and processes made`, () => {
    expect([ask('clone', 0x10000000 | 17), ask('clone', 0x20000), ask('unshare', 0x10000000), ask('unshare', 0x80)]).toEqual([
      errno(1),
      errno(1),
      errno(1),
      errno(1),
    ]);
    expect([ask('clone', 0x3d0f00), ask('clone', 17), ask('unshare', 0x400)]).toEqual([ALLOW, ALLOW, ALLOW]);
  });

  test(`${arch}: modes with set-id bits`, () => {
    expect([ask('fchmod', 3, 0o4755), ask('fchmodat', 3, 0, 0o2755), ask('openat', 0, 0, 0o101, 0o4755)]).toEqual([
      errno(1),
      errno(1),
      errno(1),
    ]);
    expect([ask('fchmod', 3, 0o755), ask('openat', 0, 0, 0, 0o4755), ask('openat', 0, 0, 0o101, 0o644)]).toEqual([ALLOW, ALLOW, ALLOW]);
  });

  test(`${arch}: every rule decides its call, and only then`, () => {
    for (const [name] of rules()) {
      const nr = numberOf(name, arch);
      if (nr === null) continue;
      const without = compileFilter(arch, [name]);
      const worst = [-1n, -1n, -1n, -1n];
      if (!['ioctl', 'socket'].includes(name)) expect([name, decide(program, audit, nr, worst)]).not.toEqual([name, ALLOW]);
      expect([name, decide(without, audit, nr, worst)]).toEqual([name, ALLOW]);
    }
    expect(decide(program, audit, 0)).toBe(arch === 'x64' ? ALLOW : ALLOW);
  });
}

/** Written out, so that a call that is dropped from the filter's own list is missed here. */
const EPERM_ALWAYS: Syscall[] = [
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
const ENOSYS_ALWAYS: Syscall[] = ['clone3', 'openat2', 'io_uring_setup', 'io_uring_enter', 'io_uring_register', 'statmount', 'listmount'];
/** By an argument: refused with these. */
const BY_ARGUMENT: [Syscall, number, ...number[]][] = [
  ['ioctl', 1, 0, 0x5412],
  ['socket', 97, 40, 1, 0],
  ['socketpair', 97, 40, 1, 0],
  ['clone', 1, 0x10000000],
  ['unshare', 1, 0x10000000],
  ['open', 1, 0, 0o100, 0o4755],
  ['openat', 1, 0, 0, 0o100, 0o4755],
  ['openat', 1, 0, 0, 0o20000000, 0o2755],
  ['creat', 1, 0, 0o4755],
  ['mkdir', 1, 0, 0o2755],
  ['mkdirat', 1, 0, 0, 0o2755],
  ['mknod', 1, 0, 0o4755],
  ['mknodat', 1, 0, 0, 0o4755],
  ['chmod', 1, 0, 0o4755],
  ['fchmod', 1, 0, 0o4755],
  ['fchmodat', 1, 0, 0, 0o4755],
  ['fchmodat2', 1, 0, 0, 0o4755],
];

for (const arch of ['x64', 'arm64'] as const)
  test(`${arch}: the filter decides what it should, call by call`, () => {
    const program = compileFilter(arch);
    const audit = arch === 'x64' ? 0xc000003e : 0xc00000b7;
    const wanted: [Syscall, number, ...number[]][] = [
      ...EPERM_ALWAYS.map((name): [Syscall, number] => [name, 1]),
      ...ENOSYS_ALWAYS.map((name): [Syscall, number] => [name, 38]),
      ...BY_ARGUMENT,
    ];
    for (const [name, code, ...args] of wanted) {
      const nr = numberOf(name, arch);
      if (nr !== null) expect([name, decide(program, audit, nr, args.map(BigInt))]).toEqual([name, errno(code)]);
    }
    expect(new Set(wanted.map(([name]) => name))).toEqual(new Set(rules().map(([name]) => name)));
  });

test('inside, the refused calls answer EPERM or ENOSYS', async () => {
  const { machine } = await openMachine();
  const refused: Syscall[] = [
    'setns',
    'mount',
    'umount2',
    'pivot_root',
    'bpf',
    'perf_event_open',
    'userfaultfd',
    'keyctl',
    'add_key',
    'request_key',
    'open_by_handle_at',
    'init_module',
    'kexec_load',
    'reboot',
    'fsopen',
    'open_tree',
    'io_uring_setup',
    'clone3',
    'openat2',
    'chroot',
  ];
  const text = refused
    .map((name) => `$r = syscall(${number(name)}, 0, 0, 0, 0, 0); print "${name} ", ($r == -1 ? $!+0 : "ran"), "\\n";`)
    .join('');
  const { out } = await shell(machine, `perl -e '${text}'`);
  expect(out.split('\n').filter((line) => !/ (1|38)$/.test(line))).toEqual([]);
  expect(out.split('\n').length).toBe(refused.length);
});

test.skipIf(here !== 'x64')('an x32 call kills the process', async () => {
  const { machine } = await openMachine();
  const { code } = await machine.collect({ argv: ['perl', '-e', `syscall(${0x40000000 + 39}); print "alive"`] });
  expect(code).toBe(128 + 31);
});

test('the filter is what bwrap takes, and without a rule the call gets through', () => {
  const folder = temporary();
  const tried = (without: Syscall[]) => {
    const path = join(folder, 'filter');
    writeFileSync(path, compileFilter(here, without));
    const filter = openSync(path, 'r');
    const { stdout } = spawnSync(
      'bwrap',
      [
        '--ro-bind',
        '/',
        '/',
        '--dev',
        '/dev',
        '--seccomp',
        '3',
        '--',
        'perl',
        '-e',
        `print syscall(${number('keyctl')}, 0, -3, 0) == -1 ? $!+0 : 0`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit', filter], encoding: 'utf8' },
    );
    closeSync(filter);
    return stdout;
  };
  expect(tried([])).toBe('1');
  expect(tried(['keyctl'])).not.toBe('1');
  expect(Object.keys(SYSCALLS).length).toBeGreaterThan(60);
});
