import { Failure, type DomainEvent, type Handlers, type MessageId, type Thread, type ThreadId } from '../../contract/index.ts';
import type { Client } from '../api.ts';
import type { Context } from '../context.ts';
import type { Control } from '../control.ts';
import { fork } from '../fork.ts';
import type { Supervisor } from '../supervisor.ts';

type Part = Pick<
  Handlers<Client>,
  | 'thread/undo'
  | 'thread/redo'
  | 'thread/fork'
  | 'thread/compact'
  | 'turn/edit'
  | 'turn/redo'
  | 'queue/add'
  | 'queue/remove'
  | 'queue/edit'
  | 'queue/move'
  | 'queue/send'
>;

/** Going back in a conversation, and what waits to be said in it. */
export function controlHandlers(context: Context, supervisor: Supervisor, control: Control): Part {
  const { store } = context;
  /** The thread, if the message still waits there. */
  const waiting = (threadId: ThreadId, messageId: MessageId): Thread => {
    const thread = store.board.threads[threadId];
    if (!thread?.queue.some(({ id }) => id === messageId))
      throw new Failure('conflict', 'This message does not wait any more.', { fix: 'The agent may have it already.' });
    return thread;
  };
  const commit = async (event: DomainEvent): Promise<Record<never, never>> => {
    await store.commit({ events: [event] });
    return {};
  };
  return {
    'thread/undo': async ({ threadId, turnId }) => ({ undone: await control.undo(threadId, turnId) }),
    'thread/redo': async ({ threadId, undoId }) => {
      await control.redo(threadId, undoId);
      return {};
    },
    'thread/fork': (input) => fork(context, input),
    'thread/compact': async ({ threadId, hint }) => {
      supervisor.compact(threadId, hint);
      return {};
    },
    'turn/edit': async ({ threadId, turnId, text }) => ({ undone: await control.edit(threadId, turnId, text) }),
    'turn/redo': async ({ threadId, turnId, model }) => ({ undone: await control.again(threadId, turnId, model) }),
    'queue/add': async ({ threadId, text, ...asked }) => ({ messageId: await supervisor.enqueue(threadId, text, asked) }),
    'queue/remove': ({ threadId, messageId }) => commit({ type: 'queue.removed', threadId, messageId }),
    'queue/edit': async ({ threadId, messageId, text }) => {
      waiting(threadId, messageId);
      return commit({ type: 'queue.edited', threadId, messageId, change: { text } });
    },
    'queue/move': async ({ threadId, messageId, before }) => {
      waiting(threadId, messageId);
      if (before !== null) waiting(threadId, before);
      return commit({ type: 'queue.moved', threadId, messageId, before });
    },
    'queue/send': async ({ threadId, messageId }) => {
      const { queue, taskId } = waiting(threadId, messageId);
      const first = queue.find(({ id }) => id !== messageId);
      const running = supervisor.isRunning(threadId);
      await store.commit({
        events: [
          ...(running ? [{ type: 'queue.edited', threadId, messageId, change: { steer: true } } as const] : []),
          ...(first ? [{ type: 'queue.moved', threadId, messageId, before: first.id } as const] : []),
        ],
      });
      if (!running) supervisor.goOn(taskId);
      return {};
    },
  };
}
