import { useState, type ReactNode } from 'react';
import type { AppError } from '../../agent-core/contract/index.ts';
import { Button } from './button.tsx';
import { Icon } from './icons.tsx';

/** Copies `text()` and says so for a moment. */
export function CopyButton({ text, label = 'Copy', small = true }: { text: () => string; label?: string; small?: boolean }) {
  const [done, setDone] = useState(false);
  const copy = () => {
    void navigator.clipboard.writeText(text()).then(
      () => {
        setDone(true);
        setTimeout(() => setDone(false), 1500);
      },
      () => setDone(false),
    );
  };
  return (
    <Button look="quiet" small={small} icon={done ? 'check' : 'copy'} onClick={copy}>
      {done ? 'Copied' : label}
    </Button>
  );
}

/** What went wrong, beside what caused it: message, exact command, its output, a copy button and the next thing to try. */
export function ErrorNote({ error, actions, onDismiss }: { error: AppError; actions?: ReactNode; onDismiss?: () => void }) {
  const all = [error.message, error.command && `$ ${error.command}`, error.output, error.fix].filter(Boolean).join('\n');
  return (
    <div className="error" role="alert">
      <div className="row">
        <Icon name="failed" />
        <b>{error.message}</b>
      </div>
      {(error.command || error.output) && (
        <pre tabIndex={0} aria-label="Command and output">
          {error.command && `$ ${error.command}\n`}
          {error.output}
        </pre>
      )}
      {error.fix && <p className="fix">{error.fix}</p>}
      <div className="acts">
        {actions}
        <CopyButton text={() => all} />
        {onDismiss && (
          <Button look="quiet" small onClick={onDismiss}>
            Dismiss
          </Button>
        )}
      </div>
    </div>
  );
}
