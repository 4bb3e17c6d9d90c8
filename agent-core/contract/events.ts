import { z } from 'zod';
import {
  ApprovalId,
  DenialId,
  ItemId,
  McpServerId,
  MessageId,
  ProjectId,
  QuestionId,
  ReviewId,
  RuleId,
  TaskId,
  TerminalId,
  ThreadId,
  UndoId,
  WorkspaceId,
} from './ids.ts';
import { Attempt, Check, DiffStat, Landing, Project, QueuedMessage, Task, Thread, Time, Turn, Undone, Usage, Workspace } from './values.ts';
import { Approval, Denial, Question, Rule, Scope } from './gates.ts';
import { Budgets } from './budget.ts';
import { AutoReview, Review } from './findings.ts';
import { Grants } from './grants.ts';
import { Recipe, RegistryAnswers, RunningAction } from './recipe.ts';
import { SandboxStatus, Settings } from './settings.ts';
import { Item } from './items.ts';
import { McpHealth, McpServer } from './mcp.ts';

const e = <T extends string, S extends z.ZodRawShape>(type: T, shape: S) => z.object({ type: z.literal(type), ...shape });

/**
 * What happened, in the past tense, persisted in order before anyone is told.
 * Board events reach every client; thread events (`item.*`) only those that subscribed to the thread.
 */
export const DomainEvent = z.discriminatedUnion('type', [
  e('project.opened', { project: Project }),
  e('project.closed', { projectId: ProjectId }),
  e('task.created', { task: Task }),
  e('task.renamed', { taskId: TaskId, title: z.string() }),
  e('task.phased', { taskId: TaskId, phase: Task.shape.phase }),
  e('task.ordered', { taskId: TaskId, order: z.number() }),
  e('task.depends', { taskId: TaskId, dependsOn: z.array(TaskId) }),
  e('task.based', { taskId: TaskId, base: Task.shape.base }),
  e('task.trashed', { taskId: TaskId }),
  e('task.restored', { taskId: TaskId }),
  e('task.purged', { taskId: TaskId }),
  e('task.diffed', { taskId: TaskId, diff: DiffStat }),
  e('task.checked', { taskId: TaskId, check: Check }),
  /** A person looked at the changes up to this tree, and has left them. */
  e('task.seen', { taskId: TaskId, tree: z.string() }),
  e('task.modelled', { taskId: TaskId, model: z.string() }),
  /** What the task is about was said anew, before its first turn. */
  e('task.prompted', { taskId: TaskId, prompt: z.string() }),
  e('task.landed', { taskId: TaskId, landing: Landing }),
  e('attempt.created', { attempt: Attempt, thread: Thread }),
  e('workspace.changed', { workspace: Workspace }),
  e('workspace.purged', { workspaceId: WorkspaceId }),
  e('turn.started', { taskId: TaskId, turn: Turn }),
  /** Something is known of a running turn that was not at its start. */
  e('turn.updated', { taskId: TaskId, turn: Turn }),
  e('turn.ended', { taskId: TaskId, turn: Turn }),
  /** `model`: which one it was spent on, where it isn't the task's. */
  e('turn.spent', { taskId: TaskId, usage: Usage, model: z.string().optional() }),
  e('thread.limited', { threadId: ThreadId, taskId: TaskId, until: Time.nullable() }),
  /** Turns from number `from` on left the conversation as `hidden`, those of `shown` came back; `turn` is the newest now. */
  e('thread.rewound', {
    taskId: TaskId,
    threadId: ThreadId,
    from: z.number().int(),
    hidden: Undone.nullable(),
    shown: UndoId.nullable(),
    turn: Turn.nullable(),
  }),
  e('queue.added', { threadId: ThreadId, message: QueuedMessage }),
  e('queue.edited', { threadId: ThreadId, messageId: MessageId, change: QueuedMessage.pick({ text: true, steer: true }).partial() }),
  /** Before another message, or at the end. */
  e('queue.moved', { threadId: ThreadId, messageId: MessageId, before: MessageId.nullable() }),
  e('queue.removed', { threadId: ThreadId, messageId: MessageId }),
  e('approval.requested', { approval: Approval }),
  e('approval.decided', {
    approvalId: ApprovalId,
    taskId: TaskId,
    decision: z.enum(['approved', 'declined', 'withdrawn']),
    scope: Scope,
    note: z.string(),
  }),
  e('question.asked', { question: Question }),
  e('question.answered', { questionId: QuestionId, taskId: TaskId, answers: z.record(z.string(), z.string()).nullable() }),
  e('denial.recorded', { denial: Denial }),
  e('denial.decided', { denialId: DenialId, taskId: TaskId, decision: z.enum(['allowed', 'dismissed']), scope: Scope.nullable() }),
  e('project.searching', { projectId: ProjectId, webSearch: z.boolean() }),
  e('task.searching', { taskId: TaskId, webSearch: z.boolean() }),
  e('project.budgeted', { projectId: ProjectId, budgets: Budgets }),
  e('task.budgeted', { taskId: TaskId, budgets: Budgets }),
  /** More of it was done: commands, and time at work. */
  e('task.worked', { taskId: TaskId, commands: z.number().int(), ms: z.number() }),
  e('project.hooked', { projectId: ProjectId, hash: z.string().nullable() }),
  e('project.granted', { projectId: ProjectId, grants: Grants }),
  e('project.recipe', { projectId: ProjectId, recipe: Recipe }),
  e('project.registries', { projectId: ProjectId, registries: RegistryAnswers }),
  e('task.running', { taskId: TaskId, running: z.array(RunningAction) }),
  e('task.moded', { taskId: TaskId, mode: Task.shape.mode }),
  e('task.granted', { taskId: TaskId, grants: Grants }),
  e('review.changed', { review: Review }),
  e('review.dropped', { reviewId: ReviewId, taskId: TaskId }),
  e('project.reviewing', { projectId: ProjectId, review: AutoReview }),
  e('rule.saved', { rule: Rule }),
  e('rule.revoked', { ruleId: RuleId }),
  e('mcp.saved', { server: McpServer }),
  e('mcp.removed', { serverId: McpServerId }),
  e('settings.changed', { settings: Settings }),
  e('item.started', { taskId: TaskId, item: Item }),
  e('item.updated', { taskId: TaskId, item: Item }),
  e('item.completed', { taskId: TaskId, item: Item }),
]);
export type DomainEvent = z.infer<typeof DomainEvent>;
export type DomainEventType = DomainEvent['type'];
export type EventOf<T extends DomainEventType> = Extract<DomainEvent, { type: T }>;

