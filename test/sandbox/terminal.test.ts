import { expect, test } from 'vitest';
import { eventually, openMachine, running, watch } from './helpers.ts';

const size = { cols: 80, rows: 24 };

test('an interactive shell: size, resize, Ctrl-C, Ctrl-Z and fg, exit code', async () => {
  const { machine } = await openMachine();
  const child = await machine.run({ argv: ['bash', '--norc', '-i'], tty: size });
  const told = watch(child);
  child.write("PS1='rea''dy> '\r");
  await told.until('ready> ');
  expect(told.text()).not.toContain('no job control');
  child.write('tty; stty size\r');
  await told.until('24 80');
  child.resize(100, 30);
  child.write('stty size\r');
  await told.until('30 100');
  const seconds = `4${process.pid}`;
  child.write(`sleep ${seconds}.1\r`);
  await eventually('it sleeps', () => running(`^sleep ${seconds}.1`).length === 1);
  child.write('\x03');
  await eventually('it is interrupted', () => running(`^sleep ${seconds}.1`).length === 0);
  child.write('echo one-$((1+1))\r');
  await told.until('one-2');
  child.write(`sleep ${seconds}.2\r`);
  await eventually('it sleeps', () => running(`^sleep ${seconds}.2`).length === 1);
  child.write('\x1a');
  await told.until('Stopped');
  child.write('kill %1; wait; echo two-$((1+1))\r');
  await told.until('two-2');
  child.write('exit 7\r');
  expect((await child.exited).code).toBe(7);
});

test('Ctrl-C reaches a command that has the terminal to itself, and it may handle it', async () => {
  const { machine } = await openMachine();
  const child = await machine.run({
    argv: [
      'perl',
      '-e',
      '$| = 1; $SIG{INT} = sub { print "handled\\n"; select undef, undef, undef, 0.1; print "went on\\n"; exit 5 }; print "up\\n"; sleep 3600',
    ],
    tty: size,
  });
  const told = watch(child);
  await told.until('up');
  child.write('\x03');
  await told.until('went on');
  expect((await child.exited).code).toBe(5);
});

test('TIOCSTI and TIOCLINUX are refused on a terminal, with high bits set too', async () => {
  const { machine } = await openMachine();
  const tries =
    '$| = 1; for my $r (0x5412, 0x541C, 0x5412 | (1 << 32), 0x5412 | (1 << 63)) { my $b = "x"; my $ok = syscall(SYS, 0, $r, $b); print "$r ", ($ok == 0 ? "typed" : $!+0), "\\n" }'.replace(
      'SYS',
      process.arch === 'x64' ? '16' : '29',
    );
  const child = await machine.run({ argv: ['perl', '-e', tries], tty: size });
  const told = watch(child);
  await child.exited;
  expect(told.text().match(/ 1\r/g)?.length).toBe(4);
});

test('programs inside can open PTYs of their own', async () => {
  const { machine } = await openMachine();
  const { stdout } = await machine.collect({ argv: ['script', '-qec', 'tty', '/dev/null'] });
  expect(stdout.toString()).toMatch(/\/dev\/pts\/\d/);
});
