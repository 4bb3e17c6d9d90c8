import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { toAppError } from '../../agent-core/contract/errors.ts';
import { createSandbox } from '../../agent-core/sandbox/index.ts';
import { eventually, holders, openMachine, POLICY, running, shell, temporary, watch } from './helpers.ts';

let marks = 0;
/** A number of seconds that no other process sleeps: found on the host by `pgrep -f`. */
const mark = () => `3${process.pid}.${++marks}`;

const failure = async (promise: Promise<unknown>) =>
  promise.then(() => {
    throw new Error('it succeeded');
  }, toAppError);

test('a daemon lives on after its command, and ends with the machine', async () => {
  const { machine } = await openMachine();
  const seconds = mark();
  await shell(machine, `setsid sleep ${seconds} >/dev/null 2>&1 & setsid sleep ${seconds} & disown -a`);
  expect(running(`sleep ${seconds}`).length).toBe(2);
  expect((await shell(machine, `pgrep -c -f 'sleep ${seconds}'`)).out).not.toBe('0');
  await machine.dispose();
  expect(running(`sleep ${seconds}`)).toEqual([]);
});

test('killing a command ends its daemons and nobody else’s', async () => {
  const { machine } = await openMachine();
  const [own, other] = [mark(), mark()];
  await shell(machine, `setsid sleep ${other} >/dev/null 2>&1 &`);
  const child = await machine.run({ argv: ['sh', '-c', `setsid sh -c 'sleep ${own} & sleep ${own}' & sleep ${own}`] });
  await eventually('three sleeps run', () => running(`^sleep ${own}`).length === 3);
  await child.kill('kill');
  expect(running(`^sleep ${own}`)).toEqual([]);
  expect(running(`^sleep ${other}`).length).toBe(1);
});

// bwrap forks once more to join a pid namespace: a parent-death signal set by then kills a command as that process ends.
test('a command has no parent-death signal, which now and then killed one as it began', async () => {
  const { machine } = await openMachine();
  const prctl = process.arch === 'arm64' ? 167 : 157;
  const { out } = await shell(machine, `perl -e 'my $signal = pack("i", 99); syscall(${prctl}, 2, $signal); print unpack("i", $signal)'`);
  expect(out).toBe('0');
});

test('a command whose launcher is killed ends too, in a terminal and with pipes', async () => {
  const { machine } = await openMachine();
  for (const tty of [undefined, { cols: 80, rows: 24 }]) {
    const seconds = mark();
    const child = await machine.run({ argv: ['sh', '-c', `setsid sleep ${seconds} & sleep ${seconds}`], ...(tty ? { tty } : {}) });
    await eventually('two sleeps run', () => running(`^sleep ${seconds}`).length === 2);
    // Until it is told apart from others.
    await new Promise((resolve) => setTimeout(resolve, 100));
    process.kill(child.pid, 'SIGKILL');
    await child.exited;
    await eventually('none runs', () => running(`^sleep ${seconds}`).length === 0);
  }
});

test('a command that ignores SIGTERM is killed after two seconds', async () => {
  const { machine } = await openMachine();
  const seconds = mark();
  const child = await machine.run({ argv: ['bash', '-c', `trap '' TERM INT; echo up; while :; do sleep ${seconds}; done`] });
  await watch(child).until('up');
  const started = performance.now();
  await child.kill('terminate');
  expect(performance.now() - started).toBeGreaterThan(1500);
  expect((await child.exited).code).toBe(137);
  expect(running(`sleep ${seconds}`)).toEqual([]);
});

test('SIGTERM and SIGINT reach the command, which may clean up', async () => {
  const { machine } = await openMachine();
  for (const [how, name] of [
    ['terminate', 'TERM'],
    ['interrupt', 'INT'],
  ] as const) {
    const child = await machine.run({ argv: ['bash', '-c', `trap 'echo cleaned; exit 9' ${name}; echo up; while :; do sleep 0.05; done`] });
    const told = watch(child);
    await told.until('up');
    await child.kill(how);
    expect((await child.exited).code).toBe(9);
    expect(told.text()).toContain('cleaned');
  }
});

