import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { EvidenceMark, TaskId } from '../../agent-core/contract/index.ts';
import { call, customCall, lastOutput, outputOf, say, type ResponsesRequest, type Step } from '../model-server/index.ts';
import { git, Rig } from '../runtime/support.ts';

let rig: Rig;
afterEach(() => rig.close());

const chunkOf = (output: string): string => /^Chunk ID: ([0-9a-f]{6})/.exec(output)?.[1] ?? 'none';
const run = (cmd: string, id?: string) => call('exec_command', { cmd }, id);
/** `npm test` of this repository prints and exits as the worktree's file `result` says. */
const suite = 'npm test --silent';

/** Plays steps in order; a function gets the request with what came before. */
async function play(...steps: (Step | ((request: ResponsesRequest) => Step))[]): Promise<TaskId> {
  rig = await Rig.start((request, n) => {
    const step = steps[n - 1] ?? say('Done.');
    return [typeof step === 'function' ? step(request) : step];
  });
  writeFileSync(
    join(rig.repo, 'package.json'),
    JSON.stringify({ name: 'x', scripts: { test: 'cat result; touch report.xml; exit $(cat code)' } }),
  );
  writeFileSync(join(rig.repo, 'result'), '# pass 3\n# fail 0\n');
  writeFileSync(join(rig.repo, 'code'), '0');
  git(rig.repo, 'add', '-A');
  git(rig.repo, 'commit', '-qm', 'A suite');
  const { id } = await rig.create('do it');
  await over(id, 1);
  return id;
}
const over = (id: TaskId, turns: number) =>
  rig.until(() => rig.thread(id).turn?.number === turns && rig.thread(id).turn?.status !== 'running', `turn ${turns}`);
async function marks(id: TaskId): Promise<Pick<EvidenceMark, 'kind' | 'state' | 'words' | 'path' | 'itemId'>[]> {
  const { items } = await rig.call('thread/read', { threadId: rig.thread(id).id });
  return items.findLast((item) => item.type === 'agentMessage')?.evidence ?? [];
}
const states = async (id: TaskId) => (await marks(id)).map(({ kind, state }) => `${kind} ${state}`);
const check = (id: TaskId) => rig.task(id).check;

test('a cited command and file that are there are backed, with what they say', async () => {
  const id = await play(run(suite), (request) =>
    say(`All 3 tests pass [cmd:${chunkOf(lastOutput(request))}]. See a.txt:2-3 and \`a.txt:1\`.`),
  );
  expect(await marks(id)).toMatchObject([
    {
      kind: 'command',
      state: 'backed',
      words: 'It ended with exit code 0. 3 passed. Nothing changed since it started.',
      itemId: check(id)!.itemId,
    },
    { kind: 'file', state: 'backed', path: 'a.txt', words: 'a.txt, lines 2 to 3' },
    { kind: 'file', state: 'backed', path: 'a.txt' },
  ]);
  expect(check(id)).toMatchObject({ passed: true, stale: false, summary: '3 passed' });
});

test('what nothing backs is shown as such', async () => {
  const id = await play(
    say('All tests pass. The build succeeds [cmd:ffffff]. See nowhere.ts:1 and a.txt:4 and ../a.txt:1 and sub/a.txt:0.'),
  );
  expect(await states(id)).toEqual(['claim missing', 'command missing', 'file missing', 'file missing', 'file missing', 'file missing']);
});

test('a file that is cited by its name alone is found where there is one of that name', async () => {
  const patch =
    '*** Begin Patch\n*** Add File: deep/in/only.ts\n+1\n*** Add File: one/two.ts\n+1\n*** Add File: other/two.ts\n+1\n*** End Patch\n';
  const id = await play(customCall('apply_patch', patch), say('See only.ts:1, in/only.ts:1, two.ts:1 and y.ts:1'));
  expect((await marks(id)).map(({ state, path }) => [state, path])).toEqual([
    ['backed', 'deep/in/only.ts'],
    ['backed', 'deep/in/only.ts'],
    ['missing', null],
    ['missing', null],
  ]);
});

test('a failing run contradicts, cited or not; an older pass does not help', async () => {
  const id = await play(run(suite), run(`echo 1 > code; ${suite}`), say('All tests pass.'));
  expect(await states(id)).toEqual(['claim contradicted']);
  expect(check(id)).toMatchObject({ passed: false });
});

