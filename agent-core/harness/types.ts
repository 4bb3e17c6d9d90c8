import type { FunctionTool, CustomTool, ResponseInputItem, WebSearchTool } from 'openai/resources/responses/responses';
import type {
  Approval,
  AppError,
  Effort,
  Item,
  Mode,
  ApprovalPolicy,
  PlanStep,
  Question,
  Scope,
  TurnKind,
  Usage,
} from '../contract/index.ts';
import type { Machine } from '../sandbox/types.ts';
import type { Tool } from './tools/types.ts';

/** One entry of what the model is sent, in the Responses API's own shape. */
export type HistoryItem = ResponseInputItem;

/** A tool as it is offered to the model, in the Responses API's own shape. */
export type ToolSpec = FunctionTool | CustomTool | WebSearchTool;

/** Where requests go and as whom. `key` never leaves the core. */
export interface ModelConfig {
  model: string;
  baseUrl: string;
  key: string;
  /** Which API the address speaks; `responses` when absent. */
  wire?: 'responses' | 'chat';
  effort?: Effort;
  /** How the key is sent; `bearer` when absent. */
  auth?: 'bearer' | 'api-key';
  /** Azure's `api-version`. */
  apiVersion?: string;
  /** False for a model that takes no images. */
  images?: boolean;
  /** Tokens; 272,000 where unknown. */
  contextWindow: number;
  /** How `apply_patch` is offered; by the model's name when absent. */
  patchTool?: 'freeform' | 'function';
}

/** How patiently the model is asked. Milliseconds; absent ones have the defaults of `model/retry.ts`. */
export interface Patience {
  /** Retries of a request that gave no stream, and of a stream that broke. */
  requestRetries: number;
  streamRetries: number;
  /** First pause; it doubles with each retry, with jitter, up to `maxPause`. */
  pause: number;
  maxPause: number;
  /** A stream that says nothing for this long has stalled. */
  idle: number;
  /** Waits longer than this are told to `TurnHost.limited`. */
  tellAfter: number;
}

/** What a turn needs from the outside; the runtime provides it. */
export interface TurnHost {
  /**
   * Durable before it resolves. The same id is started, perhaps updated, then completed. A command that goes on
   * in the background completes whenever it ends, perhaps after the turn.
   */
  itemStarted(item: Item): Promise<void>;
  itemUpdated(item: Item): Promise<void>;
  itemCompleted(item: Item): Promise<void>;
  /** Text added at the end of an item; the runtime makes it durable at least each second. Never awaited. */
  itemDelta(itemId: Item['id'], text: string): void;
  /** The arguments of a call as far as they are written; shown to whoever watches, never kept. Never awaited. */
  drafting?(tool: string, text: string): void;
  /** Adds to the model's history, durable before it resolves, in call order. */
  appendHistory(items: HistoryItem[]): Promise<void>;
  /** Replaces the whole history (compaction), durable before it resolves. */
  replaceHistory(items: HistoryItem[]): Promise<void>;
  spent(usage: Usage): void;
  /** Asked before each step: false stops the turn here. A `Failure` that it throws ends the turn with it. */
  mayGoOn?(): Promise<boolean>;
  /** Told when a rate limit makes the turn wait (until ms since the epoch), and with null when it goes on. */
  limited(until: number | null): void;
  /** Asks a person; waits for as long as it takes. Rejects only when the turn is aborted. */
  approve(
    request: Omit<Approval, 'id' | 'taskId' | 'threadId' | 'at'>,
  ): Promise<{ decision: 'approved' | 'declined'; scope: Scope; note: string }>;
  /**
   * Asks a person in words; waits for as long as it takes. The answers by the questions' ids, durable before it
   * resolves. Rejects only when the turn is aborted.
   */
  ask(questions: Question['questions'], callId?: string): Promise<Record<string, string>>;
  /**
   * Calls of the history without an output that wait for a person, or whose answer is there by now, with the item that
   * each goes on with: they run again when a turn begins, and find their gate or its answer.
   */
  standing?(): ReadonlyMap<string, Item | null>;
  /** What the person typed for the running turn since last asked; joins at the next step. */
  takeSteering(): string[];
  /** What the surroundings have to say to the model at its next step; unlike steering no reason for one. */
  takeNotices?(): string[];
  /** Runs outside the fence, once, after a person allowed it: harvest first, the real git directory, reseed after. */
  runOutside: Machine['run'];
  /** Before a call: why it may not be made, and what the model is told besides its output; null where nothing. */
  calling?(tool: string, args: unknown, callId: string): Promise<{ refuse: string | null; context: string | null }>;
  /** When the model yields: words that make it go on; null lets the turn end. */
  stopping?(said: string): Promise<string | null>;
  /** Whether a saved rule lets this tool of a server be called without asking. */
  toolAllowed?(name: string): boolean;
  /** Whether a saved rule lets this command run outside without asking. */
  ruleAllows(argv: string[]): boolean;
  /** Whether a saved rule keeps this command line inside without asking; wins over one that allows it. */
  ruleRefuses?(line: string): boolean;
  /** Called after each call, with what it gave as text; what the model is told about it besides its output, or null. */
  settled?(tool: string, args: unknown, output: string, callId: string): Promise<string | null>;
  /** Appends a command's bytes to its log on disk; bounded by the runtime. An answer resolves when more may be read. */
  logOutput(itemId: Item['id'], chunk: Uint8Array): Promise<void> | undefined;
}

export interface TurnInput {
  threadId: Item['threadId'];
  turnId: Item['turnId'];
  /**
   * What begins this turn; empty when an interrupted turn goes on. Their `userMessage` items are written by the runtime
   * in the same transaction as the turn's start (and a steered message's when it is accepted): the loop only adds them to the history.
   */
  messages: { text: string; via: 'prompt' | 'queue' }[];
  /** Set where the turn does nothing but shorten the history; `hint` is what to keep above all. */
  compact?: { hint: string };
  /** The thread's whole history so far; empty in a new thread (then the context prefix is built). */
  history: HistoryItem[];
  model: ModelConfig;
  /** What the turn is for; work where absent. Others come with a machine in which nothing can be changed. */
  kind?: TurnKind | 'review';
  /** Whether the provider may search the web; only the Responses wire has it. */
  webSearch?: boolean;
  mode: Mode;
  approval: ApprovalPolicy;
  machine: Machine;
  /** Absolute folder in which commands start: the worktree, or the project's subfolder of it. */
  cwd: string;
  /** SIGNALBOX_HOME: the folder of the person's own AGENTS.md and skills; none are read when absent. */
  home?: string;
  /** The person's HOME, for their own skills; none are looked for when absent. */
  personHome?: string;
  /** Tools of servers that a person added, besides ours. */
  serverTools?: readonly Tool[];
  patience?: Partial<Patience>;
  /** Aborting ends the running commands and the request, keeps what was done. */
  signal: AbortSignal;
}

export type TurnOutcome =
  | { status: 'completed'; message: string }
  | { status: 'failed'; error: AppError; message: string }
  | { status: 'interrupted'; message: string };

/** Background sessions of a thread live across its turns: one of these per thread. */
export interface ThreadSessions {
  /** Ends every background command of the thread. */
  dispose(): Promise<void>;
}

export type { PlanStep };
