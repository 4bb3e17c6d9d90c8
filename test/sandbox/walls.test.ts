import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createSandbox } from '../../agent-core/sandbox/index.ts';
import type { Machine } from '../../agent-core/sandbox/types.ts';
import { eventually, holders, openMachine, POLICY, shell, temporary } from './helpers.ts';

/**
 * What the fence is made of, read off inside and never tried: where a wall is missing these tests are red and nothing
 * outside was touched, not even by a test that runs as root without that wall.
 */

interface Mount {
  /** The folder of its file system that is shown. */
  from: string;
  target: string;
  options: string[];
  type: string;
  more: string;
}

async function mounts(machine: Machine, access: 'read' | 'write' = 'write'): Promise<Mount[]> {
  const { out } = await shell(machine, 'cat /proc/self/mountinfo', { access });
  return out.split('\n').map((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const fields = before
      .split(' ')
      .map((field) => field.replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8))));
    const [type = '', , more = ''] = after.split(' ');
    // A path in mountinfo is bytes.
    const text = (field: string | undefined) => Buffer.from(field ?? '', 'utf8').toString('utf8');
    return { from: text(fields[3]), target: text(fields[4]), options: (fields[5] ?? '').split(','), type, more };
  });
}

const find = (list: Mount[], target: string) => list.findLast((mount) => mount.target === target);
const access = (list: Mount[], target: string) => find(list, target)?.options[0];

test('every mount is one that we mean, read-only but for what is the machine’s own', async () => {
  const shown = temporary();
  const given = temporary();
  const { machine, worktree, base } = await openMachine({
    binds: [
      { source: shown, target: shown, access: 'read' },
      { source: given, target: given, access: 'write' },
    ],
  });
  const list = await mounts(machine);
  const home = homedir() === '/' ? '/home/agent' : homedir();
  const own = ['/dev/shm', '/tmp', home, worktree, given];
  const writable = list.filter(({ options }) => options[0] === 'rw').map(({ target }) => target);
  const anchors = writable.filter((target) => !own.includes(target) && (target.startsWith('/tmp/') || target.startsWith(`${home}/`)));
  // Devices belong to nobody, and a process list is not a file system that keeps anything.
  const rest = writable.filter((target) => !own.includes(target) && !anchors.includes(target) && !target.startsWith('/dev/'));
  expect(rest).toEqual(['/proc']);
  for (const target of own) expect([target, writable.includes(target)]).toEqual([target, true]);
  for (const target of ['/', '/usr', '/etc', '/dev', '/proc/sys', shown]) expect([target, access(list, target)]).toEqual([target, 'ro']);
  // Anchors, and the private HOME and /tmp, show the machine's own folders and none of the person's.
  for (const target of ['/tmp', home, ...anchors])
    expect([target, find(list, target)?.from.includes(`${base}/state/`)]).toEqual([target, true]);
  expect(find(list, '/etc')?.from).toMatch(/\/etc-[0-9a-f]{16}$/);
  expect(find(list, '/')?.type).toBe('tmpfs');
  for (const { target, options } of list) {
    expect([target, options.includes('nosuid')]).toEqual([target, true]);
    if (!/^\/dev\/./.test(target)) expect([target, options.includes('nodev')]).toEqual([target, true]);
  }
  expect(access(list, '/sys/devices/system/cpu')).toBe('ro');
  expect(
    list
      .filter(({ target }) => /^\/(?:sys(?!\/devices\/system\/cpu$)|run|boot|root\/\.ssh|var\/(?!tmp))/.test(target))
      .map(({ target }) => target),
  ).toEqual([]);
  const size = Number(/size=(\d+)k/.exec(find(list, '/dev/shm')?.more ?? '')?.[1] ?? Infinity);
  expect(size).toBeLessThanOrEqual((POLICY.limits.memoryBytes ?? 0) / 1024);
});

test('read-only: the worktree, its anchors and every bind', async () => {
  const given = temporary();
  const inner = join(given, 'deep');
  mkdirSync(inner);
  const { machine, worktree } = await openMachine({ binds: [{ source: inner, target: inner, access: 'write' }] });
  mkdirSync(join(worktree, 'a/b'), { recursive: true });
  for (const how of ['read', 'mode'] as const) {
    if (how === 'mode') machine.setPolicy({ ...POLICY, mode: 'read-only' });
    const list = await mounts(machine, how === 'read' ? 'read' : 'write');
    expect([access(list, worktree), access(list, inner)]).toEqual(['ro', 'ro']);
  }
});

