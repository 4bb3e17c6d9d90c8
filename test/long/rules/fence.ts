import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rule, type Rule } from '../support/rule.ts';

const driver = (name: string) => `agent-core/sandbox/drivers/bubblewrap/${name}.ts`;
const [ARGUMENTS, ANCHORS, HOLDER, LAUNCH, LIMITS, ROOT] = ['arguments', 'anchors', 'holder', 'launch', 'limits', 'root'].map(driver) as [
  string,
  string,
  string,
  string,
  string,
  string,
];
const FILTER = 'agent-core/sandbox/seccomp/filter.ts';
/** Read off inside, nothing is tried: what these tests show, they show without a wall too, harmlessly. */
const WALLS = ['test/sandbox/walls.test.ts'];
const ESCAPES = ['test/sandbox/escapes.test.ts'];
const SUITE = ['test/sandbox/suite/escapes.test.ts'];
const SECCOMP = ['test/sandbox/seccomp.test.ts'];

const MOUNTS = 'every mount is one';
const OLD_KERNEL: string | false = false;

const mounts: Rule[] = [
  rule('the root folder read-only', [ARGUMENTS, "    '--remount-ro',\n    '/',\n  ];", '  ];'], WALLS, { only: MOUNTS }),
  rule('the devices read-only', [ARGUMENTS, "    '--remount-ro',\n    '/dev',\n"], WALLS, { only: MOUNTS }),
  rule('the size of /dev/shm', [ARGUMENTS, "    '--size',\n    String(sharedMemory(spec)),\n"], WALLS, { only: MOUNTS }),
  rule('the system’s programs read-only', [ROOT, "['--ro-bind', '/usr', '/usr']", "['--bind', '/usr', '/usr']"], WALLS, { only: MOUNTS }),
  rule(
    'our copy of /etc',
    [ARGUMENTS, "    '--ro-bind',\n    frame.etc,\n    '/etc',", "    '--ro-bind',\n    '/etc',\n    '/etc',"],
    WALLS,
    {
      only: 'every mount is one|/etc holds',
    },
  ),
  rule('/etc read-only', [ARGUMENTS, "    '--ro-bind',\n    frame.etc,", "    '--bind',\n    frame.etc,"], WALLS, { only: MOUNTS }),
  rule(
    'kernel settings read-only',
    [ROOT, "['/proc/sys', ...HOST_KNOBS.filter((path) => writableByMode(path))]", "['/proc/mtrr']"],
    WALLS,
    { only: MOUNTS },
  ),
  rule('a private /tmp', [ARGUMENTS, "`${spec.stateDir}/tmp`,\n    '/tmp'", "'/tmp',\n    '/tmp'"], WALLS, { only: MOUNTS }),
  rule('a private HOME', [ARGUMENTS, '`${spec.stateDir}/home`,\n    frame.home', 'frame.home,\n    frame.home'], WALLS, { only: MOUNTS }),
  rule('toolchains read-only', [ARGUMENTS, "['--ro-bind-try', path, path]", "['--bind-try', path, path]"], WALLS, {
    only: 'a toolchain under',
  }),
  rule(
    'the read-only worktree',
    [ARGUMENTS, "const worktreeBind = readOnly ? '--ro-bind' : '--bind'", "const worktreeBind = '--bind'"],
    WALLS,
    { only: 'read-only' },
  ),
  rule('read-only mode', [ARGUMENTS, "spec.policy.mode === 'read-only' || ", ''], WALLS, { only: 'read-only' }),
  rule('read access', [ARGUMENTS, " || request.access === 'read'", ''], WALLS, { only: 'read-only' }),
  rule('binds that go read-only too', [ARGUMENTS, "bind.access === 'write' && !readOnly", "bind.access === 'write'"], WALLS, {
    only: 'read-only',
  }),
  rule('read-only binds', [ARGUMENTS, "bind.access === 'write' && !readOnly", '!readOnly'], WALLS, { only: MOUNTS }),
  rule(
    'sources that must exist',
    [ARGUMENTS, '  if (statSync(path, { throwIfNoEntry: false })) return;', '  return;'],
    ['test/sandbox/lifecycle.test.ts'],
    { only: 'can’t be confined' },
  ),
  rule('anchors in HOME and /tmp', [ARGUMENTS, "...anchors.own.flatMap(({ source, target }) => ['--bind', source, target]),"], SUITE, {
    only: 'folders above the mounts|writing',
  }),
  rule(
    'anchors in the worktree',
    [ARGUMENTS, '...anchors.worktree.flatMap(({ source, target }) => [worktreeBind, source, target]),'],
    WALLS,
    { only: 'folders above' },
  ),
  rule(
    'links above a mount put aside',
    [ANCHORS, '  if (found?.isDirectory()) return;\n  if (found) rename', '  if (found) return;\n  if (found) rename'],
    ['test/sandbox/suite/places.test.ts'],
  ),
  rule(
    'no worktree around HOME or our data',
    [ANCHORS, '    if (!within(path, worktree)) continue;', '    continue;'],
    ['test/sandbox/suite/places.test.ts'],
  ),
];