test.each<[string, Step, string]>([
  ['a shell that edits a tracked file', run('echo four >> a.txt'), 'stale'],
  ['a shell that writes a new file', run('echo x > new.txt'), 'stale'],
  ['a patch', customCall('apply_patch', '*** Begin Patch\n*** Update File: a.txt\n@@\n-one\n+1\n*** End Patch\n'), 'stale'],
  ['a file that was moved', run('mv a.txt b.txt'), 'stale'],
  ['a change that was taken back again', run('cp a.txt ignored-copy; echo x > a.txt; cp ignored-copy a.txt; rm ignored-copy'), 'backed'],
  ['an ignored file', run('mkdir -p ignored && echo x > ignored/y'), 'backed'],
  ['a commit of what was tested', run('git commit -q --allow-empty -m z'), 'backed'],
])('after the tests: %s', async (_name, step, state) => {
  const id = await play(run(suite), step, say('All tests pass.'));
  expect(await states(id)).toEqual([`claim ${state}`]);
  expect(check(id)?.stale).toBe(state === 'stale');
});

test('a run that changes a tracked file itself is stale at once: it was not started on what is there now', async () => {
  const id = await play(
    run(`${suite}; echo more >> a.txt; exit 0`),
    run(`${suite}`),
    run(`bash -c 'echo x >> a.txt' && ${suite}`),
    say('Tests pass.'),
  );
  expect(await states(id)).toEqual(['claim stale']);
});

test('a pass is stale once the person edits a file, and holds again when they take it back', async () => {
  const id = await play(run(suite), say('Tests pass.'));
  expect(check(id)?.stale).toBe(false);
  const file = join(rig.worktree(id), 'a.txt');
  writeFileSync(file, 'mine\n');
  await rig.call('diff/read', { taskId: id });
  expect(check(id)?.stale).toBe(true);
  writeFileSync(file, 'one\ntwo\nthree\n');
  await rig.call('diff/read', { taskId: id });
  expect(check(id)?.stale).toBe(false);
});

test('an exit code that is another command’s is no pass', async () => {
  const id = await play(run(`${suite} > /dev/null; true`), say('All tests pass.'));
  expect(await states(id)).toEqual(['claim missing']);
  expect(check(id)).toBe(null);
});

test('a command that runs in the background is cited by what was last seen of it', async () => {
  let session = '';
  const chunks: string[] = [];
  const id = await play(
    call('exec_command', { cmd: 'echo up; sleep 30', yield_time_ms: 250 }, 'call_first'),
    (request) => {
      session = /session ID (\d+)/.exec(outputOf(request, 'call_first') ?? '')![1]!;
      chunks.push(chunkOf(lastOutput(request)));
      return call('write_stdin', { session_id: Number(session), chars: '\u0003' });
    },
    (request) => {
      chunks.push(chunkOf(lastOutput(request)));
      return say(`It came up [cmd:${chunks[0]}] and I ended it [cmd:${chunks[1]}].`);
    },
  );
  const [first, second] = await marks(id);
  expect([first?.state, second?.state]).toEqual(['backed', 'backed']);
  expect(first?.itemId).toBe(second?.itemId);
  expect(first?.words).toMatch(/exit code/);
});

test('an earlier turn’s run backs a later message, as long as nothing changed', async () => {
  const id = await play(run(suite), say('Ran.'), say('Tests pass.'), run('echo x >> a.txt'), say('Tests pass.'));
  await rig.call('turn/start', { threadId: rig.thread(id).id, text: 'and?' });
  await over(id, 2);
  expect(await states(id)).toEqual(['claim backed']);
  await rig.call('turn/start', { threadId: rig.thread(id).id, text: 'and now?' });
  await over(id, 3);
  expect(await states(id)).toEqual(['claim stale']);
});

test('a fork’s messages link to its own commands', async () => {
  const id = await play(run(suite), say('Tests pass.'));
  const forked = await rig.call('thread/fork', { threadId: rig.thread(id).id, turnId: rig.thread(id).turn!.id });
  const { items } = await rig.call('thread/read', { threadId: rig.thread(forked.id).id });
  const mark = items.findLast((item) => item.type === 'agentMessage')!.evidence![0]!;
  expect(items.find((item) => item.id === mark.itemId)).toMatchObject({ type: 'command', command: suite });
});
