import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { attachmentsIn } from '../../agent-core/contract/index.ts';
import { call, say, type Script, type Step } from '../model-server/index.ts';
import { Rig } from '../runtime/support.ts';

let rig: Rig;
afterEach(() => rig.close());
const rounds =
  (...steps: Step[][]): Script =>
  (_request, n) =>
    steps[n - 1] ?? [say('ok')];
/** One black pixel. */
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const attach = async (name: string, data: string): Promise<string> => (await rig.call('attachment/add', { name, data })).path;

test('a picture that a message names is seen at once and again; a file is read inside, by that task alone', async () => {
  let shot = '';
  let notes = '';
  rig = await Rig.start((request, n) => {
    const other = JSON.stringify(request.input).includes('the other task');
    if (other) return n > 3 ? [say('ok')] : [call('exec_command', { cmd: `cat '${notes}' || echo absent; ls /run/attachments | wc -l` })];
    return n === 1
      ? [call('exec_command', { cmd: `cat '${notes}'; echo x > '${notes}' || echo read-only` }), call('view_image', { path: shot })]
      : [say('ok')];
  });
  shot = await attach('Bildschirm foto ü.png', PIXEL);
  notes = await attach('../../etc/notes.txt', Buffer.from('the plan is blue').toString('base64'));
  expect(shot).toMatch(/^\/run\/attachments\/file_[0-9a-z]+\/Bildschirm-foto-.*png$/);
  expect(notes).toMatch(/\/etc-notes\.txt$/);
  expect(attachmentsIn(`See @${shot}, then ${notes}.`).map(({ path }) => path)).toEqual([shot, expect.stringContaining(notes) as string]);
  const task = await rig.create(`Look at @${shot} and @${notes}`);
  await rig.reaches(task.id, 'review');
  const first = JSON.stringify(rig.model.requests[0]?.body.input);
  expect(first).toContain(`data:image/png;base64,${PIXEL}`);
  const second = JSON.stringify(rig.model.requests[1]?.body.input);
  expect(second).toContain('the plan is blue');
  expect(second).toContain('read-only');
  expect(second.split(PIXEL).length).toBe(3);
  const other = await rig.create('the other task');
  await rig.reaches(other.id, 'review');
  expect(JSON.stringify(rig.model.requests.at(-1)?.body.input)).toContain('absent');
  expect((await rig.call('attachment/read', { path: shot })).data).toBe(PIXEL);
  const [folder] = readdirSync(join(rig.home, 'attachments'));
  expect(statSync(join(rig.home, 'attachments', folder!)).mode & 0o777).toBe(0o700);
});

test('an attachment that comes with a later message is seen from then on', async () => {
  rig = await Rig.start((request, n) => {
    const path = /@(\/run\/attachments\/[^\s"\\]+)/.exec(JSON.stringify(request.input))?.[1];
    return n === 2 ? [call('exec_command', { cmd: `cat '${path}'` })] : [say('ok')];
  });
  const task = await rig.create('Wait');
  await rig.reaches(task.id, 'review');
  const path = await attach('late.txt', Buffer.from('better late').toString('base64'));
  await rig.call('turn/start', { threadId: rig.thread(task.id).id, text: `Read @${path}` });
  await rig.until(() => rig.thread(task.id).turn?.number === 2 && rig.thread(task.id).turn?.status === 'completed', 'a second turn');
  expect(JSON.stringify(rig.model.requests.at(-1)?.body.input)).toContain('better late');
});

test.each([
  ['an empty file', () => rig.call('attachment/add', { name: 'x', data: '' }), 'empty'],
  ['what is no base64', () => rig.call('attachment/add', { name: 'x', data: '***' }), ''],
  ['too large a file', () => rig.call('attachment/add', { name: 'x', data: Buffer.alloc(21 * 1024 * 1024).toString('base64') }), '20 MiB'],
  [
    'a path that leads elsewhere',
    () => rig.call('attachment/read', { path: '/run/attachments/file_0123456789/../../secrets.json' }),
    'not attached',
  ],
  ['another file of the home', () => rig.call('attachment/read', { path: '/etc/passwd' }), 'not attached'],
])('%s is refused', async (_what, ask, words) => {
  rig = await Rig.start(rounds([say('ok')]));
  await expect((async () => ask())()).rejects.toThrow(words);
});
