import { Failure, workspaceOf, type AttemptId, type Handlers, type TaskId, type ThreadId, type WorkspaceId } from '../../contract/index.ts';
import { archiveTask, createTask, getTask, reorderTask, startTask, unarchiveTask } from '../../domain/tasks.ts';
import { inspectFolder, resolveBase } from '../../git/repository.ts';
import { newId } from '../../support/ids.ts';
import type { OpenWorkspace } from '../../workspace/index.ts';
import type { Client } from '../api.ts';
import { getProject, type Context } from '../context.ts';
import type { Ending } from '../ending.ts';
import type { Supervisor } from '../supervisor.ts';

type Part = Pick<
  Handlers<Client>,
  | 'task/create'
  | 'task/start'
  | 'task/stop'
  | 'task/retry'
  | 'task/rename'
  | 'task/reorder'
  | 'task/archive'
  | 'task/unarchive'
  | 'task/delete'
  | 'task/restore'
  | 'task/purge'
  | 'land/preview'
  | 'land/merge'
>;

export function taskHandlers(context: Context, supervisor: Supervisor, ending: Ending): Part {
  const { store } = context;
  return {
    'task/create': async (input) => {
      const project = getProject(context, input.projectId);
      const asked = input.base ?? { ref: (await inspectFolder(project.root)).branch ?? 'HEAD', kind: 'local' as const };
      const base = { ...asked, commit: await resolveBase(project, asked) };
      const model = context.models.choose(input.model, input.origin, input.endpoint);
      const ids = {
        task: newId<TaskId>('task'),
        attempt: newId<AttemptId>('att'),
        thread: newId<ThreadId>('thr'),
        workspace: newId<WorkspaceId>('ws'),
      };
      if (input.endpoint) context.endpoints.set(ids.task, { ...input.endpoint, caller: true });
      await store.commit({ events: createTask(store.board, input, { base, model }, ids, context.now()) });
      return getTask(store.board, ids.task);
    },
    'task/start': async ({ taskId }) => {
      await store.commit({ events: startTask(store.board, taskId) });
      return {};
    },
    'task/stop': async ({ taskId }) => {
      await supervisor.stop(taskId);
      return {};
    },
    'task/retry': async ({ taskId }) => {
      await supervisor.retry(taskId);
      return {};
    },
    'task/rename': async ({ taskId, title }) => {
      getTask(store.board, taskId);
      await store.commit({ events: [{ type: 'task.renamed', taskId, title: title.trim() || 'Untitled task' }] });
      return {};
    },
    'task/reorder': async ({ taskId, before }) => {
      await store.commit({ events: reorderTask(store.board, taskId, before) });
      return {};
    },
    'task/archive': async ({ taskId }) => {
      await store.commit({ events: archiveTask(store.board, taskId) });
      return {};
    },
    'task/unarchive': async ({ taskId }) => {
      await store.commit({ events: unarchiveTask(store.board, taskId) });
      return {};
    },
    'task/delete': async ({ taskId }) => {
      await ending.trash(taskId);
      return {};
    },
    'task/restore': async ({ taskId }) => {
      await ending.restore(taskId);
      return {};
    },
    'task/purge': async ({ taskId }) => {
      await ending.purge(taskId);
      return {};
    },
    'land/preview': ({ taskId }) => context.rest.during(taskId, async () => (await openWorkspace(context, taskId)).landPreview()),
    'land/merge': ({ taskId, method, message }) => context.rest.during(taskId, () => ending.land(taskId, method, message)),
  };
}

/** The open workspace of a task. Throws `worktree-missing` where there is none (any more). */
export async function openWorkspace(context: Context, taskId: TaskId): Promise<OpenWorkspace> {
  const task = getTask(context.store.board, taskId);
  const workspace = workspaceOf(context.store.board, task);
  if (workspace?.phase !== 'ready') {
    throw new Failure('worktree-missing', `“${task.title}” has no worktree yet.`, {
      fix: workspace?.phase === 'trashed' ? 'Restore the task first.' : 'Start the task first.',
    });
  }
  return context.workspaces.open(workspace.id);
}
