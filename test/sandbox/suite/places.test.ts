import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createSandbox } from '../../../agent-core/sandbox/index.ts';
import { findToolchains } from '../../../agent-core/sandbox/person/toolchains.ts';
import { POLICY, shell, temporary } from '../helpers.ts';

const program = (folder: string) => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'tool'), '#!/bin/sh\n', { mode: 0o755 });
  return folder;
};

test('a repository whose programs are on PATH is not shown, nor what holds our own data', () => {
  const home = temporary();
  for (const at of ['code/app/.git', 'code/app/lib', 'code/app/tools/lib', 'my/here/lib', 'my/here/signalbox/sandbox'])
    mkdirSync(join(home, at), { recursive: true });
  const PATH = ['code/app', 'code/app/bin', 'code/app/tools/bin', 'my/here/bin'].map((at) => program(join(home, at))).join(':');
  const found = findToolchains({ PATH }, home, join(home, 'my/here/signalbox/sandbox')).map((path) => path.slice(home.length));
  expect(found).toEqual(['/code/app/bin', '/code/app/tools/bin', '/my/here/bin']);
});

test('keys beside the tools of uv stay out', () => {
  const home = temporary();
  for (const at of ['tools/x/bin', 'python/p/bin', 'credentials']) program(join(home, '.local/share/uv', at));
  const found = findToolchains({ PATH: join(home, '.local/share/uv/tools/x/bin') }, home);
  expect(found.map((path) => path.slice(home.length))).toEqual(['/.local/share/uv/python', '/.local/share/uv/tools']);
});

/** A machine of a person whose home is `home`. */
async function machineAt(base: string, home: string, worktree: string, stateDir = join(base, 'data/state')) {
  const env = { PATH: '/usr/bin:/bin', HOME: home, SHELL: '/bin/sh' };
  const machine = await createSandbox({ stateDir: join(base, 'data/sandbox'), env })
    .driver(POLICY)
    .open({ id: `place-${Date.now()}`, stateDir, worktree, binds: [], env: {}, policy: POLICY });
  onTestFinished(() => machine.dispose());
  return machine;
}

test('a worktree that holds the person’s home or our data is refused, and nothing runs', async () => {
  const base = temporary();
  const worktree = join(base, 'w');
  mkdirSync(join(worktree, 'home'), { recursive: true });
  const home = await machineAt(base, join(worktree, 'home'), worktree);
  await expect(home.collect({ argv: ['touch', 'ran'] })).rejects.toThrow(/holds your home folder/);
  mkdirSync(join(base, 'person'));
  const data = await machineAt(base, join(base, 'person'), worktree, join(worktree, 'data/state'));
  await expect(data.collect({ argv: ['touch', 'ran'] })).rejects.toThrow(/holds the data of Signalbox/);
  expect(existsSync(join(worktree, 'ran'))).toBe(false);
});

test('a link that an earlier command left above a mount is put aside, not followed out', async () => {
  const base = temporary();
  const home = join(base, 'person');
  const worktree = join(home, 'deep/tree');
  const victim = join(base, 'victim');
  for (const folder of [worktree, victim, join(base, 'data/state/home')]) mkdirSync(folder, { recursive: true });
  symlinkSync(`/oldroot${victim}`, join(base, 'data/state/home/deep'));
  const machine = await machineAt(base, home, worktree);
  expect((await shell(machine, 'pwd; touch made')).out).toBe(worktree);
  expect(existsSync(join(worktree, 'made'))).toBe(true);
  expect(existsSync(join(victim, 'tree'))).toBe(false);
  expect((await shell(machine, `mv ${home}/deep ${home}/moved`)).code).not.toBe(0);
});
