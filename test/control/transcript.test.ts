import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import type { TaskId, ThreadId, TranscriptFormat } from '../../agent-core/contract/index.ts';
import { parseTranscript } from '../../agent-core/runtime/transcript-import.ts';
import { call, customCall, lastOutput, say, userTexts } from '../model-server/index.ts';
import { Rig } from '../runtime/support.ts';

let rig: Rig | null = null;
const folders: string[] = [];
afterEach(async () => {
  await rig?.close();
  rig = null;
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

// Several turns of a real core, on a machine that does other things too.
vi.setConfig({ testTimeout: 60_000 });

const secret = `gh${'p_'}${'Zz9'.repeat(12)}`;

async function exported(of: Rig, id: TaskId, format: TranscriptFormat): Promise<{ name: string; text: string; parts: number }> {
  const threadId = of.thread(id).id;
  let text = '';
  let name = '';
  let parts = 0;
  for (let from: string | null = ''; from !== null; parts += 1) {
    const part: { name: string; text: string; next: string | null } = await of.call('thread/export', { threadId, format, from });
    text += part.text;
    ({ name, next: from } = part);
  }
  return { name, text, parts };
}
const turn = (of: Rig, id: TaskId, number: number): Promise<void> =>
  of.until(() => of.thread(id).turn?.number === number && of.status(id) === 'review', `turn ${number}`);

/** Two turns: a command that prints a secret and a patch, then words. */
async function talked(): Promise<{ of: Rig; id: TaskId; seen: string[][] }> {
  const seen: string[][] = [];
  const of = (rig = await Rig.start((request) => {
    seen.push(userTexts(request).filter((text) => !text.startsWith('<')));
    const said = userTexts(request).at(-1)!;
    if (said !== 'Print it') return [say(`Heard ${said}.`)];
    if (!lastOutput(request)) return [call('exec_command', { cmd: `echo '${secret} sk-test' # \`\`\`` })];
    if (request.input.every((item) => item.type !== 'custom_tool_call'))
      return [customCall('apply_patch', '*** Begin Patch\n*** Add File: new.txt\n+x\n*** End Patch\n')];
    return [say('Printed.')];
  }));
  const { id } = await of.create('Print it');
  await turn(of, id, 1);
  await of.call('turn/start', { threadId: of.thread(id).id, text: 'And then?' });
  await turn(of, id, 2);
  return { of, id, seen };
}

test('as Markdown a person can read it, and no secret is in it', async () => {
  const { of, id } = await talked();
  const { name, text } = await exported(of, id, 'markdown');
  expect(name).toBe('Print it.md');
  expect(text).toMatch(/^# Print it\n/);
  expect(text).toContain('## Turn 1\n\n**You**\n\n> Print it\n');
  expect(text).toContain("````sh\necho '[redacted] sk-test' # ```\n````");
  expect(text).toContain('- add `new.txt` +1 −0');
  expect(text).toContain('## Turn 2');
  expect(text).toContain('Heard And then?.');
  expect(text).not.toContain(secret);
});

test('what the key store holds besides is taken out too: an account’s tokens, and a password as the proxy sends it', async () => {
  const of = (rig = await Rig.start((request) => [say(`Heard ${userTexts(request).at(-1)!}.`)]));
  const [token, password] = ['account-token-0123456789', 'pass-word-0123456789'];
  await of.call('provider/save', {
    provider: { id: 'other', kind: 'other', name: 'Other', baseUrl: 'http://127.0.0.1:9/v1', wire: 'chat' },
    key: JSON.stringify({ tokens: { access_token: token } }),
  });
  await of.call('credential/save', { projectId: of.project.id, host: 'git.example', kind: 'basic', user: 'me', secret: password });
  const sent = Buffer.from(`me:${password}`).toString('base64');
  const { id } = await of.create(`Look at ${token} and ${sent}`);
  await turn(of, id, 1);
  const { text } = await exported(of, id, 'markdown');
  expect(text).not.toContain(token);
  expect(text).not.toContain(sent);
});

test('as JSONL it comes back as a new task with the same conversation, and the model goes on from there', async () => {
  const { of, id, seen } = await talked();
  const { text } = await exported(of, id, 'jsonl');
  expect(text).not.toContain(secret);
  const task = await of.call('thread/import', { projectId: of.project.id, text });
  await of.reaches(task.id, 'review');
  const shown = async (of_: TaskId) =>
    (await of.call('thread/read', { threadId: of.thread(of_).id })).items.map((item) => [
      item.type,
      item.type === 'userMessage' || item.type === 'agentMessage' ? item.text : '',
    ]);
  expect(await shown(task.id)).toEqual(await shown(id));
  expect(of.thread(task.id).turn?.number).toBe(2);
  await of.call('turn/start', { threadId: of.thread(task.id).id, text: 'Go on' });
  await turn(of, task.id, 3);
  expect(seen.at(-1)).toEqual(['Print it', 'And then?', 'Go on']);
  // Its files were not in it: there is nothing to undo to.
  const { turns } = await of.call('thread/read', { threadId: of.thread(task.id).id });
  await expect(of.call('thread/undo', { threadId: of.thread(task.id).id, turnId: turns[0]!.id })).rejects.toMatchObject({
    detail: { code: 'conflict' },
  });
});

test('a long thread is exported in parts that come together to the same', async () => {
  const { of, id } = await talked();
  const thread = of.thread(id);
  const notice = (at: number) => ({
    id: `item_${String(at).padStart(12, '0')}`,
    threadId: thread.id,
    turnId: thread.turn!.id,
    startedAt: 1,
    endedAt: 1,
    type: 'notice',
    level: 'info',
    text: `n${at}.`,
    error: null,
  });
  const { text } = await exported(of, id, 'jsonl');
  const lines = text.trimEnd().split('\n');
  const longer = [
    ...lines.filter((line) => !line.includes('"history"')),
    ...Array.from({ length: 1500 }, (_, at) => JSON.stringify({ type: 'item', item: notice(at) })),
  ];
  const task = await of.call('thread/import', { projectId: of.project.id, text: longer.join('\n') });
  const again = await exported(of, task.id, 'jsonl');
  expect(again.parts).toBeGreaterThan(3);
  expect([...again.text.matchAll(/"text":"(n\d+\.)"/g)].map((match) => match[1])).toEqual(
    Array.from({ length: 1500 }, (_, at) => `n${at}.`),
  );
  expect(again.text.match(/"type":"turn"/g)).toHaveLength(2);
  const markdown = await exported(of, task.id, 'markdown');
  expect(markdown.text.match(/^## Turn \d+$/gm)).toEqual(['## Turn 1', '## Turn 2']);
});

test('what is no transcript, or a broken one, is refused with the line, and nothing has been made', async () => {
  const { of, id } = await talked();
  const { text } = await exported(of, id, 'jsonl');
  const lines = text.trimEnd().split('\n');
  const tasks = Object.keys(of.board.tasks).length;
  const refuses = async (broken: string, words: RegExp): Promise<void> => {
    await expect(of.call('thread/import', { projectId: of.project.id, text: broken })).rejects.toMatchObject({
      detail: { code: 'invalid-input', message: expect.stringMatching(words) as string },
    });
  };
  await refuses('', /empty/);
  await refuses('# Print it\n', /^Line 1 .* not JSON/);
  await refuses('null', /^Line 1/);
  await refuses(lines.slice(1).join('\n'), /^Line 1 .* not the head/);
  await refuses([lines[0], '{"type":"item"'].join('\n'), /^Line 2 .* not JSON/);
  await refuses([lines[0], lines[2]].join('\n'), /^Line 2 .* not in the transcript/);
  await refuses([...lines, lines[0]].join('\n'), /another transcript/);
  await refuses([...lines, lines[1]].join('\n'), /id that was there before/);
  await refuses(lines[0]!.replace('"version":1', '"version":2'), /version 2/);
  await refuses([lines[0], lines[1]!.replace('"status":"completed"', '"status":"odd"')].join('\n'), /^Line 2 .* not as it should be/);
  await refuses(lines[0]!, /no turns/);
  await expect(of.call('thread/import', { projectId: of.project.id, path: 'relative.jsonl' })).rejects.toMatchObject({
    detail: { code: 'invalid-input' },
  });
  expect(Object.keys(of.board.tasks)).toHaveLength(tasks);
  expect(parseTranscript(text).turns).toHaveLength(2);
});

test('a path is read by the core; ids of another thread in it change nothing there', async () => {
  const { of, id } = await talked();
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-transcript-'));
  folders.push(folder);
  const before = await of.call('thread/read', { threadId: of.thread(id).id });
  writeFileSync(join(folder, 'a b.jsonl'), (await exported(of, id, 'jsonl')).text);
  const task = await of.call('thread/import', { projectId: of.project.id, path: join(folder, 'a b.jsonl') });
  await of.reaches(task.id, 'review');
  expect(await of.call('thread/read', { threadId: of.thread(id).id })).toMatchObject({ items: before.items, turns: before.turns });
  expect(of.thread(task.id).id).not.toBe(of.thread(id).id as ThreadId);
  expect(readFileSync(join(of.worktree(task.id), 'a.txt'), 'utf8')).toBe('one\ntwo\nthree\n');
});
