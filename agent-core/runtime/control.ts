import {
  Failure,
  type DomainEvent,
  type MessageId,
  type Task,
  type TaskId,
  type Thread,
  type ThreadId,
  type Turn,
  type TurnId,
  type TurnKind,
  type Undone,
  type UndoId,
  type WorkspaceId,
} from '../contract/index.ts';
import { startTask } from '../domain/tasks.ts';
import { rewound } from '../domain/rewind.ts';
import type { Intent } from '../storage/intents.ts';
import { newId } from '../support/ids.ts';
import { setActivity, taskParts, type Context } from './context.ts';
import type { Ending } from './ending.ts';
import type { Supervisor } from './supervisor.ts';
import { look } from './turn.ts';

type Rewind = Extract<Intent, { kind: 'rewind' }>;
/** What is said in place of what was undone; `model` where it is another. */
type Say = NonNullable<Rewind['say']>;

/** What is said anew is said in the same way: to work, to plan or to answer. */
const kindOf = ({ kind }: { kind?: TurnKind | undefined }): { kind?: TurnKind } => (kind ? { kind } : {});

/** Where a conversation goes: `turns` leave it, from number `from` on, and what was hidden as `shown` comes back. */
interface Target {
  from: number;
  turns: readonly Turn[];
  after: TurnId | null;
  shown: UndoId | null;
  tree: string;
  say: Say | null;
}

/**
 * Going back in a conversation and in its files together. What is there is checkpointed, the intent is on disk, then the
 * worktree gets the older tree, then the turns leave the conversation in one transaction: a crash in between is gone on
 * with at the next start. Nothing is thrown away: going back can be taken back.
 */
export class Control {
  readonly #context: Context;
  readonly #supervisor: Supervisor;
  readonly #ending: Ending;

  constructor(context: Context, supervisor: Supervisor, ending: Ending) {
    this.#context = context;
    this.#supervisor = supervisor;
    this.#ending = ending;
  }

  /** Takes back a turn and all after it. Throws `conflict` while the task works, `worktree-missing`, `git-failed`. */
  async undo(threadId: ThreadId, turnId: TurnId): Promise<Undone> {
    return this.#goBack(threadId, turnId, null);
  }

  /** Undoes to before a turn and says something else. */
  async edit(threadId: ThreadId, turnId: TurnId, text: string): Promise<Undone> {
    return this.#goBack(threadId, turnId, { text, ...kindOf(this.#turn(threadId, turnId)), model: null });
  }

