import { Failure, type TaskId } from '../../contract/index.ts';
import { outsideText } from '../../git/runner.ts';
import type { Workspaces, WorkspaceMeta } from '../../workspace/index.ts';
import { REPLY_LIMIT, socketChannel } from '../channels.ts';
import { connectClient } from '../client.ts';
import { connectSocket } from '../attach.ts';
import { resolveHome } from '../home.ts';
import { atMost, readArgs } from './args.ts';
import { USAGE } from './help.ts';
import { print, printJson, say } from './print.ts';
import { localWorkspaces, realFolder } from './workspaces.ts';

interface Harvested {
  tip: string;
  diverged: string | null;
}

/** A running core that has this workspace does it itself: it holds what inside and outside last agreed on. */
async function byCore(meta: WorkspaceMeta): Promise<Harvested | null> {
  const socket = await connectSocket(resolveHome());
  if (!socket) return null;
  const client = await connectClient(socketChannel(socket, REPLY_LIMIT));
  try {
    const taskId: TaskId | undefined = client.board.workspaces[meta.id]?.taskId;
    if (!taskId) return null;
    // Comparing with the branch's newest commit harvests first.
    await client.call('diff/read', { taskId, scope: 'uncommitted' });
    return { tip: await outsideText(meta.project.gitDir, ['rev-parse', '--verify', meta.branch]), diverged: null };
  } finally {
    client.close();
  }
}

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
