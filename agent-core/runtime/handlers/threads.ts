import { Failure, type Handlers } from '../../contract/index.ts';
import type { Client } from '../api.ts';
import type { Context } from '../context.ts';
import { readAside } from '../gates-files.ts';
import type { Supervisor } from '../supervisor.ts';

type Part = Pick<
  Handlers<Client>,
  | 'thread/read'
  | 'thread/subscribe'
  | 'thread/unsubscribe'
  | 'item/output'
  | 'turn/start'
  | 'turn/steer'
  | 'turn/interrupt'
  | 'approval/decide'
  | 'question/answer'
  | 'denial/decide'
  | 'denial/read'
  | 'rule/revoke'
>;

export function threadHandlers(context: Context, supervisor: Supervisor): Part {
  const { store } = context;
  return {
    'thread/read': async ({ threadId, before, limit }) => {
      const thread = store.durable.board.threads[threadId];
      if (!thread) throw new Failure('not-found', 'This conversation does not exist any more.');
      return { thread, ...store.items(threadId, limit, before), turns: store.turns(threadId), seq: store.durable.seq };
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
    'approval/decide': async (input) => ({ decided: await context.gates.decide(input) }),
    'question/answer': async (input) => {
      await context.gates.answer(input);
      return {};
    },
    'denial/decide': async (input) => ({ decided: await context.denials.decide(input) }),
    'denial/read': ({ denialId }) => readAside(context, denialId),
    'rule/revoke': async ({ ruleId }) => {
      await store.commit({ events: [{ type: 'rule.revoked', ruleId }] });
      return {};
    },
  };
}