  /** Undoes to before a turn and says the same again, to another model where one is named. */
  async again(threadId: ThreadId, turnId: TurnId, model: string | undefined): Promise<Undone> {
    const turn = this.#turn(threadId, turnId);
    const text = this.#context.store
      .itemsOfTurn(turn.id)
      .flatMap((item) => (item.type === 'userMessage' && item.via !== 'steer' ? [item.text] : []))
      .join('\n\n');
    if (!text)
      throw new Failure('conflict', `Turn ${turn.number} went on with the one before it: nothing was said to open it.`, {
        fix: 'Retry the turn before it.',
      });
    const { task } = taskParts(this.#context, this.#thread(threadId).taskId);
    const chosen = model === undefined ? null : this.#context.models.choose(model, task.origin, this.#context.endpoints.get(task.id));
    return this.#goBack(threadId, turnId, { text, ...kindOf(turn), model: chosen });
  }

  /** Brings back what an undo took. Turns made since are undone for it, and can be brought back in their turn. */
  async redo(threadId: ThreadId, undoId: UndoId): Promise<void> {
    const { taskId } = this.#thread(threadId);
    await this.#ending.alone(
      taskId,
      'being changed',
      async () => {
        const thread = this.#thread(threadId);
        const undone = thread.undone?.find(({ id }) => id === undoId);
        // Asked twice: it is back already.
        if (!undone) return;
        const turns = this.#context.store.turns(threadId);
        const before = turns.findLast((turn) => turn.number < undone.number);
        if ((before?.id ?? null) !== undone.after)
          throw new Failure('conflict', 'The turns before these have been undone too.', { fix: 'Bring those back first.' });
        await this.#rewind(taskId, {
          from: undone.number,
          turns: turns.filter((turn) => turn.number >= undone.number),
          after: undone.after,
          shown: undoId,
          tree: undone.tree,
          say: null,
        });
      },
      true,
    );
  }

  async #goBack(threadId: ThreadId, turnId: TurnId, say: Say | null): Promise<Undone> {
    const { taskId } = this.#thread(threadId);
    const undone = await this.#ending.alone(
      taskId,
      'being changed',
      async () => {
        const turn = this.#turn(threadId, turnId);
        const turns = this.#context.store.turns(threadId);
        const before = turns.findLast((each) => each.number < turn.number);
        const tree = turn.treeBefore ?? before?.treeAfter;
        if (!tree)
          throw new Failure('conflict', `There is no checkpoint from before turn ${turn.number}.`, {
            fix: 'Undo to the turn before it, or fork from there.',
          });
        if (turn.number < this.#context.store.firstNumbered(threadId))
          throw new Failure('conflict', `Turn ${turn.number} was made by an older Signalbox, which did not write down where it began.`, {
            fix: 'Undo to a later turn.',
          });
        const hidden = await this.#rewind(taskId, {
          from: turn.number,
          turns: turns.filter((each) => each.number >= turn.number),
          after: before?.id ?? null,
          shown: null,
          tree,
          say,
        });
        return hidden!;
      },
      true,
    );
    if (say) this.#supervisor.goOn(taskId);
    return undone;
  }

  /** The deed, with its intent around it. Returns how what was there can be brought back. */
  async #rewind(taskId: TaskId, to: Target): Promise<Undone | null> {
    return this.#context.rest.during(taskId, () => this.#away(taskId, to));
  }

  async #away(taskId: TaskId, to: Target): Promise<Undone | null> {
    const { workspace, thread } = this.#mustRest(taskId);
    await this.#supervisor.endSessions(thread.id);
    const open = await this.#context.workspaces.open(workspace);
    const since = this.#context.now();
    setActivity(this.#context, taskId, { verb: 'preparing', subject: 'checkpoint', since, progress: null });
    try {
      const kept = await open.checkpoint(`before going back to turn ${to.from}`);
      const hidden: Undone | null = to.turns.length
        ? { id: newId<UndoId>('undo'), number: to.from, turns: to.turns.length, after: to.after, tree: kept.tree, at: since }
        : null;
      const intent: Rewind = {
        kind: 'rewind',
        taskId,
        threadId: thread.id,
        workspaceId: workspace,
        from: to.from,
        hidden,
        shown: to.shown,
        tree: to.tree,
        say: to.say,
      };
      const { intents } = await this.#context.store.commit({ intents: [intent] });
      try {
        await this.rewindNow(intent, intents[0]!.id);
      } catch (error) {
        await open
          .restoreTree(kept.tree, 'after going back failed')
          .catch((failed: unknown) => this.#context.log('putting files back', failed));
        await this.#context.store.commit({ done: [intents[0]!.id] });
        throw error;
      }
      return hidden;
    } finally {
      setActivity(this.#context, taskId, null);
    }
  }

  /** Does what an intent says, the first time or again after a crash. */
  async rewindNow(intent: Rewind, id: number): Promise<void> {
    const { store, workspaces } = this.#context;
    const open = await workspaces.open(intent.workspaceId);
    await open.restoreTree(intent.tree, `at turn ${intent.from}`);
    const { diff } = await look(open, `back at turn ${intent.from}`);
    const turns = store.turns(intent.threadId);
    const back = intent.shown ? store.hiddenTurns(intent.threadId, intent.shown) : [];
    const newest = back.at(-1) ?? turns.findLast((turn) => turn.number < intent.from) ?? null;
    const message = intent.say && { id: newId<MessageId>('msg'), text: intent.say.text, ...kindOf(intent.say), at: this.#context.now() };
    const events: DomainEvent[] = rewound(store.board, intent, newest, diff, message);
    if (newest === null && intent.say) events.push(...startTask(store.board, intent.taskId, true));
    await store.commit({ events, done: [id] });
  }

  /** Throws where the task is at work, or has no worktree. */
  #mustRest(taskId: TaskId): { task: Task; thread: Thread; workspace: WorkspaceId } {
    const { task, thread, workspace } = taskParts(this.#context, taskId);
    if (task.phase === 'trashed') throw new Failure('conflict', `“${task.title}” is in the trash.`, { fix: 'Restore it first.' });
    if (this.#supervisor.isBusy(taskId))
      throw new Failure('conflict', `“${task.title}” is still working.`, { fix: 'Stop it first, or wait until its turn has ended.' });
    if (workspace?.phase !== 'ready') throw new Failure('worktree-missing', `“${task.title}” has no worktree.`);
    return { task, thread, workspace: workspace.id };
  }

  #thread(id: ThreadId): Thread {
    const thread = this.#context.store.board.threads[id];
    if (!thread) throw new Failure('not-found', 'This conversation does not exist any more.');
    return thread;
  }

  #turn(threadId: ThreadId, turnId: TurnId): Turn {
    const turn = this.#context.store.turns(threadId).find((each) => each.id === turnId);
    if (!turn) throw new Failure('not-found', 'This turn is not in the conversation any more.', { fix: 'It may have been undone.' });
    return turn;
  }
}
