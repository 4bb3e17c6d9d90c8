import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { createCore } from '../../agent-core/core.ts';
import { say } from '../model-server/index.ts';
import { Rig } from './support.ts';

let rig: Rig;
afterEach(() => rig.close());

test('a place for worktrees that can’t be one is refused where it is set, and the one before stays', async () => {
  rig = await Rig.start(() => [say('ok')]);
  const write = (worktreeRoot: string | null) => rig.call('settings/write', { change: { worktreeRoot } });
  const there = join(rig.folder, 'other disk', 'worktrees');
  expect(await write(there)).toMatchObject({ worktreeRoot: there });
  writeFileSync(join(rig.folder, 'a-file'), '');
  for (const wrong of ['relative/place', join(rig.folder, 'a-file', 'below')]) {
    await expect(write(wrong)).rejects.toMatchObject({ detail: { code: 'invalid-input', fix: expect.any(String) as string } });
  }
  expect(rig.board.settings.worktreeRoot).toBe(there);
  const task = await rig.create('Go there');
  await rig.reaches(task.id, 'review');
  expect(rig.worktree(task.id).startsWith(`${there}/`)).toBe(true);
  expect(await write('')).toMatchObject({ worktreeRoot: null });
});

test('the sample is made once, however many ask for it at once', async () => {
  rig = await Rig.start(() => [say('ok')]);
  const made = await Promise.all([rig.call('project/sample', {}), rig.call('project/sample', {}), rig.call('project/sample', {})]);
  expect(new Set(made.map(({ id }) => id)).size).toBe(1);
  expect(existsSync(join(made[0]!.root, '.git'))).toBe(true);
});

test('the app’s limit of tasks at once is not one for commands that run in a core of their own', async () => {
  const both = Promise.withResolvers<void>();
  let requests = 0;
  rig = await Rig.start(async () => {
    requests += 1;
    if (requests === 2) both.resolve();
    await both.promise;
    return [say('ok')];
  });
  await rig.call('settings/write', { change: { concurrency: 1 } });
  await rig.core.dispose();
  rig.core = await createCore({
    home: rig.home,
    host: 'cli',
    openOn: null,
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      OPENAI_BASE_URL: rig.model.url,
      OPENAI_API_KEY: 'sk-test',
      SIGNALBOX_MODEL: 'gpt-5.5',
    },
  });
  const tasks = await Promise.all(['One', 'Two'].map((prompt) => rig.create(prompt, { origin: 'batch' })));
  for (const { id } of tasks) await rig.reaches(id, 'review');
});
