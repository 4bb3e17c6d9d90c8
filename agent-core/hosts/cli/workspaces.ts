import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { Failure, type Mode, type Project, type TaskId, type WorkspaceId } from '../../contract/index.ts';
import { inspectFolder, realFolder as realFolderOf } from '../../git/repository.ts';
import { createSandbox } from '../../sandbox/index.ts';
import { Workspaces, type WorkspaceMeta } from '../../workspace/index.ts';
import { connectSocket } from '../attach.ts';
import { REPLY_LIMIT, socketChannel } from '../channels.ts';
import { connectClient, type CoreClient } from '../client.ts';
import { prepareHome, resolveHome } from '../home.ts';

/** The workspaces of this person's home, without a core: for commands that only need a machine. The caller disposes. */
export function localWorkspaces(): Workspaces {
  const home = prepareHome(resolveHome());
  const sandbox = createSandbox({ stateDir: join(home, 'sandbox'), env: process.env });
  return new Workspaces({ home, sandbox, worktreeRoot: () => join(home, 'worktrees') });
}

/** A folder that a person named, with links resolved. Throws `no-folder`. */
export const realFolder = (path: string): Promise<string> => realFolderOf(resolve(path));

const hashed = (text: string): string =>
  BigInt(`0x${createHash('sha256').update(text).digest('hex').slice(0, 24)}`)
    .toString(36)
    .padStart(10, '0');

/**
 * The workspace that a folder is in: one of ours, or a linked worktree, which is adopted, or else the checkout itself,
 * writable with its .git read-only. Throws `not-a-repository` and the like.
 */
export async function workspaceFor(workspaces: Workspaces, folder: string): Promise<WorkspaceMeta> {
  try {
    const known = await workspaces.locate(folder);
    // An adopted one may have been put on another branch since: adopting looks.
    return known !== null && known.kind !== 'adopted' ? known : await workspaces.adopt(folder);
  } catch (thrown) {
    if (!(thrown instanceof Failure) || thrown.detail.code !== 'not-allowed') throw thrown;
  }
  return inPlace(workspaces, folder, 'workspace');
}

async function inPlace(workspaces: Workspaces, folder: string, mode: Mode): Promise<WorkspaceMeta> {
  const { repo, gitDir } = await inspectFolder(folder);
  const workspaceId = `ws_${hashed(`in-place ${repo}`)}` as WorkspaceId;
  const project: Project = {
    id: `proj_${hashed(repo)}` as Project['id'],
    name: 'checkout',
    root: repo,
    repo,
    subdir: '',
    gitDir,
    sample: false,
    openedAt: 0,
  };
  await workspaces.prepare({ workspaceId, project, title: 'In place', base: { ref: 'HEAD', kind: 'local' }, mode, inPlace: true });
  const meta = await workspaces.read(workspaceId);
  if (!meta) throw new Failure('worktree-missing', `${repo} could not be made a workspace.`);
  return meta;
}

/**
 * Asks the core that runs in this home, if it has a task in this workspace: it holds what inside and outside last agreed
 * on, so bringing them together is its work alone. Null when no core runs or this workspace isn't one of its tasks.
 */
export async function askCore<T>(id: WorkspaceId, ask: (client: CoreClient, taskId: TaskId) => Promise<T>): Promise<T | null> {
  const socket = await connectSocket(resolveHome());
  if (!socket) return null;
  const client = await connectClient(socketChannel(socket, REPLY_LIMIT));
  try {
    const taskId = client.board.workspaces[id]?.taskId;
    return taskId ? await ask(client, taskId) : null;
  } finally {
    client.close();
  }
}
