import { readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { WorkspaceId } from '../../agent-core/contract/index.ts';
import type { Context } from '../../agent-core/runtime/context.ts';
import type { Ending } from '../../agent-core/runtime/ending.ts';
import { Housekeeping } from '../../agent-core/runtime/housekeeping.ts';
import { agent, git, World } from './world.ts';

let world: World;
vi.setConfig({ testTimeout: 60_000 });
beforeEach(() => {
  world = new World();
});
afterEach(() => world.dispose());

const DAY = 24 * 60 * 60 * 1000;
const RETENTION = { days: 30, maxBytes: 1e12 };
const later = (days: number): number => Date.now() + days * DAY;

async function trashed(title: string, line: string): Promise<WorkspaceId> {
  const workspace = await world.open(title);
  await agent(workspace, line);
  await world.workspaces.trash(workspace.info.id);
  return workspace.info.id;
}

test('what was deleted goes after its time, and nothing goes that holds work which is nowhere else', async () => {
  const clean = await trashed('Clean', 'echo c > c; git add c; git commit -qm c');
  await trashed('Dirty', 'echo d > d');
  await trashed('Staged', 'echo s > s; git add s');
  await trashed('Ignored', 'mkdir node_modules; echo x > node_modules/x');
  const moved = await trashed('Branch gone', 'echo b > b; git add b; git commit -qm b');
  git(world.repo, 'branch', '-D', 'signalbox/branch-gone');
  const names = async (ids: Promise<WorkspaceId[]>): Promise<(string | undefined)[]> =>
    Promise.all((await ids).map(async (id) => (await world.workspaces.read(id))?.slug));
  expect(await names(world.workspaces.expired(RETENTION, later(29)))).toEqual([]);
  expect(await names(world.workspaces.expired(RETENTION, later(31)))).toEqual(['clean', 'ignored']);
  expect(await names(world.workspaces.expired({ days: 60, maxBytes: 1e12 }, later(31)))).toEqual([]);
  // Too much in the trash: the oldest of those that may go, whatever their day.
  expect(await names(world.workspaces.expired({ days: 3000, maxBytes: 0 }, later(0)))).toEqual(['clean', 'ignored']);
  expect((await world.workspaces.read(moved))?.phase).toBe('trashed');
  // Its commits are on no other branch: the branch stays, the hidden refs and the checkpoints go.
  await world.workspaces.keepBranch(clean);
  await world.workspaces.purge(clean);
  expect(git(world.repo, 'log', '-1', '--format=%s', 'signalbox/clean')).toBe('c');
  expect(git(world.repo, 'for-each-ref', `refs/signalbox/${clean}`)).toBe('');
  expect(await world.workspaces.read(clean)).toBe(null);
});

test('a task whose commits the base has goes with its branch', async () => {
  const workspace = await world.open('Landed');
  await agent(workspace, 'echo l > l; git add l; git commit -qm l');
  await workspace.land('merge');
  await world.workspaces.trash(workspace.info.id);
  expect(await world.workspaces.expired(RETENTION, later(31))).toEqual([workspace.info.id]);
  await world.workspaces.keepBranch(workspace.info.id);
  await world.workspaces.purge(workspace.info.id);
  expect(git(world.repo, 'for-each-ref', '--format=%(refname)')).toBe('refs/heads/main');
});

test('old checkpoints go, the newest and what is still shown stay, and the room is given back', async () => {
  const workspace = await world.open();
  const made = [];
  for (const letter of ['a', 'b', 'c', 'd']) {
    await agent(workspace, `echo ${letter} > file; head -c 20000 /dev/urandom > big`);
    made.push(await workspace.checkpoint(letter));
  }
  const store = workspace.checkpoints;
  const chain = (): string[] => git(store, 'log', '--format=%s', `refs/workspaces/${workspace.info.id}`).split('\n');
  expect(chain()).toEqual(['d', 'c', 'b', 'a']);
  expect(await world.workspaces.expireCheckpoints(RETENTION, new Set(), later(29))).toBe(0);
  expect(await world.workspaces.expireCheckpoints(RETENTION, new Set([made[1]?.tree ?? '']), later(31))).toBe(1);
  expect(chain()).toEqual(['d', 'c', 'b']);
  // Made long ago, as far as the collector can tell.
  const age = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) age(path);
      else utimesSync(path, 1e9, 1e9);
    }
  };
  age(join(store, 'objects'));
  expect(await world.workspaces.expireCheckpoints(RETENTION, new Set(), later(31))).toBe(2);
  expect(chain()).toEqual(['d']);
  const holds = (tree: string | undefined): boolean => {
    try {
      git(store, 'cat-file', '-e', `${tree}^{tree}`);
      return true;
    } catch {
      return false;
    }
  };
  expect(made.map(({ tree }) => holds(tree))).toEqual([false, false, false, true]);
  expect(git(store, 'fsck', '--connectivity-only')).not.toMatch(/missing|broken/);
  await agent(workspace, 'echo e > file');
  const next = await workspace.checkpoint('e');
  expect(chain()).toEqual(['e', 'd']);
  expect((await workspace.diff(made[3]?.tree ?? '', next.tree)).map((file) => file.path)).toEqual(['file']);
  await workspace.land('squash', 'Landed');
});

test('too large a store goes back sooner, and one of a workspace that is gone goes at once', async () => {
  const workspace = await world.open();
  for (const letter of ['a', 'b', 'c']) {
    await agent(workspace, `echo ${letter} > file`);
    await workspace.checkpoint(letter);
  }
  const id = workspace.info.id;
  expect(await world.workspaces.expireCheckpoints({ days: 30, maxBytes: 1 }, new Set(), later(5))).toBe(2);
  git(workspace.checkpoints, 'update-ref', 'refs/workspaces/ws_gone', `refs/workspaces/${id}`);
  expect(await world.workspaces.expireCheckpoints(RETENTION, new Set(), later(0))).toBe(1);
  expect(git(workspace.checkpoints, 'for-each-ref', '--format=%(refname)')).toBe(`refs/workspaces/${id}`);
});

test('the core lets go of tasks in the trash by the person’s own number of days, and of no other', async () => {
  const ids = [await trashed('One', 'true'), await trashed('Two', 'true')] as const;
  const task = (id: string, workspace: WorkspaceId, phase: string): object => ({ id, phase, seen: null, attempt: `a-${id}`, workspace });
  const purged: string[] = [];
  const board = {
    settings: { retentionDays: 3 },
    tasks: { t1: task('t1', ids[0], 'trashed'), t2: task('t2', ids[1], 'active') },
    attempts: { 'a-t1': { workspaceId: ids[0] }, 'a-t2': { workspaceId: ids[1] } },
    workspaces: { [ids[0]]: { id: ids[0] }, [ids[1]]: { id: ids[1] } },
  };
  const context = { store: { board }, workspaces: world.workspaces, now: Date.now, log: () => {} } as unknown as Context;
  const housekeeping = new Housekeeping(context, { purge: async (id: string) => void purged.push(id) } as unknown as Ending);
  await housekeeping.run(later(2));
  expect(purged).toEqual([]);
  await housekeeping.run(later(4));
  expect(purged).toEqual(['t1']);
});
