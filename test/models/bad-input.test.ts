import { describe, expect, test } from 'vitest';
import type { WireEvent } from '../../agent-core/demo/wire.ts';
import { rig } from '../harness/support/rig.ts';
import { call, duplicateCallIds, reasoning, say, twist, type Json, type Step } from '../model-server/index.ts';

/**
 * What a model's server does that it should not: the turn goes on, or ends with an exact reason, and the next turn works.
 * The server refuses histories that the API would refuse, so that a broken reply can't spoil what comes after.
 */

const one = call('exec_command', { cmd: 'echo one' });
const two = call('exec_command', { cmd: 'echo two' });
const inDone = (change: (item: Json, event: WireEvent) => Json): ((events: WireEvent[]) => WireEvent[]) => {
  return (events) =>
    events.map((event) => (event.type === 'response.output_item.done' ? { ...event, item: change(event['item'] as Json, event) } : event));
};
const without = (item: Json, name: string): Json => Object.fromEntries(Object.entries(item).filter(([key]) => key !== name));
const isDone = ({ type }: WireEvent): boolean => type === 'response.output_item.done';
const noOutput = (events: WireEvent[]): WireEvent[] =>
  events
    .filter(({ type }) => !/output|content|text|arguments/.test(type))
    .map((event) => (event.type === 'response.completed' ? { ...event, response: { ...(event['response'] as Json), output: [] } } : event));

type Outcome = { runs: string[] } | { failed: string };
const both = { runs: ['one\n', 'two\n'] };

describe.each<[string, Step[], Outcome]>([
  ['two calls with the same id', [one, two, duplicateCallIds()], both],
  ['calls without an id', [one, two, twist({ events: inDone((item) => without(item, 'call_id')) })], both],
  [
    'calls whose id is null, a number or too long',
    [one, two, twist({ events: inDone((item, { output_index: at }) => ({ ...item, call_id: at ? 7 : 'x'.repeat(200) })) })],
    both,
  ],
  [
    'items that are told done in the wrong order',
    [
      one,
      two,
      twist({
        events: (events) => [
          ...events.filter((event) => !isDone(event)).slice(0, -1),
          ...events.filter(isDone).toReversed(),
          events.at(-1)!,
        ],
      }),
    ],
    both,
  ],
  [
    'items without a place',
    [
      one,
      two,
      twist({
        events: (events) =>
          events.map((event) =>
            isDone(event) ? { ...without(event, 'output_index'), type: event.type, sequence_number: event.sequence_number } : event,
          ),
      }),
    ],
    both,
  ],
  [
    'an item that is told done twice',
    [one, two, twist({ events: (events) => events.flatMap((event) => (isDone(event) ? [event, event] : [event])) })],
    both,
  ],
  [
    'deltas of an item that never begins',
    [
      one,
      two,
      twist({
        events: (events) => [
          events[0]!,
          { type: 'response.output_text.delta', sequence_number: 1, item_id: 'msg_x', output_index: 40, content_index: 0, delta: 'lost' },
          ...events.slice(1),
        ],
      }),
    ],
    both,
  ],
  [
    'an item that is no object',
    [
      one,
      two,
      twist({
        events: (events) => [
          events[0]!,
          { type: 'response.output_item.done', sequence_number: 1, output_index: 9, item: 'nonsense' },
          ...events.slice(1),
        ],
      }),
    ],
    both,
  ],
  ['a call without a name', [one, twist({ events: inDone((item) => without(item, 'name')) })], { runs: [] }],
  ['a call without arguments', [one, twist({ events: inDone((item) => without(item, 'arguments')) })], { runs: [] }],
  ['a call of a tool that does not exist', [call('launch_rocket', { now: true }), one], { runs: ['one\n'] }],
  ['a name that the API would not take back', [call('rocket launch! 🚀', { now: true }), one], { runs: ['one\n'] }],
  ['a reply with no output', [say('x'), twist({ events: noOutput })], { failed: 'model-bad-reply' }],
  [
    'a reply whose end holds no response',
    [say('x'), twist({ events: (events) => [events[0]!, { type: 'response.completed', sequence_number: 1 }] })],
    { failed: 'model-bad-reply' },
  ],
  [
    'an error with no words',
    [say('x'), twist({ events: (events) => [events[0]!, { type: 'response.failed', sequence_number: 1, response: {} }] })],
    { failed: 'model-unreachable' },
  ],
])('on the Responses wire, %s', (_name, steps, expected) => {
  test('the turn goes on or ends with its reason, and the next turn works', async () => {
    let broken = true;
    const t = await rig((request) => {
      const answered = request.input.at(-1)?.type?.endsWith('_output');
      return broken && !answered ? steps : [say('Fine.')];
    });
    const outcome = await t.turn('Go');
    if ('failed' in expected)
      expect(outcome).toMatchObject({
        status: 'failed',
        error: { code: expected.failed, message: expect.stringMatching(/\w{4}/) as string },
      });
    else expect(outcome).toEqual({ status: 'completed', message: 'Fine.' });
    if ('runs' in expected) expect(t.items('command').map(({ output }) => output)).toEqual(expected.runs);
    expect(t.items('command').every(({ endedAt }) => endedAt !== null)).toBe(true);
    broken = false;
    expect(await t.turn('And now')).toEqual({ status: 'completed', message: 'Fine.' });
    expect(t.server.refused).toEqual([]);
  });
});

