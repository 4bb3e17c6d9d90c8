import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { installed, openMachine, shell, temporary, watch } from './helpers.ts';

test('git: init, commit, branch, rebase, stash, status', async () => {
  const { machine } = await openMachine();
  const { code, out, err } = await shell(
    machine,
    [
      'set -e',
      'git init -q -b main .',
      'git config user.name T',
      'git config user.email t@t',
      'echo 1 > a',
      'git add a',
      'git commit -qm one',
      'git switch -qc two',
      'echo 2 > b',
      'git add b',
      'git commit -qm two',
      'git switch -q main',
      'echo 3 > c',
      'git add c',
      'git commit -qm three',
      'git rebase -q main two',
      'echo dirty >> a',
      'git stash -q',
      'git stash pop -q',
      'git status --porcelain',
      'git log --oneline | wc -l',
    ].join('\n'),
  );
  expect(err).toBe('');
  expect(code).toBe(0);
  expect(out.split('\n')).toEqual(['M a', '3']);
});

test('npm test in a small package, offline', async () => {
  const { machine, worktree } = await openMachine();
  writeFileSync(join(worktree, 'package.json'), JSON.stringify({ name: 'x', type: 'module', scripts: { test: 'node --test' } }));
  writeFileSync(
    join(worktree, 'x.test.js'),
    `import { test } from 'node:test'; import assert from 'node:assert'; test('one', () => assert.equal(1, 1));`,
  );
  const { code, out } = await shell(machine, 'npm test');
  expect(out).toMatch(/pass 1/);
  expect(code).toBe(0);
});

test.skipIf(!installed('gcc'))('gcc compiles and the program runs', async () => {
  const { machine } = await openMachine();
  expect((await shell(machine, `echo 'int main(){return puts("built")<0;}' > a.c && gcc -w a.c -o a && ./a`)).out).toBe('built');
});

test.skipIf(!installed('python3'))('python: threads, subprocesses, temporary files, shared memory', async () => {
  const { machine } = await openMachine();
  const text = `import threading, subprocess, tempfile, multiprocessing as m, socket\nt = threading.Thread(target=lambda: print("thread")); t.start(); t.join()\nprint(subprocess.check_output(["echo", "child"]).decode().strip())\nf = tempfile.NamedTemporaryFile(); print(f.name.startswith("/tmp"))\nl = m.Lock(); print("lock")\na, b = socket.socketpair(); print("pair")`;
  const { stdout, stderr } = await machine.collect({ argv: ['python3', '-c', text] });
  expect(stderr.toString()).toBe('');
  expect(stdout.toString().trim().split('\n')).toEqual(['thread', 'child', 'True', 'lock', 'pair']);
});

test('/dev/stderr, /dev/stdin and /dev/fd are files that can be opened; stdin is passed on', async () => {
  const { machine } = await openMachine();
  const { stdout, stderr } = await machine.collect({
    argv: ['bash', '-c', 'cat /dev/stdin; echo e > /dev/stderr; echo o > /dev/stdout; cat <(echo sub)'],
    input: 'in\n',
  });
  expect(stderr.toString()).toBe('e\n');
  expect(stdout.toString()).toBe('in\no\nsub\n');
});

test('HOME and /tmp are private, writable, and shared by the machine’s commands', async () => {
  const { machine } = await openMachine();
  await shell(machine, 'echo one > ~/a; echo two > /tmp/b; echo three > /dev/shm/c');
  expect((await shell(machine, 'cat ~/a /tmp/b; echo $TMPDIR; mktemp')).out.split('\n').slice(0, 3)).toEqual(['one', 'two', '/tmp']);
});

test('exit codes: its own, 127 for no such command, 126 for no program, 128 + n for a signal', async () => {
  const { machine } = await openMachine();
  const codes = [];
  for (const argv of [['true'], ['sh', '-c', 'exit 42'], ['no-such-command'], ['/etc'], ['sh', '-c', 'kill -9 $$']])
    codes.push((await machine.collect({ argv })).code);
  expect(codes).toEqual([0, 42, 127, 126, 137]);
});

test('words reach the command as they are: spaces, quotes, newlines, dollars', async () => {
  const { machine, worktree } = await openMachine();
  mkdirSync(join(worktree, 'a b$(touch x)'));
  const words = ['$(touch pwned)', '`id`', 'a b', '"', "'", '\n', '', '-c', '*', 'é', '--'];
  const { stdout } = await machine.collect({ argv: ['printf', '%s|', ...words], cwd: join(worktree, 'a b$(touch x)') });
  expect(stdout.toString()).toBe(words.map((word) => `${word}|`).join(''));
  expect((await shell(machine, 'ls')).out).toBe('a b$(touch x)');
});

