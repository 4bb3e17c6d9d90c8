import { afterAll, afterEach, expect, it, vi } from 'vitest';
import type { MessageId, TurnId, UndoId, Undone } from '../../agent-core/contract/index.ts';
import { board, ids, item, turn } from './support/fixtures.ts';
import { axe, shutBrowser, soon, stage, type Setting, type Stage } from './support/stage.ts';

let open: Stage[] = [];
const show = async (setting: Setting): Promise<Stage> => {
  const made = await stage(setting);
  open.push(made);
  return made;
};
afterEach(async () => {
  await Promise.all(open.map((made) => made.close()));
  open = [];
});
afterAll(shutBrowser);
vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 });

const turnId = (n: number): TurnId => `turn_${String(n).padStart(12, '0')}` as TurnId;
const messageId = (n: number): MessageId => `msg_${String(n).padStart(12, '0')}` as MessageId;
const three = [1, 2, 3].map((number) => turn({ id: turnId(number), number }));
const words = ['Cache the rates', 'Also for weekends', 'Add a test for it'];
const items = three.flatMap((each, at) => [
  item('userMessage', { turnId: each.id, text: words[at]! }),
  item('agentMessage', { turnId: each.id, text: `Did: ${words[at]}.` }),
]);
const undone: Undone = {
  id: 'undo_000000000000' as UndoId,
  number: 2,
  turns: 2,
  after: turnId(1),
  tree: 'a'.repeat(40),
  at: 1,
};
const shot = async ({ page }: Stage, name: string): Promise<void> => {
  const folder = process.env['SIGNALBOX_SHOTS'];
  if (folder) await page.screenshot({ path: `${folder}/${name}.png` });
};

it('a turn is undone from its menu by name, stands at the end as undone, and comes back from there or by a key', async () => {
  const given = board({ thread: { turn: three[2]! } });
  const answers: Setting['answers'] = { 'thread/undo': () => ({ undone }) };
  const made = await show({ board: given, items, turns: three, answers });
  const { page, core, problems } = made;
  await page.getByRole('button', { name: 'Actions for turn 1' }).click();
  await shot(made, 'turn-menu');
  await page.getByRole('menuitem', { name: 'Undo to here' }).click();
  await page.getByRole('dialog', { name: 'Undo 2 turns?' }).waitFor();
  await shot(made, 'undo-dialog');
  expect(await axe(page)).toEqual([]);
  await page.getByRole('button', { name: 'Undo 2 turns' }).click();
  expect(await core.until('thread/undo')).toEqual({ threadId: ids.thread, turnId: turnId(2) });
  core.answers['thread/read'] = () => ({
    thread: core.board.threads[ids.thread]!,
    items: items.slice(0, 2),
    turns: three.slice(0, 1),
    more: false,
    seq: core.now,
  });
  core.emit({ type: 'thread.rewound', taskId: ids.task, threadId: ids.thread, from: 2, hidden: undone, shown: null, turn: three[0]! });
  await page.getByText('Turns 2 and 3 were undone').waitFor();
  expect(await page.getByText('Also for weekends').count()).toBe(0);
  await page.getByText('2 turns undone').waitFor();
  await shot(made, 'undone');
  await page.getByRole('button', { name: 'Bring back' }).click();
  expect(await core.until('thread/redo')).toEqual({ threadId: ids.thread, undoId: undone.id });
  await page.getByRole('log', { name: 'Conversation' }).focus();
  await page.keyboard.press('Shift+Z');
  await soon(() => core.called('thread/redo').length).toBe(2);
  expect(problems).toEqual([]);
});

