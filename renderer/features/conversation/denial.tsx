import { useState } from 'react';
import { toAppError, type AppError, type ItemOf, type Scope } from '../../../agent-core/contract/index.ts';
import { ALLOW, DENIED } from '../../state/denials.ts';
import { useCore } from '../../state/hooks.ts';
import { rpc } from '../../state/store.ts';
import { Button, ErrorNote, Icon } from '../../ui/index.ts';
import { visible } from '../../ui/safe-text.ts';

const allowed: Record<Scope, string> = {
  once: 'Allowed once',
  task: 'Allowed for this task',
  project: 'Allowed for this project',
  machine: 'Allowed everywhere',
};

/** What the sandbox kept from happening. The agent goes on; the person may let it through here. */
export function DenialBlock({ item }: { item: ItemOf<'denial'> }) {
  const denial = useCore((state) => state.board?.denials[item.denialId]);
  const [error, setError] = useState<AppError | null>(null);
  const [busy, setBusy] = useState(false);
  const answer = (decision: 'allow' | 'dismiss', scope: Scope = 'once') => {
    setBusy(true);
    setError(null);
    rpc()
      .call('denial/decide', { denialIds: [item.denialId], decision, scope })
      .catch((thrown: unknown) => setError(toAppError(thrown)))
      .finally(() => setBusy(false));
  };
  return (
    <section className="notice denial" aria-label="Kept out by the sandbox" id={`item-${item.id}`}>
      <Icon name="block" className="warn" />
      <div className="grow">
        <p>
          <span className="b">{DENIED[item.kind]}</span> <code>{visible(item.subject)}</code>{' '}
          {item.decision !== 'open' && (
            <span className="faint">{item.decision === 'dismissed' ? 'Dismissed' : allowed[item.scope ?? 'once']}</span>
          )}
        </p>
        <p className="sm muted">{visible(item.detail)}</p>
        {error && <ErrorNote error={error} />}
        {denial && (
          <div className="acts">
            {denial.scopes.map((scope) => (
              <Button key={scope} small disabled={busy} onClick={() => answer('allow', scope)}>
                {ALLOW[scope]}
              </Button>
            ))}
            <Button small disabled={busy} onClick={() => answer('dismiss')}>
              Dismiss
            </Button>
          </div>
        )}
      </div>
    </section>
  );
}
