import { noGrants, type Grants, type Handlers } from '../../contract/index.ts';
import { getTask } from '../../domain/tasks.ts';
import type { Client } from '../api.ts';
import { getProject, type Context } from '../context.ts';
import { addGrants, readGrants, removeGrants } from '../grants.ts';

type Part = Pick<Handlers<Client>, 'project/grant' | 'task/grant' | 'network/log'>;

export function networkHandlers(context: Context): Part {
  const { store, network } = context;
  /** A pattern to take away is one of ours: it needs no check, so that one that is no good any more can go too. */
  const changed = (now: Grants | undefined, add: Partial<Grants>, remove: Partial<Grants>): Grants =>
    addGrants(removeGrants(now ?? noGrants, remove), readGrants(add));
  return {
    'project/grant': async ({ projectId, add, remove }) => {
      const grants = changed(getProject(context, projectId).grants, add, remove);
      await store.commit({ events: [{ type: 'project.granted', projectId, grants }] });
      await network.apply((task) => task.projectId === projectId);
      return grants;
    },
    'task/grant': async ({ taskId, add, remove }) => {
      const grants = changed(getTask(store.board, taskId).grants, add, remove);
      await store.commit({ events: [{ type: 'task.granted', taskId, grants }] });
      await network.apply(({ id }) => id === taskId);
      return grants;
    },
    'network/log': async ({ taskId, before, limit }) => {
      getTask(store.board, taskId);
      return network.page(taskId, before, limit);
    },
  };
}
