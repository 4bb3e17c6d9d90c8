import { expect, test } from 'vitest';
import { responseEvents } from '../../agent-core/demo/wire.ts';
import { complaints } from '../model-server/corpus.ts';

const request = { model: 'm', stream: true, input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'hi' }] }] };
const chat = { model: 'm', stream: true, messages: [{ role: 'user', content: 'hi' }] };

/** All tests' requests and replies are held against the schema at the end of the run (`held.ts`); here, that it notices. */
test('what is of the API’s schema passes, and a wrong key, kind or value is told, in both directions and on both wires', async () => {
  const events = [
    ...responseEvents({ model: 'm' }, [
      { type: 'reasoning', text: 'Hm.' },
      { type: 'message', text: 'Hello.' },
    ]),
  ];
  const fine = [
    { kind: 'responses request' as const, json: request },
    { kind: 'chat request' as const, json: chat },
    ...events.map((json) => ({ kind: 'responses event' as const, json })),
  ];
  const wrong = [
    { kind: 'responses request' as const, json: { ...request, promt_cache_key: 'x' } },
    { kind: 'responses request' as const, json: { ...request, reasoning: { effort: 'huge' } } },
    { kind: 'responses request' as const, json: { ...request, input: [{ type: 'function_call', name: 'x', arguments: '{}' }] } },
    { kind: 'chat request' as const, json: { ...chat, messages: [{ role: 'tool', content: 'no id' }] } },
    { kind: 'responses event' as const, json: { ...events[0], sequence_number: '0' } },
    { kind: 'chat chunk' as const, json: { id: 'x', object: 'chat.completion.chunk', created: 1, choices: [] } },
  ];
  const told = await complaints([...fine, ...wrong]);
  expect(told.map((line) => line.split(':')[0])).toEqual(wrong.map(({ kind }) => kind));
}, 60_000);