it('a message is edited, a turn run again with another model, and forked into a task of its own', async () => {
  const given = board({ thread: { turn: three[2]! } });
  given.settings = {
    ...given.settings,
    models: [...given.settings.models, { id: 'gpt-5.6', label: 'GPT-5.6', kind: 'remote', source: '' }],
  };
  const answers: Setting['answers'] = {
    'turn/edit': () => ({ undone }),
    'turn/redo': () => ({ undone }),
    'thread/fork': () => given.tasks[ids.task]!,
  };
  const made = await show({ board: given, items, turns: three, answers });
  const { page, core, problems } = made;
  await page.getByRole('button', { name: 'Actions for this message' }).nth(1).click();
  await page.getByRole('menuitem', { name: 'Edit the message' }).click();
  const field = page.getByLabel('Message', { exact: true });
  expect(await field.inputValue()).toBe('Also for weekends');
  await field.fill('Not for weekends');
  await shot(made, 'edit-message');
  expect(await axe(page)).toEqual([]);
  await page.keyboard.press('Control+Enter');
  expect(await core.until('turn/edit')).toEqual({ threadId: ids.thread, turnId: turnId(2), text: 'Not for weekends' });
  await page.getByRole('log', { name: 'Conversation' }).focus();
  await page.keyboard.press('r');
  await page.getByLabel('Model', { exact: true }).selectOption('gpt-5.6');
  await page.getByRole('button', { name: 'Run turn 3 again' }).click();
  expect(await core.until('turn/redo')).toEqual({ threadId: ids.thread, turnId: turnId(3), model: 'gpt-5.6' });
  await page.getByRole('button', { name: 'Actions for turn 1' }).click();
  await page.getByRole('menuitem', { name: 'Fork from its end' }).click();
  expect(await core.until('thread/fork')).toEqual({ threadId: ids.thread, turnId: turnId(1) });
  expect(problems).toEqual([]);
});

it('the queue is moved by dragging and by keys, edited in place, sent now and emptied', async () => {
  const queue = ['First', 'Second', 'Third'].map((text, at) => ({ id: messageId(at), text, at: 1 }));
  const now = turn({ status: 'running', endedAt: null });
  const made = await show({ board: board({ thread: { turn: now, queue } }), items: [item('userMessage')], turns: [now] });
  const { page, core, problems } = made;
  const rows = page.getByRole('list', { name: 'Queued messages' }).getByRole('listitem');
  await rows.nth(2).waitFor();
  expect(await axe(page)).toEqual([]);
  await shot(made, 'queue');
  const [from, to] = [await rows.nth(2).locator('.queue-grip').boundingBox(), await rows.nth(0).boundingBox()];
  await page.mouse.move(from!.x + 12, from!.y + 12);
  await page.mouse.down();
  await page.mouse.move(from!.x + 12, from!.y - 20, { steps: 4 });
  await page.mouse.move(to!.x + 12, to!.y + 8, { steps: 8 });
  await shot(made, 'queue-drag');
  await page.mouse.up();
  expect(await core.until('queue/move')).toEqual({ threadId: ids.thread, messageId: messageId(2), before: messageId(0) });
  await rows.nth(0).getByRole('button', { name: 'First' }).focus();
  await page.keyboard.press('Alt+ArrowDown');
  expect(await core.until('queue/move', ({ messageId: moved }) => moved === messageId(0))).toMatchObject({ before: messageId(2) });
  await rows.nth(1).getByRole('button', { name: 'Second' }).click();
  await page.getByLabel('Queued message', { exact: true }).fill('Second, better');
  await page.keyboard.press('Enter');
  expect(await core.until('queue/edit')).toEqual({ threadId: ids.thread, messageId: messageId(1), text: 'Second, better' });
  await rows.nth(0).getByRole('button', { name: 'Steer with it now' }).click();
  expect(await core.until('queue/send')).toEqual({ threadId: ids.thread, messageId: messageId(0) });
  core.emit({ type: 'queue.edited', threadId: ids.thread, messageId: messageId(0), change: { steer: true } });
  await rows.nth(0).getByText('at the next step').waitFor();
  await rows.nth(2).getByRole('button', { name: 'Third' }).focus();
  await page.keyboard.press('Delete');
  expect(await core.until('queue/remove')).toEqual({ threadId: ids.thread, messageId: messageId(2) });
  expect(problems).toEqual([]);
});

it('a conversation is summarized by hand, from the palette with a hint or by typing /compact', async () => {
  const made = await show({ board: board({ thread: { turn: three[2]! } }), items, turns: three });
  const { page, core, problems } = made;
  await page.getByLabel('Message to the agent').fill('/compact keep the port');
  await page.keyboard.press('Control+Enter');
  expect(await core.until('thread/compact')).toEqual({ threadId: ids.thread, hint: 'keep the port' });
  await page.keyboard.press('Control+K');
  await page.keyboard.type('Summarize');
  await page.keyboard.press('Enter');
  await page.getByLabel('What to keep above all').fill('the schema');
  await shot(made, 'compact');
  expect(await axe(page)).toEqual([]);
  await page.getByRole('button', { name: 'Summarize', exact: true }).click();
  expect(await core.until('thread/compact', ({ hint }) => hint === 'the schema')).toMatchObject({ threadId: ids.thread });
  expect(core.called('turn/start')).toEqual([]);
  expect(problems).toEqual([]);
});
