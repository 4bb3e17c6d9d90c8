import { z } from 'zod';

/**
 * Identifiers are opaque strings with a prefix that names their kind and a time-ordered tail
 * (`task_0199…`). They are branded so that one kind can't be passed where another is meant.
 */
const id = <P extends string>(prefix: P) =>
  z
    .string()
    .regex(new RegExp(`^${prefix}_[0-9a-z]{10,40}$`), `must be a ${prefix} id`)
    .brand<P>();

export const ProjectId = id('proj');
export const TaskId = id('task');
export const AttemptId = id('att');
export const WorkspaceId = id('ws');
export const ThreadId = id('thr');
export const TurnId = id('turn');
export const ItemId = id('item');
export const ApprovalId = id('appr');
export const QuestionId = id('ques');
export const DenialId = id('deny');
export const RuleId = id('rule');
export const McpServerId = id('mcp');
export const TerminalId = id('term');
export const MessageId = id('msg');
export const ReviewId = id('rev');
export const UndoId = id('undo');

export type ProjectId = z.infer<typeof ProjectId>;
export type TaskId = z.infer<typeof TaskId>;
export type AttemptId = z.infer<typeof AttemptId>;
export type WorkspaceId = z.infer<typeof WorkspaceId>;
export type ThreadId = z.infer<typeof ThreadId>;
export type TurnId = z.infer<typeof TurnId>;
export type ItemId = z.infer<typeof ItemId>;
export type ApprovalId = z.infer<typeof ApprovalId>;
export type QuestionId = z.infer<typeof QuestionId>;
export type DenialId = z.infer<typeof DenialId>;
export type RuleId = z.infer<typeof RuleId>;
export type McpServerId = z.infer<typeof McpServerId>;
export type TerminalId = z.infer<typeof TerminalId>;
export type MessageId = z.infer<typeof MessageId>;
export type ReviewId = z.infer<typeof ReviewId>;
export type UndoId = z.infer<typeof UndoId>;

export type IdPrefix =
  | 'proj'
  | 'task'
  | 'att'
  | 'ws'
  | 'thr'
  | 'turn'
  | 'item'
  | 'appr'
  | 'ques'
  | 'deny'
  | 'rule'
  | 'mcp'
  | 'file'
  | 'term'
  | 'msg'
  | 'rev'
  | 'undo'
  | 'cred';
