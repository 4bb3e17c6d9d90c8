import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { elsewhere } from '../../agent-core/sandbox/drivers/elsewhere.ts';
import { hasSeatbelt } from '../../agent-core/sandbox/drivers/seatbelt/index.ts';
import { createLandlockDriver, findLandlock, landlockArguments, WEAKER } from '../../agent-core/sandbox/drivers/landlock/index.ts';
import {
  chooseDistribution,
  coreCommand,
  isSlow,
  parseDistributions,
  toLinuxPath,
  toWindowsPath,
} from '../../agent-core/sandbox/drivers/wsl/index.ts';
import { createSandbox, findProgram } from '../../agent-core/sandbox/index.ts';
import type { MachineSpec } from '../../agent-core/sandbox/types.ts';

const find = (name: string): string | null => findProgram(name, process.env);
const spec = (mode: MachineSpec['policy']['mode'] = 'workspace', dir = '/home/ada'): MachineSpec => ({
  id: 'ws',
  stateDir: `${dir}/state`,
  worktree: `${dir}/w`,
  binds: [],
  policy: { mode, network: { allow: [] }, limits: {} },
  env: {},
});

test('Landlock: a setpriv that is too old, or none, is said with what to do; it is never a fence by silence', async () => {
  expect(findLandlock(() => null)).toMatchObject({ fix: expect.stringContaining('2.40') as string });
  expect(
    findLandlock(
      () => '/usr/bin/setpriv',
      () => '--no-new-privs',
    ),
  ).toMatchObject({ reason: expect.stringContaining('older than util-linux 2.40') as string });
  const driver = createLandlockDriver({ find: () => null, person: async () => ({ env: {}, toolchains: [] }) });
  await expect(driver.open(spec())).rejects.toMatchObject({ detail: { code: 'cannot-confine' } });
  expect(WEAKER).toMatch(/Weaker/);
});

test('Landlock: the rules are the policy’s; a bind in another place and full access are refused', () => {
  const rules = (mode: MachineSpec['policy']['mode'], request = {}): string[] =>
    landlockArguments('/usr/bin/setpriv', spec(mode), request, []).filter((word) => word.startsWith('path-beneath:'));
  const writable = (list: string[]): string[] =>
    list.filter((rule) => rule.includes('make-reg')).map((rule) => rule.slice(rule.lastIndexOf(':') + 1));
  expect(writable(rules('workspace'))).toEqual(['/home/ada/state/home', '/home/ada/state/tmp', '/home/ada/w']);
  expect(writable(rules('read-only'))).toEqual(['/home/ada/state/home', '/home/ada/state/tmp']);
  expect(writable(rules('workspace', { access: 'read' }))).toEqual(['/home/ada/state/home', '/home/ada/state/tmp']);
  expect(rules('workspace').some((rule) => /:(?:\/|\/home|\/home\/ada)$/.test(rule))).toBe(false);
  expect(() => landlockArguments('s', spec('full'), {}, [])).toThrow();
  expect(() => landlockArguments('s', spec(), { binds: [{ source: '/a', target: '/b', access: 'read' }] }, [])).toThrow(/no mounts/);
});