test('folders above a mount in the worktree, HOME or /tmp are mounts too', async () => {
  const bound = temporary();
  const base = temporary();
  const worktree = join(base, 'tree');
  mkdirSync(join(worktree, 'sub/deep'), { recursive: true });
  const { machine } = await openMachine({ worktree, binds: [{ source: bound, target: join(worktree, 'sub/deep'), access: 'read' }] });
  const list = await mounts(machine);
  expect(find(list, join(worktree, 'sub'))?.from).toBe(join(worktree, 'sub'));
  expect(find(list, base)?.options[0]).toBe('rw');
});

test('a toolchain under HOME is shown read-only, in a HOME that is private', async () => {
  const base = temporary();
  const home = join(base, 'person');
  for (const folder of ['person/.cargo/bin', 'person/.cache/ms-playwright/chromium-1', 'worktree'])
    mkdirSync(join(base, folder), { recursive: true });
  writeFileSync(join(home, '.cargo/bin/tool'), '#!/bin/sh\necho from the toolchain\n', { mode: 0o755 });
  writeFileSync(join(home, '.cargo/credentials.toml'), 'token');
  writeFileSync(join(home, '.cache/ms-playwright/chromium-1/chrome'), '');
  const env = { HOME: home, SHELL: '/bin/true', PATH: `${home}/.cargo/bin:/usr/bin:/bin` };
  const machine = await createSandbox({ stateDir: join(base, 'sb'), env })
    .driver(POLICY)
    .open({ id: 'tools', stateDir: join(base, 'state'), worktree: join(base, 'worktree'), binds: [], env: {}, policy: POLICY });
  onTestFinished(() => machine.dispose());
  const list = await mounts(machine);
  expect(access(list, join(home, '.cargo/bin'))).toBe('ro');
  expect(access(list, join(home, '.cache/ms-playwright'))).toBe('ro');
  expect(find(list, home)?.from).toContain('/state/home');
  expect((await shell(machine, 'tool; ls -A ~/.cargo')).out).toBe('from the toolchain\nbin');
});

const namespaces = ['net', 'ipc', 'pid', 'mnt', 'user'] as const;

test('namespaces are the machine’s, and those of its other commands', async () => {
  const { machine } = await openMachine();
  const text = `for n in ${namespaces.join(' ')}; do readlink /proc/self/ns/$n; done`;
  const [one, two] = await Promise.all([shell(machine, text), shell(machine, text)]);
  const [first, second] = [one.out.split('\n'), two.out.split('\n')];
  for (const [index, name] of namespaces.entries()) {
    expect([name, first[index]]).not.toEqual([name, readlinkSync(`/proc/self/ns/${name}`)]);
    if (name !== 'mnt') expect([name, second[index]]).toEqual([name, first[index]]);
  }
  expect(first[3]).not.toBe(second[3]);
});

test('the person is who they are outside, in a user namespace that is not process 1’s, without any right in it', async () => {
  const { machine } = await openMachine();
  const { out } = await shell(
    machine,
    'id -u; id -g; cat /proc/self/uid_map | tr -s " "; cat /proc/1/ns/user 2>&1 | head -c 0; readlink /proc/1/root || echo no; grep -E "^(Cap(Inh|Prm|Eff|Amb)|NoNewPrivs|Seccomp):" /proc/self/status | tr -d "\\t"',
  );
  const [uid, gid, , root, ...status] = out.split('\n');
  expect([Number(uid), Number(gid), root]).toEqual([process.getuid?.(), process.getgid?.(), 'no']);
  expect(status).toEqual([
    'CapInh:0000000000000000',
    'CapPrm:0000000000000000',
    'CapEff:0000000000000000',
    'CapAmb:0000000000000000',
    'NoNewPrivs:1',
    'Seccomp:2',
  ]);
});

test('no further user namespace can be made, without the filter neither', async () => {
  const { machine } = await openMachine();
  const launcher = await machine.run({ argv: ['sleep', '3600'] });
  const child = () => Number(readFileSync(`/proc/${launcher.pid}/task/${launcher.pid}/children`, 'utf8').trim().split(' ').at(-1));
  await eventually('it runs', () => child() > 0 && readFileSync(`/proc/${child()}/comm`, 'utf8') === 'sleep\n');
  // From outside, where no filter is: the owner of a namespace may enter it.
  const enter = (...command: string[]) =>
    spawnSync('nsenter', ['--target', String(child()), '--user', '--preserve-credentials', ...command], { encoding: 'utf8' });
  expect(enter('true')).toMatchObject({ status: 0 });
  expect(enter('unshare', '--user', 'true').status).not.toBe(0);
  await launcher.kill('kill');
});

