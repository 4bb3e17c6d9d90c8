import { describe, expect, test, vi } from 'vitest';
import { Failure, WIRE_VERSION, type Channel, type ItemId, type ServerMessage } from '../../agent-core/contract/index.ts';
import { channelPair } from '../../agent-core/hosts/channels.ts';
import { connectClient } from '../../agent-core/hosts/client.ts';
import { serveClient } from '../../agent-core/hosts/session.ts';
import { newId } from '../../agent-core/support/ids.ts';
import { said, settings, smallCore, threadId, until } from './support/core.ts';

/** The client's end with all that came, and how much the core believes to be waiting for it. */
function raw(core = smallCore(), token?: string) {
  const state = { pending: 0, closed: false };
  const [near, far] = channelPair(() => state.pending);
  serveClient(core, far, token === undefined ? {} : { token });
  const got: ServerMessage[] = [];
  near.onMessage((message) => got.push(message as ServerMessage));
  near.onClose(() => {
    state.closed = true;
  });
  return { core, near, got, state };
}
const hello = (near: Channel, more = {}) => near.send({ id: 1, method: 'initialize', params: { version: WIRE_VERSION, ...more } });
const eventsOf = (got: ServerMessage[]) => got.filter((message) => message.kind === 'events');
const transientOf = (got: ServerMessage[]) => got.filter((message) => message.kind === 'transient');
const theme = (value: 'light' | 'dark') => ({ type: 'settings.changed' as const, settings: { ...settings, theme: value } });

describe('the handshake', () => {
  test('answers with a snapshot, then events that follow on', async () => {
    const core = smallCore();
    core.commit(theme('dark'));
    const { near, got } = raw(core);
    core.commit(theme('light'));
    hello(near);
    await until(() => got.length === 1, 'the snapshot');
    expect(got[0]).toMatchObject({ kind: 'result', id: 1, value: { seq: 2 } });
    core.commit(theme('dark'), theme('light'));
    await until(() => got.length === 2, 'the events');
    expect(got[1]).toMatchObject({ kind: 'events', from: 3, to: 4 });
  });

  test('refuses anything else first, and cuts off', async () => {
    const { near, got, state } = raw();
    near.send({ id: 7, method: 'snapshot', params: {} });
    await until(() => state.closed, 'the end');
    expect(got).toMatchObject([{ kind: 'error', id: 7, error: { code: 'unauthorized' } }]);
  });

  test.each([undefined, '', 'wrong'])('refuses the token %j', async (token) => {
    const [near, far] = channelPair();
    serveClient(smallCore(), far, { token: 'right' });
    await expect(connectClient(near, token === undefined ? {} : { token })).rejects.toMatchObject({ detail: { code: 'unauthorized' } });
  });

  test('takes the right token, and refuses another version', async () => {
    const [near, far] = channelPair();
    serveClient(smallCore(), far, { token: 'right' });
    expect((await connectClient(near, { token: 'right' })).snapshot.seq).toBe(0);
    const other = raw();
    other.near.send({ id: 1, method: 'initialize', params: { version: WIRE_VERSION + 1 } });
    await until(() => other.got.length === 1, 'the refusal');
    expect(other.got[0]).toMatchObject({ kind: 'error', error: { code: 'unsupported-version' } });
  });
});

describe('requests', () => {
  const connected = async (core = smallCore()) => {
    const [near, far] = channelPair();
    serveClient(core, far);
    return connectClient(near);
  };

  test('bad input names the field, and never reaches the handler', async () => {
    const open = vi.fn();
    const client = await connected(smallCore('', { 'project/open': open }));
    await expect(client.call('project/open', {} as { path: string })).rejects.toMatchObject({
      detail: { code: 'invalid-input', message: 'project/open: “path” is missing.' },
    });
    await expect(client.call('project/open', { path: 3 } as unknown as { path: string })).rejects.toMatchObject({
      detail: { message: expect.stringContaining('“path” is not right: expected string') },
    });
    await expect(client.call('turn/start', { threadId: threadId(), text: ' ' })).rejects.toMatchObject({
      detail: { message: 'The task is empty. Say what should be done.' },
    });
    await expect(client.call('toString' as 'snapshot', {})).rejects.toMatchObject({ detail: { code: 'invalid-input' } });
    expect(open).not.toHaveBeenCalled();
  });

  test('an expected failure arrives whole; a bug arrives as internal and is logged once', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {});
    const client = await connected(
      smallCore('', {
        'project/open': async () => {
          throw new Failure('no-folder', 'gone', { fix: 'look' });
        },
        'project/sample': async () => {
          throw new TypeError('oops');
        },
      }),
    );
    await expect(client.call('project/open', { path: '/x' })).rejects.toMatchObject({
      detail: { code: 'no-folder', message: 'gone', fix: 'look' },
    });
    expect(log).not.toHaveBeenCalled();
    await expect(client.call('project/sample', {})).rejects.toMatchObject({ detail: { code: 'internal', message: 'oops' } });
    expect(log).toHaveBeenCalledTimes(1);
    log.mockRestore();
  });

  test('more than 256 at once are answered overloaded, and room comes back', async () => {
    const release: (() => void)[] = [];
    const client = await connected(
      smallCore('', {
        'system/doctor': () =>
          new Promise((resolve) => {
            release.push(() => resolve({ probes: [], ok: true }));
          }),
      }),
    );
    const calls = Array.from({ length: 257 }, () =>
      client.call('system/doctor', {}).then(
        () => 'ok',
        (thrown: Failure) => thrown.detail.code,
      ),
    );
    await until(() => release.length === 256, 'all under way');
    expect(await calls[256]).toBe('overloaded');
    for (const free of release.splice(0)) free();
    expect(new Set(await Promise.all(calls.slice(0, 256)))).toEqual(new Set(['ok']));
    const again = client.call('system/doctor', {});
    await until(() => release.length === 1, 'the next');
    release[0]?.();
    expect(await again).toEqual({ probes: [], ok: true });
  });
});

