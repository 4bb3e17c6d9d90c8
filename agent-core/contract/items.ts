import { z } from 'zod';
import { ApprovalId, DenialId, ItemId, QuestionId, ThreadId, TurnId } from './ids.ts';
import { AppError } from './errors.ts';
import { Time } from './values.ts';
import { CheckTrees, EvidenceMark } from './evidence.ts';
import { Denial, Scope } from './gates.ts';
import { Proposal } from './plan.ts';

/** At most this many characters of a command's output travel with its item; the rest is read by `item/output`. */
export const ITEM_OUTPUT_LIMIT = 16_384;

const common = {
  id: ItemId,
  threadId: ThreadId,
  turnId: TurnId,
  startedAt: Time,
  endedAt: Time.nullable(),
};
const CallStatus = z.enum(['running', 'completed', 'failed', 'declined', 'interrupted']);

/** How one file changed in a patch. */
export const FileChange = z.object({
  path: z.string(),
  movedTo: z.string().nullable(),
  kind: z.enum(['add', 'update', 'delete']),
  added: z.number().int(),
  removed: z.number().int(),
});
export type FileChange = z.infer<typeof FileChange>;
export const PlanStep = z.object({ step: z.string(), status: z.enum(['pending', 'in_progress', 'completed']) });
export type PlanStep = z.infer<typeof PlanStep>;

export const Item = z.discriminatedUnion('type', [
  z.object({
    ...common,
    type: z.literal('userMessage'),
    text: z.string(),
    /** How it joined: it opened the turn, was steered into it, or waited in the queue. */
    via: z.enum(['prompt', 'steer', 'queue']),
  }),
  z.object({
    ...common,
    type: z.literal('agentMessage'),
    text: z.string(),
    /** What a turn's last message cites and claims, checked at the turn's end. */
    evidence: z.array(EvidenceMark).optional(),
  }),
  z.object({ ...common, type: z.literal('reasoning'), text: z.string() }),
  z.object({
    ...common,
    type: z.literal('command'),
    command: z.string(),
    cwd: z.string(),
    status: CallStatus,
    exitCode: z.number().int().nullable(),
    /** Head and tail of what it printed, at most ITEM_OUTPUT_LIMIT characters. */
    output: z.string(),
    /** Bytes printed so far, which may be more than `output` holds. */
    outputBytes: z.number().int(),
    /** Set while it runs on in the background under this session number. */
    sessionId: z.number().int().nullable(),
    outside: z.boolean(),
    /** The sandbox's limit that ended it or that it failed at, in words. */
    limit: z.string().optional(),
    /** Set where it is no agent's command but a script of the project's recipe. */
    script: z.enum(['setup', 'teardown']).optional(),
    /** The numbers under which the model got its output: what it cites the command by. */
    chunks: z.array(z.string()).optional(),
    trees: CheckTrees.optional(),
  }),
  z.object({ ...common, type: z.literal('fileChange'), status: CallStatus, changes: z.array(FileChange), error: z.string().nullable() }),
  z.object({ ...common, type: z.literal('plan'), explanation: z.string().nullable(), steps: z.array(PlanStep) }),
  /** What a plan turn ended with; changed by the person after its end. */
  z.object({ ...common, type: z.literal('proposal'), ...Proposal }),
  z.object({ ...common, type: z.literal('toolCall'), name: z.string(), arguments: z.string(), status: CallStatus, output: z.string() }),
  z.object({
    ...common,
    type: z.literal('approval'),
    approvalId: ApprovalId,
    subject: z.string(),
    reason: z.string(),
    decision: z.enum(['pending', 'approved', 'declined']),
    scope: Scope.nullable(),
    note: z.string(),
  }),
  z.object({
    ...common,
    type: z.literal('denial'),
    denialId: DenialId,
    kind: Denial.shape.kind,
    subject: z.string(),
    command: z.string(),
    detail: z.string(),
    decision: z.enum(['open', 'allowed', 'dismissed']),
    scope: Scope.nullable(),
  }),
  z.object({ ...common, type: z.literal('question'), questionId: QuestionId, text: z.string(), answer: z.string().nullable() }),
  z.object({
    ...common,
    type: z.literal('notice'),
    level: z.enum(['info', 'warn', 'error']),
    text: z.string(),
    error: AppError.nullable(),
  }),
]);
export type Item = z.infer<typeof Item>;
export type ItemType = Item['type'];
export type ItemOf<T extends ItemType> = Extract<Item, { type: T }>;
