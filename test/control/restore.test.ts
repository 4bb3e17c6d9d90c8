import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import type { TaskId } from '../../agent-core/contract/index.ts';
import { call, say, userTexts } from '../model-server/index.ts';
import { git, Rig } from '../runtime/support.ts';

let rig: Rig;
afterEach(() => rig.close());
// Several turns of a real core, on a machine that does other things too.
vi.setConfig({ testTimeout: 60_000 });

/** What the person says is run as a command. */
async function obeying(): Promise<Rig> {
  return Rig.start((request) => {
    const last = request.input.at(-1);
    return last?.type === 'function_call_output' ? [say('ok')] : [call('exec_command', { cmd: userTexts(request).at(-1)! })];
  });
}
const turn = (id: TaskId, number: number): Promise<void> =>
  rig.until(() => rig.thread(id).turn?.number === number && rig.status(id) === 'review', `turn ${number}`);
async function go(id: TaskId, text: string): Promise<void> {
  const number = (rig.thread(id).turn?.number ?? 0) + 1;
  await rig.call('turn/start', { threadId: rig.thread(id).id, text });
  await turn(id, number);
}
const undo = async (id: TaskId): Promise<void> =>
  void (await rig.call('thread/undo', { threadId: rig.thread(id).id, turnId: rig.thread(id).turn!.id }));
const at = (id: TaskId, name: string): string => join(rig.worktree(id), name);

test('modes, links, odd names, deleted folders and commits: the files are as they were, the commit stays on the branch', async () => {
  rig = await obeying();
  const { id } = await rig.create(
    'mkdir -p deep/er; echo 1 > deep/er/x; printf "#!/bin/sh\n" > run.sh; chmod +x run.sh; ln -s run.sh link; echo u > "ü \'quoted\'"; printf "a\\r\\nb" > crlf',
  );
  await turn(id, 1);
  const branch = rig.board.workspaces[rig.board.attempts[rig.task(id).attempt!]!.workspaceId]!.branch;
  await go(
    id,
    'git add -A; git commit -qm kept; rm -rf deep run.sh link crlf; echo file > deep; mkdir link; echo in > link/in; rm u* ü*; echo two > a.txt',
  );
  expect(git(rig.repo, 'log', '--format=%s', '-1', branch)).toBe('kept');
  await undo(id);
  expect(readFileSync(at(id, 'deep/er/x'), 'utf8')).toBe('1\n');
  expect(lstatSync(at(id, 'run.sh')).mode & 0o111).toBe(0o111);
  expect(readlinkSync(at(id, 'link'))).toBe('run.sh');
  expect(readFileSync(at(id, "ü 'quoted'"), 'utf8')).toBe('u\n');
  expect(readFileSync(at(id, 'crlf'), 'utf8')).toBe('a\r\nb');
  expect(readFileSync(at(id, 'a.txt'), 'utf8')).toBe('one\ntwo\nthree\n');
  expect(git(rig.repo, 'log', '--format=%s', '-1', branch)).toBe('kept');
  expect(git(rig.worktree(id), 'log', '--format=%s', '-1')).toBe('kept');
});

test('an ignored file that stands in the way is not overwritten: refused, and nothing has changed', async () => {
  rig = await obeying();
  const { id } = await rig.create('echo data > cache; echo x > x');
  await turn(id, 1);
  await go(id, 'rm cache x; echo y > y');
  // By hand: what was a file is an ignored folder now, and holds what nothing else has.
  writeFileSync(at(id, '.gitignore'), 'cache/\n');
  mkdirSync(at(id, 'cache'));
  writeFileSync(at(id, 'cache/precious'), 'only here\n');
  const said = (await rig.call('thread/read', { threadId: rig.thread(id).id })).items.length;
  await expect(undo(id)).rejects.toMatchObject({ detail: { code: 'conflict' } });
  expect(readFileSync(at(id, 'cache/precious'), 'utf8')).toBe('only here\n');
  expect([existsSync(at(id, 'x')), existsSync(at(id, 'y'))]).toEqual([false, true]);
  expect((await rig.call('thread/read', { threadId: rig.thread(id).id })).items).toHaveLength(said);
  expect(rig.thread(id).turn?.number).toBe(2);
  rmSync(at(id, 'cache'), { recursive: true });
  await undo(id);
  expect(readFileSync(at(id, 'cache'), 'utf8')).toBe('data\n');
});

test('planted links, filters and hooks run nothing on the host and lead nowhere when files are put back', async () => {
  rig = await obeying();
  const outside = join(rig.folder, 'outside');
  mkdirSync(outside);
  const { id } = await rig.create('mkdir sub; echo inside > sub/f; printf "* filter=evil\\n" > .gitattributes');
  await turn(id, 1);
  await go(
    id,
    `rm -rf sub; git config filter.evil.smudge "touch ${outside}/ran; cat"; git config filter.evil.clean "touch ${outside}/ran; cat"; git config core.fsmonitor "touch ${outside}/ran"; echo more > b.txt`,
  );
  // The folder of what is put back is a way out of the worktree now.
  symlinkSync(outside, at(id, 'sub'));
  chmodSync(outside, 0o777);
  await undo(id);
  expect(existsSync(join(outside, 'f'))).toBe(false);
  expect(existsSync(join(outside, 'ran'))).toBe(false);
  expect(lstatSync(at(id, 'sub')).isDirectory()).toBe(true);
  expect(readFileSync(at(id, 'sub/f'), 'utf8')).toBe('inside\n');
});

test('a stopped turn and one that failed are undone too; an empty conversation says what to do', async () => {
  rig = await obeying();
  const { id } = await rig.create('echo x > x');
  await turn(id, 1);
  await rig.call('turn/start', { threadId: rig.thread(id).id, text: 'echo y > y; sleep 600' });
  await expect.poll(() => existsSync(at(id, 'y')), { timeout: 15_000 }).toBe(true);
  // While it runs, "last turn" shows its own changes, not the whole task's.
  const { files } = await rig.call('diff/read', { taskId: id, scope: 'turn' });
  expect(files.map(({ path }) => path)).toEqual(['y']);
  await rig.call('turn/interrupt', { threadId: rig.thread(id).id });
  await undo(id);
  expect([existsSync(at(id, 'x')), existsSync(at(id, 'y'))]).toEqual([true, false]);
  await undo(id);
  expect(rig.status(id)).toBe('queued');
  await expect(rig.call('thread/compact', { threadId: rig.thread(id).id })).rejects.toMatchObject({ detail: { code: 'conflict' } });
});