test('an aborted command ends, also when it has hardly begun', async () => {
  const { machine } = await openMachine();
  for (const wait of [0, 0, 1, 2, 3, 4, 5, 6, 8, 12, 50]) {
    const stop = new AbortController();
    const child = await machine.run({ argv: ['sleep', '3600'], signal: stop.signal });
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    stop.abort();
    // Under load SIGKILL may come before the shell was heard.
    expect([143, 137]).toContain((await child.exited).code);
  }
});

test('kill -9 of the core leaves no process of a machine', async () => {
  const folder = temporary();
  mkdirSync(join(folder, 'worktree'));
  const seconds = mark();
  const script = join(folder, 'core.mjs');
  writeFileSync(
    script,
    `
    import { createSandbox } from ${JSON.stringify(join(import.meta.dirname, '../../agent-core/sandbox/index.ts'))};
    const policy = ${JSON.stringify(POLICY)};
    const machine = await createSandbox({ stateDir: ${JSON.stringify(`${folder}/sb`)}, env: process.env }).driver(policy)
      .open({ id: 'k', stateDir: ${JSON.stringify(`${folder}/state`)}, worktree: ${JSON.stringify(`${folder}/worktree`)}, binds: [], policy, env: {} });
    await machine.collect({ argv: ['sh', '-c', 'setsid sleep ${seconds} >/dev/null 2>&1 & setsid sh -c "(sleep ${seconds} &)" ; true'] });
    await machine.run({ argv: ['sh', '-c', 'trap "" TERM HUP; sleep ${seconds}; sleep ${seconds}'] });
    await machine.run({ argv: ['bash', '-c', 'trap "" HUP TERM; sleep ${seconds}; sleep ${seconds}'], tty: { cols: 80, rows: 24 } });
    console.log('up');
  `,
  );
  const core = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise<void>((resolve) => core.stdout.once('data', () => resolve()));
  await eventually('four sleeps run', () => running(`^sleep ${seconds}`).length === 4);
  core.kill('SIGKILL');
  await eventually('all of it is gone', () => running(seconds).length === 0);
});

test('a dev server answers the next command and a terminal, not the host and no other machine', async () => {
  const { machine, worktree } = await openMachine();
  const other = await openMachine();
  writeFileSync(
    join(worktree, 'server.js'),
    `require('http').createServer((q, s) => s.end('hello from inside')).listen(38417, '127.0.0.1', () => console.log('ready'))`,
  );
  await shell(machine, 'node server.js > log 2>&1 & until grep -q ready log; do sleep 0.02; done');
  const ask = `curl -s --max-time 2 http://127.0.0.1:38417/`;
  expect((await shell(machine, ask)).out).toBe('hello from inside');
  const terminal = await machine.run({ argv: ['bash', '-c', ask], tty: { cols: 80, rows: 24 } });
  await watch(terminal).until('hello from inside');
  expect((await shell(other.machine, ask)).out).toBe('');
  await expect(fetch('http://127.0.0.1:38417/')).rejects.toThrow();
  await machine.dispose();
});

test('after dispose nothing runs, and disposing twice is harmless', async () => {
  const { machine } = await openMachine();
  const child = await machine.run({ argv: ['sleep', '3600'] });
  await machine.dispose();
  await machine.dispose();
  expect((await child.exited).code).not.toBe(0);
  expect((await failure(machine.run({ argv: ['true'] }))).code).toBe('cannot-confine');
});

test('what can’t be confined doesn’t run', async () => {
  const base = temporary();
  const worktree = join(base, 'worktree');
  mkdirSync(worktree);
  const spec = { id: 'x', stateDir: join(base, 'state'), worktree, binds: [], policy: POLICY, env: {} };
  const hidden = createSandbox({ stateDir: join(base, 'sb'), env: process.env }).driver(POLICY);
  const missing = await failure(hidden.open({ ...spec, binds: [{ source: join(base, 'nothing'), target: '/x', access: 'read' }] }));
  expect(missing).toMatchObject({ code: 'cannot-confine' });
  const { machine } = await openMachine({ worktree: join(base, 'gone') });
  rmSync(join(base, 'gone'), { recursive: true });
  expect((await failure(machine.run({ argv: ['touch', join(base, 'ran')] }))).code).toBe('cannot-confine');
  expect(existsSync(join(base, 'ran'))).toBe(false);
});

