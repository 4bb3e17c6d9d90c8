import { Failure } from '../../contract/index.ts';
import { outsideText } from '../../git/runner.ts';
import type { Workspaces, WorkspaceMeta } from '../../workspace/index.ts';
import { atMost, readArgs } from './args.ts';
import { USAGE } from './help.ts';
import { print, printJson, say } from './print.ts';
import { askCore, localWorkspaces, realFolder } from './workspaces.ts';

interface Harvested {
  tip: string;
  diverged: string | null;
}

/** Comparing with the branch's newest commit makes a core harvest first. */
const byCore = (meta: WorkspaceMeta): Promise<Harvested | null> =>
  askCore(meta.id, async (client, taskId) => {
    await client.call('diff/read', { taskId, scope: 'uncommitted' });
    return { tip: await outsideText(meta.project.gitDir, ['rev-parse', '--verify', meta.branch]), diverged: null };
  });

async function find(workspaces: Workspaces, folder: string): Promise<WorkspaceMeta> {
  try {
    return (await workspaces.locate(folder)) ?? (await workspaces.adopt(folder));
  } catch (thrown) {
    if (!(thrown instanceof Failure) || thrown.detail.code !== 'not-allowed') throw thrown;
    throw new Failure('invalid-input', `${folder} is in no workspace: there is nothing to harvest.`, {
      fix: 'Name a task’s worktree with --cwd DIR.',
    });
  }
}

export async function run(args: string[]): Promise<number> {
  const parsed = readArgs(args, { cwd: { type: 'string' }, json: { type: 'boolean' } }, USAGE.harvest);
  atMost(parsed, 0, USAGE.harvest);
  const folder = await realFolder(parsed.text('cwd') ?? '.');
  const workspaces = localWorkspaces();
  try {
    const meta = await find(workspaces, folder);
    const { tip, diverged } = (await byCore(meta)) ?? (await (await workspaces.open(meta.id)).harvest());
    const branch = meta.branch.replace('refs/heads/', '');
    if (parsed.flag('json')) printJson({ branch, commit: tip, diverged });
    else print(`${branch} is at ${tip.slice(0, 12)}`);
    if (diverged && !parsed.flag('json')) say(`The branch had other commits too; they are kept at ${diverged}.`);
    return 0;
  } finally {
    await workspaces.dispose();
  }
}
