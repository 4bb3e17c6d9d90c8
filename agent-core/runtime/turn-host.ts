import type { CheckTrees, DomainEvent, Item, ItemId, Question, Task, Turn, Usage } from '../contract/index.ts';
import { addUsage, Failure } from '../contract/index.ts';
import { checkOf, isCheck } from '../domain/checks.ts';
import { draftOf } from '../domain/draft.ts';
import type { HistoryItem, TurnHost } from '../harness/types.ts';
import { ruleAllows, ruleRefuses } from '../harness/approvals/rules.ts';
import { newId } from '../support/ids.ts';
import type { Batch } from '../storage/store.ts';
import type { OpenWorkspace } from '../workspace/index.ts';
import { BudgetKeeper } from './budget.ts';
import { setActivity, type Context } from './context.ts';
import { afterCall } from './gates-files.ts';
import { priced } from './usage.ts';
import { rulesFor } from './gates-rules.ts';
import { waitingCalls } from './gates-durable.ts';
import { TurnGates } from './gates-turn.ts';

/** A patch that is being written is shown at most this often. */
const DRAFT_MS = 250;
/** Streamed text reaches the disk at least this often. */
const FLUSH_MS = 1000;

/** Whether this is what the person said, in these words. */
const isSaid = (item: HistoryItem, text: string): boolean =>
  item.type === 'message' &&
  item.role === 'user' &&
  Array.isArray(item.content) &&
  item.content.some((part) => 'text' in part && part.text === text);

/** What the harness needs of the world, for one turn: items to disk first, then to whoever watches. */
export class RuntimeTurnHost implements TurnHost {
  readonly #context: Context;
  readonly #task: Task;
  readonly #workspace: OpenWorkspace;
  readonly #open = new Map<ItemId, Item>();
  readonly #streamed = new Set<ItemId>();
  /** What opened the turn, as long as it is not in the model's history. */
  #opening: readonly string[] | null;
  readonly #budget: BudgetKeeper;
  #over = false;
  readonly #onFiles: () => void;
  #drafted = 0;
  readonly #flush: NodeJS.Timeout;
  /** The trees around commands that look like checks, by item. */
  readonly #trees = new Map<ItemId, CheckTrees>();
  readonly #gates: TurnGates;
  readonly #left: () => boolean;
  turn: Turn;

