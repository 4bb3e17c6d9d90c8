import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { DEMO_PROMPTS, startDemoModel, type DemoModel } from '../../agent-core/demo/index.ts';
import { createSessions, runTurn, type TurnInput } from '../../agent-core/harness/index.ts';
import { newId } from '../../agent-core/support/ids.ts';
import { plainMachine } from '../harness/support/plain-machine.ts';
import { onEnd, recorder } from '../harness/support/rig.ts';
import { git, sampleRepository } from './sample.ts';
import type { Folder } from '../apply-patch/folder.ts';

/** The demo model and our own harness together: what the app does, without its fence. */
let server: DemoModel;
beforeAll(async () => void (server = await startDemoModel({ pace: 0 })));
afterAll(() => server.close());
beforeEach(() => {
  for (const [key, value] of Object.entries({
    PORT: '0',
    GIT_AUTHOR_NAME: 'T',
    GIT_AUTHOR_EMAIL: 't@e',
    GIT_COMMITTER_NAME: 'T',
    GIT_COMMITTER_EMAIL: 't@e',
  }))
    vi.stubEnv(key, value);
  return () => void vi.unstubAllEnvs();
});

async function thread(folder?: Folder) {
  const repository = folder ?? (await sampleRepository());
  onEnd(() => repository.remove());
  const machine = plainMachine(repository.path);
  onEnd(() => machine.dispose());
  const sessions = createSessions();
  onEnd(() => sessions.dispose());
  const seen = recorder({ runOutside: machine.run });
  const threadId = newId<TurnInput['threadId']>('thr');
  const turn = (text: string | null, more: Partial<TurnInput> = {}) =>
    runTurn(
      {
        threadId,
        turnId: newId<TurnInput['turnId']>('turn'),
        messages: text === null ? [] : [{ text, via: 'prompt' }],
        history: [...seen.history],
        model: { model: 'demo', baseUrl: server.url, key: server.key, contextWindow: 272_000 },
        mode: 'workspace',
        approval: 'on-request',
        machine,
        cwd: repository.path,
        signal: new AbortController().signal,
        sessions,
        ...more,
      },
      seen.host,
    );
  return { repository, turn, ...seen };
}
const prompt = (title: string) => DEMO_PROMPTS.find((entry) => entry.title.startsWith(title))?.prompt ?? 'none';

test('fixes the test and commits', async () => {
  const { repository, turn, items } = await thread();
  expect(await turn(prompt('Fix'))).toMatchObject({
    status: 'completed',
    message: expect.stringMatching(/All 9 tests pass\. Committed as/) as string,
  });
  expect(git(repository, 'log', '-1', '--format=%s').trim()).toBe('Round the tax once, on the whole invoice');
  expect(items('fileChange').map(({ status, changes }) => [status, changes])).toEqual([
    ['completed', [{ path: 'src/invoice.js', movedTo: null, kind: 'update', added: 2, removed: 2 }]],
  ]);
  expect(
    items('plan')
      .at(-1)
      ?.steps.every((step) => step.status === 'completed'),
  ).toBe(true);
  expect(items('command').find((item) => item.command === 'npm test')).toMatchObject({ status: 'failed', exitCode: 1 });
  expect(items('command').findLast((item) => item.command === 'npm test')).toMatchObject({ status: 'completed', exitCode: 0 });
});

test('builds the feature', async () => {
  const { repository, turn } = await thread();
  expect(await turn(prompt('Build'))).toMatchObject({
    status: 'completed',
    message: expect.stringContaining('Discount codes work') as string,
  });
  expect(git(repository, 'status', '--porcelain').split('\n').filter(Boolean)).toHaveLength(3);
});

test('asks for a command outside, and takes yes and no', async () => {
  const declined = await thread();
  declined.answers(() => ({ decision: 'declined', scope: 'once', note: 'rather not' }));
  expect(await declined.turn(prompt('Whose'))).toMatchObject({
    status: 'completed',
    message: expect.stringContaining('declined (“rather not”)') as string,
  });
  expect(declined.asked).toMatchObject([
    { kind: 'escalate', subject: 'git config --global --get user.name', reason: expect.stringContaining('?') as string },
  ]);
  const approved = await thread();
  approved.answers(() => ({ decision: 'approved', scope: 'once', note: '' }));
  expect(await approved.turn(prompt('Whose'))).toMatchObject({
    status: 'completed',
    message: expect.stringMatching(/outside the sandbox, says|names nobody/) as string,
  });
  expect(approved.items('command').map((item) => item.outside)).toEqual([false, false, true]);
  const alone = await thread();
  expect(await alone.turn(prompt('Whose'), { approval: 'never' })).toMatchObject({
    status: 'completed',
    message: expect.stringContaining('look outside was declined') as string,
  });
});

test('leaves the server running for the next turn', async () => {
  const { turn, items } = await thread();
  const outcome = await turn(prompt('Start'));
  expect(outcome).toMatchObject({ status: 'completed', message: expect.stringMatching(/is open on http/) as string });
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(outcome.message)?.[0] ?? '';
  expect((await fetch(`${url}/health`)).status).toBe(200);
  expect(items('command').find((item) => item.command === 'node src/server.js')).toMatchObject({
    status: 'running',
    sessionId: expect.any(Number) as number,
  });
});

test('goes on after a stop, at the step it was stopped in', async () => {
  const { repository, turn, items } = await thread();
  const stop = new AbortController();
  const stopped = turn(prompt('Document'), { signal: stop.signal });
  await vi.waitFor(() => expect(items('fileChange').some((item) => item.status === 'completed')).toBe(true), { timeout: 15_000 });
  stop.abort();
  expect(await stopped).toMatchObject({ status: 'interrupted' });
  expect(await turn('what now?')).toMatchObject({
    status: 'completed',
    message: expect.stringContaining('you stopped this one') as string,
  });
  expect(await turn('continue')).toMatchObject({ status: 'completed', message: expect.stringContaining('lists 10 functions') as string });
  expect((await repository.files.read('docs/api.md')).toString().match(/^## \w+$/gm)).toEqual([
    '## money',
    '## catalog',
    '## cart',
    '## invoice',
  ]);
});

test('changes nothing where it may only read, and says why', async () => {
  const { repository, turn } = await thread();
  expect(await turn(prompt('Fix'), { mode: 'read-only' })).toMatchObject({
    status: 'completed',
    message: expect.stringContaining('read-only') as string,
  });
  expect(git(repository, 'status', '--porcelain')).toBe('');
});

test('does nothing on any other prompt', async () => {
  const { turn, items } = await thread();
  expect(await turn('Make it faster')).toMatchObject({
    status: 'completed',
    message: expect.stringContaining('offline demo model') as string,
  });
  expect([...items('command'), ...items('fileChange')]).toEqual([]);
});
