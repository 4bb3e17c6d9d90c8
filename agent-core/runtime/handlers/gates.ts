import { Failure, workspaceOf, type Handlers } from '../../contract/index.ts';
import { getTask } from '../../domain/tasks.ts';
import type { Client } from '../api.ts';
import { getProject, type Context } from '../context.ts';
import { readAside, withoutFile } from '../gates-files.ts';

type Part = Pick<
  Handlers<Client>,
  'approval/decide' | 'question/answer' | 'denial/decide' | 'denial/read' | 'rule/revoke' | 'task/mode' | 'file/revoke'
>;

/** What waits for a person, what was let through for good, and how much of the sandbox holds. */
export function gateHandlers(context: Context): Part {
  const { store } = context;
  return {
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
    'task/mode': async ({ taskId, mode }) => {
      const task = getTask(store.board, taskId);
      if (task.phase === 'trashed') throw new Failure('conflict', `“${task.title}” is in the trash.`, { fix: 'Restore it first.' });
      if (task.mode === mode) return {};
      await store.commit({ events: [{ type: 'task.moded', taskId, mode }] });
      // Terminals and checks in between follow at once; a turn's commands with its next one.
      const workspace = workspaceOf(store.board, task);
      if (workspace?.phase === 'ready')
        await context.rest.during(taskId, async () => (await context.workspaces.open(workspace.id)).setMode(mode));
      return {};
    },
    'file/revoke': async ({ path, taskId, projectId }) => {
      if (taskId)
        await store.commit({
          events: [{ type: 'task.granted', taskId, grants: withoutFile(getTask(store.board, taskId).grants, path) }],
        });
      if (projectId)
        await store.commit({
          events: [{ type: 'project.granted', projectId, grants: withoutFile(getProject(context, projectId).grants, path) }],
        });
      return {};
    },
  };
}
