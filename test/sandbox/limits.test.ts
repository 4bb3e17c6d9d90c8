import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createSandbox } from '../../agent-core/sandbox/index.ts';
import type { Machine, Policy } from '../../agent-core/sandbox/types.ts';
import { eventually, openMachine, POLICY, running, shell, temporary } from './helpers.ts';

const MIB = 1024 ** 2;
const withLimits = (limits: Policy['limits']): Policy => ({ ...POLICY, limits });

/** A machine on a kernel that limits no pid namespace. */
async function openWithoutKernel(limits: Policy['limits']): Promise<Machine> {
  const base = temporary();
  mkdirSync(join(base, 'worktree'));
  const policy = withLimits(limits);
  const machine = await createSandbox({ stateDir: join(base, 'sb'), env: process.env, kernelLimits: false })
    .driver(policy)
    .open({ id: `old-${process.pid}`, stateDir: join(base, 'state'), worktree: join(base, 'worktree'), binds: [], env: {}, policy });
  onTestFinished(() => machine.dispose());
  return machine;
}

const forks = (count: number, name: string) =>
  `perl -e '$0 = "${name}"; for (1..${count}) { my $p = fork; if (!defined $p) { sleep 1; exit 3 } if (!$p) { sleep 3600 } select(undef, undef, undef, 0.002) } print "all\n"; sleep 3600'`;

describe('the watchdog', () => {
  test('ends a command with too many processes where the kernel sets no limit, and says why', async () => {
    const machine = await openWithoutKernel({ processes: 60 });
    const name = `bomb-${process.pid}`;
    const other = await machine.run({ argv: ['sh', '-c', 'sleep 3600; echo x'] });
    const bomb = await machine.collect({ argv: ['bash', '-c', forks(5000, name)] });
    expect(bomb).toMatchObject({ limit: { what: 'processes', allowed: 60 } });
    // A resource limit holds for the machine of an ordinary user, and for no root.
    if (process.getuid?.() === 0) {
      expect(bomb.code).toBe(137);
      expect(bomb.stderr.toString()).toMatch(/^Ended by a limit: the workspace had \d+ processes; its limit is 60\.$/m);
      await eventually('the bomb is gone', () => running(name).length === 0);
    } else {
      expect(bomb.code).toBe(3);
      expect(bomb.stderr.toString()).toMatch(/^Refused by a limit: the workspace had all the 60 processes/m);
      for (const pid of running(name)) process.kill(pid, 'SIGKILL');
    }
    // The others go on.
    expect((await shell(machine, 'pgrep -c -x sleep')).out).toBe('1');
    await other.kill('kill');
    expect((await other.exited).limit).toBeUndefined();
  });

  test('ends one with too much memory, over all of its processes, also in a terminal', async () => {
    const { machine } = await openMachine({ policy: withLimits({ processes: 300, memoryBytes: 300 * MIB }) });
    // Each stays below the limit that holds for one process.
    const text = `for i in 1 2 3 4 5 6; do perl -e 'my $x = "a" x (80 * 1024 * 1024); sleep 3600' & done; wait; echo through`;
    const piped = await machine.collect({ argv: ['bash', '-c', text] });
    expect(piped).toMatchObject({ code: 137, limit: { what: 'memory' } });
    expect(piped.stderr.toString()).toMatch(/held \d+ MiB of memory; its limit is 300 MiB/);
    const terminal = await machine.run({ argv: ['bash', '-c', text], tty: { cols: 80, rows: 24 } });
    let said = '';
    terminal.onOutput((chunk) => {
      said += Buffer.from(chunk).toString();
    });
    expect((await terminal.exited).limit?.what).toBe('memory');
    expect(said).toContain('its limit is 300 MiB.\r\n');
  });

  test('shared pages count once: forks of a large process are no reason', async () => {
    const { machine } = await openMachine({ policy: withLimits({ processes: 300, memoryBytes: 300 * MIB }) });
    const text = `my $x = "a" x (60 * 1024 * 1024); for (1..12) { fork or do { sleep 1; exit } } sleep 1; print "fine\\n"`;
    expect((await machine.collect({ argv: ['perl', '-e', text] })).stdout.toString()).toBe('fine\n');
  });

  test('memory that no process has mapped counts: /dev/shm and memfds', async () => {
    const { machine } = await openMachine({ policy: withLimits({ processes: 300, memoryBytes: 200 * MIB }) });
    const shm = `for i in 1 2 3; do (head -c 90M /dev/zero > /dev/shm/$i; sleep 3600) & done; wait`;
    // Each command has a /dev/shm of its own, with a size of its own: together they are too much.
    const both = await Promise.all(
      [0, 1, 2].map(() => machine.collect({ argv: ['bash', '-c', shm], signal: AbortSignal.timeout(15_000) })),
    );
    expect(both.some(({ limit }) => limit?.what === 'memory')).toBe(true);
    const number = process.arch === 'x64' ? 319 : 279;
    const memfd = `for my $i (1..8) { my $name = "x"; my $fd = syscall(${number}, $name, 0); open(my $f, ">&=", $fd); syswrite($f, "a" x 52428800); push @k, $f } sleep 3600`;
    const hidden = await machine.collect({ argv: ['perl', '-e', memfd], signal: AbortSignal.timeout(15_000) });
    expect(hidden.limit?.what).toBe('memory');
  });

  test('ends what fills the disk, in the worktree, HOME or /tmp; then one can clean up', async () => {
    for (const folder of ['.', '~', '/tmp']) {
      const { machine } = await openMachine({ policy: withLimits({ processes: 300, diskBytes: 40 * MIB }) });
      await shell(machine, `head -c 20M /dev/zero > ${folder}/before; sleep 0.7`);
      const full = await machine.collect({
        argv: ['bash', '-c', `for i in $(seq 400); do head -c 4M /dev/urandom > ${folder}/fill-$i; sleep 0.03; done; echo through`],
      });
      expect(full, folder).toMatchObject({ code: 137, limit: { what: 'disk', allowed: 40 * MIB } });
      expect(full.stdout.toString()).toBe('');
      expect((await shell(machine, `rm ${folder}/fill-*; sleep 1; echo clean`)).out).toBe('clean');
      await machine.dispose();
    }
  }, 60_000);

  test('what the worktree held before doesn’t count', async () => {
    const base = temporary();
    mkdirSync(join(base, 'worktree'));
    writeFileSync(join(base, 'worktree', 'old'), Buffer.alloc(80 * MIB, 1));
    const { machine } = await openMachine({
      worktree: join(base, 'worktree'),
      policy: withLimits({ processes: 300, diskBytes: 40 * MIB }),
    });
    const { out, err } = await shell(machine, 'for i in 1 2 3 4; do head -c 6M /dev/urandom > new-$i; sleep 0.6; done; echo fine');
    expect(out, err).toBe('fine');
  });

  test('ends a command after its seconds, with its daemons, and no other', async () => {
    const { machine } = await openMachine({ policy: withLimits({ processes: 300, seconds: 0.6 }) });
    const seconds = `3${process.pid}.77`;
    const began = performance.now();
    const late = await machine.collect({ argv: ['bash', '-c', `trap '' TERM; setsid sleep ${seconds} & sleep ${seconds}`] });
    expect(late).toMatchObject({ code: 137, limit: { what: 'seconds', allowed: 0.6 } });
    expect(performance.now() - began).toBeLessThan(5000);
    expect(running(`^sleep ${seconds}`)).toEqual([]);
    expect((await shell(machine, 'echo quick')).out).toBe('quick');
  });

  test('a daemon that outlives its command is watched too', async () => {
    const { machine } = await openMachine({ policy: withLimits({ processes: 300, memoryBytes: 200 * MIB }) });
    const name = `hog-${process.pid}`;
    const hog = `$0 = "${name}"; open STDOUT, ">/dev/null"; open STDERR, ">/dev/null"; sleep 1; @x = map { fork or do { $y = "a" x 90000000; sleep 3600 } } 1..4; sleep 3600`;
    await shell(machine, `setsid perl -e '${hog}' >/dev/null 2>&1 & sleep 0.2`);
    expect(running(name).length).toBeGreaterThan(0);
    await eventually('the hog is gone', () => running(name).length === 0, 15_000);
    expect((await shell(machine, 'echo on')).out).toBe('on');
  });
});

