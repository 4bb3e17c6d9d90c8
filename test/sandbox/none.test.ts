import { realpathSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { eventually, openMachine, POLICY, running, shell, watch } from './helpers.ts';

const open = () => openMachine({ policy: { ...POLICY, mode: 'full' } });

test('full access: runs outside, in the worktree, with the login environment and no keys of ours', async () => {
  process.env['OPENAI_API_KEY'] = 'sk-secret';
  onTestFinished(() => {
    delete process.env['OPENAI_API_KEY'];
  });
  const { machine, worktree } = await open();
  const { out } = await shell(machine, 'pwd; readlink /proc/self/ns/net; env');
  expect(out.split('\n').slice(0, 2)).toEqual([realpathSync(worktree), (await import('node:fs')).readlinkSync('/proc/self/ns/net')]);
  expect(out).not.toContain('sk-secret');
});

test('killing and disposing end the tree, daemons included; a terminal works', async () => {
  const { machine } = await open();
  const seconds = `5${process.pid}`;
  const child = await machine.run({ argv: ['sh', '-c', `setsid sleep ${seconds}.1 & sleep ${seconds}.1`] });
  await eventually('both sleep', () => running(`^sleep ${seconds}.1`).length === 2);
  await child.kill('kill');
  expect(running(`^sleep ${seconds}.1`)).toEqual([]);
  const terminal = await machine.run({
    argv: ['sh', '-c', `stty size; setsid sleep ${seconds}.2 & sleep ${seconds}.2`],
    tty: { cols: 70, rows: 20 },
  });
  await watch(terminal).until('20 70');
  await machine.dispose();
  expect(running(`^sleep ${seconds}.2`)).toEqual([]);
});
