import { join } from 'node:path';
import { Failure, type TaskId } from '../contract/index.ts';
import { defaultPolicy } from '../workspace/index.ts';
import type { TerminalsOptions } from '../terminal/terminals.ts';
import { taskParts, type Context } from './context.ts';

/** Names of ours, and of how Signalbox was started: nothing of the person's. */
const ours = /^(SIGNALBOX_|ELECTRON_|NODE_CHANNEL_|npm_|VITEST|INIT_CWD$|CHROME_DESKTOP$|NODE_ENV$|NODE_OPTIONS$)/;

/** The environment that Signalbox was started with, as the person has it: their agent sockets and tokens included. */
export const personEnvironment = (env: Record<string, string | undefined>): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && !ours.test(entry[0])));

let count = 0;

/** What a terminal outside the sandbox runs in: nothing confines it, and it is no workspace's machine, so no agent shares it. */
export async function openOutside(context: Context, taskId: TaskId): ReturnType<NonNullable<TerminalsOptions['openOutside']>> {
  const { task, project, workspace } = taskParts(context, taskId);
  if (workspace?.phase !== 'ready')
    throw new Failure('worktree-missing', `“${task.title}” has no worktree yet.`, { fix: 'Start the task first.' });
  // The person's shell looks at the folder as soon as it steps into it.
  await (await context.workspaces.open(workspace.id)).guardFiles('a terminal', true);
  const policy = defaultPolicy('full');
  const machine = await context.sandbox.driver(policy).open({
    id: `outside-${++count}`,
    stateDir: join(context.options.home, 'outside'),
    worktree: workspace.path,
    binds: [],
    policy,
    env: personEnvironment(context.options.env),
  });
  return { machine, cwd: join(workspace.path, project.subdir), title: 'Outside the sandbox' };
}

/** How long after something was printed in a terminal the worktree is looked at. */
const LOOK_MS = 1000;

/** Looks after what happened in a terminal for files that host tools run by themselves; once for many lines. */
export function watchTerminals(context: Context): (taskId: TaskId) => void {
  const waiting = new Set<TaskId>();
  return (taskId) => {
    if (waiting.has(taskId) || context.closing.signal.aborted) return;
    waiting.add(taskId);
    setTimeout(() => {
      waiting.delete(taskId);
      if (context.closing.signal.aborted || !context.store.board.tasks[taskId]) return;
      const { workspace } = taskParts(context, taskId);
      if (workspace?.phase !== 'ready') return;
      context.rest
        .during(taskId, async () => (await context.workspaces.open(workspace.id)).guardFiles('a terminal'))
        .catch((error: unknown) => context.log('setting files aside', error));
    }, LOOK_MS).unref();
  };
}
