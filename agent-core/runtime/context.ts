import type {
  Project,
  ProjectId,
  StoredEvent,
  Task,
  TaskId,
  Thread,
  Transient,
  Workspace,
  Activity,
  SandboxStatus,
} from '../contract/index.ts';
import { setTimeout as delay } from 'node:timers/promises';
import { Failure, threadOf, workspaceOf } from '../contract/index.ts';
import { getTask } from '../domain/tasks.ts';
import type { McpServers } from '../mcp/index.ts';
import type { Sandbox } from '../sandbox/index.ts';
import type { Batch, Store } from '../storage/store.ts';
import type { Emitter } from '../support/emitter.ts';
import type { Workspaces } from '../workspace/index.ts';
import type { CoreOptions } from './api.ts';
import type { Denials } from './denials.ts';
import type { Gates } from './gates.ts';
import type { Networks } from './network.ts';
import type { HookRooms } from './hooks.ts';
import type { KeyRing } from './key-ring.ts';
import type { OutputLog } from './output-log.ts';
import type { Registries } from './registries.ts';
import type { Rest } from './rest.ts';
import type { Endpoint, Models } from './settings.ts';

/** What the parts of the runtime share. Made once, by `core.ts`. */
export interface Context {
  options: CoreOptions;
  store: Store;
  sandbox: Sandbox;
  workspaces: Workspaces;
  models: Models;
  secrets: KeyRing;
  gates: Gates;
  denials: Denials;
  network: Networks;
  registries: Registries;
  mcp: McpServers;
  hooks: HookRooms;
  outputs: OutputLog;
  rest: Rest;
  transients: Emitter<Transient>;
  events: Emitter<readonly StoredEvent[]>;
  activity: Map<TaskId, Activity>;
  /** Endpoints that a caller brought along for its own task; never on disk. */
  endpoints: Map<TaskId, Endpoint>;
  sandboxStatus: SandboxStatus;
  /** Aborted when the core begins to close. */
  closing: AbortController;
  now(): number;
  log(message: string, error?: unknown): void;
}

/** A task with everything that hangs on its attempt. Throws `not-found`. */
export function taskParts(
  context: Context,
  id: TaskId,
): { task: Task; thread: Thread; workspace: Workspace | undefined; project: Project } {
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

/** How often an outcome that could not be written is tried again. */
const AGAIN_MS = 2000;

/**
 * Writes how something that is over came out, again and again while the disk doesn't take it: until then the board says
 * that it still goes on. `tried` is called in the moment of each try, `failed` after one that failed. Rejects only when the
 * core closes; its next start finds the open intent.
 */
export async function settle(context: Context, batch: () => Batch, hooks: { tried?: () => void; failed?: () => void } = {}): Promise<void> {
  for (;;) {
    const written = context.store.commit(batch());
    hooks.tried?.();
    try {
      await written;
      return;
    } catch (error) {
      hooks.failed?.();
      if (context.closing.signal.aborted) throw error;
      context.log('saving how something ended; it is tried again', error);
      await delay(AGAIN_MS, undefined, { signal: context.closing.signal }).catch(() => {
        /* one last try */
      });
    }
  }
}

/** Tells what a task is doing this moment; null clears it. */
export function setActivity(context: Context, taskId: TaskId, activity: Activity | null): void {
  if (activity) context.activity.set(taskId, activity);
  else if (!context.activity.delete(taskId)) return;
  context.transients.emit({ type: 'activity', taskId, activity });
}
