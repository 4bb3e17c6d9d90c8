import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { noUsage } from '../../agent-core/contract/index.ts';
import { board, ids, item, turn } from './support/fixtures.ts';
import { Failure } from './support/core.ts';
import { axe, shutBrowser, soon, stage, type Setting, type Stage } from './support/stage.ts';
import { storyApproval, storyItems } from './support/story.ts';

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
// A page, a browser and axe on a machine that does other things too.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 });

const running = turn({ status: 'running', endedAt: null });

describe('a conversation', () => {
  it('shows every kind of item, opened on demand, and passes axe in both themes', async () => {
    const given = board();
    const items = storyItems();
    const { page, problems } = await show({ board: { ...given, approvals: { [storyApproval.id]: storyApproval } }, items });
    const log = page.getByRole('log', { name: 'Conversation' });
    await soon(() => log.getByText('128 passed').isVisible()).toBe(true);
    expect(await log.getByRole('region', { name: 'Plan, 2 of 4 done' }).count()).toBe(1);
    expect(await log.getByText('Received').count()).toBe(0);
    await log.getByRole('button', { name: /pnpm test rates/ }).click();
    const out = log.getByLabel('Output of pnpm test rates');
    expect(await out.textContent()).toContain('Received  EUR:USD:2026-11-19');
    expect(await out.textContent()).not.toContain('\u001b');
    expect(await out.locator('.t-bad').first().textContent()).toBe('FAIL');
    expect(await page.getByText('Turn 1').count()).toBe(1);
    expect(await axe(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await axe(page)).toEqual([]);
    expect(problems).toEqual([]);
  });

  it('takes a model’s text as data', async () => {
    const evil =
      'Hello <img src=x onerror="window.hit=1"><script>window.hit=1</script>\n\n[bad](javascript:window.hit=1) [data](data:text/html,x) [good](https://example.com/a)\n\n![pixel](https://evil.example/p.png)\n\nA\u202ecilbup';
    const { page } = await show({ items: [item('agentMessage', { text: evil }), item('userMessage', { text: '<b>bold</b>' })] });
    const log = page.getByRole('log', { name: 'Conversation' });
    await log.getByText('good').waitFor();
    expect(await log.locator('img, script, b').count()).toBe(0);
    expect(await log.getByRole('link').allTextContents()).toEqual(['good']);
    expect(await log.getByRole('link').getAttribute('rel')).toContain('noopener');
    expect(await log.textContent()).toContain('A⟨U+202E⟩cilbup');
    expect(await page.evaluate(() => (window as { hit?: number }).hit)).toBeUndefined();
  });

  it('streams a message and a running command into what is open', async () => {
    const given = board({ thread: { turn: running } });
    const command = item('command', { command: 'npm run dev', status: 'running', exitCode: null, endedAt: null });
    const { page, core } = await show({ board: given, items: [item('userMessage'), command], turns: [running] });
    await page.getByRole('button', { name: /Running npm run dev/ }).click();
    await page.getByText('No output yet.').waitFor();
    core.transient({ type: 'item.delta', threadId: ids.thread, itemId: command.id, text: 'ready on 5173\n' });
    await page.getByText('ready on 5173').waitFor();
    const message = item('agentMessage', { text: '', endedAt: null });
    core.emit({ type: 'item.started', taskId: ids.task, item: message });
    core.transient({ type: 'item.delta', threadId: ids.thread, itemId: message.id, text: 'Half a ' });
    core.transient({ type: 'item.delta', threadId: ids.thread, itemId: message.id, text: 'sentence' });
    await page.getByText('Half a sentence').waitFor();
  });

  it('reads the whole output of a long command from the core', async () => {
    const command = item('command', { command: 'big', output: 'head', outputBytes: 300_000 });
    const { page } = await show({
      items: [command],
      answers: {
        'item/output': ({ offset = 0 }) => ({
          text: offset === 0 ? 'x'.repeat(200_000) : `${'y'.repeat(99_990)}the end...`,
          offset,
          total: 300_000,
        }),
      },
    });
    await page.getByRole('button', { name: /Ran big/ }).click();
    await page.getByRole('button', { name: /Show all/ }).click();
    await page.getByRole('button', { name: /Show more/ }).click();
    await soon(async () => (await page.getByLabel('Output of big').textContent())?.endsWith('the end...')).toBe(true);
    expect(await page.getByRole('button', { name: /Show more/ }).count()).toBe(0);
  });

  it('follows the end only while the reader is there', async () => {
    const given = board({ thread: { turn: running } });
    const items = Array.from({ length: 60 }, (_, index) => item('agentMessage', { text: `Paragraph ${index}\n\n${'words '.repeat(60)}` }));
    const { page, core } = await show({ board: given, items, turns: [running] });
    const log = page.getByRole('log', { name: 'Conversation' });
    const fromEnd = () => log.evaluate((box) => Math.round(box.scrollHeight - box.scrollTop - box.clientHeight));
    await soon(fromEnd).toBeLessThan(3);
    core.emit({ type: 'item.completed', taskId: ids.task, item: item('agentMessage', { text: 'the newest one' }) });
    await page.getByText('the newest one').waitFor();
    await soon(fromEnd).toBeLessThan(3);
    await log.hover();
    await page.mouse.wheel(0, -600);
    await page.getByRole('button', { name: 'Jump to latest' }).waitFor();
    const top = await log.evaluate((box) => box.scrollTop);
    core.emit({ type: 'item.completed', taskId: ids.task, item: item('agentMessage', { text: 'out of sight' }) });
    await soon(() => log.textContent()).toContain('out of sight');
    expect(Math.abs((await log.evaluate((box) => box.scrollTop)) - top)).toBeLessThan(2);
    await page.getByRole('button', { name: 'Jump to latest' }).click();
    await soon(fromEnd).toBeLessThan(3);
    expect(await page.getByRole('button', { name: 'Jump to latest' }).count()).toBe(0);
  });

  it('reads earlier messages on request', async () => {
    const newest = item('agentMessage', { text: 'newest' });
    const older = item('agentMessage', { text: 'older' });
    const { page, core } = await show({
      answers: {
        'thread/read': ({ before }) => ({
          thread: board().threads[ids.thread]!,
          items: before ? [older] : [newest],
          turns: [],
          more: !before,
          seq: 1,
        }),
      },
    });
    await page.getByRole('button', { name: 'Show earlier messages' }).click();
    await page.getByText('older', { exact: true }).waitFor();
    expect(core.called('thread/read').at(-1)?.before).toBe(newest.id);
    expect(await page.getByRole('button', { name: 'Show earlier messages' }).count()).toBe(0);
  });
});

describe('answering', () => {
  it('an approval once, with a scope, or with a no', async () => {
    const given = board();
    const { page, core } = await show({
      board: { ...given, approvals: { [storyApproval.id]: storyApproval } },
      items: storyItems().filter((one) => one.type === 'approval'),
    });
    const gate = page.getByRole('region', { name: 'Needs approval' });
    await gate.getByText('npx tsd', { exact: true }).first().waitFor();
    await gate.getByRole('button', { name: 'Approve for longer' }).click();
    await page.getByRole('menuitem', { name: 'Approve for this task' }).click();
    expect(await core.until('approval/decide')).toMatchObject({ approvalIds: [storyApproval.id], decision: 'approve', scope: 'task' });
    await gate.getByRole('button', { name: 'Decline' }).click();
    expect(await core.until('approval/decide', (input) => input.decision === 'decline')).toMatchObject({ scope: 'once' });
    await gate.getByRole('button', { name: 'Approve', exact: true }).click();
    await core.until('approval/decide', (input) => input.decision === 'approve' && input.scope === 'once');
  });

  it('sends when idle, steers or queues while a turn runs, keeps the words when it fails', async () => {
    const { page, core } = await show({ items: [item('userMessage')] });
    core.answers['turn/start'] = () => {
      throw new Failure('no-model', 'No model is set up.', { fix: 'Open Settings.' });
    };
    const field = page.getByRole('textbox', { name: 'Message to the agent' });
    await field.fill('More tests');
    await field.press('Enter');
    expect(core.called('turn/start')).toEqual([]);
    await field.press('Control+Enter');
    await page.getByText('No model is set up.').waitFor();
    expect(await field.inputValue()).toContain('More tests');
    core.emit({ type: 'turn.started', taskId: ids.task, turn: running });
    await page.getByRole('button', { name: 'Steer' }).click();
    expect(await core.until('turn/steer')).toMatchObject({ threadId: ids.thread, turnId: running.id });
    await soon(() => field.inputValue()).toBe('');
    await field.fill('Later');
    await page.getByRole('button', { name: 'Queue', exact: true }).click();
    expect(await core.until('queue/add')).toEqual({ threadId: ids.thread, text: 'Later', kind: 'work' });
    const messageId = 'msg_000000000001' as never;
    core.emit({ type: 'queue.added', threadId: ids.thread, message: { id: messageId, text: 'Later', at: 1 } });
    await page.getByRole('list', { name: 'Queued messages' }).getByRole('button', { name: 'Remove from the queue' }).click();
    expect(await core.until('queue/remove')).toEqual({ threadId: ids.thread, messageId });
  });

  it('offers to go on after a failure and after a crash', async () => {
    const failed = turn({
      status: 'failed',
      error: { code: 'model-unauthorized', message: 'The key was refused (401).', fix: 'Check the key in Settings.' },
      usage: noUsage,
    });
    const { page, core } = await show({ board: board({ thread: { turn: failed } }), items: [item('userMessage')], turns: [failed] });
    const log = page.getByRole('log', { name: 'Conversation' });
    await log.getByText('The key was refused (401).').waitFor();
    await log.getByRole('button', { name: 'Retry' }).click();
    await core.until('task/retry');
    core.emit({ type: 'turn.ended', taskId: ids.task, turn: turn({ status: 'interrupted', interruptedBy: 'crash' }) });
    await log.getByRole('button', { name: 'Resume' }).waitFor();
  });
});