describe('news', () => {
  test('items reach only those who subscribed, and no range is missing', async () => {
    const core = smallCore();
    const [a, b] = [raw(core), raw(core)];
    hello(a.near);
    hello(b.near);
    const thread = threadId();
    a.near.send({ id: 2, method: 'thread/subscribe', params: { threadId: thread } });
    await until(() => a.got.length === 2 && b.got.length === 1, 'both there');
    core.commit(theme('dark'), said(thread, newId<ItemId>('item'), 'hi'));
    core.commit(said(thread, newId<ItemId>('item'), 'more'));
    core.commit(theme('light'));
    await until(() => eventsOf(a.got).length === 3 && eventsOf(b.got).length === 2, 'the events');
    expect(eventsOf(a.got).map(({ from, to, events }) => [from, to, events.length])).toEqual([
      [1, 2, 2],
      [3, 3, 1],
      [4, 4, 1],
    ]);
    expect(eventsOf(b.got).map(({ from, to, events }) => [from, to, events.length])).toEqual([
      [1, 2, 1],
      [3, 4, 1],
    ]);
  });

  test('the first chunk of a stream goes at once, the rest joined', async () => {
    const { core, near, got } = raw();
    hello(near);
    const [thread, item] = [threadId(), newId<ItemId>('item')];
    near.send({ id: 2, method: 'thread/subscribe', params: { threadId: thread } });
    await until(() => got.length === 2, 'there');
    for (let n = 0; n < 1000; n += 1) core.tell({ type: 'item.delta', threadId: thread, itemId: item, text: `${n % 10}` });
    await Promise.resolve();
    await Promise.resolve();
    expect(transientOf(got)).toEqual([{ kind: 'transient', items: [{ type: 'item.delta', threadId: thread, itemId: item, text: '0' }] }]);
    await until(() => transientOf(got).length === 2, 'the rest');
    const text = transientOf(got)
      .flatMap(({ items }) => items)
      .map((news) => (news.type === 'item.delta' ? news.text : ''))
      .join('');
    expect(text).toBe('0123456789'.repeat(100));
  });

  test('an item’s event stands for its waiting text', async () => {
    const { core, near, got } = raw();
    hello(near);
    const [thread, item] = [threadId(), newId<ItemId>('item')];
    near.send({ id: 2, method: 'thread/subscribe', params: { threadId: thread } });
    await until(() => got.length === 2, 'there');
    for (const text of ['a', 'b', 'c']) core.tell({ type: 'item.delta', threadId: thread, itemId: item, text });
    core.commit(said(thread, item, 'abc'));
    core.tell({ type: 'item.delta', threadId: thread, itemId: item, text: 'd' });
    await until(() => transientOf(got).length === 2, 'all');
    expect(
      got
        .slice(2)
        .map((message) => (message.kind === 'transient' ? message.items[0] : message.kind === 'events' ? message.events[0]?.event : null)),
    ).toMatchObject([{ text: 'a' }, { type: 'item.updated' }, { text: 'd' }]);
  });

  test('a client that does not read gets a gap, not a queue without end', async () => {
    const { core, near, got, state } = raw();
    hello(near);
    await until(() => got.length === 1, 'there');
    state.pending = 100 * 1024 * 1024;
    for (let n = 0; n < 5000; n += 1) core.commit(theme(n % 2 ? 'dark' : 'light'));
    await new Promise((resolve) => {
      setTimeout(resolve, 40);
    });
    expect(eventsOf(got)).toEqual([]);
    state.pending = 0;
    await until(() => eventsOf(got).length > 0, 'the rest');
    const [first] = eventsOf(got);
    expect(first!.from).toBeGreaterThan(1);
    expect(first!.events.length).toBeLessThan(4097);
  });

  test('our client heals a gap with a fresh snapshot', async () => {
    const core = smallCore();
    const pending = { bytes: 0 };
    const [near, far] = channelPair(() => pending.bytes);
    serveClient(core, far);
    const client = await connectClient(near);
    let resets = 0;
    client.onReset(() => {
      resets += 1;
    });
    pending.bytes = 100 * 1024 * 1024;
    for (let n = 0; n <= 5000; n += 1) core.commit(theme(n % 2 ? 'light' : 'dark'));
    pending.bytes = 0;
    await until(() => resets === 1, 'the reset');
    expect(client.board).toEqual(core.snapshot().board);
    core.commit(theme('light'));
    await until(() => client.board.settings.theme === 'light', 'news again');
  });
});
