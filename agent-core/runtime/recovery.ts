import { type Landing, type TaskId } from '../contract/index.ts';
import { interrupt } from '../domain/turns.ts';
import type { OpenIntent } from '../storage/intents.ts';
import { assertNever } from '../support/assert-never.ts';
import type { Context } from './context.ts';
import type { Ending } from './ending.ts';
import type { Supervisor } from './supervisor.ts';

/**
 * Finishes or undoes what the last core was doing when it died: every open intent gets an outcome.
 * A turn is marked as interrupted, with all that it had done; the person resumes it with a click.
 * An intent that can't be reconciled is reported and left for the next start.
 */
export async function recover(context: Context, supervisor: Supervisor, ending: Ending): Promise<void> {
  const open = context.store.openIntents();
  // Turns first: their status is what the person sees.
  for (const intent of open) if (intent.kind === 'turn') await endTurn(context, intent);
  for (const intent of open) {
    if (intent.kind === 'turn') continue;
    await reconcile(context, intent, supervisor, ending).catch((error: unknown) => context.log(`recovering ${intent.kind} of ${intent.taskId}`, error));
  }
}

async function endTurn(context: Context, intent: OpenIntent & { kind: 'turn' }): Promise<void> {
  const board = context.store.board;
  const thread = Object.values(board.threads).find((each) => each.turn?.id === intent.turnId);
  if (!thread?.turn || thread.turn.status !== 'running') {
    await context.store.commit({ done: [intent.id] });
    return;
  }
  const gates = {
    approvals: Object.values(board.approvals).filter((gate) => gate.threadId === thread.id).map((gate) => gate.id),
    questions: Object.values(board.questions).filter((gate) => gate.threadId === thread.id).map((gate) => gate.id),
  };
  await context.store.commit({
    events: interrupt(intent.taskId, thread.turn, context.store.itemsOfTurn(intent.turnId), gates, 'crash', context.now()),
    done: [intent.id],
  });
}

async function reconcile(context: Context, intent: Exclude<OpenIntent, { kind: 'turn' }>, supervisor: Supervisor, ending: Ending): Promise<void> {
  if (!context.store.board.tasks[intent.taskId]) {
    await context.store.commit({ done: [intent.id] });
    return;
  }
  switch (intent.kind) {
    case 'prepare':
      // Goes on in the background: making a worktree can take minutes.
      void supervisor.makeReady(intent.taskId, intent.workspaceId, intent.id).catch((error: unknown) => context.log('preparing again', error));
      return;
    case 'trash': return ending.trashNow(intent.taskId, intent.workspaceId, intent.id);
    case 'restore': return ending.restoreNow(intent.taskId, intent.workspaceId, intent.id);
    case 'purge': return ending.purgeNow(intent.taskId, intent.workspaceId, intent.id);
    case 'land': return settleLanding(context, intent.taskId, intent.method, intent.into, intent.id, ending);
    default: assertNever(intent);
  }
}

/** A landing is one ref update: either the base has the branch's work by now, or nothing happened. */
async function settleLanding(context: Context, taskId: TaskId, method: Landing['method'], into: string, intent: number, ending: Ending): Promise<void> {
  const attempt = context.store.board.attempts[context.store.board.tasks[taskId]!.attempt!]!;
  const open = await context.workspaces.open(attempt.workspaceId);
  const commit = await open.landedAs(into);
  if (commit) await ending.landed(taskId, { method, into, commit, at: context.now() }, intent);
  else await context.store.commit({ done: [intent] });
}