const processes: Rule[] = [
  rule('capabilities dropped', [LAUNCH, "    '--cap-drop',\n    'ALL',\n"], WALLS, { only: 'the person is who' }),
  rule('the filter', [LAUNCH, "    '--seccomp',\n    String(seccomp),\n"], WALLS, { only: 'the person is who' }),
  rule('a network of its own', [HOLDER, "    '--unshare-net',\n"], WALLS, { only: 'namespaces are' }),
  rule('System V objects of its own', [HOLDER, "    '--unshare-ipc',\n"], WALLS, { only: 'namespaces are' }),
  rule('the machine’s network joined', [LAUNCH, "    '--net',\n"], WALLS, { only: 'namespaces are' }),
  rule('the machine’s System V objects joined', [LAUNCH, "    '--ipc',\n"], WALLS, { only: 'namespaces are' }),
  rule('a process list of its own', [LAUNCH, "    '--pidns',\n    String(pidNamespace),\n"], WALLS, { only: 'namespaces are' }),
  rule('a user namespace below process 1’s', [LAUNCH, "    '--userns2',\n    String(userNamespace),\n"], WALLS, {
    only: 'a command’s session',
  }),
  rule('no further user namespaces', [HOLDER, "      '--disable-userns',\n"], WALLS, { only: 'no further' }),
  rule(
    'a machine that ends with the core',
    [HOLDER, "    '--as-pid-1',\n    '--die-with-parent',", "    '--as-pid-1',"],
    ['test/sandbox/lifecycle.test.ts'],
    { only: 'kill -9|outside starts', skip: 'process 1 ends by its pipe as well: shown by the next rule' },
  ),
  rule(
    'process 1 that ends with its pipe',
    [HOLDER, "    ? 'exec env --ignore-signal=CHLD cat'", "    ? 'exec env --ignore-signal=CHLD sleep 1'"],
    ['test/sandbox/lifecycle.test.ts'],
    { only: 'a daemon lives' },
  ),
  rule('a holder without environment', [HOLDER, "cwd: '/', env: {}, stdio", "cwd: '/', stdio"], WALLS, { only: 'a command’s session' }),
  rule('dead daemons reaped', [HOLDER, "'exec env --ignore-signal=CHLD cat'", "'exec cat'"], ['test/sandbox/lifecycle.test.ts'], {
    only: 'dead entry',
  }),
  rule('a session of its own', [LAUNCH, ", ['--new-session']"], WALLS, { only: 'a command’s session' }),
  rule('namespace descriptors closed', [LAUNCH, '`${CLOSE}; ${launch.limits}${inner}`', '`${launch.limits}${inner}`'], WALLS, {
    only: 'session of its own',
  }),
  rule(
    'inherited descriptors closed',
    ['agent-core/sandbox/leaks.ts', '  const shut = leaks.filter((descriptor) => descriptor > keep);', '  const shut: number[] = [];'],
    ESCAPES,
    {
      only: 'no descriptor of ours',
      skip: 'its test starts a core of its own, which loads the source as it is',
    },
  ),
  rule('loader names kept from the launcher', [ARGUMENTS, '    if (LOADER.test(name)) args', "    if (name === '') args"], WALLS, {
    only: 'steer loaders',
  }),
  rule(
    'a tree that is ended whole',
    ['agent-core/sandbox/process/kill.ts', '    await killHard(tree);', '    tree.endLauncher();'],
    ['test/sandbox/lifecycle.test.ts'],
    { only: 'killing a command|killed at once' },
  ),
];

