import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import type { TaskId, Turn } from '../../agent-core/contract/index.ts';
import { call, say, userTexts, type Script } from '../model-server/index.ts';
import { git, Rig } from '../runtime/support.ts';

let rig: Rig;
afterEach(() => rig.close());
// Several turns of a real core, on a machine that does other things too.
vi.setConfig({ testTimeout: 60_000 });

const run = (cmd: string): ReturnType<typeof call> => call('exec_command', { cmd });
/** `write NAME` writes a file of that name with the model's name in it; `wait` blocks until there is a file `go`. */
const obey: Script = (request) => {
  const said = userTexts(request).at(-1)!;
  const answered =
    request.input.findLastIndex((item) => item.type === 'function_call_output') >
    request.input.findLastIndex((item) => item.type === 'message' && item.role === 'user');
  if (answered) return [say(`Did ${said}.`)];
  if (said === 'wait') return [run('until [ -e go ]; do sleep 0.05; done')];
  return [run(`mkdir -p d; echo "${said} ${request.model}" > "d/${said.replace('write ', '')}"; echo ${said} >> a.txt`)];
};

const at = (id: TaskId, name: string): string => join(rig.worktree(id), name);
const text = (id: TaskId, name: string): string | null => (existsSync(at(id, name)) ? readFileSync(at(id, name), 'utf8') : null);
const turns = async (id: TaskId): Promise<Turn[]> => (await rig.call('thread/read', { threadId: rig.thread(id).id })).turns;
const said = async (id: TaskId): Promise<string[]> =>
  (await rig.call('thread/read', { threadId: rig.thread(id).id })).items.flatMap((item) =>
    item.type === 'userMessage' ? [item.text] : [],
  );
const turn = (id: TaskId, number: number): Promise<void> =>
  rig.until(() => rig.thread(id).turn?.number === number && rig.status(id) === 'review', `turn ${number}`);
const conflict = { detail: { code: 'conflict' } };

/** A task of three turns: x, y and z were written. */
async function three(): Promise<TaskId> {
  const { id } = await rig.create('write x');
  await turn(id, 1);
  await rig.call('turn/start', { threadId: rig.thread(id).id, text: 'write y' });
  await turn(id, 2);
  await rig.call('turn/start', { threadId: rig.thread(id).id, text: 'write z' });
  await turn(id, 3);
  return id;
}

test('undo takes turns and their files back, and is itself taken back; ignored files and a hand-made edit are not lost', async () => {
  rig = await Rig.start(obey);
  const id = await three();
  const threadId = rig.thread(id).id;
  writeFileSync(at(id, 'by-hand.txt'), 'mine\n');
  writeFileSync(at(id, 'a.txt'), 'changed by hand\n');
  mkdirSync(at(id, 'ignored'));
  writeFileSync(at(id, 'ignored/cache'), 'big\n');
  const [, second] = await turns(id);
  const { undone } = await rig.call('thread/undo', { threadId, turnId: second!.id });
  expect(undone).toMatchObject({ number: 2, turns: 2 });
  expect([text(id, 'd/x') !== null, text(id, 'd/y'), text(id, 'd/z'), text(id, 'by-hand.txt')]).toEqual([true, null, null, null]);
  expect(text(id, 'a.txt')).toBe('one\ntwo\nthree\nwrite x\n');
  expect(text(id, 'ignored/cache')).toBe('big\n');
  expect(await said(id)).toEqual(['write x']);
  expect(rig.thread(id).turn?.number).toBe(1);
  expect(rig.task(id).diff).toMatchObject({ files: 2 });
  expect(rig.status(id)).toBe('review');

  await rig.call('thread/redo', { threadId, undoId: undone.id });
  expect([text(id, 'd/y') !== null, text(id, 'd/z') !== null, text(id, 'by-hand.txt')]).toEqual([true, true, 'mine\n']);
  expect(text(id, 'a.txt')).toBe('changed by hand\n');
  expect(await said(id)).toEqual(['write x', 'write y', 'write z']);
  expect(rig.thread(id).undone).toEqual([]);
  // Asked twice it is back already.
  await rig.call('thread/redo', { threadId, undoId: undone.id });
  expect(await said(id)).toEqual(['write x', 'write y', 'write z']);
});

test('after an undo the model is sent what it was sent then, after a restart too; turns made since give way when it is taken back', async () => {
  const seen: string[][] = [];
  rig = await Rig.start((request, at) => {
    seen.push(userTexts(request).filter((each) => each.startsWith('write')));
    return obey(request, at);
  });
  const id = await three();
  const threadId = rig.thread(id).id;
  const { undone } = await rig.call('thread/undo', { threadId, turnId: (await turns(id))[1]!.id });
  await rig.core.dispose();
  await rig.open();
  await rig.call('turn/start', { threadId, text: 'write w' });
  await turn(id, 2);
  expect(seen.at(-1)).toEqual(['write x', 'write w']);
  await rig.call('thread/redo', { threadId, undoId: undone.id });
  expect(await said(id)).toEqual(['write x', 'write y', 'write z']);
  expect([text(id, 'd/w'), text(id, 'd/z') !== null]).toEqual([null, true]);
  const [swapped] = rig.thread(id).undone!;
  expect(swapped).toMatchObject({ number: 2, turns: 1 });
  await rig.call('turn/start', { threadId, text: 'write v' });
  await turn(id, 4);
  expect(seen.at(-1)).toEqual(['write x', 'write y', 'write z', 'write v']);
  await rig.call('thread/redo', { threadId, undoId: swapped!.id });
  expect(await said(id)).toEqual(['write x', 'write w']);
  expect(text(id, 'd/w')).not.toBeNull();
});

