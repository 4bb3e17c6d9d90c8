import { z } from 'zod';
import { ApprovalId, ItemId, MessageId, ProjectId, QuestionId, RuleId, TaskId, TerminalId, ThreadId, TurnId } from './ids.ts';
import {
  ApprovalPolicy,
  Base,
  Landing,
  Mode,
  ModelWire,
  Probe,
  Project,
  SandboxStatus,
  Scope,
  Settings,
  Task,
  Thread,
  Turn,
} from './values.ts';
import { Item } from './items.ts';
import { Snapshot } from './state.ts';
import type { ErrorCode } from './errors.ts';

export interface MethodSpec<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> {
  input: I;
  output: O;
  /** The expected failures, besides `invalid-input`, `not-found` and `internal`, which any method may answer. */
  errors: readonly ErrorCode[];
}
const method = <I extends z.ZodType, O extends z.ZodType>(input: I, output: O, errors: readonly ErrorCode[] = []): MethodSpec<I, O> => ({
  input,
  output,
  errors,
});

const nothing = z.object({});
const PROMPT_LIMIT = 256 * 1024;
/** What a person types to an agent: not blank, at most 256 KiB. */
export const Prompt = z
  .string()
  .refine((text) => text.trim().length > 0, 'The task is empty. Say what should be done.')
  .refine(
    (text) => new TextEncoder().encode(text).length <= PROMPT_LIMIT,
    'The task is longer than 256 KiB. Put long material in a file of the repository and name the file.',
  );

/** One changed file between two trees, as `git diff --raw --numstat` tells it. */
export const DiffFile = z.object({
  path: z.string(),
  oldPath: z.string().nullable(),
  status: z.enum(['added', 'modified', 'deleted', 'renamed', 'typechange']),
  /** Null for binary files. */
  added: z.number().int().nullable(),
  removed: z.number().int().nullable(),
  binary: z.boolean(),
  /** Lock files, minified or marked as generated: shown folded until asked for. */
  generated: z.boolean(),
  /** Blob ids, so that "viewed" can tell a file that changed again. */
  oldBlob: z.string().nullable(),
  newBlob: z.string().nullable(),
});
export type DiffFile = z.infer<typeof DiffFile>;
export const DiffScope = z.enum(['turn', 'task', 'uncommitted', 'seen']);
export type DiffScope = z.infer<typeof DiffScope>;

export const Folder = z.object({
  root: z.string(),
  repo: z.string(),
  subdir: z.string(),
  branch: z.string().nullable(),
  head: z.string(),
  branches: z.array(z.string()),
  remoteBranches: z.array(z.string()),
  files: z.number().int(),
  /** Things that work with limits, said before a task starts (submodules, LFS, sparse, …). */
  warnings: z.array(z.string()),
});
export type Folder = z.infer<typeof Folder>;

export const LandPreview = z.object({
  into: z.string(),
  ahead: z.number().int(),
  behind: z.number().int(),
  clean: z.boolean(),
  conflicts: z.array(z.string()),
  /** Why it can't be landed now, in words; null when it can. */
  blocked: z.string().nullable(),
  /** Uncommitted files that become the branch's last commit. */
  uncommitted: z.number().int(),
});
export type LandPreview = z.infer<typeof LandPreview>;

export const TerminalInfo = z.object({
  id: TerminalId,
  taskId: TaskId,
  title: z.string(),
  cols: z.number().int(),
  rows: z.number().int(),
  running: z.boolean(),
  exitCode: z.number().int().nullable(),
});
export type TerminalInfo = z.infer<typeof TerminalInfo>;

