import { workspaceOf, type RecipeAction, type Task } from '../../agent-core/contract/index.ts';
import { openTask } from '../state/route.ts';
import { core, rpc } from '../state/store.ts';
import { ui } from '../state/ui.ts';
import { register, type Action, type ActionContext } from './registry.ts';

export const actionId = (name: string): string => `task.run.${name}`;

/** The actions of the recipe that a task's project has. */
export function recipeOf({ board }: Pick<ActionContext, 'board'>, task: Task | null): readonly RecipeAction[] {
  return (task && board?.projects[task.projectId]?.recipe?.actions) || [];
}
export const runsIn = (task: Task | null, name: string): boolean => task?.running?.some((action) => action.name === name) ?? false;

/** Starts it and shows its tab, or stops it. Throws `Failure`. */
async function toggle(task: Task, name: string): Promise<void> {
  if (runsIn(task, name)) {
    await rpc().call('action/stop', { taskId: task.id, name });
    return;
  }
  await rpc().call('action/start', { taskId: task.id, name });
  const { route, tabs } = ui.getState();
  if (route.place !== 'task' || route.taskId !== task.id) openTask(task.id);
  if (!tabs.includes('terminal')) ui.setState({ terminalDock: true });
}

const entry = (name: string): Action => ({
  id: actionId(name),
  title: ({ task }) => `${runsIn(task, name) ? 'Stop' : 'Start'} ${name}`,
  group: 'Task',
  icon: 'play',
  when: ({ board, task }) =>
    board !== null &&
    task !== null &&
    (runsIn(task, name) ||
      (recipeOf({ board }, task).some((action) => action.name === name) && workspaceOf(board, task)?.phase === 'ready')),
  run: ({ task }) => toggle(task!, name),
});

/** Keeps an action in the registry for each name in a recipe or among what runs. */
export function followRecipes(): void {
  let known = '';
  let remove = (): void => undefined;
  let before: unknown[] = [];
  const follow = (): void => {
    const { board } = core.getState();
    if (!board || (before[0] === board.projects && before[1] === board.tasks)) return;
    before = [board.projects, board.tasks];
    const names = new Set<string>();
    for (const project of Object.values(board.projects)) for (const { name } of project.recipe?.actions ?? []) names.add(name);
    for (const task of Object.values(board.tasks)) for (const { name } of task.running ?? []) names.add(name);
    const now = JSON.stringify([...names].sort());
    if (now === known) return;
    known = now;
    remove();
    remove = register([...names].map(entry));
  };
  core.subscribe(follow);
  follow();
}