test('binary output is intact and 100 MB flow through a slow reader without growing the core', async () => {
  const { machine, worktree } = await openMachine();
  const bytes = Buffer.from(Array.from({ length: 65536 }, (_, index) => index & 255));
  writeFileSync(join(worktree, 'bytes'), bytes);
  expect((await machine.collect({ argv: ['cat', 'bytes'] })).stdout.equals(bytes)).toBe(true);
  const child = await machine.run({ argv: ['head', '-c', '104857600', '/dev/zero'] });
  const before = process.memoryUsage().rss;
  let total = 0;
  let most = 0;
  child.onOutput((chunk) => {
    total += chunk.length;
    most = Math.max(most, process.memoryUsage().rss);
    if (total % (4 * 1024 * 1024) < chunk.length) {
      child.pause();
      setTimeout(() => child.resume(), 5);
    }
  });
  expect((await child.exited).code).toBe(0);
  expect(total).toBe(104857600);
  expect(most - before).toBeLessThan(80 * 1024 * 1024);
});

test('a paused process blocks, and what it printed before its end comes after resume', async () => {
  const { machine } = await openMachine();
  for (const tty of [undefined, { cols: 80, rows: 24 }]) {
    const child = await machine.run({ argv: ['sh', '-c', 'seq 20000; echo last'], ...(tty ? { tty } : {}) });
    child.pause();
    const told = watch(child);
    await new Promise((resolve) => setTimeout(resolve, 600));
    child.resume();
    await told.until('last');
    expect(told.text().match(/\n/g)?.length).toBe(20001);
    await child.exited;
  }
});

test('collect keeps the limit and says that it dropped the rest', async () => {
  const { machine } = await openMachine();
  const { stdout, truncated } = await machine.collect({ argv: ['head', '-c', '300000', '/dev/zero'], limit: 1000 });
  expect([stdout.length, truncated]).toEqual([1000, true]);
});

test('binds: a folder over another, a file, read-only, and one of a single command', async () => {
  const extra = temporary();
  writeFileSync(join(extra, 'f'), 'bound');
  const { machine, worktree } = await openMachine({ binds: [{ source: extra, target: '/opt/bound', access: 'read' }] });
  writeFileSync(join(worktree, 'own'), 'own');
  expect((await shell(machine, 'cat /opt/bound/f; echo x > /opt/bound/g || echo refused')).out).toContain('boundrefused');
  const once = await machine.collect({
    argv: ['sh', '-c', `cat '${join(worktree, 'own')}'; echo new > /srv/once/h`],
    binds: [
      { source: join(extra, 'f'), target: join(worktree, 'own'), access: 'read' },
      { source: extra, target: '/srv/once', access: 'write' },
    ],
  });
  expect(once.stdout.toString()).toBe('bound');
  expect(readFileSync(join(extra, 'h'), 'utf8')).toBe('new\n');
  expect((await shell(machine, 'cat own; test -e /srv/once || echo absent')).out).toBe('ownabsent');
});

test('files made inside belong to the person and have ordinary modes', async () => {
  const { machine, worktree } = await openMachine();
  await shell(machine, 'umask 022; echo x > f; chmod 755 f; chmod u+s f 2>/dev/null; chmod g+s f 2>/dev/null; true');
  const { uid, mode } = statSync(join(worktree, 'f'));
  expect([uid, mode & 0o7777]).toEqual([process.getuid?.(), 0o755]);
});

test('what one command left unread in its input never reaches another; pipes are used again', async () => {
  const { machine } = await openMachine();
  const open = () => readdirSync('/proc/self/fd').length;
  for (let round = 0; round < 3; round += 1) await machine.collect({ argv: ['true'], input: 'left over\n' });
  const before = open();
  for (let round = 0; round < 30; round += 1) await machine.collect({ argv: ['true'], input: 'left over\n' });
  expect((await machine.collect({ argv: ['cat'], input: 'mine' })).stdout.toString()).toBe('mine');
  expect(open() - before).toBeLessThan(12);
  const all = await Promise.all(Array.from({ length: 12 }, (_, index) => machine.collect({ argv: ['cat'], input: `text ${index}` })));
  expect(all.map(({ stdout }) => stdout.toString())).toEqual(Array.from({ length: 12 }, (_, index) => `text ${index}`));
});
