import { Failure, workspaceOf, type Handlers } from '../../contract/index.ts';
import { getTask } from '../../domain/tasks.ts';
import { parsePattern } from '../../sandbox/egress/index.ts';
import { newestCommit } from '../../workspace/recipe/base-file.ts';
import { readLockfiles } from '../../workspace/recipe/registries.ts';
import { planInclude } from '../../workspace/recipe/include.ts';
import { scratchOf } from '../recipe-include.ts';
import { readOffer } from '../../workspace/recipe/offer.ts';
import type { Client } from '../api.ts';
import { getProject, taskParts, type Context } from '../context.ts';
import type { Actions } from '../actions.ts';
import type { Supervisor } from '../supervisor.ts';

type Part = Pick<
  Handlers<Client>,
  | 'recipe/write'
  | 'recipe/offer'
  | 'recipe/registries'
  | 'recipe/answer'
  | 'recipe/include'
  | 'setup/skip'
  | 'setup/run'
  | 'action/start'
  | 'action/stop'
>;

export function recipeHandlers(context: Context, supervisor: Supervisor, actions: Actions): Part {
  const { store } = context;
  return {
    'recipe/write': async ({ projectId, recipe }) => {
      getProject(context, projectId);
      await store.commit({ events: [{ type: 'project.recipe', projectId, recipe }] });
      return {};
    },
    'recipe/offer': async ({ projectId }) => readOffer(getProject(context, projectId)),
    'recipe/registries': async ({ projectId }) => {
      const project = getProject(context, projectId);
      const { registries } = await readLockfiles(project, await newestCommit(project));
      return { registries };
    },
    'recipe/answer': async ({ projectId, hosts, answer }) => {
      getProject(context, projectId);
      // Refuses what is no host before it is written down.
      for (const host of hosts) parsePattern(host);
      await context.registries.answer(projectId, hosts, answer);
      return {};
    },
    'recipe/include': async ({ projectId }) => {
      const project = getProject(context, projectId);
      return planInclude(project, await newestCommit(project), scratchOf(context));
    },
    'setup/skip': async ({ taskId }) => {
      const task = getTask(store.board, taskId);
      const workspace = workspaceOf(store.board, task);
      if (workspace?.phase !== 'failed' || workspace.error?.code !== 'setup-failed')
        throw new Failure('conflict', `The setup of “${task.title}” has not failed.`);
      await store.commit({ events: [{ type: 'workspace.changed', workspace: { ...workspace, setup: 'skipped' } }] });
      await supervisor.retry(taskId);
      return {};
    },
    'setup/run': async ({ taskId }) => {
      const { task, thread, workspace } = taskParts(context, taskId);
      if (task.phase !== 'active' || supervisor.isRunning(thread.id))
        throw new Failure('conflict', `“${task.title}” is at work or put away.`, { fix: 'Run setup when its agent has finished.' });
      if (workspace?.phase !== 'ready') throw new Failure('worktree-missing', `“${task.title}” has no worktree.`);
      const { setup: _before, ...rest } = workspace;
      await store.commit({
        events: [
          { type: 'workspace.changed', workspace: { ...rest, phase: 'preparing' } },
          { type: 'task.phased', taskId, phase: 'queued' },
        ],
      });
      return {};
    },
    'action/start': ({ taskId, name, cols, rows }) => actions.start(taskId, name, { cols, rows }),
    'action/stop': async ({ taskId, name }) => {
      await actions.stop(taskId, name);
      return {};
    },
  };
}
