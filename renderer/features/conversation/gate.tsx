import { useState } from 'react';
import { toAppError, type AppError, type ItemOf, type Scope } from '../../../agent-core/contract/index.ts';
import { decide } from '../../actions/task.ts';
import { useCore } from '../../state/hooks.ts';
import { rpc } from '../../state/store.ts';
import { Button, ErrorNote, Icon, IconButton, Menu } from '../../ui/index.ts';
import { visible } from '../../ui/safe-text.ts';

const scopeWords: Record<Scope, string> = { once: 'once', task: 'for this task', project: 'for this project', machine: 'in every project' };

/** An answered gate is one line: what was asked and what was said. */
function Answered({ item }: { item: ItemOf<'approval'> }) {
  const yes = item.decision === 'approved';
  return (
    <p className="answered" id={`item-${item.id}`}>
      <Icon name={yes ? 'check' : 'block'} className={yes ? 'ok' : 'bad'} />
      <span className="cut">
        {yes ? 'Approved' : 'Declined'}
        {yes && item.scope ? ` ${scopeWords[item.scope]}` : ''} <code>{visible(item.subject)}</code>
      </span>
      {item.note && <span className="faint cut">{visible(item.note)}</span>}
    </p>
  );
}

/** The agent asks to do what the sandbox or the mode keeps it from. Answered here, once or with a scope. */
export function ApprovalBlock({ item }: { item: ItemOf<'approval'> }) {
  const approval = useCore((state) => state.board?.approvals[item.approvalId]);
  const [error, setError] = useState<AppError | null>(null);
  const [busy, setBusy] = useState(false);
  if (item.decision !== 'pending') return <Answered item={item} />;
  const answer = (decision: 'approve' | 'decline', scope: Scope = 'once') => {
    if (!approval) return;
    setBusy(true);
    setError(null);
    decide([approval], decision, scope)
      .catch((thrown: unknown) => setError(toAppError(thrown)))
      .finally(() => setBusy(false));
  };
  const prefix = approval?.prefix;
  return (
    <section className="gate" aria-label="Needs approval" id={`item-${item.id}`}>
      <Icon name="approval" className="waiting" />
      <div className="gate-body">
        <p>
          <span className="waiting b">Needs approval</span> {item.reason && <span className="muted">{visible(item.reason)}</span>}
        </p>
        <code className="cmd">{visible(item.subject)}</code>
        {approval?.effect && <p className="sm muted">{visible(approval.effect)}</p>}
        {prefix && (
          <p className="xs faint">
            A rule would cover commands that begin with <code>{visible(prefix.join(' '))}</code>
          </p>
        )}
        {error && <ErrorNote error={error} />}
        <div className="acts">
          {approval?.kind === 'budget' ? (
            <Button look="fill" disabled={busy} onClick={() => answer('approve')}>
              Raise by as much again
            </Button>
          ) : approval?.kind === 'setup' ? (
            <Button look="fill" disabled={busy} onClick={() => answer('approve')}>
              Allow while setup runs
            </Button>
          ) : (
            <span className="btn-split" role="group" aria-label="Approve">
              <Button look="fill" disabled={busy || !approval} onClick={() => answer('approve')}>
                Approve
              </Button>
              <Menu
                label="Approve for longer"
                align="start"
                trigger={<IconButton icon="down" look="fill" label="Approve for longer" disabled={busy || !approval} />}
                entries={[
                  { id: 'once', title: 'Approve once', run: () => answer('approve') },
                  {
                    id: 'task',
                    title: 'Approve for this task',
                    disabled: prefix ? undefined : 'No rule can be saved for this',
                    run: () => answer('approve', 'task'),
                  },
                  {
                    id: 'project',
                    title: 'Approve for this project',
                    disabled: prefix ? undefined : 'No rule can be saved for this',
                    run: () => answer('approve', 'project'),
                  },
                ]}
              />
            </span>
          )}
          <Button disabled={busy || !approval} onClick={() => answer('decline')}>
            {approval?.kind === 'budget' ? 'Stop' : 'Decline'}
          </Button>
        </div>
      </div>
    </section>
  );
}

/** The agent asks something. An option or own words answer it; each part of a question must have one. */
export function QuestionBlock({ item }: { item: ItemOf<'question'> }) {
  const question = useCore((state) => state.board?.questions[item.questionId]);
  const [answers, setAnswers] = useState<Record<string, string>>({});
  const [error, setError] = useState<AppError | null>(null);
  const [busy, setBusy] = useState(false);
  if (item.answer !== null || !question) {
    return (
      <p className="answered" id={`item-${item.id}`}>
        <Icon name="question" className="faint" />
        <span className="grow">
          <span className="muted">{visible(item.text)}</span> {item.answer !== null && <b className="b">{visible(item.answer)}</b>}
        </span>
      </p>
    );
  }
  const send = () => {
    setBusy(true);
    rpc()
      .call('question/answer', { questionId: question.id, answers })
      .catch((thrown: unknown) => setError(toAppError(thrown)))
      .finally(() => setBusy(false));
  };
  const put = (id: string, text: string) => setAnswers((before) => ({ ...before, [id]: text }));
  return (
    <section className="gate" aria-label="Has a question" id={`item-${item.id}`}>
      <Icon name="question" className="waiting" />
      <div className="gate-body">
        {question.questions.map((part) => (
          <fieldset key={part.id} className="ask-part">
            <legend>{visible(part.question)}</legend>
            {part.options.map((option) => (
              <label key={option.label} className="option">
                <input
                  type="radio"
                  name={`${item.id}-${part.id}`}
                  checked={answers[part.id] === option.label}
                  onChange={() => put(part.id, option.label)}
                />
                <span>
                  {visible(option.label)}
                  {option.description && <span className="sm faint"> {visible(option.description)}</span>}
                </span>
              </label>
            ))}
            <input
              className="input"
              aria-label={`Own answer: ${part.question}`}
              placeholder="Or in your own words"
              value={part.options.some((option) => option.label === answers[part.id]) ? '' : (answers[part.id] ?? '')}
              onChange={(event) => put(part.id, event.target.value)}
            />
          </fieldset>
        ))}
        {error && <ErrorNote error={error} />}
        <div className="acts">
          <Button look="fill" disabled={busy || question.questions.some((part) => !answers[part.id]?.trim())} onClick={send}>
            Answer
          </Button>
        </div>
      </div>
    </section>
  );
}
