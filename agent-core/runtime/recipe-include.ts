import { join } from 'node:path';
import { INCLUDE_FILE, type Item, type ItemId, type TaskId, type TurnId, type WorkspaceId } from '../contract/index.ts';
import { newId } from '../support/ids.ts';
import { include, planInclude, type Included } from '../workspace/recipe/include.ts';
import { setActivity, taskParts, type Context } from './context.ts';

export const scratchOf = (context: Context): string => join(context.options.home, 'scratch');

/** How many names a sentence lists. */
const NAMED = 8;
const listed = (names: readonly string[]): string =>
  names.slice(0, NAMED).join(', ') + (names.length > NAMED ? ` and ${names.length - NAMED} more` : '');

function words({ copied, skipped }: Included): string {
  const files = copied.length === 1 ? 'One ignored file' : `${copied.length} ignored files`;
  const copies =
    copied.length === 0
      ? ''
      : `${files} of your checkout ${copied.length === 1 ? 'was' : 'were'} copied in, as ${INCLUDE_FILE} says: ${listed(copied)}.`;
  const left = skipped.length === 0 ? '' : `Not copied: ${listed(skipped.map(({ path, why }) => `${path} (${why.replace(/\.$/, '')})`))}.`;
  return [copies, left].filter(Boolean).join('\n');
}

/**
 * Copies the person's ignored files that the base's `.worktreeinclude` names into a worktree that was just checked out,
 * and says in the conversation which. `fresh` where nothing has run in it yet: then they are trusted as the person's own.
 * Throws what {@link include} throws.
 */
export async function copyIncluded(
  context: Context,
  taskId: TaskId,
  { id, baseCommit, fresh }: { id: WorkspaceId; baseCommit: string; fresh: boolean },
  signal: AbortSignal,
): Promise<void> {
  const { task, thread, project } = taskParts(context, taskId);
  if (task.inPlace) return;
  const plan = await planInclude(project, baseCommit, scratchOf(context));
  if (!plan.there) return;
  const since = context.now();
  const open = await context.workspaces.open(id);
  const done = await include({
    place: project,
    plan,
    machine: open.confined,
    signal,
    onProgress: (progress, path) => setActivity(context, taskId, { verb: 'preparing', subject: `Copying ${path}`, since, progress }),
  });
  // In the worktree already means: by an earlier try.
  const news = { ...done, skipped: done.skipped.filter(({ why }) => !why.includes('already')) };
  if (news.copied.length + news.skipped.length === 0) return;
  if (fresh && news.copied.length > 0) await open.guard.trustPresent();
  const now = context.now();
  const item: Item = {
    id: newId<ItemId>('item'),
    threadId: thread.id,
    turnId: newId<TurnId>('turn'),
    startedAt: now,
    endedAt: now,
    type: 'notice',
    level: 'info',
    text: words(news),
    error: null,
  };
  await context.store.commit({ events: [{ type: 'item.completed', taskId, item }] });
}
