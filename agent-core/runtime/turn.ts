import {
  Failure,
  toAppError,
  type DiffFile,
  type DiffStat,
  type DomainEvent,
  type Item,
  type ItemId,
  type MessageId,
  type Task,
  type TaskId,
  type Thread,
  type Turn,
  type TurnId,
  type TurnKind,
  type TurnModel,
} from '../contract/index.ts';
import { closeItem, nextTurn, withdraw } from '../domain/turns.ts';
import { runTurn, type ThreadSessions } from '../harness/index.ts';
import type { HistoryItem, TurnOutcome } from '../harness/types.ts';
import type { Machine } from '../sandbox/types.ts';
import { newId } from '../support/ids.ts';
import type { OpenWorkspace } from '../workspace/index.ts';
import { setActivity, settle, taskParts, type Context } from './context.ts';
import { standing } from './gates-durable.ts';
import { checkEvents, evidenceEvents } from './evidence.ts';
import { TurnHooks } from './hooks.ts';
import { planEvents, readOnly } from './plan.ts';
import { DEMO_MODEL } from './settings.ts';
import { RuntimeTurnHost } from './turn-host.ts';

/** A card's ± lines follow the work at most this often while a turn runs. */
const LIVE_DIFF_MS = 2500;

/** A message that opens a turn; `messageId` when it waited in the queue. */
export interface Opening {
  text: string;
  via: 'prompt' | 'queue';
  messageId?: MessageId;
  /** What the turn is for; work where absent. */
  kind?: TurnKind | undefined;
  /** What this turn runs on instead of what its task does. */
  on?: TurnModel;
}

/** A turn under way. Aborting it with `stop` keeps what was done. */
export class TurnRun {
  readonly #abort = new AbortController();
  /** Who stopped it. A core that shuts down leaves the same mark as one that died: the person can resume. */
  stoppedBy: 'person' | 'crash' | null = null;
  turnId: TurnId | null = null;
  done: Promise<void> = Promise.resolve();
  /** Called in the same moment in which the board says that the turn has ended. */
  onEnd: () => void = () => {};
  /** Called when that could not be saved, so that the board says again that it runs. */
  onUnsaved: () => void = () => {};

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** The turn waits for a person, and is left to the next core: nothing of it is written any more. */
  left = false;

  leave(): Promise<void> {
    this.left = true;
    return this.stop('crash');
  }

  stop(by: 'person' | 'crash'): Promise<void> {
    this.stoppedBy ??= by;
    this.#abort.abort(new Error(by === 'person' ? 'Stopped by the person.' : 'Signalbox is closing.'));
    return this.done;
  }
}

/** A command that runs on after its turn; it completes when it ends, or when the thread is closed. */
const inBackground = (item: Item): boolean => item.type === 'command' && item.sessionId !== null;

const sum = (files: DiffFile[]): DiffStat => ({
  files: files.length,
  added: files.reduce((total, file) => total + (file.added ?? 0), 0),
  removed: files.reduce((total, file) => total + (file.removed ?? 0), 0),
});

/** The newest tree of a workspace and how it differs from its base. */
export async function look(open: OpenWorkspace, label: string): Promise<{ tree: string; diff: DiffStat }> {
  const { tree } = await open.checkpoint(label);
  return { tree, diff: sum(await open.diff(open.baseTree(), tree)) };
}

/** Lets nothing change the worktree until the checkpoint before the turn stands; reading needs no wait. */
function gated(machine: Machine, ready: Promise<unknown>): Machine {
  return {
    spec: machine.spec,
    run: async (request) => {
      await ready;
      return machine.run(request);
    },
    collect: async (request) => {
      await ready;
      return machine.collect(request);
    },
    files: {
      read: (path, limit) => machine.files.read(path, limit),
      stat: (path) => machine.files.stat(path),
      list: (path) => machine.files.list(path),
      write: async (path, content) => {
        await ready;
        return machine.files.write(path, content);
      },
      remove: async (path) => {
        await ready;
        return machine.files.remove(path);
      },
    },
    setPolicy: (policy) => machine.setPolicy(policy),
    dispose: () => machine.dispose(),
  };
}

