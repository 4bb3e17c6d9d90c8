import { useState } from 'react';
import { toAppError, type AppError, type Question } from '../../../agent-core/contract/index.ts';
import { useCore } from '../../state/hooks.ts';
import { openTask } from '../../state/route.ts';
import { rpc } from '../../state/store.ts';
import { Button, ErrorNote, Field, StatusGlyph, visible } from '../../ui/index.ts';

type Asked = Question['questions'][number];

function Choice({ asked, value, onChange }: { asked: Asked; value: string; onChange: (answer: string) => void }) {
  const own = value !== '' && !asked.options.some(({ label }) => label === value);
  return (
    <fieldset className="stack-8">
      <legend className="b">{visible(asked.question)}</legend>
      {asked.options.length > 0 && (
        <div className="rows" role="radiogroup" aria-label={asked.header || asked.question}>
          {asked.options.map(({ label, description }) => (
            <button key={label} type="button" className="opt" role="radio" aria-checked={value === label} onClick={() => onChange(label)}>
              <span className="radio" />
              <span className="grow">
                {visible(label)}
                {description && <span className="sm muted"> — {visible(description)}</span>}
              </span>
            </button>
          ))}
        </div>
      )}
      <Field label={asked.options.length ? 'Or in your own words' : 'Answer'}>
        {(props) => (
          <textarea
            {...props}
            className="area"
            style={{ minHeight: 56 }}
            value={own || !asked.options.length ? value : ''}
            onChange={(event) => onChange(event.target.value)}
          />
        )}
      </Field>
    </fieldset>
  );
}

/** A question of an agent, answered by a choice or in words. */
export function QuestionDetail({ question }: { question: Question }) {
  const task = useCore(({ board }) => board!.tasks[question.taskId]);
  const [answers, setAnswers] = useState<Record<string, string>>({});
  const [error, setError] = useState<AppError | null>(null);
  const complete = question.questions.every(({ id }) => answers[id]?.trim());
  const send = () => {
    if (!complete) return;
    setError(null);
    rpc()
      .call('question/answer', { questionId: question.id, answers })
      .catch((thrown: unknown) => setError(toAppError(thrown)));
  };
  return (
    <section className="detail" aria-labelledby="ask-title">
      <form
        className="body"
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.metaKey || event.ctrlKey)) {
            event.preventDefault();
            send();
          }
        }}
      >
        <header className="stack-4">
          <StatusGlyph status="has-question" />
          <h2 id="ask-title">{task?.title}</h2>
        </header>
        {question.questions.map((asked) => (
          <Choice
            key={asked.id}
            asked={asked}
            value={answers[asked.id] ?? ''}
            onChange={(answer) => setAnswers((old) => ({ ...old, [asked.id]: answer }))}
          />
        ))}
        {error && <ErrorNote error={error} />}
      </form>
      <footer className="answer" role="group" aria-label="Answer">
        <Button look="fill" keys="mod+enter" disabled={!complete} onClick={send}>
          Send answer
        </Button>
        <span className="grow" />
        <Button look="quiet" onClick={() => openTask(question.taskId)}>
          Open task
        </Button>
      </footer>
    </section>
  );
}
