import {
  approvalsOf,
  heldBackBy,
  threadOf,
  workspaceOf,
  type Approval,
  type Board,
  type Scope,
  type Task,
  type TaskId,
} from '../../agent-core/contract/index.ts';
import { rpc } from '../state/store.ts';
import { openTask } from '../state/route.ts';
import { dismissToast, openLayer, toast, ui } from '../state/ui.ts';
import { denialActions } from './denials.ts';
import { attempt, type Action, type ActionContext } from './registry.ts';

const approvals = ({ board, task }: ActionContext): Approval[] => (board && task ? approvalsOf(board, task.id) : []);
const is =
  (...words: string[]) =>
  ({ status }: ActionContext) =>
    status !== null && words.includes(status);
const searches = (task: Task, board: Board | null): boolean => task.webSearch ?? board?.projects[task.projectId]?.webSearch ?? false;
const need = ({ task }: ActionContext): TaskId => task!.id;

/** Answers approvals alike; those that someone else answered meanwhile stay as they are. Throws `Failure`. */
export async function decide(asked: readonly Approval[], decision: 'approve' | 'decline', scope: Scope = 'once', note = ''): Promise<void> {
  if (asked.length) await rpc().call('approval/decide', { approvalIds: asked.map((approval) => approval.id), decision, scope, note });
}

const scoped = (id: string, title: string, scope: Scope, keys: string[]): Action => ({
  id,
  title,
  group: 'Task',
  icon: 'check',
  keys,
  scope: 'board',
  when: (context) =>
    approvals(context).length > 0 && (scope === 'once' || approvals(context).every((approval) => approval.prefix !== null)),
  run: (context) => decide(approvals(context), 'approve', scope),
});

const byIds = async (ids: readonly TaskId[], method: 'task/delete' | 'task/restore' | 'task/archive' | 'task/unarchive' | 'task/purge') => {
  for (const taskId of ids) await rpc().call(method, { taskId });
};

/** Moves tasks to the trash and offers Undo. Throws `Failure`. */
export async function deleteTasks(ids: readonly TaskId[]): Promise<void> {
  await byIds(ids, 'task/delete');
  undoable(ids.length === 1 ? 'Task moved to the trash' : `${ids.length} tasks moved to the trash`, () => byIds(ids, 'task/restore'));
}

/** Archives tasks and offers Undo. Throws `Failure`. */
export async function archiveTasks(ids: readonly TaskId[]): Promise<void> {
  await byIds(ids, 'task/archive');
  undoable(ids.length === 1 ? 'Task archived' : `${ids.length} tasks archived`, () => byIds(ids, 'task/unarchive'));
}

export const purgeTasks = (ids: readonly TaskId[]): Promise<void> => byIds(ids, 'task/purge');

function undoable(text: string, undo: () => Promise<void>): void {
  const id = toast(text, {
    action: {
      title: 'Undo',
      run: () => {
        dismissToast(id);
        void attempt(undo, null);
      },
    },
  });
}

/** The tasks an action is about: the picked ones when the task is among them, else the task alone. */
const meant = (context: ActionContext): TaskId[] =>
  context.ui.selected.includes(need(context)) ? [...context.ui.selected] : [need(context)];

