import { useState } from 'react';
import { reviewsOf, toAppError, type AppError, type Finding, type Review, type TaskId } from '../../../agent-core/contract/index.ts';
import { runAction } from '../../actions/registry.ts';
import { useCore } from '../../state/hooks.ts';
import { dismissFindings, fixFindings, placeWords, priorityTones, priorityWords, targetWords, whereOf } from '../../state/reviews.ts';
import { rpc } from '../../state/store.ts';
import { Age, Button, ErrorNote, Icon, IconButton, Working, plural } from '../../ui/index.ts';
import { visible, visibleLine } from '../../ui/safe-text.ts';
import './findings.css';

type Open = (path: string, line?: number) => void;

function FindingRow({ finding, chosen, onChoose, onOpen }: { finding: Finding; chosen: boolean; onChoose: () => void; onOpen: Open }) {
  const [open, setOpen] = useState(false);
  const title = visibleLine(finding.title);
  const where = visibleLine(whereOf(finding));
  return (
    <li className="finding" data-state={finding.state}>
      {finding.state === 'sent' ? (
        <Icon name="send" className="faint" />
      ) : (
        <button type="button" role="checkbox" className="check" aria-checked={chosen} aria-label={`Choose “${title}”`} onClick={onChoose}>
          {chosen && <Icon name="check" />}
        </button>
      )}
      <span className={`finding-p ${priorityTones[finding.priority] ?? 'muted'}`} title={priorityWords[finding.priority]}>
        P{finding.priority}
      </span>
      <div className="finding-body">
        <button type="button" className="finding-title" aria-expanded={open} onClick={() => setOpen(!open)}>
          {title}
        </button>
        <p className="xs faint row">
          {finding.place === 'nowhere' ? (
            <span className="mono cut">{where || 'No place given'}</span>
          ) : (
            <button type="button" className="link mono cut" onClick={() => onOpen(finding.path, finding.line)}>
              {where}
            </button>
          )}
          {placeWords[finding.place] && <span className="warn nowrap">{placeWords[finding.place]}</span>}
          <span className="nowrap">{Math.round(finding.confidence * 100)} % sure</span>
          {finding.state === 'sent' && <span className="nowrap">Sent to the agent</span>}
        </p>
        {open && <p className="finding-text">{visible(finding.body) || 'The review says no more about it.'}</p>}
      </div>
    </li>
  );
}

function List({ review, onOpen, onError }: { review: Review; onOpen: Open; onError: (error: AppError | null) => void }) {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [out, setOut] = useState(false);
  const [busy, setBusy] = useState(false);
  const dismissed = review.findings.filter(({ state }) => state === 'dismissed');
  const shown = review.findings.filter(({ state }) => out || state !== 'dismissed').toSorted((a, b) => a.priority - b.priority);
  const open = review.findings.filter(({ state }) => state === 'open');
  const picked = shown.filter(({ id, state }) => chosen.has(id) && state !== 'sent');
  const meant = (picked.length ? picked : open).map(({ id }) => id);
  const back = picked.length > 0 && picked.every(({ state }) => state === 'dismissed');
  const act = (work: () => Promise<void>) => {
    setBusy(true);
    onError(null);
    work()
      .then(() => setChosen(new Set()))
      .catch((thrown: unknown) => onError(toAppError(thrown)))
      .finally(() => setBusy(false));
  };
  const choose = (id: string) =>
    setChosen((before) => {
      const next = new Set(before);
      if (!next.delete(id)) next.add(id);
      return next;
    });
  return (
    <>
      <ul className="findings-list" aria-label="Findings">
        {shown.map((finding) => (
          <FindingRow
            key={finding.id}
            finding={finding}
            chosen={chosen.has(finding.id)}
            onChoose={() => choose(finding.id)}
            onOpen={onOpen}
          />
        ))}
      </ul>
      <div className="acts">
        {meant.length > 0 && (
          <Button look="fill" small icon="send" disabled={busy} onClick={() => act(() => fixFindings(review, meant))}>
            Fix {plural(meant.length, 'finding')}
          </Button>
        )}
        {meant.length > 0 && (
          <Button small disabled={busy} onClick={() => act(() => dismissFindings(review, meant, !back))}>
            {back ? 'Bring back' : 'Dismiss'} {plural(meant.length, 'finding')}
          </Button>
        )}
        {dismissed.length > 0 && (
          <Button look="quiet" small aria-pressed={out} onClick={() => setOut(!out)}>
            {out ? 'Hide' : 'Show'} {dismissed.length} dismissed
          </Button>
        )}
      </div>
    </>
  );
}

function Head({ review, folded, onFold }: { review: Review; folded: boolean; onFold: () => void }) {
  const open = review.findings.filter(({ state }) => state === 'open').length;
  const words =
    review.state === 'running'
      ? 'Reviewing'
      : review.state === 'failed'
        ? 'The review failed'
        : review.state === 'stopped'
          ? 'The review was stopped'
          : review.findings.length === 0
            ? 'The review found nothing'
            : `${plural(review.findings.length, 'finding')}${open < review.findings.length ? `, ${open} open` : ''}`;
  return (
    <header className="row">
      {review.state === 'running' ? (
        <Working />
      ) : (
        <Icon name={review.state === 'failed' ? 'failed' : 'eye'} className={review.state === 'failed' ? 'bad' : 'muted'} />
      )}
      <h2>{words}</h2>
      <span className="xs faint cut">
        {targetWords(review.target)}, {visibleLine(review.model)}
        {review.by === 'auto' && ', by itself'}
      </span>
      <span className="grow" />
      {review.state === 'running' ? (
        <>
          <Age since={review.startedAt} className="xs faint" />
          <Button small look="quiet" icon="stop" onClick={() => void rpc().call('review/stop', { reviewId: review.id })}>
            Stop
          </Button>
        </>
      ) : (
        <>
          <Button small look="quiet" onClick={() => void runAction('task.findings', review.taskId)}>
            Review again
          </Button>
          <IconButton
            icon={folded ? 'right' : 'down'}
            small
            label={folded ? 'Show the review' : 'Fold the review'}
            aria-expanded={!folded}
            onClick={onFold}
          />
        </>
      )}
    </header>
  );
}

/** The task's newest review above its changes; nothing where none was made. */
export function FindingsPanel({ taskId, onOpen }: { taskId: TaskId; onOpen: Open }) {
  const review = useCore((state) => (state.board ? reviewsOf(state.board, taskId)[0] : undefined));
  const [folded, setFolded] = useState(false);
  const [error, setError] = useState<AppError | null>(null);
  if (!review) return null;
  const failed = error ?? review.error;
  return (
    <section className="findings" aria-label="Review" data-state={review.state}>
      <Head review={review} folded={folded} onFold={() => setFolded(!folded)} />
      {!folded && failed && <ErrorNote error={failed} />}
      {!folded && review.state === 'done' && (
        <div className="findings-body">
          {review.summary && <p className="sm muted findings-summary">{visible(review.summary)}</p>}
          {review.findings.length > 0 && <List key={review.id} review={review} onOpen={onOpen} onError={setError} />}
        </div>
      )}
    </section>
  );
}
