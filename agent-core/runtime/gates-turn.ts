import type {
  Approval,
  ApprovalId,
  DomainEvent,
  Item,
  ItemId,
  ItemOf,
  Question,
  QuestionId,
  Task,
  ThreadId,
  TurnId,
} from '../contract/index.ts';
import type { TurnHost } from '../harness/types.ts';
import { withdraw } from '../domain/turns.ts';
import { newId } from '../support/ids.ts';
import { setActivity, type Context } from './context.ts';
import { standing } from './gates-durable.ts';

interface TurnGatesParts {
  task: Task;
  threadId: ThreadId;
  turnId: TurnId;
  signal: AbortSignal;
  /** The turn's items without an end. */
  open: Map<ItemId, Item>;
  /** Durable when it resolves. `done` crosses out intents. */
  commit: (events: DomainEvent[], done?: number[]) => Promise<void>;
}

type Request = Parameters<TurnHost['approve']>[0];
type Answer = Awaited<ReturnType<TurnHost['approve']>>;

/**
 * Where one turn waits for a person. A gate that stood before the core was started anew is taken up again, and an answer
 * that was given meanwhile is taken once: it is crossed out on disk before the call goes on.
 */
export class TurnGates {
  readonly #context: Context;
  readonly #parts: TurnGatesParts;

  constructor(context: Context, parts: TurnGatesParts) {
    this.#context = context;
    this.#parts = parts;
  }

  #wait(subject: string): void {
    setActivity(this.#context, this.#parts.task.id, { verb: 'waiting', subject, since: this.#context.now(), progress: null });
  }

  /** The item of a gate that stood already. */
  #itemOf(gateId: string): Item | undefined {
    return this.#context.store
      .openItems(this.#parts.threadId)
      .find((item) => (item.type === 'approval' && item.approvalId === gateId) || (item.type === 'question' && item.questionId === gateId));
  }

  async approve(request: Request): Promise<Answer> {
    const { task, threadId, open, commit, signal } = this.#parts;
    const before = request.callId === undefined ? null : this.#before(request.callId);
    if (before?.answered?.approval) {
      const item = this.#itemOf(before.answered.gateId);
      await this.#decided(item?.type === 'approval' ? item : null, before.answered.approval, before.answered.id);
      return before.answered.approval;
    }
    const same = before?.approval?.kind === request.kind && before.approval.subject === request.subject ? before.approval : null;
    if (before?.approval && !same) await commit(withdraw(task.id, { approvals: [before.approval.id], questions: [] }));
    const approval: Approval = same ?? {
      ...request,
      id: newId<ApprovalId>('appr'),
      taskId: task.id,
      threadId,
      at: this.#context.now(),
    };
    const known = same && this.#itemOf(same.id);
    const item = known?.type === 'approval' ? known : this.#approvalItem(approval);
    open.set(item.id, item);
    const answered = this.#context.gates.wait(approval.id, signal);
    answered.catch(() => {
      /* told to the caller below */
    });
    this.#wait(approval.subject);
    if (!same)
      await commit([
        { type: 'item.started', taskId: task.id, item },
        { type: 'approval.requested', approval },
      ]);
    const { intent, ...answer } = await answered;
    await this.#decided(item, answer, intent);
    return answer;
  }

  #before(callId: string) {
    const { approvals, answered } = standing(this.#context.store, this.#parts.threadId);
    return {
      approval: approvals.find((gate) => gate.callId === callId),
      answered: answered.find((intent) => intent.callId === callId),
    };
  }

  #approvalItem(approval: Approval): ItemOf<'approval'> {
    return {
      id: newId<ItemId>('item'),
      threadId: approval.threadId,
      turnId: this.#parts.turnId,
      startedAt: approval.at,
      endedAt: null,
      type: 'approval',
      approvalId: approval.id,
      subject: approval.subject,
      reason: approval.reason,
      decision: 'pending',
      scope: null,
      note: '',
    };
  }

  async #decided(item: ItemOf<'approval'> | null, answer: Answer, intent: number | null): Promise<void> {
    const { task, open, commit } = this.#parts;
    if (item) open.delete(item.id);
    const closed: Item | null = item && {
      ...item,
      endedAt: this.#context.now(),
      decision: answer.decision,
      scope: answer.scope,
      note: answer.note,
    };
    await commit(closed ? [{ type: 'item.completed', taskId: task.id, item: closed }] : [], intent === null ? [] : [intent]);
  }

  async ask(questions: Question['questions'], callId?: string): Promise<Record<string, string>> {
    const { task, threadId, open, commit, signal } = this.#parts;
    const before = callId === undefined ? null : standing(this.#context.store, threadId);
    const given = before?.answered.find((intent) => intent.callId === callId);
    if (given?.answers) {
      const item = this.#itemOf(given.gateId);
      await this.#answered(item?.type === 'question' ? item : null, questions, given.answers, given.id);
      return given.answers;
    }
    const stood = before?.questions.find((question) => question.callId === callId);
    const known = stood && this.#itemOf(stood.id);
    const id = stood?.id ?? newId<QuestionId>('ques');
    const now = this.#context.now();
    const item: ItemOf<'question'> =
      known?.type === 'question'
        ? known
        : {
            id: newId<ItemId>('item'),
            threadId,
            turnId: this.#parts.turnId,
            startedAt: now,
            endedAt: null,
            type: 'question',
            questionId: id,
            text: questions.map(({ question }) => question).join('\n'),
            answer: null,
          };
    open.set(item.id, item);
    const waiting = this.#context.gates.waitForAnswers(id, signal);
    waiting.catch(() => {
      /* told to the caller below */
    });
    this.#wait(questions[0]!.question);
    const question: Question = { id, taskId: task.id, threadId, itemId: item.id, questions, ...(callId ? { callId } : {}), at: now };
    if (!stood)
      await commit([
        { type: 'item.started', taskId: task.id, item },
        { type: 'question.asked', question },
      ]);
    const { intent, answers } = await waiting;
    await this.#answered(item, questions, answers, intent);
    return answers;
  }

  async #answered(
    item: ItemOf<'question'> | null,
    questions: Question['questions'],
    answers: Record<string, string>,
    intent: number | null,
  ): Promise<void> {
    const { task, open, commit } = this.#parts;
    if (item) open.delete(item.id);
    const answer = questions.map((asked) => answers[asked.id]?.trim()).join('\n');
    const closed: Item | null = item && { ...item, endedAt: this.#context.now(), answer };
    await commit(closed ? [{ type: 'item.completed', taskId: task.id, item: closed }] : [], intent === null ? [] : [intent]);
  }
}
