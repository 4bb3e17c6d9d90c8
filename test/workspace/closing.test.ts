import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextLoop } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { put, World } from './world.ts';

let world: World;
afterEach(() => world.dispose());

test('asked for while it moves to the trash, a workspace is not opened there, and it comes back whole', async () => {
  world = new World();
  const workspace = await world.open();
  const { id, path } = workspace.info;
  put(path, { 'kept.txt': 'kept\n' });
  let over = false;
  const trashing = world.workspaces.trash(id).finally(() => {
    over = true;
  });
  const asking: Promise<unknown>[] = [];
  while (!over) {
    asking.push(world.workspaces.open(id).catch(() => workspace));
    await nextLoop();
  }
  await trashing;
  expect(new Set(await Promise.all(asking))).toEqual(new Set([workspace]));
  expect((await world.workspaces.read(id))?.phase).toBe('trashed');
  await expect(world.workspaces.open(id)).rejects.toMatchObject({ detail: { code: 'conflict' } });
  await expect(workspace.save()).rejects.toMatchObject({ detail: { code: 'conflict' } });
  await world.workspaces.restore(id);
  expect(readFileSync(join(path, 'kept.txt'), 'utf8')).toBe('kept\n');
  await (await world.workspaces.open(id)).checkpoint('after');
});

test('opened again while it is being closed, it is a new one that works', async () => {
  world = new World();
  const first = await world.open();
  const { id } = first.info;
  const closing = world.workspaces.close(id);
  const second = await world.workspaces.open(id);
  await closing;
  expect(second).not.toBe(first);
  await second.checkpoint('again');
});