const limits: Rule[] = [
  rule('no core dumps', [LIMITS, "    'ulimit -c 0',\n"], WALLS, { only: 'limits of a command' }),
  rule('the file size limit', [LIMITS, '...(limited(fileBytes) ?', '...(limited(0) ?'], WALLS, { only: 'limits of a command' }),
  rule('the process limit of an ordinary user', [LIMITS, '...(limited(processes) ?', '...(limited(0) ?'], WALLS, {
    only: 'limits of a command',
  }),
  rule('the first to go when memory ends', [LIMITS, '{ echo 600 > /proc/self/oom_score_adj; } 2>/dev/null; ', ''], WALLS, {
    only: 'limits of a command',
  }),
  rule('the kernel’s process limit', [HOLDER, 'echo ${302 + Math.max(1, Math.trunc(processes))} > /proc/sys/kernel/pid_max; ', ''], WALLS, {
    only: 'limits of a command',
    skip: OLD_KERNEL,
  }),
  rule(
    'the watchdog’s process limit',
    ['agent-core/sandbox/limits/watchdog.ts', 'if (count > limit && ', 'if (count < 0 && '],
    ['test/sandbox/limits.test.ts'],
    {
      only: 'too many processes',
      skip: process.getuid?.() !== 0 && 'an ordinary user’s machine is limited by the kernel',
    },
  ),
  rule(
    'the watchdog’s memory limit',
    ['agent-core/sandbox/limits/watchdog.ts', '      if (exact > limit) {', '      if (exact < 0) {'],
    ['test/sandbox/limits.test.ts'],
    { only: 'too much memory' },
  ),
  rule(
    'memory that is not mapped',
    ['agent-core/sandbox/limits/watchdog.ts', 'hostSharedMemory() > limit / 4 ?', 'limit < 0 ?'],
    ['test/sandbox/limits.test.ts'],
    { only: 'no process has mapped' },
  ),
  rule(
    'memory that is shared',
    ['agent-core/sandbox/limits/sample.ts', "sum.anonymous += kib(text, 'Pss_Anon')", "sum.anonymous += kib(text, 'Anonymous')"],
    ['test/sandbox/limits.test.ts'],
    { only: 'shared pages' },
  ),
  rule(
    'the disk limit',
    ['agent-core/sandbox/limits/watchdog.ts', 'if (bytes > limit && bytes > before', 'if (bytes < 0 && bytes > before'],
    ['test/sandbox/limits.test.ts'],
    { only: 'fills the disk' },
  ),
  rule(
    'what was on disk before',
    ['agent-core/sandbox/limits/disk.ts', 'this.#base ??= Math.max(0, worktree - Math.max(0, used - this.#before))', 'this.#base ??= 0'],
    ['test/sandbox/limits.test.ts'],
    { only: 'held before' },
  ),
  rule(
    'the time limit',
    ['agent-core/sandbox/limits/watchdog.ts', '    if (limited(seconds))', '    if (limited(seconds) && limited(0))'],
    ['test/sandbox/limits.test.ts'],
    { only: 'after its seconds' },
  ),
  rule(
    'limits that make sense',
    ['agent-core/sandbox/limits/policy.ts', '    if (!limited(value)) continue;', '    continue;'],
    ['test/sandbox/limits.test.ts'],
    { only: 'can’t be held' },
  ),
];