/** A persisted event: `seq` has no gaps and orders everything. */
export const StoredEvent = z.object({ seq: z.number().int(), at: Time, event: DomainEvent });
export type StoredEvent = z.infer<typeof StoredEvent>;

/** What a task is doing this moment: kept in memory, never on disk, part of the snapshot. */
export const Activity = z.object({
  verb: z.enum(['thinking', 'running', 'editing', 'preparing', 'writing', 'waiting']),
  /** A command or path in monospace, or '' . */
  subject: z.string(),
  since: Time,
  /** 0–1 where the work can tell (checkout), else null. */
  progress: z.number().nullable(),
  /** The newest lines of a patch that is being written. */
  preview: z.string().optional(),
});
export type Activity = z.infer<typeof Activity>;

/** News that isn't history: sent to those it concerns, coalesced, droppable by a fresh snapshot. */
export const Transient = z.discriminatedUnion('type', [
  e('activity', { taskId: TaskId, activity: Activity.nullable() }),
  e('sandbox', { status: SandboxStatus }),
  e('mcp', { health: McpHealth }),
  /** Text added to the end of an agent message, a reasoning summary or a command's output. */
  e('item.delta', { threadId: ThreadId, itemId: ItemId, text: z.string() }),
  /** A task's log of connections has grown. At most a few a second. */
  e('network', { taskId: TaskId }),
  e('terminal.output', { terminalId: TerminalId, data: z.string() }),
  e('terminal.exited', { terminalId: TerminalId, exitCode: z.number().nullable() }),
]);
export type Transient = z.infer<typeof Transient>;
