import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { expect, test } from 'vitest';
import { webSocketChannel } from '../../agent-core/hosts/channels.ts';
import { connectClient, type CoreClient } from '../../agent-core/hosts/client.ts';
import { desk, jsonLines, repository, type Running } from './support/cli.ts';
import { until } from './support/core.ts';

async function address(running: Running): Promise<URL> {
  await until(() => running.stdout().includes('\n'), 'the address', 60_000);
  const [line] = jsonLines(running.stdout());
  expect(line).toEqual({ url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/#token=[\w-]{40,}$/) });
  return new URL(String(line!['url']));
}

async function page(url: URL): Promise<CoreClient> {
  const socket = new WebSocket(`ws://${url.host}/wire`, { origin: url.origin });
  await new Promise((resolve, reject) => {
    socket.on('open', resolve).on('error', reject);
  });
  return connectClient(webSocketChannel(socket), { token: url.hash.replace('#token=', '') });
}

test('serves the app on a folder; a second one attaches, and takes over when the first is killed', async () => {
  const my = desk();
  const repo = repository(join(my.folder, 'repo'));
  const first = my.start(['serve', repo, '--json']);
  const url = await address(first);
  expect(await (await fetch(`${url.origin}/`)).text()).toContain('<div id=');
  const client = await page(url);
  expect(Object.values(client.board.projects)).toMatchObject([{ root: repo }]);

  const second = my.start(['serve', '--json']);
  const other = await page(await address(second));
  await other.call('settings/write', { change: { theme: 'dark' } });
  await until(() => client.board.settings.theme === 'dark', 'the news from the other page');

  first.child.kill('SIGKILL');
  await until(() => other.closed, 'the other page to be cut off');
  const again = await Promise.all([page(await address(second)), page(await address(second))]);
  for (const each of again) expect(each.board.settings.theme).toBe('dark');
  second.child.kill('SIGTERM');
  expect((await second.outcome).code).toBe(0);
}, 120_000);

test('says what is wrong with a folder or a port, and ends', async () => {
  const my = desk();
  mkdirSync(join(my.folder, 'plain'));
  expect(await my.run(['serve', 'plain'])).toMatchObject({ code: 2, stderr: expect.stringContaining('not in a git repository') });
  const first = my.start(['serve', '--json']);
  const { port } = await address(first);
  expect(await my.run(['serve', '--port', port])).toMatchObject({ code: 1, stderr: expect.stringContaining(`Port ${port} is taken`) });
  first.child.kill('SIGINT');
  expect((await first.outcome).code).toBe(0);
}, 120_000);

test('without a display the app opens in the browser host, and says why in one line', async () => {
  const my = desk();
  const running = my.start([repository(join(my.folder, 'repo'))], { env: { DISPLAY: '', WAYLAND_DISPLAY: '' } });
  await until(() => running.stdout().includes('#token='), 'the address', 60_000);
  running.child.kill('SIGTERM');
  const { code, stdout, stderr } = await running.outcome;
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Signalbox is at http:\/\/127\.0\.0\.1:\d+\/#token=\S+\n$/);
  expect(stderr.split('\n').filter((line) => line.includes('browser'))).toEqual([
    'There is no display here: opening Signalbox in the browser instead.',
  ]);
}, 120_000);