/** Each refused call and each rule by argument, one after the other, as the source lists them. */
function seccomp(): Rule[] {
  const source = readFileSync(join(import.meta.dirname, '../../..', FILTER), 'utf8');
  const refused = /const REFUSED: Syscall\[\] = \[\n([\s\S]*?)\];/.exec(source)?.[1] ?? '';
  const groups: [string, string[]][] = [
    ['namespaces entered', ['setns']],
    [
      'the mount family',
      [
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
      ],
    ],
    ['bpf and perf', ['bpf', 'perf_event_open']],
    ['userfaultfd', ['userfaultfd']],
    ['the key rings', ['add_key', 'request_key', 'keyctl']],
    ['files by handle', ['open_by_handle_at', 'lookup_dcookie', 'fanotify_init']],
    [
      'modules, kexec, reboot, swap',
      [
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
      ],
    ],
    [
      'the host’s names, clock and ports',
      ['sethostname', 'setdomainname', 'iopl', 'ioperm', 'acct', 'settimeofday', 'clock_settime', 'syslog'],
    ],
    ['old and odd calls', ['uselib', 'ustat', 'sysfs', '_sysctl', 'nfsservctl', 'quotactl', 'quotactl_fd']],
  ];
  const listed = [...refused.matchAll(/'(\w+)'/g)].map((found) => found[1] ?? '');
  const missing = listed.filter((name) => !groups.some(([, names]) => names.includes(name)));
  if (missing.length > 0) throw new Error(`These refused calls belong to no group of the removal test: ${missing.join(', ')}`);
  const listedOnce = (name: string): [string, string, string] => [FILTER, `\n  '${name}',\n`, '\n'];
  const ruled = [...source.matchAll(/^ {4}\['(\w+)', .*\],$/gm)].map((found) => ({ name: found[1] ?? '', line: found[0] }));
  return [
    ...groups.flatMap(([group, names]) =>
      names.map((name) => rule(`seccomp (${group}): ${name}`, listedOnce(name), SECCOMP, { only: 'decides what it should' })),
    ),
    ...ruled.map(({ name, line }) =>
      rule(`seccomp by argument: ${name}`, [FILTER, `${line}\n`], SECCOMP, { only: 'decides what it should' }),
    ),
    ...['clone3', 'openat2', 'io_uring_setup', 'io_uring_enter', 'io_uring_register', 'statmount', 'listmount'].map((name) =>
      rule(
        `seccomp absent: ${name}`,
        [FILTER, '...ABSENT.map((name)', `...ABSENT.filter((name) => name !== '${name}').map((name)`],
        SECCOMP,
        { only: 'decides what it should' },
      ),
    ),
    rule('seccomp: foreign architectures', [FILTER, 'jumpEqual(AUDIT[architecture], 1, 0), end(ACTION.kill), ', ''], SECCOMP, {
      only: 'foreign',
    }),
    rule('seccomp: x32', [FILTER, 'program.push(jumpAtLeast(X32_BIT, 0, 1), end(ACTION.kill));', 'program.push();'], SECCOMP, {
      only: 'foreign',
    }),
    ...['0x5412 /* TIOCSTI */, ', '0x541c /* TIOCLINUX */, ', '0x5423 /* TIOCSETD */, ', ', 0x541d /* TIOCCONS */'].map((text) =>
      rule(`seccomp: terminal request ${text.replaceAll(/[,\s]/g, '')}`, [FILTER, text], SECCOMP, { only: 'terminal requests' }),
    ),
    rule('seccomp: raw sockets', [FILTER, 'jumpEqual(SOCK_RAW, 1, 0),', 'jumpEqual(99, 1, 0),'], SECCOMP, { only: 'sockets by' }),
    rule('seccomp: packet sockets by their old name', [FILTER, 'jumpEqual(SOCK_PACKET, 0, 1),', 'jumpEqual(99, 0, 1),'], SECCOMP, {
      only: 'sockets by',
    }),
    rule('seccomp: netlink for routes alone', [FILTER, 'jumpEqual(0, 0, 1), allow, no]', 'allow]'], SECCOMP, { only: 'sockets by' }),
  ];
}