/** All requests a client may make, named `<resource>/<verb>`. */
export const methods = {
  initialize: method(z.object({ version: z.number().int(), token: z.string().optional() }), Snapshot, [
    'unsupported-version',
    'unauthorized',
  ]),
  snapshot: method(nothing, Snapshot),

  'project/inspect': method(z.object({ path: z.string() }), Folder, [
    'no-folder',
    'not-a-repository',
    'bare-repository',
    'no-commits',
    'unsupported-repository',
  ]),
  /** `init` runs `git init` and a first commit in a folder that is no repository. */
  'project/open': method(z.object({ path: z.string(), init: z.boolean().optional() }), Project, [
    'no-folder',
    'not-a-repository',
    'bare-repository',
    'no-commits',
    'unsupported-repository',
    'git-failed',
  ]),
  'project/close': method(z.object({ projectId: ProjectId }), nothing, ['conflict']),
  'project/branches': method(z.object({ projectId: ProjectId }), Folder),
  'project/sample': method(nothing, Project, ['git-failed', 'disk-full']),
  /** Folders whose path begins with `prefix`, for the path field of a host without a native picker. */
  'project/suggest': method(
    z.object({ prefix: z.string() }),
    z.object({ folders: z.array(z.object({ path: z.string(), repository: z.boolean() })) }),
  ),

  /** First tasks to offer for a project: the sample's scripted prompts, or what the repository itself suggests. */
  'project/suggestions': method(
    z.object({ projectId: ProjectId }),
    z.object({ suggestions: z.array(z.object({ title: z.string(), detail: z.string(), prompt: z.string() })) }),
  ),

  'task/create': method(
    z.object({
      projectId: ProjectId,
      prompt: Prompt,
      title: z.string().max(200).optional(),
      base: Base.omit({ commit: true }).optional(),
      mode: Mode.optional(),
      approval: ApprovalPolicy.optional(),
      model: z.string().optional(),
      start: z.boolean().default(true),
      dependsOn: z.array(TaskId).default([]),
      origin: Task.shape.origin.default('app'),
      inPlace: z.boolean().default(false),
      /** The caller's own endpoint (a command's OPENAI_BASE_URL): kept in memory for this task, never on disk. */
      endpoint: z.object({ baseUrl: z.string(), key: z.string(), wire: ModelWire.optional() }).optional(),
    }),
    Task,
    ['base-not-found', 'no-model', 'cannot-confine', 'conflict'],
  ),
  /** Starts a held or queued task now, ahead of the queue. */
  'task/start': method(z.object({ taskId: TaskId }), nothing, ['conflict']),
  'task/stop': method(z.object({ taskId: TaskId }), nothing),
  /** Goes on after a failure or a crash: prepares the workspace again, or continues the turn. */
  'task/retry': method(z.object({ taskId: TaskId }), nothing, ['conflict', 'no-model']),
  'task/rename': method(z.object({ taskId: TaskId, title: z.string().min(1).max(200) }), nothing),
  'task/reorder': method(z.object({ taskId: TaskId, before: TaskId.nullable() }), nothing),
  'task/archive': method(z.object({ taskId: TaskId }), nothing, ['conflict']),
  'task/unarchive': method(z.object({ taskId: TaskId }), nothing),
  /** To the trash: a checkpoint, then the worktree's folder itself, ignored files included. */
  'task/delete': method(z.object({ taskId: TaskId }), nothing, ['git-failed', 'disk-full']),
  'task/restore': method(z.object({ taskId: TaskId }), nothing, ['git-failed', 'conflict']),
  'task/purge': method(z.object({ taskId: TaskId }), nothing, ['conflict']),

  /** Items of a thread, oldest first; `before` pages back from an item's id. */
  'thread/read': method(
    z.object({ threadId: ThreadId, before: ItemId.optional(), limit: z.number().int().min(1).max(500).default(200) }),
    z.object({ thread: Thread, items: z.array(Item), turns: z.array(Turn), more: z.boolean(), seq: z.number().int() }),
  ),
  /** From now on this client gets the thread's item events and deltas. Idempotent. */
  'thread/subscribe': method(z.object({ threadId: ThreadId }), nothing),
  'thread/unsubscribe': method(z.object({ threadId: ThreadId }), nothing),
  'item/output': method(
    z.object({
      itemId: ItemId,
      offset: z.number().int().min(0).default(0),
      limit: z.number().int().min(1).max(1_048_576).default(262_144),
    }),
    z.object({ text: z.string(), offset: z.number().int(), total: z.number().int() }),
  ),

  /** Begins a turn on an idle thread; on a busy one the message is queued. */
  'turn/start': method(
    z.object({ threadId: ThreadId, text: Prompt }),
    z.object({ turnId: TurnId.nullable(), queued: MessageId.nullable() }),
    ['conflict', 'no-model', 'worktree-missing'],
  ),
  /** Joins the running turn at its next step. */
  'turn/steer': method(z.object({ threadId: ThreadId, turnId: TurnId, text: Prompt }), nothing, ['conflict']),
  'turn/interrupt': method(z.object({ threadId: ThreadId }), nothing),
  'queue/add': method(z.object({ threadId: ThreadId, text: Prompt }), z.object({ messageId: MessageId })),
  'queue/remove': method(z.object({ threadId: ThreadId, messageId: MessageId }), nothing),

  /** Answers one or several approvals alike. Those already answered are left as they are. */
  'approval/decide': method(
    z.object({
      approvalIds: z.array(ApprovalId).min(1),
      decision: z.enum(['approve', 'decline']),
      scope: Scope.default('once'),
      note: z.string().max(4000).default(''),
    }),
    z.object({ decided: z.array(ApprovalId) }),
    ['not-allowed'],
  ),
  'question/answer': method(z.object({ questionId: QuestionId, answers: z.record(z.string(), z.string()) }), nothing, ['conflict']),
  'rule/revoke': method(z.object({ ruleId: RuleId }), nothing),

  'diff/read': method(
    z.object({ taskId: TaskId, scope: DiffScope.default('task') }),
    z.object({ from: z.string(), to: z.string(), files: z.array(DiffFile) }),
    ['worktree-missing', 'git-failed', 'cannot-confine'],
  ),
  /** Git's own patch of the named files between two trees that `diff/read` gave. */
  'diff/patch': method(
    z.object({
      taskId: TaskId,
      from: z.string(),
      to: z.string(),
      paths: z.array(z.string()).min(1).max(500),
      ignoreWhitespace: z.boolean().default(false),
    }),
    z.object({ patch: z.string(), truncated: z.boolean() }),
    ['git-failed'],
  ),
  /** The person has left the changes after looking at them up to this tree, a `to` of `diff/read`: the scope `seen` begins there from now on. */
  'diff/seen': method(z.object({ taskId: TaskId, tree: z.string().regex(/^[0-9a-f]{40,64}$/) }), nothing),
  /** Takes a patch (one hunk, one file, or more) back out of the worktree, after a checkpoint. */
  'diff/discard': method(z.object({ taskId: TaskId, patch: z.string() }), nothing, ['conflict', 'git-failed', 'cannot-confine']),

  'land/preview': method(z.object({ taskId: TaskId }), LandPreview, ['worktree-missing', 'git-failed', 'cannot-confine']),
  'land/merge': method(z.object({ taskId: TaskId, method: Landing.shape.method, message: z.string().optional() }), Landing, [
    'dirty-checkout',
    'merge-conflict',
    'nothing-to-land',
    'git-failed',
    'conflict',
    'worktree-missing',
    'cannot-confine',
  ]),

  'terminal/open': method(
    z.object({ taskId: TaskId, cols: z.number().int().min(2).max(1000), rows: z.number().int().min(1).max(500) }),
    TerminalInfo,
    ['cannot-confine', 'worktree-missing'],
  ),
  'terminal/list': method(z.object({ taskId: TaskId }), z.object({ terminals: z.array(TerminalInfo) })),
  /** The screen as escape sequences that redraw it; output after it follows as `terminal.output`. */
  'terminal/attach': method(z.object({ terminalId: TerminalId }), z.object({ info: TerminalInfo, screen: z.string() })),
  'terminal/detach': method(z.object({ terminalId: TerminalId }), nothing),
  'terminal/write': method(z.object({ terminalId: TerminalId, data: z.string() }), nothing),
  'terminal/resize': method(
    z.object({ terminalId: TerminalId, cols: z.number().int().min(2).max(1000), rows: z.number().int().min(1).max(500) }),
    nothing,
  ),
  'terminal/close': method(z.object({ terminalId: TerminalId }), nothing),
  /** Tells how many characters of `terminal.output` were drawn: the flow control of a slow reader. */
  'terminal/ack': method(z.object({ terminalId: TerminalId, chars: z.number().int() }), nothing),

  'settings/write': method(
    z.object({
      change: Settings.pick({ baseUrl: true, model: true, concurrency: true, theme: true, worktreeRoot: true, defaults: true })
        .extend({ wire: ModelWire })
        .partial(),
      /** '' forgets the key. Never sent back. */
      key: z.string().max(500).optional(),
    }),
    Settings,
  ),
  /** One tiny request to the model that `settings` names. */
  'model/test': method(
    z.object({ baseUrl: z.string().optional(), key: z.string().optional(), model: z.string().optional(), wire: ModelWire.optional() }),
    z.object({ model: z.string(), ms: z.number() }),
    ['no-model', 'model-unauthorized', 'model-unknown', 'model-unreachable', 'model-refused', 'model-limited', 'model-bad-reply'],
  ),
  'system/selftest': method(nothing, SandboxStatus),
  'system/doctor': method(nothing, z.object({ probes: z.array(Probe), ok: z.boolean() })),
} as const satisfies Record<string, MethodSpec>;

export type MethodName = keyof typeof methods;
/** What a caller gives (defaults may be left out). */
export type InputOf<M extends MethodName> = z.input<(typeof methods)[M]['input']>;
/** What a handler receives, defaults filled in. */
export type ParsedInputOf<M extends MethodName> = z.output<(typeof methods)[M]['input']>;
export type OutputOf<M extends MethodName> = z.output<(typeof methods)[M]['output']>;
/** One async function for each method: throws `Failure` for an expected failure. `client` is who asks. */
export type Handlers<C> = { [M in MethodName]: (input: ParsedInputOf<M>, client: C) => Promise<OutputOf<M>> };
