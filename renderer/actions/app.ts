import type { Project } from '../../agent-core/contract/index.ts';
import { go, goBack, openTask } from '../state/route.ts';
import { boardView } from '../state/board-view.ts';
import { openLayer, ui } from '../state/ui.ts';
import { rpc } from '../state/store.ts';
import type { Action, ActionContext } from './registry.ts';

const board = { place: 'board', project: null, filter: null } as const;

/** The project that is looked at: the open task's, the page's own, else the one opened last. */
function projectHere({ board: known, task, ui: { route } }: ActionContext): Project | null {
  if (!known) return null;
  const id = task?.projectId ?? (route.place === 'project' ? route.projectId : route.place === 'board' ? route.project : null);
  return (id && known.projects[id]) || (Object.values(known.projects).sort((a, b) => b.openedAt - a.openedAt)[0] ?? null);
}

/** What can be done from anywhere. */
export const appActions: readonly Action[] = [
  {
    id: 'task.new',
    title: 'New task',
    group: 'App',
    icon: 'plus',
    keys: ['mod+n'],
    when: ({ board: known }) => known !== null,
    run: ({ ui: { route } }) =>
      openLayer({ kind: 'compose', ...(route.place === 'board' && route.project ? { projectId: route.project } : {}) }),
  },
  {
    id: 'app.palette',
    title: 'Search tasks and actions',
    group: 'App',
    icon: 'search',
    keys: ['mod+k', 'mod+shift+p'],
    hidden: true,
    run: ({ ui: { layer } }) => ui.setState({ layer: layer?.kind === 'palette' ? null : { kind: 'palette' } }),
  },
  { id: 'app.keys', title: 'All keys', group: 'App', keys: ['?'], run: () => openLayer({ kind: 'keys' }) },
  { id: 'project.open', title: 'Open a folder', group: 'App', icon: 'folder', keys: ['mod+o'], run: () => openLayer({ kind: 'folder' }) },
  { id: 'go.board', title: 'Board', group: 'Go to', icon: 'board', run: () => go(board) },
  { id: 'go.inbox', title: 'Inbox', group: 'Go to', icon: 'inbox', keys: ['mod+i'], run: () => go({ place: 'inbox' }) },
  { id: 'go.landing', title: 'Landing', group: 'Go to', icon: 'land', run: () => go({ place: 'landing' }) },
  { id: 'go.trash', title: 'Trash', group: 'Go to', icon: 'trash', run: () => go({ place: 'trash' }) },
  { id: 'go.servers', title: 'MCP servers', group: 'Go to', icon: 'plug', run: () => go({ place: 'servers' }) },
  { id: 'go.usage', title: 'Usage', group: 'Go to', icon: 'chart', run: () => go({ place: 'usage' }) },
  { id: 'go.settings', title: 'Settings', group: 'Go to', icon: 'gear', keys: ['mod+,'], run: () => go({ place: 'settings' }) },
  {
    id: 'go.project',
    title: (context) => `Project settings: ${projectHere(context)?.name}`,
    group: 'Go to',
    icon: 'gear',
    when: (context) => projectHere(context) !== null,
    run: (context) => go({ place: 'project', projectId: projectHere(context)!.id }),
  },
  { id: 'go.back', title: 'Back', group: 'Go to', keys: ['mod+['], hidden: true, run: () => history.back() },
  { id: 'go.forth', title: 'Forth', group: 'Go to', keys: ['mod+]'], hidden: true, run: () => history.forward() },
  {
    id: 'view.sidebar',
    title: ({ ui: { sidebar } }) => (sidebar ? 'Hide sidebar' : 'Show sidebar'),
    group: 'View',
    icon: 'split',
    keys: ['mod+b'],
    run: ({ ui: { sidebar } }) => ui.setState({ sidebar: !sidebar }),
  },
  {
    id: 'view.theme.system',
    title: 'Theme: as the system',
    group: 'View',
    when: ({ ui: { theme } }) => theme !== 'system',
    run: () => setTheme('system'),
  },
  {
    id: 'view.theme.light',
    title: 'Theme: light',
    group: 'View',
    when: ({ ui: { theme } }) => theme !== 'light',
    run: () => setTheme('light'),
  },
  {
    id: 'view.theme.dark',
    title: 'Theme: dark',
    group: 'View',
    when: ({ ui: { theme } }) => theme !== 'dark',
    run: () => setTheme('dark'),
  },
  {
    id: 'view.colourBlind',
    title: ({ ui: { colourBlindDiff } }) => (colourBlindDiff ? 'Diff colours: green and red' : 'Diff colours: blue and orange'),
    group: 'View',
    run: ({ ui: { colourBlindDiff } }) => ui.setState({ colourBlindDiff: !colourBlindDiff }),
  },
  {
    id: 'app.escape',
    title: 'One step back',
    group: 'Go to',
    keys: ['escape'],
    hidden: true,
    when: ({ ui: { route, selected } }) =>
      route.place !== 'board' || selected.length > 0 || route.project !== null || route.filter !== null,
    run: ({ ui: { selected } }) => (selected.length ? ui.setState({ selected: [] }) : goBack()),
  },
  ...Array.from({ length: 9 }, (_, index): Action => ({
    id: `go.task.${index + 1}`,
    title: `Task ${index + 1}`,
    group: 'Go to',
    keys: [`mod+${index + 1}`],
    hidden: true,
    run: (context) => {
      const view = context.board && boardView(context.board);
      const id = view && [...view.columns['needs-you'], ...view.columns.review, ...view.columns.working, ...view.columns.queued][index];
      if (id) openTask(id);
    },
  })),
];

/** Chooses the theme here at once and keeps it with the settings. */
export async function setTheme(theme: 'system' | 'light' | 'dark'): Promise<void> {
  ui.setState({ theme });
  await rpc().call('settings/write', { change: { theme } });
}