test('0 and absent mean no limit', async () => {
  const { machine } = await openMachine({ policy: withLimits({ processes: 0, memoryBytes: 0, seconds: 0 }) });
  const { out } = await shell(machine, 'ulimit -d; ulimit -f; echo $(($(cat /proc/sys/kernel/pid_max) > 20000))');
  expect(out.split('\n')).toEqual(['unlimited', 'unlimited', '1']);
});

test('a limit that can’t be held is refused before anything runs', async () => {
  const { machine, base } = await openMachine();
  for (const limits of [{ processes: -1 }, { memoryBytes: 1 }, { diskBytes: Number.NaN }, { seconds: Infinity }, { fileBytes: 1 }]) {
    await expect(openMachine({ policy: withLimits(limits) })).rejects.toMatchObject({ detail: { code: 'cannot-confine' } });
    expect(() => machine.setPolicy(withLimits(limits))).toThrow(/can’t be held/);
  }
  expect(existsSync(join(base, 'ran'))).toBe(false);
  rmSync(base, { recursive: true, force: true });
});

test('a command of ours that waits for what never comes is ended; one that works is not', async () => {
  const { machine } = await openMachine();
  const began = performance.now();
  const stuck = await machine.collect({ argv: ['bash', '-c', 'mkfifo pipe; cat pipe'], stalled: 1 });
  expect(stuck).toMatchObject({ code: 137, limit: { what: 'stalled', allowed: 1 } });
  expect(performance.now() - began).toBeLessThan(8000);
  const busy = await machine.collect({ argv: ['bash', '-c', 'for i in $(seq 12); do sleep 0.2; done; echo done'], stalled: 1 });
  expect(busy.stdout.toString()).toBe('done\n');
});
