import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { ItemOf, ItemType, TaskId } from '../../agent-core/contract/index.ts';
import { readHooks } from '../../agent-core/hooks/file.ts';
import { call, say, type Script, type Step } from '../model-server/index.ts';
import { Rig } from '../runtime/support.ts';

let rig: Rig;
afterEach(() => rig?.close());

const rounds =
  (...steps: Step[][]): Script =>
  (_request, n) =>
    steps[n - 1] ?? [say('ok')];
const run = (cmd: string): Step => call('exec_command', { cmd });

type Hooks = Record<string, { matcher?: string; command: string; timeout?: number }[]>;
const file = (hooks: Hooks): string =>
  JSON.stringify({
    hooks: Object.fromEntries(
      Object.entries(hooks).map(([event, list]) => [
        event,
        list.map(({ matcher = '', ...command }) => ({ matcher, hooks: [{ type: 'command', ...command }] })),
      ]),
    ),
  });
const mine = (hooks: Hooks): void => {
  mkdirSync(rig.home, { recursive: true });
  writeFileSync(join(rig.home, 'hooks.json'), file(hooks));
};
function theirs(hooks: Hooks): void {
  mkdirSync(join(rig.repo, '.signalbox'), { recursive: true });
  writeFileSync(join(rig.repo, '.signalbox/hooks.json'), file(hooks));
  execFileSync('git', ['add', '-A'], { cwd: rig.repo });
  execFileSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@b.c', 'commit', '-qm', 'Hooks'], { cwd: rig.repo });
}
async function items<T extends ItemType>(id: TaskId, type: T): Promise<ItemOf<T>[]> {
  const { items: all } = await rig.call('thread/read', { threadId: rig.thread(id).id });
  return all.filter((item): item is ItemOf<T> => item.type === type);
}
/** What the model was sent in its n-th request, as text. */
const sent = (n: number): string => JSON.stringify(rig.model.requests[n - 1]?.body);

test('my hooks: context before the first word, refusal before a call, a note after it, and a reason to go on', async () => {
  rig = await Rig.start(rounds([run('echo safe')], [run('rm -rf build')], [say('early')], [say('late')]));
  const log = join(rig.folder, 'hooks.log');
  mine({
    UserPromptSubmit: [{ command: `cat >> '${log}'; echo; echo 'The build server is called Hilda.'` }],
    PreToolUse: [
      {
        matcher: 'exec_.*',
        command: `input=$(cat); printf '%s\\n' "$input" >> '${log}'; case "$input" in *rm\\ -rf*) echo 'no rm here' >&2; exit 2;; esac`,
      },
    ],
    PostToolUse: [{ matcher: 'exec_command', command: `echo '{"hookSpecificOutput": {"additionalContext": "Remember the changelog."}}'` }],
    Stop: [
      { command: `case "$(cat)" in *'"stop_hook_active":false'*) echo '{"decision": "block", "reason": "Run the tests first."}';; esac` },
    ],
  });
  const task = await rig.create('Do it');
  await rig.reaches(task.id, 'review');
  expect(sent(1)).toContain('The build server is called Hilda.');
  expect(sent(2)).toContain('Remember the changelog.');
  expect(sent(3)).toContain('refused by a hook: no rm here');
  expect(sent(4)).toContain('Run the tests first.');
  expect((await items(task.id, 'command')).map(({ command }) => command)).toEqual(['echo safe']);
  const [first] = readFileSync(log, 'utf8').split('\n');
  expect(JSON.parse(first!)).toMatchObject({
    hook_event_name: 'UserPromptSubmit',
    prompt: 'Do it',
    task_id: task.id,
    permission_mode: 'workspace',
  });
});

test('a bell rings when the agent waits for a person, and holds nothing up', async () => {
  rig = await Rig.start(
    rounds(
      [call('exec_command', { cmd: 'git push origin main', sandbox_permissions: 'require_escalated', justification: 'May I push?' })],
      [say('ok')],
    ),
  );
  const log = join(rig.folder, 'bell.log');
  mine({ Notification: [{ command: `cat >> '${log}'; sleep 30` }] });
  const task = await rig.create('Push');
  await rig.until(() => Object.keys(rig.board.approvals).length === 1, 'an approval');
  await expect
    .poll(() => (existsSync(log) ? readFileSync(log, 'utf8') : ''), { timeout: 10_000 })
    .toContain('Needs approval: git push origin main');
  await rig.call('approval/decide', { approvalIds: [Object.values(rig.board.approvals)[0]!.id], decision: 'decline' });
  await rig.reaches(task.id, 'review');
});

