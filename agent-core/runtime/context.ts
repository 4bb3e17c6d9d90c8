import type { Project, ProjectId, StoredEvent, Task, TaskId, Thread, Transient, Workspace, Activity, SandboxStatus } from '../contract/index.ts';
import { Failure, threadOf, workspaceOf } from '../contract/index.ts';
import { getTask } from '../domain/tasks.ts';
import type { Sandbox } from '../sandbox/index.ts';
import type { Store } from '../storage/store.ts';
import type { Emitter } from '../support/emitter.ts';
import type { Workspaces } from '../workspace/index.ts';
import type { CoreOptions } from './api.ts';
import type { Gates } from './gates.ts';
import type { OutputLog } from './output-log.ts';
import type { Endpoint, Models } from './settings.ts';

/** What the parts of the runtime share. Made once, by `core.ts`. */
export interface Context {
  options: CoreOptions;
  store: Store;
  sandbox: Sandbox;
  workspaces: Workspaces;
  models: Models;
  gates: Gates;
  outputs: OutputLog;
  transients: Emitter<Transient>;
  events: Emitter<readonly StoredEvent[]>;
  activity: Map<TaskId, Activity>;
  /** Endpoints that a caller brought along for its own task; never on disk. */
  endpoints: Map<TaskId, Endpoint>;
  sandboxStatus: SandboxStatus;
  now(): number;
  log(message: string, error?: unknown): void;
}

/** A task with everything that hangs on its attempt. Throws `not-found`. */
export function taskParts(context: Context, id: TaskId): { task: Task; thread: Thread; workspace: Workspace | undefined; project: Project } {
  const board = context.store.board;
  const task = getTask(board, id);
  const thread = threadOf(board, task);
  const project = getProject(context, task.projectId);
  if (!thread) throw new Failure('not-found', `“${task.title}” has no attempt.`);
  return { task, thread, workspace: workspaceOf(board, task), project };
}

export function getProject(context: Context, id: ProjectId): Project {
  const project = context.store.board.projects[id];
  if (!project) throw new Failure('not-found', 'This project is not open.', { fix: 'Open its folder again.' });
  return project;
}

/** Tells what a task is doing this moment; null clears it. */
export function setActivity(context: Context, taskId: TaskId, activity: Activity | null): void {
  if (activity) context.activity.set(taskId, activity);
  else if (!context.activity.delete(taskId)) return;
  context.transients.emit({ type: 'activity', taskId, activity });
}
