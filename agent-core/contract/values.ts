import { z } from 'zod';
import { ApprovalId, AttemptId, ItemId, MessageId, ProjectId, QuestionId, RuleId, TaskId, ThreadId, TurnId, WorkspaceId } from './ids.ts';
import { AppError } from './errors.ts';

/** Milliseconds since the epoch. */
export const Time = z.number().int();

/** A folder in a git repository that the person opened: its root or a subfolder of a monorepo. */
export const Project = z.object({
  id: ProjectId,
  name: z.string(),
  /** Absolute path of the opened folder. */
  root: z.string(),
  /** Absolute path of the repository's work tree top. */
  repo: z.string(),
  /** `root` relative to `repo`, '' when they are the same. */
  subdir: z.string(),
  /** Absolute path of the common git directory. */
  gitDir: z.string(),
  /** The built-in sample repository, on which the demo model has scripts to play. */
  sample: z.boolean(),
  openedAt: Time,
});
export type Project = z.infer<typeof Project>;

export const Mode = z.enum(['read-only', 'workspace', 'ask', 'full']);
export type Mode = z.infer<typeof Mode>;
export const ApprovalPolicy = z.enum(['never', 'on-request', 'untrusted']);
export type ApprovalPolicy = z.infer<typeof ApprovalPolicy>;

/** The state of a task as the board tells it, in eight words. */
export const TaskStatus = z.enum(['needs-approval', 'has-question', 'failed', 'working', 'queued', 'limited', 'review', 'done']);
export type TaskStatus = z.infer<typeof TaskStatus>;
export const Column = z.enum(['needs-you', 'queued', 'working', 'review', 'done']);
export type Column = z.infer<typeof Column>;

export const Base = z.object({
  /** Branch name as the person chose it: `main`, or `origin/main` for a remote one. */
  ref: z.string(),
  kind: z.enum(['local', 'remote']),
  /** The commit it stood at when the worktree was made. */
  commit: z.string().optional(),
});
export type Base = z.infer<typeof Base>;

export const DiffStat = z.object({ files: z.number().int(), added: z.number().int(), removed: z.number().int() });
export type DiffStat = z.infer<typeof DiffStat>;

export const Usage = z.object({
  inputTokens: z.number(),
  cachedTokens: z.number(),
  outputTokens: z.number(),
  reasoningTokens: z.number(),
  /** US dollars; null where the model's price isn't known. */
  cost: z.number().nullable(),
});
export type Usage = z.infer<typeof Usage>;

/** The last command in the thread that looked like a test, lint or build run. */
export const Check = z.object({
  itemId: ItemId,
  command: z.string(),
  passed: z.boolean(),
  /** A count read from the output, such as "128 passed"; null where none could be read. */
  summary: z.string().nullable(),
  at: Time,
  /** True once tracked content changed after the command started. */
  stale: z.boolean(),
});
export type Check = z.infer<typeof Check>;

export const Landing = z.object({ method: z.enum(['merge', 'squash', 'rebase']), into: z.string(), commit: z.string(), at: Time });
export type Landing = z.infer<typeof Landing>;

/** Where a task stands in its own life, apart from what its thread is doing. */
export const TaskPhase = z.enum(['held', 'queued', 'active', 'archived', 'trashed']);

export const Task = z.object({
  id: TaskId,
  projectId: ProjectId,
  title: z.string(),
  prompt: z.string(),
  base: Base,
  mode: Mode,
  approval: ApprovalPolicy,
  model: z.string(),
  phase: TaskPhase,
  /** The phase to go back to when restored from the trash. */
  phaseBefore: TaskPhase.nullable(),
  /** Place in the queue; lower starts first. */
  order: z.number(),
  dependsOn: z.array(TaskId),
  origin: z.enum(['app', 'exec', 'batch', 'sandbox']),
  /** Works in the person's own checkout instead of a worktree (`exec --in-place`). */
  inPlace: z.boolean(),
  attempt: AttemptId.nullable(),
  createdAt: Time,
  updatedAt: Time,
  /** When it began to wait for a person; null while it doesn't. */
  waitingSince: Time.nullable(),
  diff: DiffStat.nullable(),
  usage: Usage,
  check: Check.nullable(),
  landing: Landing.nullable(),
  /** The tree that a person last looked at, in the checkpoint store; null when nobody did. */
  seen: z.string().nullable().default(null),
});
export type Task = z.infer<typeof Task>;

export const WorkspacePhase = z.enum(['preparing', 'ready', 'failed', 'trashed', 'gone']);
export const Workspace = z.object({
  id: WorkspaceId,
  taskId: TaskId,
  attemptId: AttemptId,
  phase: WorkspacePhase,
  /** Short readable name; the branch is `signalbox/<slug>`. */
  slug: z.string(),
  branch: z.string(),
  /** Absolute path of the worktree (for `inPlace`, of the person's checkout). */
  path: z.string(),
  baseCommit: z.string().nullable(),
  error: AppError.nullable(),
  trashedAt: Time.nullable(),
});
export type Workspace = z.infer<typeof Workspace>;