test('a hook refuses a message: the turn fails with its reason, and the model is not asked', async () => {
  rig = await Rig.start(rounds([say('ok')]));
  mine({ UserPromptSubmit: [{ command: 'echo "not on Fridays" >&2; exit 2' }] });
  const task = await rig.create('Deploy');
  await rig.reaches(task.id, 'failed');
  expect(rig.thread(task.id).turn?.error).toMatchObject({
    code: 'not-allowed',
    message: expect.stringContaining('not on Fridays') as string,
  });
  expect(rig.model.requests).toEqual([]);
});

test('a project’s hooks run when they are trusted, in the sandbox, as the base has them and not as the agent writes them', async () => {
  rig = await Rig.start(rounds([run('echo "{}" > .signalbox/hooks.json; echo one')], [say('ok')], [run('echo two')], [say('ok')]));
  const outside = join(rig.folder, 'outside');
  theirs({ PreToolUse: [{ command: `cat > /tmp/seen; touch '${outside}' 2>/dev/null; echo ran >> "$HOME/hooked"; exit 0` }] });
  const untrusted = await rig.create('First');
  await rig.reaches(untrusted.id, 'review');
  const { project } = await rig.call('hooks/read', { projectId: rig.project.id });
  expect(project).toMatchObject({ path: '.signalbox/hooks.json', problem: null });
  await expect(rig.call('hooks/trust', { projectId: rig.project.id, hash: '0'.repeat(64) })).rejects.toMatchObject({
    detail: { code: 'conflict' },
  });
  await rig.call('hooks/trust', { projectId: rig.project.id, hash: project!.hash });
  await rig.call('turn/start', { threadId: rig.thread(untrusted.id).id, text: 'again' });
  await rig.until(
    () => rig.thread(untrusted.id).turn?.number === 2 && rig.thread(untrusted.id).turn?.status === 'completed',
    'a second turn',
  );
  expect(existsSync(outside)).toBe(false);
  const state = join(rig.home, 'workspaces', rig.board.attempts[rig.task(untrusted.id).attempt!]!.workspaceId, 'state', 'home', 'hooked');
  expect(readFileSync(state, 'utf8')).toBe('ran\n');
  // A newer version is not what was trusted.
  theirs({ PreToolUse: [{ command: 'exit 2' }] });
  await rig.call('turn/start', { threadId: rig.thread(untrusted.id).id, text: 'third' });
  await rig.until(
    () => rig.thread(untrusted.id).turn?.number === 3 && rig.thread(untrusted.id).turn?.status === 'completed',
    'a third turn',
  );
  expect((await items(untrusted.id, 'notice')).map(({ text }) => text).join()).toContain('have changed since you trusted them');
});

test('hooks that fail, hang, or talk nonsense hold nothing up and are named', async () => {
  rig = await Rig.start(rounds([run('echo one')], [say('ok')]));
  mine({
    PreToolUse: [
      { command: 'echo broken >&2; exit 7' },
      { command: 'sleep 60', timeout: 0.2 },
      { command: 'echo "{not json"' },
      { command: `echo '{"decision": 5}'` },
    ],
  });
  const task = await rig.create('Do it');
  await rig.reaches(task.id, 'review');
  expect((await items(task.id, 'command')).map(({ status }) => status)).toEqual(['completed']);
  const told = (await items(task.id, 'notice')).map(({ text }) => text).join('\n');
  for (const words of ['ended with 7: broken', 'took longer than 0.2 s', 'no valid JSON', 'an answer that is none'])
    expect(told).toContain(words);
});

test.each([
  ['no JSON', 'nonsense', 'It is not JSON'],
  ['no hooks', '{}', 'needs an object “hooks”'],
  ['an unknown event', file({ OnTuesday: [{ command: 'x' }] }), '“OnTuesday” is not known'],
  ['a matcher that is none', file({ PreToolUse: [{ matcher: '(', command: 'x' }] }), 'no regular expression'],
  ['another type', '{"hooks": {"Stop": [{"hooks": [{"type": "prompt", "prompt": "x"}]}]}}', 'Only hooks of the type'],
  ['too long a time', file({ Stop: [{ command: 'x', timeout: 1e9 }] }), 'timeout'],
])('a file with %s is told what is wrong', (_what, text, words) => {
  const read = readHooks('hooks.json', Buffer.from(text));
  expect(read.hooks).toEqual([]);
  expect(read.problem).toContain(words);
});
