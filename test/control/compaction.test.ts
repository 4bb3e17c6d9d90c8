import { afterEach, expect, test, vi } from 'vitest';
import type { HistoryItem } from '../../agent-core/harness/index.ts';
import { workState } from '../../agent-core/harness/context/work-state.ts';
import { rig as harness } from '../harness/support/rig.ts';
import {
  call,
  contextOverflow400,
  customCall,
  cutAfter,
  say,
  status,
  textOf,
  usage,
  userTexts,
  type ResponsesRequest,
} from '../model-server/index.ts';
import { Rig } from '../runtime/support.ts';

let open: Rig | null = null;
afterEach(async () => {
  await open?.close();
  open = null;
});

// Several turns of a real core, on a machine that does other things too.
vi.setConfig({ testTimeout: 60_000 });

const plan = call('update_plan', {
  plan: [
    { step: 'Look', status: 'completed' },
    { step: 'Mend', status: 'in_progress' },
  ],
});
const patch = (name: string): ReturnType<typeof customCall> =>
  customCall('apply_patch', `*** Begin Patch\n*** Add File: ${name}\n+x\n*** End Patch\n`);
const summarizing = (request: ResponsesRequest): boolean => !request.tools?.length;
const outputs = (request: ResponsesRequest): number => request.input.filter((item) => item.type?.endsWith('_call_output')).length;
const texts = (request: ResponsesRequest): string => request.input.map(textOf).join('\n');
const small = (url: string, contextWindow = 2000) => ({ model: { model: 'gpt-5.5', baseUrl: url, key: 'key', contextWindow } });

test('the plan and the changed files outlive compactions to the letter, whatever the summary says', async () => {
  const t = await harness((request) => {
    if (summarizing(request)) return [say('NOTES')];
    const compactions = userTexts(request).filter((text) => text.includes('NOTES')).length;
    if (compactions === 0 && outputs(request) === 0) return [plan];
    if (compactions === 0 && outputs(request) === 1) return [patch('a.txt')];
    if (compactions === 0) return [patch('b.txt'), usage({ input: 19_000, output: 10 })];
    return texts(request).includes('c.txt') ? [say('done')] : [patch('c.txt'), usage({ input: 19_000, output: 10 })];
  });
  expect(await t.turn('go', small(t.server.url, 20_000))).toMatchObject({ status: 'completed', message: 'done' });
  const state = userTexts(t.server.requests.at(-1)!.body).at(-1)!;
  expect(state).toContain('- [completed] Look\n- [in_progress] Mend');
  expect(state).toContain('newest first:\n* c.txt\n* b.txt\n* a.txt\n');
  expect(t.items('notice')).toHaveLength(2);
});

test('the state of the work is read from calls of both shapes and from what an earlier compaction carried', () => {
  const user = (...parts: string[]): HistoryItem => ({
    type: 'message',
    role: 'user',
    content: parts.map((text) => ({ type: 'input_text', text })),
  });
  const first = workState([
    { type: 'function_call', call_id: '1', name: 'apply_patch', arguments: JSON.stringify({ input: '*** Update File: src/ü b.ts\n@@\n' }) },
    { type: 'function_call', call_id: '2', name: 'update_plan', arguments: 'not json' },
  ]);
  expect(first).toContain('* src/ü b.ts');
  expect(workState([user('Notes', first), user('hello')])).toBe(first);
  expect(workState([user('hello')])).toBe('');
});