/** Runs one turn to its end and writes how it ended. Never rejects for what is expected to go wrong. */
export async function executeTurn(
  context: Context,
  taskId: TaskId,
  opening: Opening[],
  run: TurnRun,
  sessions: ThreadSessions,
  compact?: { hint: string },
): Promise<TurnOutcome['status']> {
  const { task, thread } = taskParts(context, taskId);
  // A turn that goes on where one was cut off is for the same as that one.
  const kind = (opening.length ? opening[0]!.kind : thread.turn?.kind) ?? 'work';
  const on = { model: task.model, effort: task.effort, ...opening.at(-1)?.on };
  const turn: Turn = {
    ...nextTurn(thread, newId<TurnId>('turn'), context.now()),
    ...on,
    ...(kind === 'work' ? {} : { kind }),
    ...(compact ? { heard: false } : {}),
  };
  run.turnId = turn.id;
  const { intents } = await context.store.commit({
    events: [{ type: 'turn.started', taskId, turn }, ...opening.flatMap((message) => openingEvents(taskId, thread, turn, message))],
    intents: [{ kind: 'turn', taskId, turnId: turn.id }],
  });
  setActivity(context, taskId, { verb: 'thinking', subject: '', since: context.now(), progress: null });
  const work = new TurnWork(context, taskId, turn, run);
  const outcome = await work.run(opening, sessions, compact);
  await work.finish(outcome, intents[0]!.id);
  return outcome.status;
}

const searches = ({ store }: Context, { webSearch, projectId }: Task): boolean =>
  webSearch ?? store.board.projects[projectId]?.webSearch ?? false;

const personHome = ({ options: { env } }: Context): { personHome?: string } => (env['HOME'] ? { personHome: env['HOME'] } : {});

/** What opened the turns since the last that completed and never reached the model, because they failed or died before. */
function unheard(turn: Turn, { store }: Context): { text: string; via: 'prompt' }[] {
  const said: { text: string; via: 'prompt' }[][] = [];
  for (let number = turn.number - 1; number > 0; number -= 1) {
    const each = store.turnAt(turn.threadId, number);
    // A turn that only shortened the history has heard nothing.
    if (!each || (each.status === 'completed' && each.heard !== false)) break;
    if (each.heard) continue;
    const items = store.itemsOfTurn(each.id);
    // A turn in which the agent did something has heard what opened it; an older one does not say so.
    if (items.some((item) => item.type !== 'userMessage' && item.type !== 'notice')) continue;
    said.unshift(items.flatMap((item) => (item.type === 'userMessage' ? [{ text: item.text, via: 'prompt' as const }] : [])));
  }
  return said.flat();
}

function openingEvents(taskId: TaskId, thread: Thread, turn: Turn, message: Opening): DomainEvent[] {
  const item: Item = {
    id: newId<ItemId>('item'),
    threadId: thread.id,
    turnId: turn.id,
    startedAt: turn.startedAt,
    endedAt: turn.startedAt,
    type: 'userMessage',
    text: message.text,
    via: message.via,
  };
  return [
    ...(message.messageId ? [{ type: 'queue.removed', threadId: thread.id, messageId: message.messageId } as const] : []),
    { type: 'item.completed', taskId, item },
  ];
}

/** One turn's work between its two edges. */
class TurnWork {
  readonly #context: Context;
  readonly #taskId: TaskId;
  readonly #run: TurnRun;
  #turn: Turn;
  #open: OpenWorkspace | null = null;
  #before: Promise<{ tree: string }> | null = null;
  #diffTimer: NodeJS.Timeout | null = null;
  #host: RuntimeTurnHost | null = null;
  #over = false;

  constructor(context: Context, taskId: TaskId, turn: Turn, run: TurnRun) {
    this.#context = context;
    this.#taskId = taskId;
    this.#turn = turn;
    this.#run = run;
  }

