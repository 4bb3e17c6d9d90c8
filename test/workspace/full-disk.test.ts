import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { newId } from '../../agent-core/support/ids.ts';
import type { WorkspaceId } from '../../agent-core/contract/index.ts';
import { git, World } from './world.ts';

test('a worktree that does not fit on its disk says so and leaves nothing behind', async ({ skip }) => {
  if (process.getuid?.() !== 0) skip('only root can mount a small disk');
  const world = new World('a repo', { 'big.txt': randomBytes(6_000_000).toString('hex') });
  onTestFinished(() => world.dispose());
  const disk = join(world.home, 'worktrees');
  mkdirSync(disk);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk]);
  onTestFinished(() => {
    execFileSync('umount', ['-l', disk]);
  });
  const before = git(world.repo, 'for-each-ref');
  const project = await world.project();
  await expect(
    world.workspaces.prepare({
      workspaceId: newId<WorkspaceId>('ws'),
      project,
      title: 'Too big',
      base: { ref: 'main', kind: 'local' },
      mode: 'workspace',
    }),
  ).rejects.toMatchObject({ detail: { code: 'disk-full', fix: expect.stringContaining('Make room') as string } });
  expect(readdirSync(disk)).toEqual([]);
  expect(git(world.repo, 'for-each-ref')).toBe(before);
  expect(git(world.repo, 'worktree', 'list').split('\n')).toHaveLength(1);
});