test('Landlock holds where it is', async ({ skip }) => {
  const found = findLandlock(find);
  if ('reason' in found) return skip(found.reason);
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'signalbox-landlock-')));
  try {
    for (const name of ['w', 'state']) mkdirSync(join(dir, name));
    writeFileSync(join(dir, 'secret'), 'secret');
    const machine = await createLandlockDriver({ find, person: async () => ({ env: { PATH: '/usr/bin:/bin' }, toolchains: [] }) }).open(
      spec('workspace', dir),
    );
    const sh = (line: string) => machine.collect({ argv: ['/bin/sh', '-c', line] });
    expect((await sh('echo x > a; git init -q .; cat a')).stdout.toString()).toBe('x\n');
    expect((await sh(`cat ${dir}/secret`)).code).not.toBe(0);
    expect((await sh(`echo x > ${dir}/x`)).code).not.toBe(0);
    await machine.dispose();
    expect(existsSync(join(dir, 'x'))).toBe(false);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

test('no fence at all is taken for Full access and for nothing else, whatever is missing on the machine', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'signalbox-none-'));
  try {
    const sandbox = createSandbox({ stateDir: join(dir, 'sandbox'), env: { PATH: '/nowhere', HOME: dir } });
    for (const mode of ['read-only', 'workspace', 'ask'] as const) expect(sandbox.driver(spec(mode).policy).name).not.toBe('none');
    expect(sandbox.driver(spec('full').policy).name).toBe('none');
    // Nor is the weaker one taken but by name.
    expect(sandbox.driver(spec('workspace').policy).name).not.toMatch(/weaker/);
    expect(sandbox.driver({ ...spec('workspace').policy, fence: 'landlock' }).name).toMatch(/weaker/);
    for (const platform of ['win32', 'freebsd', ...(hasSeatbelt() ? [] : (['darwin'] as const))] as const)
      await expect(elsewhere(platform, async () => ({ env: {}, toolchains: [] })).open(spec('workspace', dir))).rejects.toMatchObject({
        detail: { code: 'cannot-confine', fix: expect.any(String) as string },
      });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

const LISTED =
  '  NAME                   STATE           VERSION\r\n* Ubuntu                 Running         1\r\n  Debian                 Stopped         2\r\n  docker-desktop         Stopped         2\r\n';

test('Windows: the Linux driver in WSL 2, or a clear no with the next step', () => {
  const list = parseDistributions(Buffer.from(`\ufeff${LISTED}`, 'utf16le'));
  expect(list).toEqual([
    { name: 'Ubuntu', version: 1, isDefault: true },
    { name: 'Debian', version: 2, isDefault: false },
  ]);
  expect(parseDistributions(Buffer.from(LISTED))).toEqual(list);
  expect(chooseDistribution(list).name).toBe('Debian');
  const fix = (of: Parameters<typeof chooseDistribution>[0]): unknown => {
    try {
      return chooseDistribution(of);
    } catch (error) {
      return (error as { detail: { code: string; fix: string } }).detail;
    }
  };
  expect(fix(null)).toMatchObject({ code: 'cannot-confine', fix: 'wsl --install' });
  expect(fix([])).toMatchObject({ fix: 'wsl --install -d Debian' });
  expect(fix(list.slice(0, 1))).toMatchObject({ fix: 'wsl --set-version Ubuntu 2' });
});

test('Windows: paths there and back, and none that the distribution can’t see', () => {
  const there: [string, string][] = [
    ['C:\\Users\\Ada\\my work', '/mnt/c/Users/Ada/my work'],
    ['D:/x/y', '/mnt/d/x/y'],
    ['\\\\?\\C:\\x', '/mnt/c/x'],
    ['\\\\wsl.localhost\\Debian\\home\\ada', '/home/ada'],
    ['\\\\wsl$\\debian\\home', '/home'],
  ];
  for (const [windows, linux] of there) expect(toLinuxPath(windows, 'Debian')).toBe(linux);
  for (const path of ['\\\\server\\share\\x', '\\\\wsl.localhost\\Ubuntu\\home', 'relative\\x', 'C:x'])
    expect(() => toLinuxPath(path, 'Debian'), path).toThrow();
  expect(toWindowsPath('/mnt/c/Users/Ada', 'Debian')).toBe('C:\\Users\\Ada');
  expect(toWindowsPath('/home/ada/x', 'Debian')).toBe('\\\\wsl.localhost\\Debian\\home\\ada\\x');
  expect([isSlow('/mnt/c/x'), isSlow('/mnt/data/x'), isSlow('/home')]).toEqual([true, false, false]);
  expect(coreCommand('Debian', '/opt/signalbox', ['serve', 'a b; rm -rf'])).toEqual([
    '--distribution',
    'Debian',
    '--cd',
    '~',
    '--exec',
    '/opt/signalbox',
    'serve',
    'a b; rm -rf',
  ]);
});
