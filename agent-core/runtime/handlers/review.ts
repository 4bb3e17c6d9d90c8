import type { Handlers } from '../../contract/index.ts';
import { taskParts, type Context } from '../context.ts';
import type { Client } from '../api.ts';
import type { Terminals } from '../../terminal/terminals.ts';
import { checkEvents } from '../evidence.ts';
import { look } from '../turn.ts';
import { openWorkspace } from './tasks.ts';

type Part = Pick<
  Handlers<Client>,
  | 'diff/read'
  | 'diff/patch'
  | 'diff/seen'
  | 'diff/discard'
  | 'terminal/open'
  | 'terminal/list'
  | 'terminal/attach'
  | 'terminal/detach'
  | 'terminal/write'
  | 'terminal/resize'
  | 'terminal/close'
  | 'terminal/ack'
>;

export function reviewHandlers(context: Context, terminals: Terminals): Part {
  return {
    'diff/read': ({ taskId, scope }) =>
      context.rest.during(taskId, async () => {
        const { thread } = taskParts(context, taskId);
        const open = await openWorkspace(context, taskId);
        const { tree, diff } = await look(open, 'review');
        const base = open.baseTree();
        const task = context.store.board.tasks[taskId];
        const from =
          scope === 'turn'
            ? (thread.turn?.treeBefore ?? (thread.turn?.status === 'running' ? tree : base))
            : scope === 'seen'
              ? (task?.seen ?? base)
              : scope === 'task'
                ? base
                : await open.uncommittedTree();
        const stale = await checkEvents(context, taskId, open, tree);
        if (stale.length) await context.store.commit({ events: stale });
        const now = task?.diff;
        if (now?.added !== diff.added || now.removed !== diff.removed || now.files !== diff.files) {
          await context.store.commit({ events: [{ type: 'task.diffed', taskId, diff }] });
        }
        return { from, to: tree, files: await open.diff(from, tree) };
      }),
    'diff/patch': ({ taskId, from, to, paths, ignoreWhitespace }) =>
      context.rest.during(taskId, async () => {
        const open = await openWorkspace(context, taskId);
        return open.patch({ from, to, paths, ignoreWhitespace });
      }),
    'diff/seen': async ({ taskId, tree }) => {
      if (taskParts(context, taskId).task.seen !== tree) await context.store.commit({ events: [{ type: 'task.seen', taskId, tree }] });
      return {};
    },
    'diff/discard': ({ taskId, patch }) =>
      context.rest.during(taskId, async () => {
        const open = await openWorkspace(context, taskId);
        await open.discard(patch);
        const { tree, diff } = await look(open, 'after discard');
        await context.store.commit({
          events: [{ type: 'task.diffed', taskId, diff }, ...(await checkEvents(context, taskId, open, tree))],
        });
        return {};
      }),
    'terminal/open': ({ taskId, cols, rows, outside }) =>
      context.rest.during(taskId, () => (outside ? terminals.openOutside(taskId, { cols, rows }) : terminals.open(taskId, { cols, rows }))),
    'terminal/list': async ({ taskId }) => ({ terminals: terminals.list(taskId) }),
    'terminal/attach': ({ terminalId }, client) => terminals.attach(terminalId, client),
    'terminal/detach': async ({ terminalId }, client) => {
      terminals.detach(terminalId, client);
      return {};
    },
    'terminal/write': async ({ terminalId, data }) => {
      terminals.write(terminalId, data);
      return {};
    },
    'terminal/resize': async ({ terminalId, cols, rows }) => {
      terminals.resize(terminalId, { cols, rows });
      return {};
    },
    'terminal/close': async ({ terminalId }) => {
      await terminals.close(terminalId);
      return {};
    },
    'terminal/ack': async ({ terminalId, chars }, client) => {
      terminals.ack(terminalId, client, chars);
      return {};
    },
  };
}
