import { z } from 'zod';
import { ApprovalId, DenialId, ProjectId, QuestionId, RuleId, TaskId } from '../ids.ts';
import { Scope } from '../gates.ts';
import { Mode } from '../values.ts';
import { method, nothing, type MethodSpec } from './method.ts';

/** What waits for a person. */
export const gateMethods = {
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
  /** Lets through, or waves off, what the sandbox kept from happening. Those already answered are left as they are. */
  'denial/decide': method(
    z.object({ denialIds: z.array(DenialId).min(1), decision: z.enum(['allow', 'dismiss']), scope: Scope.default('once') }),
    z.object({ decided: z.array(DenialId) }),
    ['not-allowed', 'conflict'],
  ),
  /** The text files that were set aside behind a denial, the first of them, each at most 64 KiB. */
  'denial/read': method(
    z.object({ denialId: DenialId }),
    z.object({ files: z.array(z.object({ path: z.string(), text: z.string(), truncated: z.boolean() })), more: z.number().int() }),
    ['conflict'],
  ),
  /** How much of the sandbox holds for a task, from its next turn on. */
  'task/mode': method(z.object({ taskId: TaskId, mode: Mode }), nothing, ['conflict']),
  /** Takes back what may stand although tools of this computer would run it: a path let in for a task or a project. */
  'file/revoke': method(z.object({ path: z.string(), taskId: TaskId.nullable(), projectId: ProjectId.nullable() }), nothing),
  'rule/revoke': method(z.object({ ruleId: RuleId }), nothing),
} as const satisfies Record<string, MethodSpec>;