test('an undo is refused while a turn runs, and nothing has changed', async () => {
  rig = await Rig.start(obey);
  const { id } = await rig.create('write x');
  await turn(id, 1);
  const threadId = rig.thread(id).id;
  const turnId = rig.thread(id).turn!.id;
  await rig.call('turn/start', { threadId, text: 'wait' });
  await rig.until(() => rig.core.snapshot().activity[id]?.verb === 'running', 'the command runs');
  await expect(rig.call('thread/undo', { threadId, turnId })).rejects.toMatchObject(conflict);
  await expect(rig.call('turn/edit', { threadId, turnId, text: 'no' })).rejects.toMatchObject(conflict);
  expect(text(id, 'd/x')).not.toBeNull();
  // While it runs, the last turn's changes are its own.
  writeFileSync(at(id, 'go'), '');
  await turn(id, 2);
});

test('an edited message takes the place of the turns from it on; a retry says the same to another model', async () => {
  rig = await Rig.start(obey);
  const id = await three();
  const threadId = rig.thread(id).id;
  await rig.call('turn/edit', { threadId, turnId: (await turns(id))[1]!.id, text: 'write v' });
  await turn(id, 2);
  expect(await said(id)).toEqual(['write x', 'write v']);
  expect([text(id, 'd/y'), text(id, 'd/z'), text(id, 'd/v')]).toEqual([null, null, 'write v gpt-5.5\n']);
  await rig.call('turn/redo', { threadId, turnId: (await turns(id))[1]!.id, model: 'gpt-5.6' });
  await rig.until(() => rig.thread(id).undone?.length === 2 && rig.thread(id).turn?.number === 2 && rig.status(id) === 'review', 'again');
  expect(text(id, 'd/v')).toBe('write v gpt-5.6\n');
  expect(await said(id)).toEqual(['write x', 'write v']);
  expect(rig.task(id).model).toBe('gpt-5.6');
});

test('the first message can be edited, and the first turn undone: the task waits to be started with what is said then', async () => {
  rig = await Rig.start(obey);
  const { id } = await rig.create('write x');
  await turn(id, 1);
  const threadId = rig.thread(id).id;
  await rig.call('turn/edit', { threadId, turnId: rig.thread(id).turn!.id, text: 'write w' });
  await rig.until(() => rig.thread(id).undone?.length === 1 && rig.status(id) === 'review', 'the edited task');
  expect([rig.task(id).prompt, text(id, 'd/x'), text(id, 'd/w') !== null]).toEqual(['write w', null, true]);
  await rig.call('thread/undo', { threadId, turnId: rig.thread(id).turn!.id });
  expect([rig.status(id), rig.thread(id).turn, text(id, 'd/w')]).toEqual(['queued', null, null]);
  await rig.call('turn/start', { threadId, text: 'write u' });
  await turn(id, 1);
  expect(await said(id)).toEqual(['write u']);
  expect(rig.task(id).prompt).toBe('write u');
});

test('a fork has its own worktree with the files and the history of that turn; neither sees what the other does next', async () => {
  const seen: string[][] = [];
  rig = await Rig.start((request, at) => {
    seen.push(userTexts(request).filter((each) => each.startsWith('write')));
    return obey(request, at);
  });
  const id = await three();
  git(rig.repo, 'commit', '-q', '--allow-empty', '-m', 'Main goes on');
  const before = await rig.call('thread/read', { threadId: rig.thread(id).id });
  const fork = await rig.call('thread/fork', { threadId: rig.thread(id).id, turnId: before.turns[1]!.id, text: 'write f' });
  await turn(fork.id, 3);
  expect(rig.worktree(fork.id)).not.toBe(rig.worktree(id));
  expect([text(fork.id, 'd/x') !== null, text(fork.id, 'd/y') !== null, text(fork.id, 'd/z'), text(fork.id, 'd/f') !== null]).toEqual([
    true,
    true,
    null,
    true,
  ]);
  expect(seen.at(-1)).toEqual(['write x', 'write y', 'write f']);
  expect(await said(fork.id)).toEqual(['write x', 'write y', 'write f']);
  expect(rig.thread(fork.id).parent).toBe(rig.thread(id).id);
  expect(rig.task(fork.id).diff).toMatchObject({ files: 4 });
  expect(text(id, 'd/f')).toBeNull();
  expect((await rig.call('thread/read', { threadId: rig.thread(id).id })).items).toEqual(before.items);
  // The copy can be gone back in too, to before the fork.
  await rig.call('thread/undo', { threadId: rig.thread(fork.id).id, turnId: (await turns(fork.id))[1]!.id });
  expect([text(fork.id, 'd/x') !== null, text(fork.id, 'd/y'), text(fork.id, 'd/f')]).toEqual([true, null, null]);
  // And it stands when the other is gone for good.
  await rig.call('task/delete', { taskId: id });
  await rig.call('task/purge', { taskId: id });
  await rig.call('turn/start', { threadId: rig.thread(fork.id).id, text: 'write g' });
  await turn(fork.id, 2);
  expect(await said(fork.id)).toEqual(['write x', 'write g']);
});