test('limits of a command as the kernel has them', async () => {
  const { machine } = await openMachine({
    policy: { ...POLICY, limits: { processes: 77, memoryBytes: 256 * 1024 ** 2, fileBytes: 8192 } },
  });
  const { out } = await shell(machine, 'cat /proc/self/limits; cat /proc/self/oom_score_adj /proc/sys/kernel/pid_max');
  const hard = (name: string) => new RegExp(`^${name} +\\S+ +(\\S+)`, 'm').exec(out)?.[1];
  expect([hard('Max core file size'), hard('Max file size'), hard('Max processes')]).toEqual(['0', '8192', '77']);
  const [score, most] = out.split('\n').slice(-2).map(Number);
  expect(score).toBeGreaterThanOrEqual(500);
  const [major = 0, minor = 0] = (await shell(machine, 'uname -r')).out.split('.').map(Number);
  if (major > 6 || (major === 6 && minor >= 14)) expect(most).toBe(379);
});

test('a command leads a session of its own and holds three descriptors', async () => {
  const { machine } = await openMachine();
  const [group, session] = (await shell(machine, 'set -- $(cat /proc/$$/stat); echo $5; echo $6')).out.split('\n');
  expect(group).toBe(session);
  const { stdout } = await machine.collect({ argv: ['ls', '-l', '/proc/self/fd'] });
  // The fourth is the folder that it lists.
  expect(stdout.toString().match(/ \d+ -> (?!\/proc\/)/g)).toHaveLength(3);
});

test('a command’s session is not its launcher’s, and process 1 has no environment', async () => {
  const { machine } = await openMachine();
  const launcher = await machine.run({ argv: ['sleep', '3600'] });
  const child = () => Number(readFileSync(`/proc/${launcher.pid}/task/${launcher.pid}/children`, 'utf8').trim().split(' ').at(-1));
  await eventually('it runs', () => child() > 0 && readFileSync(`/proc/${child()}/comm`, 'utf8') === 'sleep\n');
  const session = (pid: number) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[3];
  expect(session(child())).not.toBe(session(launcher.pid));
  const [holder = 0] = holders();
  expect(
    readFileSync(`/proc/${holder}/environ`, 'utf8')
      .split('\0')
      .filter((entry) => entry !== '' && !/^(?:PWD|_|SHLVL|OLDPWD)=/.test(entry)),
  ).toEqual([]);
  expect(readlinkSync(`/proc/${child()}/ns/user`)).not.toBe(readlinkSync(`/proc/${holder}/ns/user`));
  await launcher.kill('kill');
});

test('names that steer loaders never reach a launcher: each of them', async () => {
  const { machine } = await openMachine();
  const names = [
    'LD_PRELOAD',
    'LD_AUDIT',
    'GLIBC_TUNABLES',
    'GCONV_PATH',
    'LOCPATH',
    'MALLOC_TRACE',
    'HOSTALIASES',
    'RES_OPTIONS',
    'BASH_ENV',
    'ENV',
    'SHELLOPTS',
    'PS4',
    'IFS',
  ];
  const child = await machine.run({ argv: ['sleep', '3600'], env: Object.fromEntries(names.map((name) => [name, 'hashall'])) });
  const held = readFileSync(`/proc/${child.pid}/environ`, 'utf8')
    .split('\0')
    .map((entry) => entry.split('=')[0] ?? '');
  expect(held.filter((name) => names.includes(name))).toEqual([]);
  await child.kill('kill');
});

test('/etc holds nothing that not everyone may read, and a made-up host table', async () => {
  const { machine } = await openMachine();
  const { out } = await shell(
    machine,
    'find /etc ! -perm -o=r ! -type l 2>/dev/null; cat /etc/hosts | head -1; wc -c < /etc/resolv.conf; grep -c : /etc/passwd; ls /etc/shadow /etc/sudoers /etc/ssh /etc/machine-id /etc/hostname 2>/dev/null',
  );
  expect(out.split('\n')).toEqual(['127.0.0.1 localhost', '0', process.getuid?.() === 0 ? '2' : '3']);
});

test('two machines at once share nothing', async () => {
  const base = temporary();
  for (const name of ['one', 'two']) mkdirSync(join(base, name));
  const sandbox = createSandbox({ stateDir: join(base, 'sb'), env: process.env });
  const machines = await Promise.all(
    ['one', 'two'].map((id) =>
      sandbox
        .driver(POLICY)
        .open({ id, stateDir: join(base, `state-${id}`), worktree: join(base, id), binds: [], env: {}, policy: POLICY }),
    ),
  );
  onTestFinished(async () => {
    await Promise.all(machines.map((machine) => machine.dispose()));
  });
  symlinkSync(join(base, 'two'), join(base, 'one/link'));
  writeFileSync(join(base, 'two/secret'), 'secret');
  const [first, second] = await Promise.all(
    machines.map((machine) => shell(machine, 'touch /tmp/mine ~/mine; ls /tmp ~ link/; readlink /proc/self/ns/net')),
  );
  expect(first?.out).not.toContain('secret');
  expect(first?.out.split('\n').at(-1)).not.toBe(second?.out.split('\n').at(-1));
});
