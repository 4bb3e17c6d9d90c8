import { createStore } from 'zustand/vanilla';
import type { AppError, Landing, ProjectId, TaskId } from '../../agent-core/contract/index.ts';
import type { FilterId } from './board-view.ts';

/** Where the window is. Written into the address as `#/task/<id>`, so that reload, back and forth work. */
export type Route =
  | { place: 'board'; project: ProjectId | null; filter: FilterId | null }
  | { place: 'inbox' }
  | { place: 'landing' }
  | { place: 'trash' }
  | { place: 'servers' }
  | { place: 'usage' }
  | { place: 'settings' }
  | { place: 'project'; projectId: ProjectId }
  | { place: 'task'; taskId: TaskId };

export const TASK_TABS = ['conversation', 'changes', 'terminal', 'checks', 'network'] as const;
export type TaskTab = (typeof TASK_TABS)[number];

/** One open layer of the shell; the task's own layers are its own. */
export type Layer =
  | { kind: 'palette' }
  | { kind: 'keys' }
  | { kind: 'compose'; projectId?: ProjectId; prompt?: string }
  | { kind: 'folder' }
  | { kind: 'confirm-delete'; taskIds: TaskId[] }
  | { kind: 'confirm-purge'; taskIds: TaskId[] }
  | { kind: 'confirm-archive'; taskIds: TaskId[] }
  | { kind: 'merge'; taskId: TaskId; method?: Landing['method'] }
  | { kind: 'context'; taskId: TaskId }
  | { kind: 'rename'; taskId: TaskId }
  | { kind: 'budget'; taskId: TaskId }
  | { kind: 'review'; taskId: TaskId }
  | { kind: 'mode'; taskId: TaskId }
  /** Asked by the terminal pane itself, which opens what is confirmed. */
  | { kind: 'terminal-outside'; taskId: TaskId }
  | { kind: 'search'; taskId?: TaskId };

export interface Toast {
  id: number;
  text: string;
  /** An action beside the text, such as Undo. */
  action?: { title: string; run: () => void };
  error?: AppError;
}

export interface UiState {
  route: Route;
  layer: Layer | null;
  /** The card with the keys, on the board. */
  focused: TaskId | null;
  /** Cards picked to act on together. */
  selected: readonly TaskId[];
  toasts: readonly Toast[];
  /** The last failed action of a task, shown on its card and its page. */
  failures: Readonly<Record<string, AppError>>;
  /** What the live region says. */
  spoken: string;
  sidebar: boolean;
  sidebarWidth: number;
  /** Widths in px by pane name; the task page keeps its own here too. */
  panes: Readonly<Record<string, number>>;
  theme: 'system' | 'light' | 'dark';
  colourBlindDiff: boolean;
  /** The tabs open on the task page: one, or two side by side. */
  tabs: readonly TaskTab[];
  /** The terminal dock under the task page (⌘J). */
  terminalDock: boolean;
  /** The last tasks opened, newest first. */
  recent: readonly TaskId[];
}

const KEY = 'signalbox.ui';
const KEPT = ['sidebar', 'sidebarWidth', 'panes', 'theme', 'colourBlindDiff', 'tabs', 'recent'] as const;

function kept(): Partial<UiState> {
  try {
    const saved: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    return saved && typeof saved === 'object'
      ? Object.fromEntries(Object.entries(saved).filter(([key]) => (KEPT as readonly string[]).includes(key)))
      : {};
  } catch {
    return {};
  }
}

/** What is the page's own: never sent to the core, partly kept for this browser. */
export const ui = createStore<UiState>(() => ({
  route: { place: 'board', project: null, filter: null },
  layer: null,
  focused: null,
  selected: [],
  toasts: [],
  failures: {},
  spoken: '',
  sidebar: true,
  sidebarWidth: 240,
  panes: {},
  theme: 'system',
  colourBlindDiff: false,
  tabs: ['conversation'],
  terminalDock: false,
  recent: [],
  ...kept(),
}));

ui.subscribe((state, before) => {
  if (KEPT.every((key) => state[key] === before[key])) return;
  try {
    localStorage.setItem(KEY, JSON.stringify(Object.fromEntries(KEPT.map((key) => [key, state[key]]))));
  } catch {
    // storage that is full or forbidden only forgets sizes
  }
});

let nextToast = 1;
const TOAST_MS = 10_000;

/** Says something at the corner for ten seconds; errors stay until dismissed. Returns its id. */
export function toast(text: string, more: Omit<Toast, 'id' | 'text'> = {}): number {
  const id = nextToast++;
  ui.setState(({ toasts }) => ({ toasts: [...toasts.slice(-3), { id, text, ...more }] }));
  if (!more.error) setTimeout(() => dismissToast(id), TOAST_MS);
  return id;
}
export const dismissToast = (id: number): void => ui.setState(({ toasts }) => ({ toasts: toasts.filter((known) => known.id !== id) }));

/** Speaks through the live region; the same words twice are spoken twice. */
export const speak = (text: string): void => ui.setState(({ spoken }) => ({ spoken: spoken === text ? `${text}\u00a0` : text }));

export const openLayer = (layer: Layer): void => ui.setState({ layer });
export const closeLayer = (): void => ui.setState({ layer: null });

export function setFailure(taskId: TaskId, error: AppError | null): void {
  ui.setState(({ failures: { [taskId]: _old, ...rest } }) => ({ failures: error ? { ...rest, [taskId]: error } : rest }));
}
