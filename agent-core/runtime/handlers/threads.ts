import { Failure, type Handlers } from '../../contract/index.ts';
import type { Client } from '../api.ts';
import type { Context } from '../context.ts';
import type { Supervisor } from '../supervisor.ts';

type Part = Pick<
  Handlers<Client>,
  'thread/read' | 'thread/subscribe' | 'thread/unsubscribe' | 'item/output' | 'turn/start' | 'turn/steer' | 'turn/interrupt'
>;

export function threadHandlers(context: Context, supervisor: Supervisor): Part {
  const { store } = context;
  return {
    'thread/read': async ({ threadId, before, limit }) => {
      const thread = store.durable.board.threads[threadId];
      if (!thread) throw new Failure('not-found', 'This conversation does not exist any more.');
      const page = store.items(threadId, limit, before);
      // The turns of what is read, and the one before: a thread may have thousands.
      const from = page.more ? store.turnNumberOf(page.items[0]!.id) - 1 : 0;
      return { thread, ...page, turns: store.turns(threadId, from), seq: store.durable.seq };
    },
    'thread/subscribe': async ({ threadId }, client) => {
      client.threads.add(threadId);
      return {};
    },
    'thread/unsubscribe': async ({ threadId }, client) => {
      client.threads.delete(threadId);
      return {};
    },
    'item/output': async ({ itemId, offset, limit }) => {
      const item = store.item(itemId);
      if (!item) throw new Failure('not-found', 'This item does not exist any more.');
      return context.outputs.read(item.threadId, itemId, offset, limit);
    },
    'turn/start': ({ threadId, text, ...asked }) => supervisor.say(threadId, text, asked),
    'turn/steer': async ({ threadId, turnId, text }) => {
      await supervisor.steer(threadId, turnId, text);
      return {};
    },
    'turn/interrupt': async ({ threadId }) => {
      await supervisor.interrupt(threadId);
      return {};
    },
  };
}
