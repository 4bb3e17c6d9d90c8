import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createSandbox } from '../../agent-core/sandbox/index.ts';
import { Group, groupParent, sweepGroups } from '../../agent-core/sandbox/limits/groups.ts';
import type { Policy } from '../../agent-core/sandbox/types.ts';
import { eventually, POLICY, temporary } from './helpers.ts';

/** Where groups can be made here, whatever they can hold; and where they hold memory and processes too. */
const anywhere = groupParent([]);
const holding = groupParent();
const no = anywhere === null ? ' (skipped: no control group that may be changed here)' : '';
const none = holding === null ? ' (skipped: no control group of the second version with memory and pids to give here)' : '';

function sleeper() {
  const child = spawn('sleep', ['3600'], { stdio: 'ignore' });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return { pid: child.pid ?? 0, ended: new Promise((resolve) => child.once('exit', resolve)) };
}
const groupOf = (pid: number) => /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1];

test.skipIf(anywhere === null)(`a group takes a process, and ends it when it is removed${no}`, async () => {
  const group = Group.make(anywhere!, `test ${process.pid}`, {});
  const { pid, ended } = sleeper();
  expect(group?.take(pid)).toBe(true);
  expect(group?.path.endsWith(groupOf(pid) ?? 'none')).toBe(true);
  await group?.remove();
  await ended;
  expect(existsSync(group!.path)).toBe(false);
});

test.skipIf(anywhere === null)(`groups of a core that was killed are ended by the next, and no other${no}`, async () => {
  const left = join(anywhere!, 'signalbox-999999-1-left');
  const reused = join(anywhere!, `signalbox-${process.pid}-1-reused`);
  for (const path of [left, reused]) mkdirSync(path);
  const own = Group.make(anywhere!, 'own', {});
  onTestFinished(() => own?.remove());
  const { pid, ended } = sleeper();
  writeFileSync(join(left, 'cgroup.procs'), String(pid));
  await sweepGroups(anywhere!);
  await ended;
  expect([existsSync(left), existsSync(reused), existsSync(own!.path)]).toEqual([false, false, true]);
});

async function machineIn(groups: string | null, limits: Policy['limits']) {
  const base = temporary();
  mkdirSync(join(base, 'worktree'));
  const policy = { ...POLICY, limits };
  const machine = await createSandbox({ stateDir: join(base, 'sb'), env: process.env, kernelLimits: false, groups })
    .driver(policy)
    .open({ id: `group-${process.pid}`, stateDir: join(base, 'state'), worktree: join(base, 'worktree'), binds: [], env: {}, policy });
  onTestFinished(() => machine.dispose());
  return machine;
}
const members = () =>
  ours().flatMap((name) =>
    readFileSync(join(anywhere!, name, 'cgroup.procs'), 'utf8')
      .trim()
      .split('\n'),
  );
const ours = () => readdirSync(anywhere!).filter((name) => name.startsWith(`signalbox-${process.pid}-`));

test.skipIf(anywhere === null)(`a machine’s commands are in its group, and the group goes with it${no}`, async () => {
  const machine = await machineIn(anywhere, {});
  const child = await machine.run({ argv: ['sleep', '3600'] });
  expect(groupOf(child.pid)).toContain(`signalbox-${process.pid}-`);
  // The launcher's own children, wherever they have got to by then.
  await eventually('the command is there too', () => members().length > 1);
  await machine.dispose();
  expect(ours()).toEqual([]);
});

test.skipIf(anywhere === null || holding !== null)(
  `where a group can hold nothing the watchdog is alone, and nothing is left behind${no}`,
  async () => {
    const machine = await machineIn(anywhere, { processes: 40 });
    expect(ours()).toEqual([]);
    expect((await machine.collect({ argv: ['echo', 'runs'] })).stdout.toString()).toBe('runs\n');
  },
);

test.skipIf(holding === null)(`the kernel holds a machine’s processes and memory, and the result says which${none}`, async () => {
  const machine = await machineIn(holding, { processes: 50, memoryBytes: 128 * 1024 ** 2 });
  const bomb = await machine.collect({
    argv: ['perl', '-e', 'for (1..400) { my $p = fork; defined $p or exit 3; $p or do { sleep 3600 } }'],
  });
  expect(bomb).toMatchObject({ limit: { what: 'processes' } });
  const hog = await machine.collect({ argv: ['perl', '-e', 'my $x = "a" x (600 * 1024 * 1024); print "through"'] });
  expect(hog).toMatchObject({ code: 137, limit: { what: 'memory' } });
});
