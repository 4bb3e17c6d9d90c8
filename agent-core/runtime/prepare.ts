import { toAppError, workspaceOf, type DomainEvent, type TaskId, type Workspace, type WorkspaceId } from '../contract/index.ts';
import { getTask } from '../domain/tasks.ts';
import type { PreparedWorkspace } from '../workspace/index.ts';
import { getProject, setActivity, settle, type Context } from './context.ts';
import { copyIncluded } from './recipe-include.ts';
import { setUp } from './recipe.ts';

/** Writes that a task's workspace is being made, with the intent to make it. */
export async function announce(context: Context, taskId: TaskId): Promise<{ id: number; workspaceId: WorkspaceId }> {
  const task = getTask(context.store.board, taskId);
  const attempt = context.store.board.attempts[task.attempt!]!;
  const workspace: Workspace = workspaceOf(context.store.board, task) ?? {
    id: attempt.workspaceId,
    taskId,
    attemptId: attempt.id,
    phase: 'preparing',
    slug: '',
    branch: '',
    path: '',
    baseCommit: null,
    error: null,
    trashedAt: null,
  };
  const { intents } = await context.store.commit({
    events: [
      { type: 'task.phased', taskId, phase: 'active' },
      { type: 'workspace.changed', workspace: { ...workspace, phase: 'preparing', error: null } },
    ],
    intents: [{ kind: 'prepare', taskId, workspaceId: workspace.id }],
  });
  return { id: intents[0]!.id, workspaceId: workspace.id };
}

/** Why a preparation is aborted when the core shuts down: its intent stays open and the next core goes on with it. */
export const CLOSING = new Error('Signalbox is closing.');

/**
 * Makes the worktree that an intent names, or finishes a half-made one, and writes how it went. True when it is ready.
 * An abort takes back what was made and leaves the task held.
 */
export async function prepare(
  context: Context,
  taskId: TaskId,
  workspaceId: WorkspaceId,
  intent: number,
  signal: AbortSignal,
): Promise<boolean> {
  const task = getTask(context.store.board, taskId);
  const workspace = context.store.board.workspaces[workspaceId]!;
  const since = context.now();
  const tell = (subject: string, progress: number | null): void =>
    setActivity(context, taskId, { verb: 'preparing', subject, since, progress });
  tell('worktree', null);
  let outcome: DomainEvent[];
  let ready = false;
  let made: PreparedWorkspace | null = null;
  try {
    const prepared = await context.workspaces.prepare({
      workspaceId,
      project: getProject(context, task.projectId),
      title: task.title,
      base: task.base,
      mode: task.mode,
      inPlace: task.inPlace,
      ...(task.startTree && task.base.commit ? { commit: task.base.commit } : {}),
      signal,
      onProgress: ({ step, fraction }) => tell(step, fraction),
    });
    // A fork's files, once: where a crash comes between, the same again is no harm, for no turn has run.
    if (task.startTree && !workspace.baseCommit)
      await (await context.workspaces.open(workspaceId)).restoreTree(task.startTree, 'where it was forked');
    made = prepared;
    // What a fork begins with was written by another task's agent.
    const fresh = workspace.baseCommit === null && !task.startTree;
    await copyIncluded(context, taskId, { id: workspaceId, baseCommit: made.baseCommit, fresh }, signal);
    const setup = await setUp(context, taskId, { id: workspaceId, baseCommit: made.baseCommit }, signal);
    ready = true;
    outcome = [
      { type: 'task.based', taskId, base: { ...task.base, commit: made.baseCommit } },
      { type: 'workspace.changed', workspace: { ...workspace, ...made, phase: 'ready', error: null, ...(setup ? { setup } : {}) } },
    ];
  } catch (error) {
    if (signal.reason === CLOSING) return false;
    // What setup left running ends with it.
    if (made) await context.workspaces.close(workspaceId);
    outcome = signal.aborted
      ? [
          // A worktree that is there already may hold someone's work by now: it waits for the next start.
          made ? { type: 'workspace.changed', workspace: { ...workspace, ...made } } : { type: 'workspace.purged', workspaceId },
          { type: 'task.phased', taskId, phase: 'held' },
        ]
      : [{ type: 'workspace.changed', workspace: { ...workspace, ...made, phase: 'failed', error: toAppError(error) } }];
    if (signal.aborted && !made)
      await context.workspaces.purge(workspaceId).catch((failed: unknown) => context.log('taking back a worktree', failed));
  }
  await settle(context, () => ({ events: outcome, done: [intent] }));
  if (!ready) setActivity(context, taskId, null);
  return ready;
}