test('the machine’s bookkeeping is private and the holder’s environment empty', async () => {
  const { machine, base } = await openMachine();
  const child = await machine.run({ argv: ['sleep', '3600'] });
  expect(existsSync(join(base, 'state', 'home'))).toBe(true);
  expect(readFileSync(`/proc/${child.pid}/environ`, 'utf8')).not.toMatch(/VITEST|OPENAI|npm_/);
  await child.kill('kill');
});

test('a machine whose holder was killed from outside starts again with the next command', async () => {
  const { machine } = await openMachine();
  const child = await machine.run({ argv: ['sleep', '3600'] });
  const seen = () => Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim());
  await eventually('it runs', () => seen() > 0 && readFileSync(`/proc/${seen()}/comm`, 'utf8') === 'sleep\n');
  const [holder, ...others] = holders();
  expect(others).toEqual([]);
  process.kill(holder!, 'SIGKILL');
  expect((await child.exited).code).toBe(137);
  await eventually('the core has noticed', () => !existsSync(`/proc/${holder}`));
  expect((await shell(machine, 'echo again')).out).toBe('again');
});

test('a command that was started as its holder died is run by the next one, and once', async () => {
  const { machine, worktree } = await openMachine();
  const began: string[] = [];
  for (let round = 0; round < 12; round += 1) {
    await machine.collect({ argv: ['true'] });
    const [holder] = holders();
    const run = machine.collect({ argv: ['sh', '-c', `echo ${round} >> log; echo ran`] });
    // At a different moment of its start each time.
    await new Promise((resolve) => setTimeout(resolve, round % 6));
    process.kill(holder!, 'SIGKILL');
    const { code, stdout, stderr } = await run;
    // Either it had begun, and was killed with its holder or had ended, or it never had, and runs now.
    expect([0, 137], stderr.toString()).toContain(code);
    if (code === 0) began.push(stdout.toString().trim());
    await eventually('the core has noticed', () => !existsSync(`/proc/${holder}`));
  }
  expect(new Set(began)).toEqual(new Set(['ran']));
  const lines = existsSync(join(worktree, 'log')) ? readFileSync(join(worktree, 'log'), 'utf8').trim().split('\n') : [];
  expect(new Set(lines).size).toBe(lines.length);
});

test('a command that is killed at once is really gone', async () => {
  const { machine } = await openMachine();
  const seconds = mark();
  await Promise.all(Array.from({ length: 6 }, async () => (await machine.run({ argv: ['sleep', seconds] })).kill('kill')));
  expect(running(`^sleep ${seconds}`)).toEqual([]);
});

test('a machine outlives many more commands than its process limit', async () => {
  const { machine } = await openMachine({ policy: { ...POLICY, limits: { ...POLICY.limits, processes: 30 } } });
  expect(
    (await shell(machine, 'for i in $(seq 700); do /bin/true || exit 1; done; (sleep 0.2 & sleep 0.2 & sleep 0.2 & /bin/echo ok; wait)'))
      .out,
  ).toBe('ok');
});

test('daemons that ended leave no dead entry behind, however many', async () => {
  const { machine } = await openMachine({ policy: { ...POLICY, limits: { ...POLICY.limits, processes: 30 } } });
  await shell(machine, 'for i in $(seq 40); do (setsid sleep 0.05 >/dev/null 2>&1 &); done; true');
  await eventually('all ended', () => running('^sleep 0.05').length === 0);
  expect((await shell(machine, 'cat /proc/[0-9]*/stat | grep -c " Z "')).out).toBe('0');
});

test('ending one command never touches the next', async () => {
  const { machine } = await openMachine();
  for (let round = 0; round < 40; round += 1) {
    const child = await machine.run({ argv: ['sleep', '3600'] });
    void child.kill('terminate');
    await child.exited;
    const next = await Promise.all([machine.collect({ argv: ['true'] }), machine.collect({ argv: ['true'] })]);
    expect([round, ...next.map(({ code }) => code)]).toEqual([round, 0, 0]);
  }
}, 60_000);
