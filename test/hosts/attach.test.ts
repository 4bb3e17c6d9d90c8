import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { obtainCore, type Obtained } from '../../agent-core/hosts/attach.ts';
import { resolveHome, socketPath } from '../../agent-core/hosts/home.ts';
import { smallCore, settings, until } from './support/core.ts';
import { temp } from './support/temp.ts';

const script = fileURLToPath(new URL('./support/become.ts', import.meta.url));

async function become(home: string) {
  const child = spawn(process.execPath, [script, home], { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, ...(JSON.parse(line.toString()) as { own: boolean; seq: number }) };
}
const obtain = (home: string): Promise<Obtained> => obtainCore({ home, host: 'test', createCore: async () => smallCore(home) });

test('of ten that start at once one becomes the core, the others attach', async () => {
  const home = temp();
  const all = await Promise.all(Array.from({ length: 10 }, () => become(home)));
  expect(all.filter(({ own }) => own)).toHaveLength(1);
  expect(statSync(socketPath(home)).mode & 0o777).toBe(0o600);
  expect(statSync(join(home, 'core.lock')).mode & 0o777).toBe(0o600);
}, 60_000);

test('in one process too, and the news reaches both', async () => {
  const home = temp();
  const [a, b] = await Promise.all([obtain(home), obtain(home)]);
  expect([a, b].filter(({ own }) => own)).toHaveLength(1);
  const other = a.own ? b : a;
  await other.client.call('settings/write', { change: { theme: 'dark' } });
  await until(() => a.client.board.settings.theme === 'dark' && b.client.board.settings.theme === 'dark', 'both know');
  await other.close();
  await (a.own ? a : b).close();
});

test('a core that was killed leaves nothing that hinders the next', async () => {
  const home = temp();
  const first = await become(home);
  expect(first.own).toBe(true);
  first.child.kill('SIGKILL');
  await once(first.child, 'exit');
  expect(existsSync(socketPath(home))).toBe(true);
  const next = await obtain(home);
  expect(next.own).not.toBeNull();
  expect((await become(home)).own).toBe(false);
  await next.close();
});

test('one that ends in order makes room, and its clients are told', async () => {
  const home = temp();
  const first = await obtain(home);
  const second = await obtain(home);
  let told = false;
  second.client.onClose(() => {
    told = true;
  });
  await first.close();
  await until(() => told, 'told');
  await expect(second.client.call('snapshot', {})).rejects.toMatchObject({ detail: { code: 'internal' } });
  const third = await obtain(home);
  expect(third.own).not.toBeNull();
  await third.close();
});

test('garbage on the socket ends that connection alone', async () => {
  const home = temp();
  const obtained = await obtain(home);
  const { connect } = await import('node:net');
  const socket = connect(socketPath(home));
  socket.write('not json\n');
  await once(socket, 'close');
  await obtained.client.call('settings/write', { change: settings.theme === 'dark' ? {} : { theme: 'dark' } });
  await obtained.close();
});

test('a core that failed to start lets the next one try', async () => {
  const home = temp();
  await expect(
    obtainCore({
      home,
      host: 'test',
      createCore: async () => {
        throw new Error('no disk');
      },
    }),
  ).rejects.toThrow('no disk');
  const next = await obtain(home);
  await next.close();
});

test('a core that can’t open its door ends before the home looks free', async () => {
  const home = temp();
  mkdirSync(join(home, 'core.sock'));
  let disposed = false;
  const core = smallCore(home);
  const createCore = async () => ({
    ...core,
    dispose: async () => {
      disposed = true;
    },
  });
  await expect(obtainCore({ home, host: 'test', createCore })).rejects.toThrow();
  expect(disposed).toBe(true);
});

test('a home with a long path has its socket elsewhere, in a private folder', async () => {
  const home = join(temp(), 'x'.repeat(120));
  const obtained = await obtain(home);
  expect(obtained.own).not.toBeNull();
  expect(socketPath(home).length).toBeLessThan(104);
  const other = await obtain(home);
  expect(other.own).toBeNull();
  await other.close();
  await obtained.close();
});

test('the home is private, and what can’t be one is said', async () => {
  const folder = temp();
  const home = join(folder, 'a', 'home');
  await (await obtain(home)).close();
  expect(statSync(home).mode & 0o777).toBe(0o700);
  chmodSync(home, 0o755);
  await (await obtain(home)).close();
  expect(statSync(home).mode & 0o777).toBe(0o700);
  writeFileSync(join(folder, 'file'), '');
  await expect(obtain(join(folder, 'file'))).rejects.toMatchObject({ detail: { code: 'no-folder' } });
  await expect(obtain(join(folder, 'file', 'below'))).rejects.toMatchObject({ detail: { fix: expect.stringContaining('SIGNALBOX_HOME') } });
});

test('someone else’s socket in the way of ours is replaced only under our lock', async () => {
  const home = temp();
  const squatter = createServer();
  await new Promise<void>((resolve) => {
    squatter.listen(join(home, 'core.sock'), resolve);
  });
  squatter.close();
  const obtained = await obtain(home);
  expect(obtained.own).not.toBeNull();
  await obtained.close();
});

test.each([
  ['linux', { SIGNALBOX_HOME: '/x/y' }, '/x/y'],
  ['linux', { XDG_DATA_HOME: '/data' }, '/data/signalbox'],
  ['linux', { XDG_DATA_HOME: 'relative' }, '/home/me/.local/share/signalbox'],
  ['linux', {}, '/home/me/.local/share/signalbox'],
  ['darwin', {}, '/home/me/Library/Application Support/Signalbox'],
] as const)('home on %s with %j', (platform, env, expected) => {
  expect(resolveHome(env, platform, '/home/me')).toBe(expected);
});
