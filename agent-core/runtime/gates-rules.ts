import { Failure, type Approval, type Board, type Rule, type RuleId, type Scope, type Task } from '../contract/index.ts';
import { refusalPrefix } from '../harness/approvals/rules.ts';
import { newId } from '../support/ids.ts';

/** The prefixes of all rules of one effect that hold in a task: its own, its project's, and those of this machine. */
export function rulesFor(board: Board, task: Task, effect: 'allow' | 'refuse'): string[][] {
  return Object.values(board.rules)
    .filter((rule) => (rule.effect ?? 'allow') === effect)
    .filter((rule) =>
      rule.scope === 'machine' ? true : rule.scope === 'task' ? rule.taskId === task.id : rule.projectId === task.projectId,
    )
    .map((rule) => rule.prefix);
}

/** The rule that an answer for longer than once saves. Throws `not-allowed` where none may be saved for it. */
export function ruleOf(board: Board, approval: Approval, scope: Exclude<Scope, 'once'>, effect: 'allow' | 'refuse', at: number): Rule {
  const prefix =
    effect === 'allow' ? approval.prefix : approval.kind === 'escalate' ? (approval.prefix ?? refusalPrefix(approval.argv)) : null;
  if (!prefix?.length)
    throw new Failure('not-allowed', `“${approval.subject}” can only be ${effect === 'allow' ? 'allowed' : 'declined'} once.`, {
      fix:
        effect === 'allow'
          ? 'A rule may not name a shell, an interpreter or a script, nor cover a command with pipes or redirection. Allow it once.'
          : 'A rule needs a single plain command. Decline it once.',
    });
  return {
    id: newId<RuleId>('rule'),
    scope,
    taskId: scope === 'task' ? approval.taskId : null,
    projectId: scope === 'machine' ? null : board.tasks[approval.taskId]!.projectId,
    prefix,
    ...(effect === 'refuse' ? { effect } : {}),
    at,
  };
}

/** Whether two rules say the same. */
export const sameRule = (a: Rule, b: Rule): boolean =>
  a.scope === b.scope &&
  a.taskId === b.taskId &&
  a.projectId === b.projectId &&
  (a.effect ?? 'allow') === (b.effect ?? 'allow') &&
  JSON.stringify(a.prefix) === JSON.stringify(b.prefix);