  async run(opening: Opening[], sessions: ThreadSessions, compact?: { hint: string }): Promise<TurnOutcome> {
    const { task, thread, workspace } = taskParts(this.#context, this.#taskId);
    try {
      const open = await this.#context.workspaces.open(workspace!.id);
      this.#open = open;
      const { kind = 'work' } = this.#turn;
      if (kind === 'work' && open.info.mode !== task.mode) await open.setPolicy(task.mode);
      const { notice } = await open.beginTurn();
      if (notice) await this.#tell(notice);
      const before = open.checkpoint(`before turn ${this.#turn.number}`);
      before.catch(() => {
        /* a failed checkpoint fails the first change */
      });
      this.#before = before;
      const said = compact ? [] : [...unheard(this.#turn, this.#context), ...opening.map(({ text, via }) => ({ text, via }))];
      const host = new RuntimeTurnHost(this.#context, {
        task,
        turn: this.#turn,
        workspace: open,
        signal: this.#run.signal,
        opening: compact ? null : said.map(({ text }) => text),
        onFiles: () => this.#liveDiff(),
        left: () => this.#run.left,
      });
      this.#host = host;
      before.then(
        ({ tree }) => host.began(tree),
        () => {
          /* as above */
        },
      );
      const wanted = { model: this.#turn.model ?? task.model, effort: this.#turn.effort };
      const { serverTools, hooks, told } = await this.#equip(
        open,
        wanted.model,
        said.map(({ text }) => text),
      );
      const history = this.#context.store.history(thread.id) as HistoryItem[];
      return await runTurn(
        {
          threadId: thread.id,
          turnId: this.#turn.id,
          messages: [...(notice ? [{ text: notice, via: 'prompt' as const }] : []), ...said, ...told],
          ...(compact ? { compact } : {}),
          history,
          model: await this.#context.models.config(wanted, this.#context.endpoints.get(task.id)),
          serverTools,
          kind,
          // The demo's own server has no search.
          ...(searches(this.#context, task) && wanted.model !== DEMO_MODEL ? { webSearch: true } : {}),
          mode: kind === 'work' ? task.mode : 'read-only',
          // Who wants to be asked for everything is asked for what only looks, too.
          approval: kind !== 'work' && task.mode === 'ask' && task.approval === 'on-request' ? 'untrusted' : task.approval,
          machine: kind === 'work' ? gated(open.machine, before) : readOnly(gated(open.confined, before)),
          cwd: open.cwd,
          home: this.#context.options.home,
          ...personHome(this.#context),
          signal: this.#run.signal,
          sessions,
        },
        hooks.around(host),
      );
    } catch (error) {
      if (this.#run.signal.aborted) return { status: 'interrupted', message: '' };
      return { status: 'failed', error: toAppError(error), message: '' };
    }
  }

  /** The tools of servers and the hooks, started; `told` is what hooks add to the messages. Throws `not-allowed` where one refuses them. */
  async #equip(open: OpenWorkspace, model: string, messages: string[]) {
    const { task, project } = taskParts(this.#context, this.#taskId);
    const { signal } = this.#run;
    const { tools, missing } = await this.#context.mcp.toolsFor({ projectId: project.id, spec: open.confined.spec, signal });
    const tell = (text: string) => this.#tell(text, 'warn');
    for (const line of missing) await tell(line);
    const hooks = await TurnHooks.load(this.#context, { task, turn: this.#turn, project, open, model, signal, tell });
    const { refuse, context } = await hooks.begin(messages);
    if (refuse)
      throw new Failure('not-allowed', `A hook refused this message: ${refuse}`, { fix: 'Change the message or the hook, then retry.' });
    return { serverTools: tools, hooks, told: context ? [{ text: context, via: 'prompt' as const }] : [] };
  }

  /** Says in the conversation what Signalbox did before the turn. */
  async #tell(text: string, level: 'info' | 'warn' = 'info'): Promise<void> {
    const now = this.#context.now();
    const item: Item = {
      id: newId<ItemId>('item'),
      threadId: this.#turn.threadId,
      turnId: this.#turn.id,
      startedAt: now,
      endedAt: now,
      type: 'notice',
      level,
      text,
      error: null,
    };
    await this.#context.store.commit({ events: [{ type: 'item.completed', taskId: this.#taskId, item }] });
  }

  /** ± lines on the card, now and then while the turn runs. */
  #liveDiff(): void {
    if (this.#diffTimer || !this.#open || this.#over) return;
    const open = this.#open;
    this.#diffTimer = setTimeout(() => {
      this.#diffTimer = null;
      look(open, 'live')
        // The end's own look is the newer one.
        .then(({ diff }) =>
          this.#over ? null : this.#context.store.commit({ events: [{ type: 'task.diffed', taskId: this.#taskId, diff }] }),
        )
        .catch((error: unknown) => this.#context.log('live diff', error));
    }, LIVE_DIFF_MS);
    this.#diffTimer.unref();
  }

  async finish(outcome: TurnOutcome, intent: number): Promise<void> {
    this.#over = true;
    if (this.#diffTimer) clearTimeout(this.#diffTimer);
    if (this.#run.left) {
      this.#host?.dispose();
      this.#run.onEnd();
      return;
    }
    const edge = await this.#edge();
    const host = this.#host;
    host?.dispose();
    const now = this.#context.now();
    const error = outcome.status === 'failed' ? outcome.error : outcome.status === 'interrupted' ? null : edge.error;
    const status = error ? 'failed' : outcome.status;
    const turn: Turn = {
      ...(host?.turn ?? this.#turn),
      status,
      endedAt: now,
      error,
      treeBefore: edge.before,
      treeAfter: edge.after,
      interruptedBy: status === 'interrupted' ? (this.#run.stoppedBy ?? 'person') : null,
    };
    const { board } = this.#context.store;
    const taskId = this.#taskId;
    const gates = {
      approvals: Object.values(board.approvals)
        .filter((gate) => gate.taskId === taskId)
        .map((gate) => gate.id),
      questions: Object.values(board.questions)
        .filter((gate) => gate.taskId === taskId)
        .map((gate) => gate.id),
    };
    await settle(
      this.#context,
      () => ({
        events: [
          ...(host?.openItems ?? [])
            .filter((item) => !inBackground(item))
            .map((item): DomainEvent => ({ type: 'item.completed', taskId, item: closeItem(item, now) })),
          ...withdraw(taskId, gates),
          ...(status === 'completed' ? planEvents(this.#context, taskId, turn, outcome.message) : []),
          ...(edge.diff ? [{ type: 'task.diffed', taskId, diff: edge.diff } as const] : []),
          ...edge.news,
          { type: 'turn.ended', taskId, turn },
        ],
        done: [intent, ...standing(this.#context.store, turn.threadId).answered.map(({ id }) => id)],
      }),
      {
        tried: () => {
          this.#run.onEnd();
          setActivity(this.#context, taskId, null);
        },
        failed: () => this.#run.onUnsaved(),
      },
    );
  }

  /** The turn's end edge: a checkpoint, the harvest and the diff. A failure here is the turn's. */
  async #edge(): Promise<{
    before: string | null;
    after: string | null;
    diff: DiffStat | null;
    /** What the trees say about the turn's checks and words. */
    news: DomainEvent[];
    error: ReturnType<typeof toAppError> | null;
  }> {
    const before = (await this.#before?.then(({ tree }) => tree).catch(() => null)) ?? null;
    if (!this.#open) return { before, after: null, diff: null, news: [], error: null };
    try {
      const [{ tree, diff }] = await Promise.all([look(this.#open, `after turn ${this.#turn.number}`), this.#open.harvest()]);
      const news = [
        ...(await checkEvents(this.#context, this.#taskId, this.#open, tree)),
        ...(await evidenceEvents(this.#context, this.#taskId, this.#open, this.#turn, tree)),
      ];
      return { before, after: tree, diff, news, error: null };
    } catch (error) {
      return { before, after: null, diff: null, news: [], error: toAppError(error) };
    }
  }
}
