import { Failure, type Handlers } from '../../contract/index.ts';
import { bestPaths } from '../../domain/paths.ts';
import { contextOf, type HistoryItem } from '../../harness/index.ts';
import { keepAttachment, readAttachment } from '../attachments.ts';
import type { Client } from '../api.ts';
import { getProject, taskParts, type Context } from '../context.ts';
import { PathLists } from '../paths.ts';
import { findShortcuts } from '../shortcuts.ts';

export function contextHandlers(
  context: Context,
): Pick<Handlers<Client>, 'file/find' | 'attachment/add' | 'attachment/read' | 'shortcut/list' | 'thread/context'> {
  const paths = new PathLists(context);
  return {
    'file/find': async ({ projectId, taskId, query, limit }) => ({
      paths: bestPaths(query, await paths.of(getProject(context, projectId), taskId), limit),
    }),
    'attachment/add': async ({ name, data }) => ({ path: await keepAttachment(context.options.home, name, data) }),
    'attachment/read': async ({ path }) => ({ data: await readAttachment(context.options.home, path) }),
    'shortcut/list': async ({ projectId }) => findShortcuts(getProject(context, projectId), context.options),
    'thread/context': async ({ threadId }) => {
      const thread = context.store.board.threads[threadId];
      if (!thread) throw new Failure('not-found', 'This conversation does not exist any more.');
      const { task, workspace } = taskParts(context, thread.taskId);
      const model = await context.models.config(
        { model: thread.turn?.model ?? task.model, effort: thread.turn?.effort },
        context.endpoints.get(task.id),
      );
      const serverTools = workspace ? await context.mcp.running(workspace.id) : [];
      const { mode, approval } = task;
      const history = context.store.history(threadId) as HistoryItem[];
      return { parts: contextOf(history, { model, mode, approval, serverTools }), window: model.contextWindow };
    },
  };
}
