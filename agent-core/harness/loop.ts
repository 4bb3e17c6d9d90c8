import { Failure, toAppError, type AppError, type Item, type Usage } from '../contract/index.ts';
import { runCalls } from './calls.ts';
import { clipped, compacted, estimateTokens, mustCompact } from './context/compact.ts';
import { attachmentBinds, picturesOf, whereAttached } from './context/attachments.ts';
import { changes, prefix } from './context/index.ts';
import { INTERRUPTED } from './context/prompt.ts';
import { catalogue, findSkills, mentioned, showing, type Skills } from './context/skills.ts';
import { isCall, message, withParts, repaired, textOf, withOwnIds } from './history.ts';
import { newItem, Speech } from './items.ts';
import { openModel, type ModelPort, type ModelReply } from './model/index.ts';
import { offered } from './tools/index.ts';
import type { Bind } from '../sandbox/types.ts';
import type { Sessions } from './tools/session.ts';
import type { HistoryItem, ToolSpec, TurnHost, TurnInput, TurnOutcome } from './types.ts';

/** A person decided at a gate that the turn stops before its next step. */
const STOP = new Error('Stopped at a gate.');

/** One turn: from what the person said until the model yields. */
export class TurnLoop {
  #input: TurnInput;
  readonly #host: TurnHost;
  readonly #sessions: Sessions;
  readonly #model: ModelPort;
  readonly #tools: ToolSpec[];
  #history: HistoryItem[];
  readonly #callIds: Set<string>;
  #skills: Skills = { all: [], broken: [], binds: [] };
  /** What commands see besides the worktree: skills, and files that the person attached. */
  readonly #shown: Bind[] = [];
  /** How full the window was at the last step, by the provider's count or our estimate. */
  #tokens: number;
  /** A nearly full window could not be compacted in this turn. */
  #cramped = false;
  /** The newest words of the agent. */
  #said = '';

  constructor(input: TurnInput, host: TurnHost, sessions: Sessions) {
    this.#input = input;
    this.#host = host;
    this.#sessions = sessions;
    this.#model = openModel(input.model, input.patience, (until) => host.limited(until));
    this.#tools = offered(input);
    this.#history = [...input.history];
    this.#callIds = new Set(input.history.filter(isCall).map((call) => call.call_id));
    this.#tokens = estimateTokens(input.history);
  }