const person: Rule[] = [
  rule(
    'the environment cleaned',
    ['agent-core/sandbox/person/environment.ts', "(ALLOWED.has(name) || name.startsWith('LC_'))", 'name'],
    ESCAPES,
    { only: 'environment holds' },
  ),
  rule(
    '/etc without what is not for everyone',
    ['agent-core/sandbox/person/etc.ts', 'found.isSymbolicLink() || (found.mode & 0o004) !== 0', 'true'],
    WALLS,
    {
      only: '/etc holds',
      skip: 'no file of the list is private on an ordinary system: see the next rule',
    },
  ),
  rule(
    '/etc by a list',
    ['agent-core/sandbox/person/etc.ts', "  'alternatives',\n", "  'alternatives',\n  'machine-id',\n  'hostname',\n"],
    WALLS,
    { only: '/etc holds' },
  ),
  rule('a made-up host table', ['agent-core/sandbox/person/etc.ts', "  await writeFile(join(fresh, 'hosts'), HOSTS);\n", ''], WALLS, {
    only: '/etc holds',
  }),
];

const DOOR = 'agent-core/sandbox/door.ts';
const DOORS = ['test/sandbox/door.test.ts'];
const door: Rule[] = [
  rule(
    'the door: .. stays inside',
    [
      DOOR,
      "        if (stack.length === 1) throw leadsOut(path, 'it leads out of the worktree');\n",
      '        if (stack.length === 1) continue;\n',
    ],
    DOORS,
  ),
  rule(
    'the door: absolute paths inside',
    [
      DOOR,
      "  if (isAbsolute(path) && (inside === '..' || inside.startsWith('../'))) throw leadsOut(path, 'it lies outside the worktree');\n",
    ],
    DOORS,
    { skip: 'the rule before refuses it as well, in other words' },
  ),
  rule('the door: no NUL', [DOOR, "  if (path.includes('\\0')) throw leadsOut(JSON.stringify(path), 'a path has no NUL in it');\n"], DOORS),
  rule(
    'the door: links are walked, not followed',
    [DOOR, 'if (found?.isSymbolicLink() && (!last || options.followLast)) {', 'if (found?.isSymbolicLink() && links < 0) {'],
    DOORS,
  ),
  rule(
    'the door: folders opened without following',
    [
      DOOR,
      'stack.push(await open(child(top(), part), O_PATH | O_DIRECTORY | O_NOFOLLOW));',
      'stack.push(await open(child(top(), part), O_PATH | O_DIRECTORY));',
    ],
    DOORS,
  ),
  rule('the door: files opened without following', [DOOR, 'O_RDONLY | O_NOFOLLOW | O_NONBLOCK', 'O_RDONLY | O_NONBLOCK'], DOORS),
  rule('the door: never waits for a pipe', [DOOR, 'O_RDONLY | O_NOFOLLOW | O_NONBLOCK', 'O_RDONLY | O_NOFOLLOW'], DOORS),
  rule(
    'the door: files alone',
    [DOOR, "  if (!found.isFile()) throw leadsOut(path, 'it is a device, a pipe or a socket, not a file');\n"],
    DOORS,
  ),
  {
    name: 'the door: a size',
    cuts: [
      { file: DOOR, cut: '  if (found.size > limit) {', put: '  if (found.size < 0) {' },
      { file: DOOR, cut: '    if (total > limit) throw', put: '    if (total < 0) throw' },
    ],
    tests: DOORS,
  },
  rule('the door: so many links', [DOOR, 'if (++links > MAX_LINKS)', 'if (++links > 1e6)'], DOORS),
  rule('the door: git’s own is not written', [DOOR, "['.git', ...guarded]", 'guarded'], DOORS),
  rule('the door: mounts are not written', [DOOR, "['.git', ...guarded]", "['.git']"], DOORS),
  rule(
    'the door: only files are replaced',
    [DOOR, "  if (before && !before.isFile()) throw leadsOut(path, 'it is a device, a pipe, a socket or a link, not a file');\n"],
    DOORS,
  ),
  rule(
    'the door: the worktree itself stays',
    [DOOR, "        if (place.name === '') throw leadsOut(path, 'it is the worktree itself');\n"],
    DOORS,
  ),
];

export const FENCE: Rule[] = [...mounts, ...processes, ...limits, ...seccomp(), ...person, ...door];
