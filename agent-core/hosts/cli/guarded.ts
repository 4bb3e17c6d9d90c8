import type { Workspaces, OpenWorkspace } from '../../workspace/index.ts';
import { say } from './print.ts';
import { askCore } from './workspaces.ts';

/**
 * Runs a command line's work in a workspace, then takes out what it put where programs of the person would run it by
 * themselves. A core that works there sees to that and asks; otherwise it is said here. Ends everything in the workspaces.
 */
export async function guarded<T>(workspaces: Workspaces, open: OpenWorkspace, command: string, work: () => Promise<T>): Promise<T> {
  const { id, kind } = open.info;
  const byCore = (await askCore(id, async () => true)) ?? false;
  // Here nobody but the person has written since the last command ended.
  if (!byCore && kind !== 'worktree') await open.guard.trustPresent();
  try {
    return await work();
  } finally {
    await workspaces.dispose();
    if (byCore) await askCore(id, (client, taskId) => client.call('diff/read', { taskId, scope: 'task' })).catch(() => null);
    else
      for (const { subject, why, place } of await open.guard.check(command, true))
        say(`Set aside ${subject}: ${why}. It lies in ${place}.`);
  }
}
