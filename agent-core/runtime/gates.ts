import {
  Failure,
  type Approval,
  type ApprovalId,
  type DomainEvent,
  type ParsedInputOf,
  type Question,
  type QuestionId,
  type Scope,
  type ThreadId,
} from '../contract/index.ts';
import type { Intent } from '../storage/intents.ts';
import type { Store } from '../storage/store.ts';
import { ruleOf, sameRule } from './gates-rules.ts';

export interface Answer {
  decision: 'approved' | 'declined';
  scope: Scope;
  note: string;
}

/** The intent by which an answer stays on disk until its call has taken it; null where the gate has no call. */
interface Taken {
  intent: number | null;
}

function answeredIntents(gate: Approval | Question, approval: Answer | null, answers: Record<string, string> | null): Intent[] {
  const { id, taskId, threadId, itemId, callId } = gate;
  return callId === undefined ? [] : [{ kind: 'answered', taskId, threadId, callId, gateId: id, itemId, approval, answers }];
}

/** Turns that wait, by what they wait for. */
class Waiting<Id, T> {
  readonly #waiting = new Map<Id, (answer: T) => void>();

  wait(id: Id, signal: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        this.#waiting.delete(id);
        reject(signal.reason as Error);
      };
      if (signal.aborted) return stop();
      signal.addEventListener('abort', stop, { once: true });
      this.#waiting.set(id, (answer) => {
        signal.removeEventListener('abort', stop);
        this.#waiting.delete(id);
        resolve(answer);
      });
    });
  }

  /** False when nobody waits. */
  answer(id: Id, answer: T): boolean {
    const waits = this.#waiting.get(id);
    waits?.(answer);
    return waits !== undefined;
  }
}

/** Where turns wait for a person. An answer is on disk before the turn goes on. */
export class Gates {
  readonly #store: Store;
  readonly #approvals = new Waiting<ApprovalId, Answer & Taken>();
  readonly #questions = new Waiting<QuestionId, { answers: Record<string, string> } & Taken>();
  /** Called when an answer is on disk and no turn waits for it: the thread's core was started anew meanwhile. */
  onAnswered: (threadId: ThreadId) => void = () => {};

  constructor(store: Store) {
    this.#store = store;
  }

  /** Resolves with the person's answer; rejects with the signal's reason when the turn is aborted. */
  wait(id: ApprovalId, signal: AbortSignal): Promise<Answer & Taken> {
    return this.#approvals.wait(id, signal);
  }

  /** Resolves with the answers by the questions' ids; rejects as {@link wait}. */
  waitForAnswers(id: QuestionId, signal: AbortSignal): Promise<{ answers: Record<string, string> } & Taken> {
    return this.#questions.wait(id, signal);
  }

  /** Answers a question. Throws `conflict` when nobody waits for it, `invalid-input` when a part of it has no answer. */
  async answer({ questionId, answers }: ParsedInputOf<'question/answer'>): Promise<void> {
    const question = this.#store.board.questions[questionId];
    if (!question) throw new Failure('conflict', 'This question has been answered already.');
    const open = question.questions.find(({ id }) => !answers[id]?.trim());
    if (open) throw new Failure('invalid-input', `“${open.question}” has no answer.`, { fix: 'Answer each part of the question.' });
    const { intents } = await this.#store.commit({
      events: [{ type: 'question.answered', questionId, taskId: question.taskId, answers }],
      intents: answeredIntents(question, null, answers),
    });
    if (!this.#questions.answer(questionId, { answers, intent: intents[0]?.id ?? null })) this.onAnswered(question.threadId);
  }

  /** Answers those that are still open; returns which. Throws `not-allowed` when a scope needs a rule that may not be saved. */
  async decide({ approvalIds, decision, scope, note }: ParsedInputOf<'approval/decide'>): Promise<ApprovalId[]> {
    const open = approvalIds.flatMap((id) => this.#store.board.approvals[id] ?? []);
    const events: DomainEvent[] = [];
    const rules = Object.values(this.#store.board.rules);
    for (const approval of open) {
      if (scope !== 'once') {
        const rule = ruleOf(this.#store.board, approval, scope, decision === 'approve' ? 'allow' : 'refuse', Date.now());
        if (!rules.some((other) => sameRule(other, rule))) events.push({ type: 'rule.saved', rule });
        rules.push(rule);
      }
      events.push({
        type: 'approval.decided',
        approvalId: approval.id,
        taskId: approval.taskId,
        decision: decision === 'approve' ? 'approved' : 'declined',
        scope,
        note,
      });
    }
    const answer: Answer = { decision: decision === 'approve' ? 'approved' : 'declined', scope, note };
    const given = open.flatMap((approval) => answeredIntents(approval, answer, null));
    if (!events.length) return [];
    const { intents } = await this.#store.commit({ events, intents: given });
    for (const approval of open) {
      const intent = intents.find((each) => each.kind === 'answered' && each.gateId === approval.id)?.id ?? null;
      if (!this.#approvals.answer(approval.id, { ...answer, intent })) this.onAnswered(approval.threadId);
    }
    return open.map((approval) => approval.id);
  }
}