export const Attempt = z.object({
  id: AttemptId,
  taskId: TaskId,
  number: z.number().int(),
  threadId: ThreadId,
  workspaceId: WorkspaceId,
});
export type Attempt = z.infer<typeof Attempt>;

export const TurnStatus = z.enum(['running', 'completed', 'failed', 'interrupted']);
export const Turn = z.object({
  id: TurnId,
  threadId: ThreadId,
  number: z.number().int(),
  status: TurnStatus,
  startedAt: Time,
  endedAt: Time.nullable(),
  usage: Usage,
  error: AppError.nullable(),
  /** Who ended an interrupted turn: the person, or a core that died. */
  interruptedBy: z.enum(['person', 'crash']).nullable(),
  /** Tree ids in the checkpoint store at the turn's edges. */
  treeBefore: z.string().nullable(),
  treeAfter: z.string().nullable(),
});
export type Turn = z.infer<typeof Turn>;

export const QueuedMessage = z.object({ id: MessageId, text: z.string(), at: Time });
export type QueuedMessage = z.infer<typeof QueuedMessage>;

export const Thread = z.object({
  id: ThreadId,
  taskId: TaskId,
  attemptId: AttemptId,
  parent: ThreadId.nullable(),
  /** The newest turn, which tells whether the thread is running. */
  turn: Turn.nullable(),
  queue: z.array(QueuedMessage),
  /** Waiting for a rate limit to pass until this time. */
  limitedUntil: Time.nullable(),
});
export type Thread = z.infer<typeof Thread>;

export const Scope = z.enum(['once', 'task', 'project']);
export type Scope = z.infer<typeof Scope>;

/** A gate: the agent asks to do something that the sandbox or the mode doesn't let it do by itself. */
export const Approval = z.object({
  id: ApprovalId,
  taskId: TaskId,
  threadId: ThreadId,
  itemId: ItemId,
  kind: z.enum(['escalate', 'command', 'patch']),
  /** The exact command or, for a patch, its paths, one a line. */
  subject: z.string(),
  argv: z.array(z.string()).nullable(),
  cwd: z.string(),
  /** The agent's words for why, '' where it gave none. */
  reason: z.string(),
  /** What saying yes does, in words. */
  effect: z.string(),
  /** The words a saved rule would match at the start of a command; null when no rule may be saved. */
  prefix: z.array(z.string()).nullable(),
  at: Time,
});
export type Approval = z.infer<typeof Approval>;

export const Question = z.object({
  id: QuestionId,
  taskId: TaskId,
  threadId: ThreadId,
  itemId: ItemId,
  questions: z.array(
    z.object({
      id: z.string(),
      header: z.string(),
      question: z.string(),
      options: z.array(z.object({ label: z.string(), description: z.string() })),
    }),
  ),
  at: Time,
});
export type Question = z.infer<typeof Question>;

/** "A command that begins with these words may run outside the sandbox": saved by a person, revocable. */
export const Rule = z.object({
  id: RuleId,
  scope: z.enum(['task', 'project']),
  taskId: TaskId.nullable(),
  projectId: ProjectId,
  prefix: z.array(z.string()),
  at: Time,
});
export type Rule = z.infer<typeof Rule>;

export const ModelChoice = z.object({
  /** What is sent as `model`; `demo` for the offline demo. */
  id: z.string(),
  label: z.string(),
  kind: z.enum(['demo', 'remote']),
  /** Where its key or address comes from, for the person to read. */
  source: z.string(),
});
export type ModelChoice = z.infer<typeof ModelChoice>;

/** Which of OpenAI's two APIs an address speaks: Responses, or the older Chat Completions that most servers have. */
export const ModelWire = z.enum(['responses', 'chat']);
export type ModelWire = z.infer<typeof ModelWire>;

export const Settings = z.object({
  baseUrl: z.string(),
  model: z.string(),
  hasKey: z.boolean(),
  wire: ModelWire.default('responses'),
  /** Where the key in use comes from. */
  keySource: z.enum(['none', 'settings', 'environment']),
  concurrency: z.number().int().min(1).max(64),
  theme: z.enum(['system', 'light', 'dark']),
  worktreeRoot: z.string().nullable(),
  /** What a new task is created with. */
  defaults: z.object({ mode: Mode, approval: ApprovalPolicy }),
  models: z.array(ModelChoice),
});
export type Settings = z.infer<typeof Settings>;

/** One line of the sandbox's self-test, or of `signalbox doctor`. */
export const Probe = z.object({
  name: z.string(),
  ok: z.boolean(),
  /** `denies`: something must not work inside; `works`: something must; `has`: a part of the machine. */
  kind: z.enum(['denies', 'works', 'has']),
  detail: z.string(),
  fix: z.string().nullable(),
});
export type Probe = z.infer<typeof Probe>;
export const SandboxStatus = z.object({
  state: z.enum(['checking', 'confined', 'unavailable']),
  /** Such as "bubblewrap 0.8.0 with seccomp". */
  driver: z.string(),
  probes: z.array(Probe),
  ms: z.number(),
});
export type SandboxStatus = z.infer<typeof SandboxStatus>;
