import { createStore } from 'zustand/vanilla';
import { threadOf, type Task, type Thread, type Turn, type Undone } from '../../../agent-core/contract/index.ts';
import { attempt, type Action, type ActionContext } from '../../actions/registry.ts';
import { openTask } from '../../state/route.ts';
import { core, rpc } from '../../state/store.ts';
import { dismissToast, toast } from '../../state/ui.ts';
import { plural } from '../../ui/format.ts';

/** What the person is asked about before it is done with a turn. */
export interface Asked {
  what: 'undo' | 'edit' | 'retry' | 'compact';
  thread: Thread;
  turn: Turn;
}
export const asked = createStore<{ asked: Asked | null }>(() => ({ asked: null }));
export const ask = (what: Asked['what'], thread: Thread, turn: Turn): void => asked.setState({ asked: { what, thread, turn } });

/** How many turns leave the conversation with this one. */
export const turnsFrom = (thread: Thread, turn: Turn): number => (thread.turn?.number ?? turn.number) - turn.number + 1;

/** Says what was undone and offers to take it back. */
function tell({ taskId, id: threadId }: Thread, undone: Undone, words = 'undone'): void {
  const at = toast(`${plural(undone.turns, 'turn')} ${words}`, {
    action: {
      title: 'Undo',
      run: () => {
        dismissToast(at);
        void attempt(() => rpc().call('thread/redo', { threadId, undoId: undone.id }), taskId);
      },
    },
  });
}

export const undoTo = (thread: Thread, turn: Turn): Promise<boolean> =>
  attempt(async () => tell(thread, (await rpc().call('thread/undo', { threadId: thread.id, turnId: turn.id })).undone), thread.taskId);

export const editTo = (thread: Thread, turn: Turn, text: string): Promise<boolean> =>
  attempt(
    async () => tell(thread, (await rpc().call('turn/edit', { threadId: thread.id, turnId: turn.id, text })).undone, 'replaced'),
    thread.taskId,
  );

export const runAgain = (thread: Thread, turn: Turn, model: string): Promise<boolean> =>
  attempt(
    async () => tell(thread, (await rpc().call('turn/redo', { threadId: thread.id, turnId: turn.id, model })).undone, 'replaced'),
    thread.taskId,
  );

export const forkFrom = (thread: Thread, turn: Turn): Promise<boolean> =>
  attempt(async () => {
    const task = await rpc().call('thread/fork', { threadId: thread.id, turnId: turn.id });
    openTask(task.id);
    toast(`Forked from turn ${turn.number} into a task of its own`);
  }, thread.taskId);

export const bringBack = (thread: Thread, undone: Undone): Promise<boolean> =>
  attempt(() => rpc().call('thread/redo', { threadId: thread.id, undoId: undone.id }), thread.taskId);

/** What can be brought back now: the newest undo whose place in the conversation is still there. */
export function broughtBack(thread: Thread, turns: readonly Turn[]): Undone | undefined {
  return thread.undone?.findLast(({ number, after }) => (turns.findLast((turn) => turn.number < number)?.id ?? null) === after);
}

const threadIn = ({ board, task }: ActionContext): Thread | undefined => (board && task ? threadOf(board, task) : undefined);
const rests = (context: ActionContext): boolean => {
  const turn = threadIn(context)?.turn;
  return context.ui.route.place === 'task' && !!turn && turn.status !== 'running' && context.task?.phase !== 'trashed';
};
const newest = (context: ActionContext): [Thread, Turn] => {
  const thread = threadIn(context)!;
  return [thread, thread.turn!];
};
const undoneIn = (context: ActionContext): Undone | undefined => {
  const thread = threadIn(context);
  return thread && broughtBack(thread, core.getState().threads[thread.id]?.turns ?? []);
};

/** What can be done with the newest turn; each turn's own menu does the same with it. */
export const turnActions: readonly Action[] = [
  {
    id: 'turn.undo',
    title: 'Undo the last turn',
    group: 'Conversation',
    icon: 'undo',
    keys: ['z'],
    scope: 'task',
    when: rests,
    run: (context) => ask('undo', ...newest(context)),
  },
  {
    id: 'turn.redo',
    title: 'Bring undone turns back',
    group: 'Conversation',
    icon: 'redo',
    keys: ['shift+z'],
    scope: 'task',
    when: (context) => undoneIn(context) !== undefined && threadIn(context)?.turn?.status !== 'running',
    run: async (context) => void (await bringBack(threadIn(context)!, undoneIn(context)!)),
  },
  {
    id: 'turn.fork',
    title: 'Fork from here into a new task',
    group: 'Conversation',
    icon: 'fork',
    keys: ['f'],
    scope: 'task',
    when: rests,
    run: async (context) => void (await forkFrom(...newest(context))),
  },
  {
    id: 'turn.edit',
    title: 'Edit the last message',
    group: 'Conversation',
    icon: 'pencil',
    keys: ['e'],
    scope: 'task',
    when: rests,
    run: (context) => ask('edit', ...newest(context)),
  },
  {
    id: 'turn.retry',
    title: 'Run the last turn again with…',
    group: 'Conversation',
    icon: 'play',
    keys: ['r'],
    scope: 'task',
    when: rests,
    run: (context) => ask('retry', ...newest(context)),
  },
  {
    id: 'thread.compact',
    title: 'Summarize the conversation for the model…',
    group: 'Conversation',
    icon: 'minus',
    when: rests,
    run: (context) => ask('compact', ...newest(context)),
  },
];

/** Shortens what the model is sent; `hint` is what it must keep. */
export const compact = (thread: Thread, hint: string): Promise<boolean> =>
  attempt(() => rpc().call('thread/compact', { threadId: thread.id, hint }), thread.taskId);

/** Whether a turn of this task can be taken back, and why not. */
export const restingWhy = (task: Task, thread: Thread): string | undefined =>
  task.phase === 'trashed' ? 'The task is in the trash' : thread.turn?.status === 'running' ? 'Stop the task first' : undefined;
