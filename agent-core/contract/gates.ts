import { z } from 'zod';
import { ApprovalId, DenialId, ItemId, ProjectId, QuestionId, RuleId, TaskId, ThreadId } from './ids.ts';
import { Time } from './values.ts';

/** For how long an answer stands. `machine`: for all projects on this computer. */
export const Scope = z.enum(['once', 'task', 'project', 'machine']);
export type Scope = z.infer<typeof Scope>;

/** A gate: the agent asks to do something that the sandbox or the mode doesn't let it do by itself. */
export const Approval = z.object({
  id: ApprovalId,
  taskId: TaskId,
  threadId: ThreadId,
  itemId: ItemId,
  kind: z.enum(['escalate', 'command', 'patch', 'setup', 'mcp', 'budget']),
  /** The exact command; for a patch its paths, for `setup` the registries that it may reach, one a line. */
  subject: z.string(),
  argv: z.array(z.string()).nullable(),
  cwd: z.string(),
  /** The agent's words for why, '' where it gave none. */
  reason: z.string(),
  /** What saying yes does, in words. */
  effect: z.string(),
  /** The words a saved rule would match at the start of a command; null when no rule may be saved. */
  prefix: z.array(z.string()).nullable(),
  /** The model's call that waits for it, so that it can go on after a restart. */
  callId: z.string().optional(),
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
  /** As for an approval. */
  callId: z.string().optional(),
  at: Time,
});
export type Question = z.infer<typeof Question>;

/**
 * What the sandbox kept from happening, or took back: unlike an approval nothing waits for the answer. `host` and
 * `service` were not reached; `file` is one that host tools would run by themselves, and was set aside.
 */
export const Denial = z.object({
  id: DenialId,
  taskId: TaskId,
  threadId: ThreadId,
  itemId: ItemId,
  kind: z.enum(['host', 'service', 'file']),
  /** `host:port`, or the file's path in the worktree. */
  subject: z.string(),
  /** The command that did it, as far as can be told; '' otherwise. */
  command: z.string(),
  /** Why it was kept from happening, and what letting it does, in words. */
  detail: z.string(),
  /** Answers that make sense for it. */
  scopes: z.array(Scope),
  /** Under which name the workspace keeps what was set aside. */
  kept: z.string().optional(),
  /** Names its content: the same in two tasks is one thing to be asked about. */
  digest: z.string().optional(),
  at: Time,
});
export type Denial = z.infer<typeof Denial>;

/** "A command that begins with these words may (or may never) run outside the sandbox": saved by a person, revocable. */
export const Rule = z.object({
  id: RuleId,
  scope: z.enum(['task', 'project', 'machine']),
  taskId: TaskId.nullable(),
  /** Null for a rule of this computer. */
  projectId: ProjectId.nullable(),
  prefix: z.array(z.string()),
  /** `refuse` keeps it inside without asking; the strictest rule wins. `allow` where absent. */
  effect: z.enum(['allow', 'refuse']).optional(),
  at: Time,
});
export type Rule = z.infer<typeof Rule>;
