import type { Handlers } from '../../contract/index.ts';
import { snippetOf } from '../../domain/snippet.ts';
import type { Client } from '../api.ts';
import type { Context } from '../context.ts';

export function searchHandlers({ store }: Context): Pick<Handlers<Client>, 'search/items'> {
  return {
    'search/items': async ({ query, threadId, limit }) => {
      const { threads, tasks } = store.durable.board;
      const hits = store.search(query, threadId, limit).flatMap((item) => {
        const task = tasks[threads[item.threadId]?.taskId ?? ''];
        if (!task) return [];
        const { id: itemId, turnId, type, startedAt: at } = item;
        return [{ itemId, threadId: item.threadId, taskId: task.id, turnId, type, at, ...snippetOf(item, query) }];
      });
      return { hits };
    },
  };
}