export const taskActions: readonly Action[] = [
  {
    id: 'task.open',
    title: 'Open task',
    group: 'Task',
    icon: 'right',
    keys: ['enter'],
    scope: 'board',
    when: ({ task }) => task !== null,
    run: (context) => openTask(need(context)),
  },
  {
    id: 'task.approve',
    title: 'Approve',
    group: 'Task',
    icon: 'check',
    keys: ['a'],
    scope: 'board',
    footer: true,
    when: (context) => approvals(context).length > 0,
    run: (context) => decide(approvals(context), 'approve'),
  },
  scoped('task.approve.task', 'Approve for this task', 'task', ['t']),
  scoped('task.approve.project', 'Approve for this project', 'project', ['p']),
  {
    id: 'task.decline',
    title: 'Decline',
    group: 'Task',
    icon: 'x',
    keys: ['d'],
    scope: 'board',
    footer: true,
    when: (context) => approvals(context).length > 0,
    run: (context) => decide(approvals(context), 'decline'),
  },
  {
    id: 'task.start',
    title: ({ board, task }) => (board && task && heldBackBy(board, task) ? 'Start anyway' : 'Start'),
    group: 'Task',
    icon: 'play',
    keys: ['s'],
    scope: 'board',
    footer: true,
    when: is('queued'),
    run: async (context) => void (await rpc().call('task/start', { taskId: need(context) })),
  },
  {
    id: 'task.stop',
    title: 'Stop',
    group: 'Task',
    icon: 'stop',
    keys: ['.'],
    scope: 'board',
    footer: true,
    when: is('working', 'needs-approval', 'has-question', 'limited'),
    run: async (context) => void (await rpc().call('task/stop', { taskId: need(context) })),
  },
  {
    id: 'task.retry',
    title: 'Retry',
    group: 'Task',
    icon: 'undo',
    keys: ['r'],
    scope: 'board',
    footer: true,
    when: is('failed'),
    run: async (context) => void (await rpc().call('task/retry', { taskId: need(context) })),
  },
  {
    id: 'task.skipSetup',
    title: 'Start without setup',
    group: 'Task',
    icon: 'play',
    when: ({ board, task }) => board !== null && task !== null && workspaceOf(board, task)?.error?.code === 'setup-failed',
    run: async (context) => void (await rpc().call('setup/skip', { taskId: need(context) })),
  },
  {
    id: 'task.runSetup',
    title: 'Run setup again',
    group: 'Task',
    icon: 'undo',
    when: ({ board, task, status }) =>
      board !== null &&
      task?.phase === 'active' &&
      status === 'review' &&
      workspaceOf(board, task)?.phase === 'ready' &&
      Boolean(board.projects[task.projectId]?.recipe?.setup.trim()),
    run: async (context) => void (await rpc().call('setup/run', { taskId: need(context) })),
  },
  {
    id: 'task.terminal',
    title: 'Open terminal',
    group: 'Task',
    icon: 'terminal',
    keys: ['mod+j'],
    scope: 'board',
    footer: true,
    when: ({ board, task }) => board !== null && task !== null && threadOf(board, task) !== undefined,
    run: (context) => {
      openTask(need(context));
      ui.setState({ terminalDock: true });
    },
  },
  {
    id: 'task.terminal.outside',
    title: 'Open outside terminal',
    group: 'Task',
    icon: 'unlock',
    danger: true,
    when: ({ board, task }) => board !== null && task !== null && workspaceOf(board, task)?.phase === 'ready',
    run: (context) => {
      openTask(need(context));
      if (!ui.getState().tabs.includes('terminal')) ui.setState({ terminalDock: true });
      openLayer({ kind: 'terminal-outside', taskId: need(context) });
    },
  },
  {
    id: 'task.mode',
    title: 'Change mode',
    group: 'Task',
    icon: 'block',
    when: ({ task }) => task !== null && task.phase !== 'trashed' && task.phase !== 'archived',
    run: (context) => openLayer({ kind: 'mode', taskId: need(context) }),
  },
  ...denialActions,
  {
    id: 'task.review',
    title: 'Review',
    group: 'Task',
    icon: 'eye',
    keys: ['v'],
    scope: 'board',
    when: is('review'),
    run: (context) => {
      openTask(need(context));
      ui.setState(({ tabs }) => (tabs.includes('changes') ? {} : { tabs: ['changes'] }));
    },
  },
  {
    id: 'task.findings',
    title: 'Review with a model',
    group: 'Task',
    icon: 'star',
    when: ({ board, task }) =>
      board !== null &&
      task !== null &&
      workspaceOf(board, task)?.phase === 'ready' &&
      !Object.values(board.reviews).some((review) => review.taskId === task.id && review.state === 'running'),
    run: (context) => openLayer({ kind: 'review', taskId: need(context) }),
  },
  {
    id: 'task.merge',
    title: 'Merge',
    group: 'Task',
    icon: 'merge',
    keys: ['m'],
    scope: 'board',
    footer: true,
    when: is('review'),
    run: (context) => openLayer({ kind: 'merge', taskId: need(context) }),
  },
  {
    id: 'task.archive',
    title: 'Archive',
    group: 'Task',
    icon: 'done',
    keys: ['e'],
    scope: 'board',
    when: is('review', 'failed', 'queued'),
    run: (context) => openLayer({ kind: 'confirm-archive', taskIds: meant(context) }),
  },
  {
    id: 'task.unarchive',
    title: 'Move back to review',
    group: 'Task',
    icon: 'undo',
    when: is('done'),
    run: async (context) => void (await rpc().call('task/unarchive', { taskId: need(context) })),
  },
  {
    id: 'task.context',
    title: 'What the model sees',
    group: 'Task',
    icon: 'eye',
    when: ({ task }) => task !== null && task.phase !== 'trashed',
    run: (context) => openLayer({ kind: 'context', taskId: need(context) }),
  },
  {
    id: 'task.rename',
    title: 'Rename',
    group: 'Task',
    icon: 'pencil',
    keys: ['f2'],
    scope: 'board',
    when: ({ task }) => task !== null && task.phase !== 'trashed',
    run: (context) => openLayer({ kind: 'rename', taskId: need(context) }),
  },
  {
    id: 'task.search',
    title: ({ task, board }) => (task && searches(task, board) ? 'Forbid web search' : 'Allow web search'),
    group: 'Task',
    icon: 'search',
    when: ({ task }) => task !== null && task.phase !== 'trashed',
    run: async (context) => {
      const taskId = need(context);
      await rpc().call('task/search', { taskId, allow: !(context.task && searches(context.task, context.board)) });
    },
  },
  {
    id: 'task.budget',
    title: 'Set budget',
    group: 'Task',
    icon: 'chart',
    when: ({ task }) => task !== null && task.phase !== 'trashed',
    run: (context) => openLayer({ kind: 'budget', taskId: need(context) }),
  },
  {
    id: 'task.delete',
    title: 'Delete task',
    group: 'Task',
    icon: 'trash',
    keys: ['delete', 'backspace'],
    scope: 'board',
    danger: true,
    when: ({ task }) => task !== null && task.phase !== 'trashed',
    run: (context) => openLayer({ kind: 'confirm-delete', taskIds: meant(context) }),
  },
  {
    id: 'task.restore',
    title: 'Restore',
    group: 'Task',
    icon: 'undo',
    when: ({ task }) => task?.phase === 'trashed',
    run: async (context) => void (await rpc().call('task/restore', { taskId: need(context) })),
  },
  {
    id: 'task.purge',
    title: 'Delete forever',
    group: 'Task',
    icon: 'trash',
    danger: true,
    when: ({ task }) => task?.phase === 'trashed',
    run: (context) => openLayer({ kind: 'confirm-purge', taskIds: [need(context)] }),
  },
];
