import { z } from 'zod';
import { AttemptId, ItemId, MessageId, ProjectId, TaskId, ThreadId, TurnId, UndoId, WorkspaceId } from './ids.ts';
import { AppError } from './errors.ts';
import { Budgets, Worked } from './budget.ts';
import { Effort } from './catalogue.ts';
import { Grants } from './grants.ts';
import { AutoReview } from './findings.ts';
import { TurnKind } from './plan.ts';
import { Recipe, RegistryAnswers, RunningAction } from './recipe.ts';

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
  /** Whether its tasks may have their model's provider search the web; not where absent. */
  webSearch: z.boolean().optional(),
  /** What each of its tasks may spend before a person is asked; the settings' word where absent. */
  budgets: Budgets.optional(),
  /** SHA-256 of the hooks file that the person trusts; absent where none. */
  hooksTrusted: z.string().optional(),
  /** What each of its tasks may reach beyond its sandbox; absent where nothing was granted. */
  grants: Grants.optional(),
  /** Whether its tasks are reviewed by themselves; off where absent. */
  review: AutoReview.optional(),
  /** What its worktrees are given before an agent starts; absent where nothing was set. */
  recipe: Recipe.optional(),
  /** Which registries setup may reach; absent where nothing was asked yet. */
  registries: RegistryAnswers.optional(),
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
  /** What its first turn is for. */
  kind: TurnKind.optional(),
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
  /** What this task may reach beyond what its project was granted; absent where nothing was. */
  grants: Grants.optional(),
  /** The tree that its worktree begins with instead of its base's, for a fork. */
  startTree: z.string().optional(),
  /** Actions of the recipe that run in it; absent where none does. */
  running: z.array(RunningAction).optional(),
  /** How long its model may think; the model's own measure where absent. */
  effort: Effort.optional(),
  /** What it may spend before a person is asked; the project's word where absent. */
  budgets: Budgets.optional(),
  worked: Worked.optional(),
  /** Whether its model's provider may search the web for it; the project's word where absent. */
  webSearch: z.boolean().optional(),
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
  /** How the recipe's setup came out, once it is over; `undone` after teardown. Absent before. */
  setup: z.enum(['done', 'skipped', 'undone']).optional(),
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
  kind: TurnKind.optional(),
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
  /** What the person said to open it has reached the model's history; absent where it has not, or in an older turn. */
  heard: z.boolean().optional(),
  /** What it ran on. */
  model: z.string().optional(),
  effort: Effort.optional(),
});
export type Turn = z.infer<typeof Turn>;

/** What one turn runs on instead of what its task does. */
export const TurnModel = z.object({ model: z.string().min(1).max(240).optional(), effort: Effort.optional() });
export type TurnModel = z.infer<typeof TurnModel>;

export const QueuedMessage = z.object({
  id: MessageId,
  text: z.string(),
  at: Time,
  kind: TurnKind.optional(),
  ...TurnModel.shape,
  /** It joins the running turn at its next step; without one it waits like the others. */
  steer: z.boolean().optional(),
});
export type QueuedMessage = z.infer<typeof QueuedMessage>;

/** Turns that were taken out of a conversation together, with what the worktree held then: they can be brought back. */
export const Undone = z.object({
  id: UndoId,
  /** Number of the first of them. */
  number: z.number().int(),
  turns: z.number().int(),
  /** The turn that stood before them; they can be brought back while it does. */
  after: TurnId.nullable(),
  /** Tree id in the checkpoint store: the worktree just before. */
  tree: z.string(),
  at: Time,
});
export type Undone = z.infer<typeof Undone>;

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
  /** What was undone and can be brought back, oldest first; absent where nothing was. */
  undone: z.array(Undone).optional(),
});
export type Thread = z.infer<typeof Thread>;