/** Changes each delta of the first choice. */
const inDelta =
  (change: (delta: Json) => Json) =>
  (chunks: Json[]): Json[] =>
    chunks.map((chunk) => ({
      ...chunk,
      choices: (chunk['choices'] as { delta: Json }[]).map((choice) => ({ ...choice, delta: change(choice.delta) })),
    }));
const calls = (delta: Json): Json[] => (delta['tool_calls'] ?? []) as Json[];
const changed = (change: (part: Json) => Json) =>
  inDelta((delta) => (delta['tool_calls'] ? { ...delta, tool_calls: calls(delta).map(change) } : delta));

describe.each<[string, Step[], Outcome]>([
  [
    'two calls with the same id',
    [one, two, twist({ chunks: changed((part) => (part['id'] ? { ...part, id: 'call_same' } : part)) })],
    both,
  ],
  ['calls without an id', [one, two, twist({ chunks: changed((part) => without(part, 'id')) })], both],
  [
    'calls with an id that is too long',
    [one, two, twist({ chunks: changed((part) => (part['id'] ? { ...part, id: `${String(part['id'])}${'x'.repeat(200)}` } : part)) })],
    both,
  ],
  [
    'a call without a name',
    [one, twist({ chunks: changed((part) => ({ ...part, function: without(part['function'] as Json, 'name') })) })],
    { runs: [] },
  ],
  ['a call of a tool that does not exist', [call('launch_rocket', {}), one], { runs: ['one\n'] }],
  ['a name that the API would not take back', [call('rocket launch!', {}), one], { runs: ['one\n'] }],
  [
    'chunks without choices, without a delta, and null',
    [
      one,
      two,
      twist({
        chunks: (chunks) => [
          { ...chunks[0]!, choices: [] },
          without(chunks[0]!, 'choices'),
          { ...chunks[0]!, choices: [{ index: 0 }] },
          { ...chunks[0]!, choices: null },
          ...chunks,
        ],
      }),
    ],
    both,
  ],
  ['a reply with no output', [twist({})], { failed: 'model-bad-reply' }],
  ['only a thought', [reasoning('Hmm.'), twist({})], { failed: 'model-bad-reply' }],
])('over Chat Completions, %s', (_name, steps, expected) => {
  test('the turn goes on or ends with its reason, and the next turn works', async () => {
    let broken = true;
    const t = await rig(
      (request) => {
        const answered = request.input.at(-1)?.type?.endsWith('_output');
        return broken && !answered ? steps : [say('Fine.')];
      },
      { server: { wires: ['chat'] } },
    );
    const model = { model: 'some-model', baseUrl: t.server.url, key: 'key', wire: 'chat' as const, contextWindow: 100_000 };
    const outcome = await t.turn('Go', { model });
    if ('failed' in expected) expect(outcome).toMatchObject({ status: 'failed', error: { code: expected.failed } });
    else expect(outcome).toEqual({ status: 'completed', message: 'Fine.' });
    if ('runs' in expected) expect(t.items('command').map(({ output }) => output)).toEqual(expected.runs);
    broken = false;
    expect(await t.turn('And now', { model })).toEqual({ status: 'completed', message: 'Fine.' });
    expect(t.server.refused).toEqual([]);
  });
});