  constructor(
    context: Context,
    parts: {
      task: Task;
      turn: Turn;
      workspace: OpenWorkspace;
      signal: AbortSignal;
      opening: readonly string[] | null;
      onFiles: () => void;
      left: () => boolean;
    },
  ) {
    this.#context = context;
    this.#task = parts.task;
    this.turn = parts.turn;
    this.#workspace = parts.workspace;
    this.#onFiles = parts.onFiles;
    this.#opening = parts.opening;
    this.#left = parts.left;
    this.#gates = new TurnGates(context, {
      task: parts.task,
      threadId: parts.turn.threadId,
      turnId: parts.turn.id,
      signal: parts.signal,
      open: this.#open,
      commit: (events, done) => this.#write({ events, ...(done ? { done } : {}) }),
    });
    this.#flush = setInterval(
      () => void this.#flushStreamed().catch((error: unknown) => this.#context.log('saving streamed text', error)),
      FLUSH_MS,
    );
    this.#flush.unref();
    this.#budget = new BudgetKeeper(context, parts.task.id, (subject, effect) => this.#askForMore(subject, effect));
  }

  /** Items that have no end yet, as they stand. */
  get openItems(): Item[] {
    return [...this.#open.values()];
  }

  /** What the person said into the turn since: it leaves the queue for the conversation in the transaction of the history. */
  takeSteering(): string[] {
    const { threadId, id: turnId } = this.turn;
    const said = (this.#context.store.board.threads[threadId]?.queue ?? []).filter((message) => message.steer);
    const now = this.#context.now();
    const events = said.flatMap(({ id: messageId, text }): DomainEvent[] => [
      { type: 'queue.removed', threadId, messageId },
      {
        type: 'item.completed',
        taskId: this.#task.id,
        item: { id: newId<ItemId>('item'), threadId, turnId, startedAt: now, endedAt: now, type: 'userMessage', text, via: 'steer' },
      },
    ]);
    // The history that follows is in the same batch and says if it fails.
    if (events.length) this.#commit(events).catch((error: unknown) => this.#context.log('saving what was steered', error));
    return said.map(({ text }) => text);
  }

  /** The tree from which the turn's changes count; on disk while it still runs, for whoever looks at them or undoes them. */
  began(tree: string): void {
    if (this.#over) return;
    this.turn = { ...this.turn, treeBefore: tree };
    void this.#commit([{ type: 'turn.updated', taskId: this.#task.id, turn: this.turn }]).catch((error: unknown) =>
      this.#context.log('saving where a turn began', error),
    );
  }

  takeNotices(): string[] {
    return this.#context.network.takeNotices(this.#task.id);
  }

  async itemStarted(item: Item): Promise<void> {
    this.#open.set(item.id, item);
    this.#show(item);
    if (item.type === 'command') this.#budget.command();
    if (item.type === 'command') await this.#context.outputs.prepare(item.threadId);
    if (item.type === 'command' && isCheck(item.command)) await this.#beforeCheck(item.id);
    await this.#commit([{ type: 'item.started', taskId: this.#task.id, item }]);
  }

  /** Whatever changes files from here on, a shell too, makes the check stale. */
  async #beforeCheck(id: ItemId): Promise<void> {
    const before = await this.#tree('before a check');
    if (before) this.#trees.set(id, { before, after: null });
  }

  async #tree(label: string): Promise<string | null> {
    try {
      return (await this.#workspace.checkpoint(label)).tree;
    } catch (error) {
      this.#context.log(`a checkpoint ${label}`, error);
      return null;
    }
  }

  async #withTrees(item: Item): Promise<Item> {
    const trees = this.#trees.get(item.id);
    if (!trees || item.type !== 'command') return item;
    if (item.endedAt === null) return { ...item, trees };
    this.#trees.delete(item.id);
    return { ...item, trees: item.exitCode === 0 ? { ...trees, after: await this.#tree('after a check') } : trees };
  }

  async itemUpdated(given: Item): Promise<void> {
    const item = await this.#withTrees(given);
    if (item.endedAt === null) this.#open.set(item.id, item);
    this.#streamed.delete(item.id);
    await this.#commit([{ type: 'item.updated', taskId: this.#task.id, item }]);
  }

  async itemCompleted(given: Item): Promise<void> {
    const item = await this.#withTrees(given);
    this.#open.delete(item.id);
    this.#streamed.delete(item.id);
    const events: DomainEvent[] = [{ type: 'item.completed', taskId: this.#task.id, item }];
    const check = item.type === 'command' ? checkOf(item) : null;
    if (check) events.push({ type: 'task.checked', taskId: this.#task.id, check });
    const stale = this.#context.store.board.tasks[this.#task.id]?.check;
    if (item.type === 'fileChange' && item.status === 'completed' && stale && !stale.stale) {
      events.push({ type: 'task.checked', taskId: this.#task.id, check: { ...stale, stale: true } });
    }
    // A command that ends after its turn says nothing of what the task does now.
    if (this.#over) {
      await this.#commit(events);
      return;
    }
    if (item.type === 'command' || item.type === 'fileChange') this.#onFiles();
    const newest = [...this.#open.values()].at(-1);
    if (newest) this.#show(newest);
    else this.#think();
    await this.#commit(events);
  }

  itemDelta(itemId: ItemId, text: string): void {
    const item = this.#open.get(itemId);
    if (item && (item.type === 'agentMessage' || item.type === 'reasoning')) {
      this.#open.set(itemId, { ...item, text: item.text + text });
      this.#streamed.add(itemId);
    }
    this.#context.transients.emit({ type: 'item.delta', threadId: this.turn.threadId, itemId, text });
  }

  /** A patch shows while it is written, a few times a second. */
  drafting(tool: string, text: string): void {
    const now = this.#context.now();
    if (tool !== 'apply_patch' || now - this.#drafted < DRAFT_MS) return;
    this.#drafted = now;
    const shown = draftOf(text);
    if (shown) setActivity(this.#context, this.#task.id, { verb: 'editing', ...shown, since: now, progress: null });
  }

  async appendHistory(items: HistoryItem[]): Promise<void> {
    const events: DomainEvent[] = [];
    if (this.#opening?.every((text) => items.some((item) => isSaid(item, text)))) {
      this.#opening = null;
      this.turn = { ...this.turn, heard: true };
      events.push({ type: 'turn.updated', taskId: this.#task.id, turn: this.turn });
    }
    await this.#write({ events, history: { threadId: this.turn.threadId, items } });
  }

  async replaceHistory(items: HistoryItem[]): Promise<void> {
    await this.#write({ history: { threadId: this.turn.threadId, items, replace: true } });
  }

  spent(counted: Usage): void {
    const model = this.turn.model ?? this.#task.model;
    const usage = priced(counted, this.#context.models.price(model));
    this.turn = { ...this.turn, usage: addUsage(this.turn.usage, usage) };
    void this.#commit([{ type: 'turn.spent', taskId: this.#task.id, usage, model }]).catch((error: unknown) =>
      this.#context.log('saving usage', error),
    );
  }

  mayGoOn(): Promise<boolean> {
    return this.#budget.mayGoOn(this.turn.usage);
  }

  /** A gate for more of what is spent. */
  async #askForMore(subject: string, effect: string): Promise<boolean> {
    const itemId = newId<ItemId>('item');
    const { decision } = await this.approve({
      itemId,
      kind: 'budget',
      subject,
      argv: null,
      cwd: this.#workspace.cwd,
      reason: '',
      effect,
      prefix: null,
    });
    return decision === 'approved';
  }

  limited(until: number | null): void {
    void this.#commit([{ type: 'thread.limited', threadId: this.turn.threadId, taskId: this.#task.id, until }]).catch((error: unknown) =>
      this.#context.log('saving a limit', error),
    );
    if (until === null) this.#think();
  }

  approve(request: Parameters<TurnHost['approve']>[0]): ReturnType<TurnHost['approve']> {
    return this.#budget.pause(this.#gates.approve(request)).finally(() => this.#think());
  }

  ask(questions: Question['questions'], callId?: string): ReturnType<TurnHost['ask']> {
    return this.#budget.pause(this.#gates.ask(questions, callId)).finally(() => this.#think());
  }

  standing(): ReturnType<typeof waitingCalls> {
    return waitingCalls(this.#context.store, this.turn.threadId);
  }

  runOutside: TurnHost['runOutside'] = (request) => {
    if (this.turn.kind && this.turn.kind !== 'work')
      return Promise.reject(new Failure('not-allowed', 'Nothing runs outside the sandbox in a turn that plans or answers.'));
    return this.#workspace.runOutside(request);
  };

  settled(tool: string, args: unknown): Promise<string | null> {
    return afterCall(this.#context, this.#workspace, tool, args);
  }

  ruleAllows(argv: string[]): boolean {
    return ruleAllows(rulesFor(this.#context.store.board, this.#task, 'allow'), argv);
  }

  toolAllowed(name: string): boolean {
    return rulesFor(this.#context.store.board, this.#task, 'allow').some((prefix) => prefix.length === 1 && prefix[0] === name);
  }

  ruleRefuses(line: string): boolean {
    return ruleRefuses(rulesFor(this.#context.store.board, this.#task, 'refuse'), line);
  }

  logOutput(itemId: ItemId, chunk: Uint8Array): Promise<void> | undefined {
    return this.#context.outputs.append(this.turn.threadId, itemId, chunk);
  }

  /** Streamed text of items that are still open, made durable. */
  async #flushStreamed(): Promise<void> {
    const events = [...this.#streamed].flatMap((id): DomainEvent[] => {
      const item = this.#open.get(id);
      return item ? [{ type: 'item.updated', taskId: this.#task.id, item }] : [];
    });
    this.#streamed.clear();
    if (events.length) await this.#commit(events);
  }

  #show(item: Item): void {
    const since = this.#context.now();
    const show = (verb: 'running' | 'editing' | 'writing' | 'thinking', subject = ''): void =>
      setActivity(this.#context, this.#task.id, { verb, subject, since, progress: null });
    if (item.type === 'command') show('running', item.command);
    else if (item.type === 'fileChange') show('editing', item.changes[0]?.path ?? '');
    else if (item.type === 'agentMessage') show('writing');
    else if (item.type === 'toolCall') show('running', item.name);
    else if (item.type === 'reasoning') show('thinking');
  }

  #think(): void {
    setActivity(this.#context, this.#task.id, { verb: 'thinking', subject: '', since: this.#context.now(), progress: null });
  }

  /** A turn that is left to the next core writes nothing more: on disk it stands as if the core had died. */
  async #write(batch: Batch): Promise<void> {
    if (!this.#left()) await this.#context.store.commit(batch);
  }

  async #commit(events: DomainEvent[]): Promise<void> {
    await this.#write({ events });
  }

  dispose(): void {
    void this.#budget.save().catch((error: unknown) => this.#context.log('saving what was done', error));
    this.#over = true;
    clearInterval(this.#flush);
  }
}
