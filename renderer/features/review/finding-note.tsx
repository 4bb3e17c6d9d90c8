import { useState } from 'react';
import { toAppError, type AppError, type Finding, type Review } from '../../../agent-core/contract/index.ts';
import { dismissFindings, fixFindings, priorityTones, priorityWords } from '../../state/reviews.ts';
import { Button, ErrorNote } from '../../ui/index.ts';
import { visible, visibleLine } from '../../ui/safe-text.ts';

/** What a review found, beside the lines that it is about. */
export function FindingNote({ review, finding }: { review: Review; finding: Finding }) {
  const [error, setError] = useState<AppError | null>(null);
  const [busy, setBusy] = useState(false);
  const act = (work: Promise<void>) => {
    setBusy(true);
    work.catch((thrown: unknown) => setError(toAppError(thrown))).finally(() => setBusy(false));
  };
  return (
    <div className="note finding-note" role="group" aria-label={`Finding: ${visibleLine(finding.title)}`}>
      <p>
        <span className={`b ${priorityTones[finding.priority] ?? 'muted'}`} title={priorityWords[finding.priority]}>
          P{finding.priority}
        </span>{' '}
        <span className="b">{visibleLine(finding.title)}</span>
      </p>
      {finding.body && <p className="muted">{visible(finding.body)}</p>}
      {error && <ErrorNote error={error} />}
      <div className="row">
        <span className="xs faint">
          {finding.state === 'sent' ? 'Sent to the agent' : `Review, ${Math.round(finding.confidence * 100)} % sure`}
        </span>
        {finding.state === 'open' && (
          <>
            <Button look="quiet" small disabled={busy} onClick={() => act(dismissFindings(review, [finding.id]))}>
              Dismiss
            </Button>
            <Button small disabled={busy} onClick={() => act(fixFindings(review, [finding.id]))}>
              Fix
            </Button>
          </>
        )}
      </div>
    </div>
  );
}
