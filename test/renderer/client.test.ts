import { expect, test, vi } from 'vitest';
import { emptyBoard, WIRE_VERSION, type Snapshot, type StoredEvent } from '../../agent-core/contract/index.ts';
import { createClient, type ClientEvents } from '../../renderer/rpc/client.ts';
import type { Connect, LinkEvents } from '../../renderer/rpc/transport.ts';
import { host, sandbox, settings } from './support/fixture-board.ts';

const snapshot = (seq: number): Snapshot => ({ seq, board: emptyBoard(settings), activity: {}, sandbox, host });
const event = (seq: number): StoredEvent => ({ seq, at: 1, event: { type: 'settings.changed', settings } });

/** A link whose other end is the test. */
function pair() {
  const sent: { id: number; method: string; params: unknown }[] = [];
  const ends: LinkEvents[] = [];
  const told: unknown[] = [];
  const connect: Connect = async (on) => {
    ends.push(on);
    return { send: (message) => void sent.push(message as (typeof sent)[number]), close: () => on.close() };
  };
  const on: ClientEvents = {
    snapshot: ({ seq }) => told.push(['snapshot', seq]),
    events: (events) => told.push(['events', ...events.map(({ seq }) => seq)]),
    transient: () => told.push(['transient']),
    connection: ({ state }) => told.push([state]),
  };
  const answer = (value: unknown) => ends.at(-1)!.message({ kind: 'result', id: sent.at(-1)!.id, value });
  return {
    client: createClient(connect, 'secret', on),
    sent,
    ends,
    told,
    answer,
    say: (message: unknown) => ends.at(-1)!.message(message),
  };
}

test('a gap asks for a snapshot; what the snapshot holds is not told twice', async () => {
  const { client, sent, told, answer, say } = pair();
  await vi.waitFor(() => expect(sent).toHaveLength(1));
  expect(sent[0]).toMatchObject({ method: 'initialize', params: { version: WIRE_VERSION, token: 'secret' } });
  answer(snapshot(5));
  await vi.waitFor(() => expect(told).toContainEqual(['open']));
  say({ kind: 'events', from: 6, to: 6, events: [event(6)] });
  say({ kind: 'events', from: 8, to: 8, events: [event(8)] });
  await vi.waitFor(() => expect(sent.at(-1)?.method).toBe('snapshot'));
  answer(snapshot(9));
  await vi.waitFor(() => expect(told).toContainEqual(['snapshot', 9]));
  say({ kind: 'events', from: 9, to: 10, events: [event(9), event(10)] });
  expect(told).toEqual([['connecting'], ['snapshot', 5], ['open'], ['events', 6], ['snapshot', 9], ['events', 10]]);
  client.dispose();
});

test('a broken link fails what was asked, says so and comes back', async () => {
  const { client, sent, ends, told, answer } = pair();
  await vi.waitFor(() => expect(sent).toHaveLength(1));
  answer(snapshot(1));
  await vi.waitFor(() => expect(told).toContainEqual(['open']));
  const asked = client.call('task/stop', { taskId: 'task_0000000000' as never });
  ends[0]!.close();
  await expect(asked).rejects.toThrow('broke before it answered');
  await vi.waitFor(() => expect(ends).toHaveLength(2));
  answer(snapshot(3));
  await vi.waitFor(() => expect(told.slice(-2)).toEqual([['snapshot', 3], ['open']]));
  client.dispose();
});

test('a wrong token is final', async () => {
  const { client, sent, ends, told, say } = pair();
  await vi.waitFor(() => expect(sent).toHaveLength(1));
  say({ kind: 'error', id: sent[0]!.id, error: { code: 'unauthorized', message: 'no' } });
  await vi.waitFor(() => expect(told).toContainEqual(['refused']));
  client.retryNow();
  expect(ends).toHaveLength(1);
  client.dispose();
});

test('news that can’t be read is made good by a snapshot; a greeting that can’t be read is final and says so', async () => {
  const quiet = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  const { client, sent, told, answer, say } = pair();
  await vi.waitFor(() => expect(sent).toHaveLength(1));
  answer(snapshot(1));
  await vi.waitFor(() => expect(told).toContainEqual(['open']));
  say({ kind: 'events', from: 2, to: 2, events: [{ ...event(2), at: 0.5 }] });
  await vi.waitFor(() => expect(sent.at(-1)?.method).toBe('snapshot'));
  answer(snapshot(2));
  await vi.waitFor(() => expect(told).toContainEqual(['snapshot', 2]));
  expect(quiet).toHaveBeenCalled();
  quiet.mockRestore();
  client.dispose();

  const other = pair();
  await vi.waitFor(() => expect(other.sent).toHaveLength(1));
  other.answer({ seq: 1 });
  await vi.waitFor(() => expect(other.told).toContainEqual(['refused']));
  other.client.dispose();
});
