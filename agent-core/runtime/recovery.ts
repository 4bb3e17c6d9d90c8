import { Failure, threadOf, workspaceOf, type DomainEvent, type Landing, type TaskId } from '../contract/index.ts';
import { closeItem, interrupt } from '../domain/turns.ts';
import type { OpenIntent } from '../storage/intents.ts';
import { assertNever } from '../support/assert-never.ts';
import type { Context } from './context.ts';
import type { Control } from './control.ts';
import type { Ending } from './ending.ts';
import { belongs, resumable } from './gates-durable.ts';

/**
 * Finishes or undoes what the last core was doing when it died: every open intent gets an outcome.
 * A turn is marked as interrupted, with all that it had done; the person resumes it with a click.
 * Where the deed can't be done any more, that is reported and its intent crossed out: the task stands as before, and
 * nothing happens to it at a later start that nobody asked for then. Nothing may have begun yet.
 */
export async function recover(context: Context, ending: Ending, control: Control): Promise<void> {
  const open = context.store.openIntents();
  // Turns first: their status is what the person sees.
  await Promise.all(open.flatMap((intent) => (intent.kind === 'turn' ? [endTurn(context, intent)] : [])));
  await context.registries.recover();
  await endCommands(context);
  for (const intent of open) {
    if (intent.kind === 'turn') continue;
    await reconcile(context, intent, { ending, control }).catch(async (error: unknown) => {
      context.log(`recovering ${intent.kind} of ${intent.taskId}`, error);
      if (error instanceof Failure && error.detail.code !== 'disk-full') await context.store.commit({ done: [intent.id] });
    });
  }
  await queueAgain(context);
}

/** Commands that went on after their turn ended with the core: what still shows as running is not. */
async function endCommands(context: Context): Promise<void> {
  const { threads } = context.store.board;
  const events = context.store.openItems().flatMap((item): DomainEvent[] => {
    const thread = threads[item.threadId];
    if (thread && belongs(item, resumable(context.store, thread.id))) return [];
    return thread ? [{ type: 'item.completed', taskId: thread.taskId, item: closeItem(item, context.now()) }] : [];
  });
  if (events.length) await context.store.commit({ events });
}

/** Tasks that had left the queue and had no turn yet go back to it, and from there their way again. */
async function queueAgain(context: Context): Promise<void> {
  const { board } = context.store;
  const cutOff = Object.values(board.tasks).filter(
    (task) =>
      task.phase === 'active' &&
      task.origin !== 'sandbox' &&
      (workspaceOf(board, task)?.phase === 'preparing' ||
        (workspaceOf(board, task)?.phase === 'ready' && threadOf(board, task)?.turn === null)),
  );
  if (cutOff.length)
    await context.store.commit({ events: cutOff.map((task) => ({ type: 'task.phased', taskId: task.id, phase: 'queued' })) });
}

async function endTurn(context: Context, intent: OpenIntent & { kind: 'turn' }): Promise<void> {
  const board = context.store.board;
  const thread = Object.values(board.threads).find((each) => each.turn?.id === intent.turnId);
  if (!thread?.turn || thread.turn.status !== 'running') {
    await context.store.commit({ done: [intent.id] });
    return;
  }
  // What a person is asked for outlives the core, where its call can go on with the answer.
  const kept = resumable(context.store, thread.id);
  const gates = {
    approvals: Object.values(board.approvals)
      .filter((gate) => gate.threadId === thread.id && !kept.approvals.some(({ id }) => id === gate.id))
      .map((gate) => gate.id),
    questions: Object.values(board.questions)
      .filter((gate) => gate.threadId === thread.id && !kept.questions.some(({ id }) => id === gate.id))
      .map((gate) => gate.id),
  };
  const items = context.store.itemsOfTurn(intent.turnId).filter((item) => !belongs(item, kept));
  await context.store.commit({
    events: interrupt(intent.taskId, thread.turn, items, gates, 'crash', context.now()),
    done: [intent.id],
  });
}

async function reconcile(
  context: Context,
  intent: Exclude<OpenIntent, { kind: 'turn' }>,
  { ending, control }: { ending: Ending; control: Control },
): Promise<void> {
  const task = context.store.board.tasks[intent.taskId];
  if (!task || (intent.kind === 'purge' && task.phase !== 'trashed')) {
    await context.store.commit({ done: [intent.id] });
    return;
  }
  switch (intent.kind) {
    case 'answered':
      // Stays until its call has taken it; one whose call is gone is of no use any more.
      if (!resumable(context.store, intent.threadId).answered.some(({ id }) => id === intent.id))
        await context.store.commit({ done: [intent.id] });
      return;
    case 'prepare':
      // The task goes back to the queue; whoever takes it up finishes what is half-made.
      await context.store.commit({ done: [intent.id] });
      return;
    case 'trash':
      return ending.trashNow(intent.taskId, intent.workspaceId, intent.id);
    case 'restore':
      return ending.restoreNow(intent.taskId, intent.workspaceId, intent.id);
    case 'purge':
      return ending.purgeNow(intent.taskId, intent.workspaceId, intent.id);
    case 'rewind':
      return control.rewindNow(intent, intent.id);
    case 'land':
      return settleLanding(context, intent.taskId, intent.method, intent.into, intent.id, ending);
    default:
      assertNever(intent);
  }
}

/** A landing is one ref update: either the base has the branch's work by now, or nothing happened. */
async function settleLanding(
  context: Context,
  taskId: TaskId,
  method: Landing['method'],
  into: string,
  intent: number,
  ending: Ending,
): Promise<void> {
  const attempt = context.store.board.attempts[context.store.board.tasks[taskId]!.attempt!]!;
  const open = await context.workspaces.open(attempt.workspaceId);
  const commit = await open.landedAs(into);
  // What an earlier landing of the same task left is told already.
  if (commit && commit !== context.store.board.tasks[taskId]!.landing?.commit)
    await ending.landed(taskId, { method, into, commit, at: context.now() }, intent);
  else await context.store.commit({ done: [intent] });
}