test('of what the person said the newest is kept, up to 20,000 tokens', async () => {
  const t = await harness((request) => (summarizing(request) ? [say('NOTES')] : [say('ok')]));
  const said = (text: string): HistoryItem => ({ type: 'message', role: 'user', content: [{ type: 'input_text', text }] });
  const history = [said('the oldest'), said('x'.repeat(70_000)), said('y'.repeat(30_000)), said('the newest')];
  history.push({ type: 'message', role: 'assistant', content: 'ok' } as HistoryItem);
  await t.turn(null, { history, compact: { hint: 'the port number' } });
  expect(userTexts(t.server.requests[0]!.body).at(-1)).toContain('The person adds: the port number');
  const kept = t.history.map((item) => textOf(item as never));
  expect(kept.some((text) => text === 'the newest')).toBe(true);
  expect(kept.some((text) => text === 'y'.repeat(30_000))).toBe(true);
  expect(kept.some((text) => text.includes('truncated') || (text.startsWith('xxx') && text.length < 60_000))).toBe(true);
  expect(kept.some((text) => text === 'the oldest')).toBe(false);
});

test.each([
  ['refused', () => [status(400)]],
  ['cut each time', () => [say('half'), cutAfter(2)]],
  ['without a word', () => [say('')]],
  ['too long, however short it is made', () => [contextOverflow400()]],
])('a window that is really full and a summary that is %s: the newest steps are gone on with', async (_how, answer) => {
  let full = true;
  const t = await harness((request) => {
    if (summarizing(request)) return answer();
    if (outputs(request) < 6) return [call('exec_command', { cmd: `echo step${outputs(request)}-${'z'.repeat(900)}` })];
    if (full) {
      full = false;
      return [contextOverflow400()];
    }
    return [say('went on')];
  });
  expect(await t.turn('the task', small(t.server.url))).toEqual({ status: 'completed', message: 'went on' });
  const last = t.server.requests.at(-1)!.body;
  expect(texts(last)).toContain('the task');
  expect(JSON.stringify(last.input)).toContain('step5-');
  expect(JSON.stringify(last.input)).not.toContain('step0-');
  expect(t.items('notice').at(-1)).toMatchObject({ level: 'warn', text: expect.stringContaining('newest steps') as string });
});

test('by hand, with a hint: a turn of its own, after which the model has the notes; it can be undone like any other', async () => {
  const seen: string[][] = [];
  open = await Rig.start((request) => {
    seen.push(userTexts(request));
    return summarizing(request) ? [say('NOTES: keep 8123')] : [say('ok')];
  });
  const rig = open;
  const { id } = await rig.create('first');
  await rig.reaches(id, 'review');
  const threadId = rig.thread(id).id;
  const before = await rig.call('thread/read', { threadId });
  const turn = (number: number): Promise<void> =>
    rig.until(() => rig.thread(id).turn?.number === number && rig.status(id) === 'review', `turn ${number}`);
  await rig.call('thread/compact', { threadId, hint: 'the port' });
  await turn(2);
  expect(seen.at(-1)!.at(-1)).toContain('The person adds: the port');
  await rig.call('turn/start', { threadId, text: 'second' });
  await turn(3);
  expect(seen.at(-1)!.join('\n')).toContain('NOTES: keep 8123');
  const after = await rig.call('thread/read', { threadId });
  expect(after.items.slice(0, before.items.length)).toEqual(before.items);
  await rig.call('thread/undo', { threadId, turnId: after.turns[1]!.id });
  await rig.call('turn/start', { threadId, text: 'third' });
  await turn(2);
  expect(seen.at(-1)!.join('\n')).not.toContain('NOTES');
  expect(seen.at(-1)!.filter((text) => ['first', 'second', 'third'].includes(text))).toEqual(['first', 'third']);
});

test('a summary by hand that fails leaves everything as it was, and the task is ready for review', async () => {
  open = await Rig.start((request) => (summarizing(request) ? [status(400)] : [say('ok')]));
  const rig = open;
  const { id } = await rig.create('first');
  await rig.reaches(id, 'review');
  await rig.call('thread/compact', { threadId: rig.thread(id).id });
  await rig.until(() => rig.thread(id).turn?.number === 2 && rig.status(id) === 'review', 'it ended');
  const { items } = await rig.call('thread/read', { threadId: rig.thread(id).id });
  expect(items.at(-1)).toMatchObject({ type: 'notice', level: 'warn', error: { code: 'model-refused' } });
});