  async run(): Promise<TurnOutcome> {
    const { signal } = this.#input;
    try {
      await this.#begin();
      if (this.#input.compact) await this.#compactNow(this.#input.compact.hint);
      else while (await this.#step());
      return { status: 'completed', message: this.#said };
    } catch (thrown) {
      if (!signal.aborted && thrown !== STOP) return { status: 'failed', error: toAppError(thrown), message: this.#said };
      return await this.#interrupted();
    }
  }

  /** Also in a turn that is stopped at once: what the person said must be there when it goes on. */
  async #begin(): Promise<void> {
    this.#skills = await findSkills(this.#input);
    this.#shown.push(...this.#skills.binds);
    this.#show(this.#history.flatMap((item) => (item.type === 'message' ? [textOf(item)] : [])));
    const input = { ...this.#input, machine: showing(this.#input.machine, this.#shown) };
    this.#input = input;
    const waiting = this.#host.standing?.() ?? new Map<string, Item | null>();
    const whole = repaired(this.#history, waiting);
    if (whole !== this.#history) {
      await this.#host.replaceHistory(whole);
      this.#history = [...whole];
    }
    await this.#goOn(waiting);
    const context = this.#history.length ? changes(this.#history, input, this.#catalogue) : await prefix(input, this.#catalogue);
    if (context.length && this.#skills.broken.length)
      await this.#notice('warn', `Skills that can't be used:\n${this.#skills.broken.join('\n')}`);
    await this.#hear(
      input.messages.map(({ text }) => text),
      context,
    );
  }

  /** Runs the calls that waited for a person when the core ended: their gates stand, or are answered by now. */
  async #goOn(resumed: ReadonlyMap<string, Item | null>): Promise<void> {
    const calls = this.#history.filter(isCall).filter((call) => resumed.has(call.call_id));
    if (!calls.length) return;
    const step = { input: this.#input, host: this.#host, sessions: this.#sessions, recorded: Promise.resolve(), resumed };
    await runCalls(calls, step, (output) => this.#append([output]));
    this.#input.signal.throwIfAborted();
  }

  /** Records for the model what the person said, before anything is done about it. Its items are the runtime's. */
  async #hear(messages: string[], before: HistoryItem[] = []): Promise<void> {
    const skills = mentioned(this.#skills, messages);
    this.#show(messages);
    const said = await Promise.all(
      messages.map(async (text) =>
        withParts(message('user', text), [...whereAttached(text, this.#input), ...(await picturesOf(text, this.#input.home))]),
      ),
    );
    await this.#append([...before, ...(skills ? [message('user', skills)] : []), ...said]);
  }

  /** Files that these texts name are seen by commands from now on. */
  #show(texts: string[]): void {
    const known = new Set(this.#shown.map(({ target }) => target));
    this.#shown.push(...attachmentBinds(texts, this.#input.home).filter(({ target }) => !known.has(target)));
  }

  get #catalogue(): string | null {
    return catalogue(this.#skills, this.#input.model.contextWindow);
  }

  async #append(items: HistoryItem[]): Promise<void> {
    if (!items.length) return;
    this.#history.push(...items);
    await this.#host.appendHistory(items);
  }

  /** One request and its calls; true when there is more to do. */
  async #step(): Promise<boolean> {
    if (this.#host.mayGoOn && !(await this.#host.mayGoOn())) throw STOP;
    await this.#append((this.#host.takeNotices?.() ?? []).map((text) => message('user', text)));
    await this.#hear(this.#host.takeSteering());
    await this.#makeRoom();
    const reply = await this.#ask();
    this.#spend(reply.usage);
    const items = withOwnIds(reply.items, this.#callIds);
    const recorded = this.#append(items);
    recorded.catch(() => {
      /* awaited below, after the calls */
    });
    const calls = items.filter(isCall);
    await runCalls(calls, { input: this.#input, host: this.#host, sessions: this.#sessions, recorded }, (output) => this.#append([output]));
    await recorded;
    this.#input.signal.throwIfAborted();
    if (calls.length) return true;
    const late = this.#host.takeSteering();
    await this.#hear(late);
    if (late.length > 0) return true;
    const more = await this.#host.stopping?.(this.#said);
    if (more) await this.#append([message('user', more)]);
    return Boolean(more);
  }

  #spend(usage: Usage): void {
    this.#tokens = usage.inputTokens + usage.outputTokens || estimateTokens(this.#history);
    this.#host.spent(usage);
  }

  /** Asks the model; a conversation that turns out too long is compacted once and asked again. */
  async #ask(retried = false): Promise<ModelReply> {
    const speech = new Speech(this.#input, this.#host);
    try {
      const reply = await this.#model.ask(
        { input: this.#history, tools: this.#tools, cacheKey: this.#input.threadId },
        { signal: this.#input.signal, on: (event) => speech.on(event) },
      );
      await speech.finish(reply.items);
      this.#said = reply.items.map(textOf).filter(Boolean).at(-1) ?? this.#said;
      return reply;
    } catch (thrown) {
      const words = await speech.abandon();
      if (words) this.#said = words;
      if (this.#input.signal.aborted && words) await this.#append([{ type: 'message', role: 'assistant', content: words }]);
      if (retried || !(thrown instanceof Failure) || thrown.detail.code !== 'context-overflow' || !this.#history.some(isCall)) throw thrown;
      await this.#compactOrClip();
      return this.#ask(true);
    }
  }

  /** Compacts a nearly full window. Where that fails there is still room: it is said once, and the turn goes on. */
  async #makeRoom(): Promise<void> {
    if (this.#cramped || !mustCompact(this.#tokens, this.#input.model.contextWindow)) return;
    try {
      await this.#compact();
    } catch (thrown) {
      if (this.#input.signal.aborted || !(thrown instanceof Failure) || thrown.detail.code === 'model-unauthorized') throw thrown;
      this.#cramped = true;
      await this.#notice(
        'warn',
        'The conversation is nearly too long for the model, and it could not be summarized. The turn goes on for as long as it fits.',
        thrown.detail,
      );
    }
  }

  /** What the window has no room for must go: where no summary can be had, the oldest steps are left out. */
  async #compactOrClip(): Promise<void> {
    try {
      await this.#compact();
    } catch (thrown) {
      if (this.#input.signal.aborted || !(thrown instanceof Failure) || thrown.detail.code === 'model-unauthorized') throw thrown;
      await this.#replace(await clipped(this.#history, this.#input, this.#catalogue));
      await this.#notice(
        'warn',
        'The conversation is too long for the model, and it could not be summarized: the model goes on with the newest steps alone. Nothing is lost here.',
        thrown.detail,
      );
    }
  }

  /** By hand. What can't be summarized stays as it was. */
  async #compactNow(hint: string): Promise<void> {
    try {
      if (!this.#history.some((item) => item.type === 'message' && item.role === 'assistant'))
        throw new Failure('conflict', 'There is nothing to summarize yet.');
      await this.#compact(hint);
    } catch (thrown) {
      if (this.#input.signal.aborted || !(thrown instanceof Failure)) throw thrown;
      await this.#notice('warn', 'The conversation was not summarized; it stands as before.', thrown.detail);
    }
  }

  async #replace(history: HistoryItem[]): Promise<void> {
    await this.#host.replaceHistory(history);
    this.#history = [...history];
    this.#tokens = estimateTokens(history);
  }

  async #compact(hint?: string): Promise<void> {
    const before = this.#tokens;
    const call = { signal: this.#input.signal, on: () => {} };
    const { history, usage } = await compacted(this.#history, this.#input, this.#catalogue, this.#model, call, hint);
    this.#host.spent(usage);
    await this.#replace(history);
    await this.#notice(
      'info',
      `The conversation was summarized for the model to make room (from about ${before.toLocaleString('en')} to ${this.#tokens.toLocaleString('en')} tokens). Nothing is lost here.`,
    );
  }

  async #notice(level: 'info' | 'warn', text: string, error: AppError | null = null): Promise<void> {
    const notice = { ...newItem(this.#input, 'notice' as const), endedAt: Date.now(), level, error, text };
    await Promise.all([this.#host.itemStarted(notice), this.#host.itemCompleted(notice)]);
  }

  async #interrupted(): Promise<TurnOutcome> {
    await this.#sessions.stopTurn(this.#input.turnId);
    await this.#append([message('user', INTERRUPTED)]);
    return { status: 'interrupted', message: this.#said };
  }
}
