import { expect, test } from 'vitest';
import { call, lastOutput, say } from '../model-server/index.ts';
import { rig } from './support/rig.ts';

const option = (label: string) => ({ label, description: 'So.' });
const asks = (...questions: object[]) => call('request_user_input', { questions });
const which = { id: 'which', header: 'Which', question: 'Which one?', options: [option('This'), option('That')] };

test('a person is asked, and the answer goes back by the id of its question', async () => {
  const t = await rig([[asks(which, { ...which, id: 'open', options: [] })], [say('ok')]]);
  expect(await t.turn('hi')).toMatchObject({ status: 'completed' });
  expect(t.questions).toEqual([[which, { ...which, id: 'open', options: [] }]]);
  expect(JSON.parse(lastOutput(t.server.requests[1]!.body))).toEqual({
    answers: { which: { answers: ['This'] }, open: { answers: ['user_note: as you like'] } },
  });
  expect(t.server.refused).toEqual([]);
});

test('it is offered in every mode while somebody may answer; where nobody does, a call is declined in words', async () => {
  for (const mode of ['read-only', 'workspace', 'ask', 'full'] as const) {
    const t = await rig([[say('ok')], [asks(which)], [say('ok')]]);
    const offered = (n: number) => t.server.requests[n]!.body.tools!.some(({ name }) => name === 'request_user_input');
    await t.turn('hi', { mode });
    await t.turn('hi', { mode, approval: 'never' });
    expect([offered(0), offered(1)]).toEqual([true, false]);
    expect(t.questions).toEqual([]);
    expect(lastOutput(t.server.requests[2]!.body)).toMatch(/nobody is there to answer/);
  }
});

test('what cannot be asked is told to the model, and the turn goes on', async () => {
  const t = await rig([
    [asks(), asks(which, which, which, which), asks(which, which), asks({ id: 'x' }), call('request_user_input', '{"q')],
    [say('ok')],
  ]);
  expect(await t.turn('hi')).toMatchObject({ status: 'completed' });
  expect(t.questions).toEqual([]);
  expect(t.history.filter((item) => item.type === 'function_call_output').map(({ output }) => output)).toEqual([
    expect.stringContaining('failed to parse arguments of request_user_input: questions'),
    expect.stringContaining('failed to parse arguments of request_user_input: questions'),
    expect.stringContaining('an id of its own'),
    expect.stringContaining('questions.0.question'),
    expect.stringContaining('not valid JSON'),
  ]);
});
