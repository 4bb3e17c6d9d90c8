import { Failure, toAppError, type Board, type Task, type TaskId, type TaskStatus } from '../../agent-core/contract/index.ts';
import { core } from '../state/store.ts';
import { boardView } from '../state/board-view.ts';
import { setFailure, toast, ui, type UiState } from '../state/ui.ts';
import type { IconName } from '../ui/icons.tsx';

/** What an action sees when it is asked whether it applies, and when it runs. */
export interface ActionContext {
  board: Board | null;
  ui: UiState;
  /** The task meant: the one given by a card or menu, else the open one, else the focused card. */
  task: Task | null;
  status: TaskStatus | null;
}

/** Where a key works: the nearest `data-scope` elements around the focus; `global` everywhere. */
export type ActionScope =
  | 'global'
  | 'board'
  | 'inbox'
  | 'landing'
  | 'trash'
  | 'settings'
  | 'servers'
  | 'usage'
  | 'project'
  | 'task'
  | 'conversation'
  | 'review'
  | 'terminal';
export type ActionGroup = 'Task' | 'Go to' | 'View' | 'Board' | 'Inbox' | 'Review' | 'Conversation' | 'Terminal' | 'App';

export interface Action {
  /** `task.approve`; unique. A second registration replaces the first until it is removed. */
  id: string;
  /** Sentence case; buttons take their name from it. */
  title: string | ((context: ActionContext) => string);
  group: ActionGroup;
  icon?: IconName;
  /** Spelled as `ui/keys.ts` says; the first is printed. */
  keys?: readonly string[];
  /** Default `global`. A key of a nearer scope wins over a farther one. */
  scope?: ActionScope;
  /** Works while the person types in a text field (only sensible with `mod`). Default: keys with `mod`. */
  whileTyping?: boolean;
  /** Works inside a terminal, which otherwise keeps its keys. */
  inTerminal?: boolean;
  /** Not listed in the palette (movement, digits). */
  hidden?: boolean;
  /** Shown in the footer while its scope is active. */
  footer?: boolean;
  danger?: boolean;
  /** Default: always. */
  when?: (context: ActionContext) => boolean;
  run: (context: ActionContext) => void | Promise<void>;
}

const actions = new Map<string, Action[]>();
const listeners = new Set<() => void>();
let list: readonly Action[] = [];

function changed() {
  list = [...actions.values()].map((stack) => stack.at(-1)!);
  for (const listener of listeners) listener();
}

/** Adds actions; the returned function takes them out again. Components do this in an effect. */
export function register(added: readonly Action[]): () => void {
  for (const action of added) actions.set(action.id, [...(actions.get(action.id) ?? []), action]);
  changed();
  return () => {
    for (const action of added) {
      const left = (actions.get(action.id) ?? []).filter((known) => known !== action);
      if (left.length) actions.set(action.id, left);
      else actions.delete(action.id);
    }
    changed();
  };
}

export const allActions = (): readonly Action[] => list;
export const actionById = (id: string): Action | undefined => actions.get(id)?.at(-1);
export function onActions(listener: () => void): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

/** The context of now; `taskId` names a task other than the open or focused one. */
export function contextOf(taskId?: TaskId | null): ActionContext {
  const { board } = core.getState();
  const state = ui.getState();
  const id = taskId ?? (state.route.place === 'task' ? state.route.taskId : state.route.place === 'board' ? state.focused : null);
  const known = (id && board?.tasks[id]) || null;
  // The focus may still be meant for a card that has left the board for the trash.
  const task = known?.phase === 'trashed' && !taskId && state.route.place === 'board' ? null : known;
  return { board, ui: state, task, status: task && board ? (boardView(board).status[task.id] ?? null) : null };
}

export const titleOf = (action: Action, context: ActionContext): string =>
  typeof action.title === 'string' ? action.title : action.title(context);
/** The key to print for an action: none where its scope is not that of the page, for there it would do nothing. */
export function keyHere(action: Action, { ui: { route } }: ActionContext): string | undefined {
  const [key] = action.keys ?? [];
  const parts: readonly (ActionScope | undefined)[] =
    route.place === 'task' ? ['task', 'conversation', 'review', 'terminal'] : [route.place];
  const here = action.scope === undefined || action.scope === 'global' || parts.includes(action.scope);
  // A task's page has the terminal's key too, by an action of its own.
  return here || (route.place === 'task' && key === 'mod+j') ? key : undefined;
}
export const applies = (action: Action, context: ActionContext): boolean => action.when?.(context) ?? true;

/**
 * Runs an action if it applies. A failure is shown beside its cause: on the task's card and page when there is a task,
 * else as a notice. Returns whether it ran without failing.
 */
export async function runAction(id: string, taskId?: TaskId | null): Promise<boolean> {
  const action = actionById(id);
  const context = contextOf(taskId);
  if (!action || !applies(action, context)) return false;
  return attempt(() => action.run(context), context.task?.id ?? null);
}

/** Runs `work` and shows a failure beside its cause, as `runAction` does. */
export async function attempt(work: () => void | Promise<unknown>, taskId: TaskId | null): Promise<boolean> {
  try {
    if (taskId) setFailure(taskId, null);
    await work();
    return true;
  } catch (thrown) {
    const error = toAppError(thrown);
    if (!(thrown instanceof Failure)) console.error(thrown);
    if (taskId && core.getState().board?.tasks[taskId]) setFailure(taskId, error);
    else toast(error.message, { error });
    return false;
  }
}
