import type { Handlers } from '../../contract/index.ts';
import { getTask } from '../../domain/tasks.ts';
import { dayOf } from '../../storage/spend.ts';
import type { Client } from '../api.ts';
import { getProject, type Context } from '../context.ts';

export function usageHandlers(context: Context): Pick<Handlers<Client>, 'usage/read' | 'project/budget' | 'task/budget'> {
  const { store, now } = context;
  return {
    'usage/read': async ({ from = '0000-00-00', to = '9999-99-99' }) => ({
      rows: store.spend.read(from, to, store.durable.board),
      today: dayOf(now()),
    }),
    'project/budget': async ({ projectId, budgets }) => {
      getProject(context, projectId);
      await store.commit({ events: [{ type: 'project.budgeted', projectId, budgets }] });
      return {};
    },
    'task/budget': async ({ taskId, budgets }) => {
      getTask(store.board, taskId);
      await store.commit({ events: [{ type: 'task.budgeted', taskId, budgets }] });
      return {};
    },
  };
}
