import { Failure, noGrants, workspaceOf, type Grants, type Handlers, type TaskId } from '../../contract/index.ts';
import type { Machine } from '../../sandbox/types.ts';
import { getTask } from '../../domain/tasks.ts';
import type { Client } from '../api.ts';
import { getProject, type Context } from '../context.ts';
import { removeCredential, saveCredential } from '../credentials.ts';
import { keyFile } from '../keys.ts';
import { addGrants, readGrants, removeGrants } from '../grants.ts';

type Part = Pick<
  Handlers<Client>,
  | 'project/grant'
  | 'task/grant'
  | 'network/log'
  | 'port/list'
  | 'port/open'
  | 'port/close'
  | 'credential/save'
  | 'credential/remove'
  | 'credential/store'
>;

export function networkHandlers(context: Context): Part {
  const { store, network } = context;
  /** With full access a command's ports are this computer's own. */
  const ports = (taskId: TaskId): Machine['ports'] => {
    const workspace = workspaceOf(store.board, getTask(store.board, taskId));
    const open = workspace ? context.workspaces.running(workspace.id) : null;
    return open?.machine === open?.confined ? open?.confined.ports : undefined;
  };
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
    'credential/save': (input) => saveCredential(context, input),
    'credential/remove': async ({ projectId, id }) => {
      await removeCredential(context, projectId, id);
      return {};
    },
    'credential/store': async () =>
      context.options.keys ? { kept: 'system', path: null } : { kept: 'file', path: keyFile(context.options.home) },
    'port/list': async ({ taskId }) => ({ ports: ports(taskId)?.list() ?? [] }),
    'port/open': async ({ taskId, port }) => {
      const found = ports(taskId);
      if (!found) throw new Failure('conflict', 'Nothing runs in this workspace now.', { fix: 'Start the server first.' });
      return { port: await found.open(port) };
    },
    'port/close': async ({ taskId, port }) => {
      ports(taskId)?.close(port);
      return {};
    },
  };
}
