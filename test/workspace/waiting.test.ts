import { existsSync, readFileSync, rmSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { agent, World } from './world.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.dispose());

test('a pipe where git looks for attributes holds nothing up for ever, and the reason is said', async () => {
  const workspace = await world.open();
  await agent(workspace, 'mkfifo .gitattributes; echo work > work.txt');
  const began = performance.now();
  await expect(workspace.checkpoint('x')).rejects.toMatchObject({
    detail: { code: 'git-failed', message: expect.stringContaining('did nothing for 15 seconds') },
  });
  expect(performance.now() - began).toBeLessThan(60_000);
  await agent(workspace, 'rm .gitattributes');
  expect(await workspace.checkpoint('y')).toBeTruthy();
}, 90_000);

test('a folder that took the place of `.git` is refused, and nothing runs', async () => {
  const workspace = await world.open();
  const { id, path } = workspace.info;
  await world.workspaces.close(id);
  rmSync(join(path, '.git'), { recursive: true });
  mkdirSync(join(path, '.git'));
  await expect(world.workspaces.open(id)).rejects.toMatchObject({ detail: { code: 'cannot-confine' } });
  expect(existsSync(join(path, '.git', 'HEAD'))).toBe(false);
  expect(readFileSync(join(path, 'README.md'), 'utf8')).toBe('# Hello\n');
});
