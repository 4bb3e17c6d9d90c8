import { ProjectId, TaskId } from '../../agent-core/contract/index.ts';
import { FILTERS } from './board-view.ts';
import { ui, type Route } from './ui.ts';

const BOARD: Route = { place: 'board', project: null, filter: null };

/** `#/task/task_…` ↔ a route. What can't be read is the board. */
export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  const [place, id] = path.split('/');
  switch (place) {
    case 'inbox':
    case 'landing':
    case 'trash':
    case 'servers':
    case 'usage':
    case 'settings':
      return { place };
    case 'task': {
      const taskId = TaskId.safeParse(id);
      return taskId.success ? { place, taskId: taskId.data } : BOARD;
    }
    case 'project': {
      const projectId = ProjectId.safeParse(id);
      return projectId.success ? { place, projectId: projectId.data } : BOARD;
    }
    default: {
      const search = new URLSearchParams(query);
      const project = ProjectId.safeParse(search.get('project'));
      return {
        place: 'board',
        project: project.success ? project.data : null,
        filter: FILTERS.find(({ id: known }) => known === search.get('filter'))?.id ?? null,
      };
    }
  }
}

export function printRoute(route: Route): string {
  if (route.place === 'task') return `#/task/${route.taskId}`;
  if (route.place === 'project') return `#/project/${route.projectId}`;
  if (route.place !== 'board') return `#/${route.place}`;
  const search = new URLSearchParams({
    ...(route.project ? { project: route.project } : {}),
    ...(route.filter ? { filter: route.filter } : {}),
  }).toString();
  return `#/board${search ? `?${search}` : ''}`;
}

const RECENT = 20;
/** The board as it was last looked at, narrowed or not: where one step back leads. */
let lastBoard: Route = BOARD;

function show(route: Route): void {
  if (route.place === 'board') lastBoard = route;
  ui.setState(({ recent }) => ({
    route,
    layer: null,
    selected: [],
    ...(route.place === 'task' ? { recent: [route.taskId, ...recent.filter((id) => id !== route.taskId)].slice(0, RECENT) } : {}),
  }));
}

/** Goes to a place; the browser's back and forth undo it. */
export function go(route: Route): void {
  const hash = printRoute(route);
  if (location.hash !== hash) history.pushState(null, '', hash);
  show(route);
}

/** One step back: to the board as it was left, and from a narrowed board to all of it. */
export const goBack = (): void => go(ui.getState().route.place === 'board' ? BOARD : lastBoard);

export const openTask = (taskId: TaskId): void => go({ place: 'task', taskId });

/** Follows the address. Returns the stop. */
export function followAddress(): () => void {
  const follow = () => show(parseRoute(location.hash));
  addEventListener('popstate', follow);
  addEventListener('hashchange', follow);
  follow();
  return () => {
    removeEventListener('popstate', follow);
    removeEventListener('hashchange', follow);
  };
}
