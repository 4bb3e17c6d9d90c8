import { createHash } from 'node:crypto';
import {
  Failure,
  noGrants,
  threadOf,
  type Denial,
  type DenialId,
  type Grants,
  type OutputOf,
  type TaskId,
  type WorkspaceId,
} from '../contract/index.ts';
import type { Store } from '../storage/store.ts';
import type { Aside, OpenWorkspace } from '../workspace/index.ts';
import { taskParts, type Context } from './context.ts';
import type { Denials } from './denials.ts';

/** Tools that change no file and start nothing. */
const quiet = new Set(['update_plan', 'view_image', 'request_user_input', 'web_search']);

const SHOWN = 8;
const MOST_OPEN = 100;

/** Which files of an aside there are, in words; '' where its subject says it. */
function filesOf(aside: Aside): string {
  const paths = Object.keys(aside.names ?? {});
  if (aside.names === null) return ' It holds more than can be read here.';
  if (paths.length === 1 && paths[0] === aside.subject) return '';
  const more = paths.length > SHOWN ? `, and ${paths.length - SHOWN} more` : '';
  return ` Files: ${paths.slice(0, SHOWN).join(', ')}${more}.`;
}

/** Two that can't be read are never the same. */
const digestOf = ({ id, names }: Aside): string =>
  createHash('sha256')
    .update(names ? JSON.stringify(Object.entries(names).toSorted()) : id)
    .digest('hex');

/** Writes that something was set aside, for the person to let in. */
export async function recordAside(store: Store, denials: Denials, id: WorkspaceId, aside: Aside): Promise<void> {
  const workspace = store.board.workspaces[id];
  const task = workspace && store.board.tasks[workspace.taskId];
  if (!task || !threadOf(store.board, task)) return;
  const open = Object.values(store.board.denials).filter((denial) => denial.taskId === task.id && denial.kind === 'file');
  // More than this nobody answers one by one. What comes on top is kept aside all the same.
  if (open.length >= MOST_OPEN && !open.some(({ subject }) => subject === aside.subject)) return;
  await denials.record({
    taskId: task.id,
    kind: 'file',
    subject: aside.subject,
    command: aside.command,
    detail: `Set aside: ${aside.why}.${filesOf(aside)}${aside.replaced ? ' The base’s version is back in its place.' : ''} Allowing it brings it back.`,
    // Many that were set aside together have no one path that could be allowed.
    scopes: aside.entry === '' ? ['once'] : aside.names === null ? ['task', 'project'] : ['once', 'task', 'project'],
    kept: aside.id,
    digest: digestOf(aside),
  });
}

/** Files, and folders, that a task's worktree may have as its agent left them. */
export function allowedFiles(store: Store, id: WorkspaceId): readonly string[] {
  const task = store.board.tasks[store.board.workspaces[id]?.taskId as TaskId];
  if (!task) return [];
  return [...(task.grants?.files ?? []), ...(store.board.projects[task.projectId]?.grants?.files ?? [])];
}

const withFile = (grants: Grants | undefined, path: string): Grants => {
  const files = grants?.files ?? [];
  return { ...(grants ?? noGrants), files: files.includes(path) ? files : [...files, path] };
};

export const withoutFile = (grants: Grants | undefined, path: string): Grants => ({
  ...(grants ?? noGrants),
  files: (grants?.files ?? []).filter((file) => file !== path),
});

/** Lets set aside files through: the person's answer is on disk first, then the content is brought back. */
export function handleFiles(context: Context): void {
  context.denials.handle('file', (denial, scope) =>
    context.rest.during(denial.taskId, async () => {
      const { task, project, workspace } = taskParts(context, denial.taskId);
      if (workspace?.phase !== 'ready')
        throw new Failure('conflict', `“${task.title}” has no worktree just now.`, { fix: 'Restore the task first.' });
      const open = await context.workspaces.open(workspace.id);
      if (scope === 'task')
        await context.store.commit({ events: [{ type: 'task.granted', taskId: task.id, grants: withFile(task.grants, denial.subject) }] });
      if (scope === 'project')
        await context.store.commit({
          events: [{ type: 'project.granted', projectId: project.id, grants: withFile(project.grants, denial.subject) }],
        });
      await open.guard.letIn(keptAs(denial), scope === 'once');
    }),
  );
}

const READ = { files: 20, bytes: 64 * 1024 };

/** What was set aside, for the person to look at before it is let in. */
export async function readAside(context: Context, id: DenialId): Promise<OutputOf<'denial/read'>> {
  const denial = context.store.board.denials[id];
  if (!denial?.kept) throw new Failure('not-found', 'There is nothing set aside to be read.');
  return context.rest.during(denial.taskId, async () => {
    const { workspace } = taskParts(context, denial.taskId);
    if (workspace?.phase !== 'ready')
      throw new Failure('conflict', 'The task has no worktree just now.', { fix: 'Restore the task first.' });
    const { files, more } = await (await context.workspaces.open(workspace.id)).guard.read(keptAs(denial), READ);
    const shown = files.map(({ path, content }) => ({
      path,
      text: content.subarray(0, READ.bytes).toString('utf8'),
      truncated: content.length > READ.bytes,
    }));
    return { files: shown, more };
  });
}

function keptAs({ kept, subject }: Denial): string {
  if (!kept) throw new Failure('not-found', `${subject} was not kept.`);
  return kept;
}

/** Looks after a call of the agent's; what the model is told about it, or null. */
export async function afterCall(context: Context, open: OpenWorkspace, tool: string, args: unknown): Promise<string | null> {
  if (quiet.has(tool)) return null;
  const command = tool === 'exec_command' && typeof args === 'object' && args && 'cmd' in args ? String(args.cmd) : tool;
  try {
    const taken = await open.guardFiles(command);
    return taken.length ? told(taken) : null;
  } catch (error) {
    // Looked for again after the next call, and at the turn's end.
    context.log('setting files aside', error);
    return null;
  }
}

const told = (taken: readonly Aside[]): string =>
  [
    'Signalbox took out of the worktree what tools of the person would run by themselves; the person is asked whether to let it in:',
    ...taken.map(({ subject, replaced }) => `- ${JSON.stringify(subject)}${replaced ? ' (the base’s version is back)' : ''}`),
    'Go on without; do not write it again.',
  ].join('\n');
