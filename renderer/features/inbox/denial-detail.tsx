import { useEffect, useMemo, useRef, useState } from 'react';
import { toAppError, type AppError, type Denial, type OutputOf, type Scope } from '../../../agent-core/contract/index.ts';
import { settleDenials } from '../../actions/denials.ts';
import { useActions } from '../../actions/hooks.ts';
import type { Action } from '../../actions/registry.ts';
import { ALLOW, DENIED } from '../../state/denials.ts';
import { useCore } from '../../state/hooks.ts';
import { rpc } from '../../state/store.ts';
import { Button, CopyButton, ErrorNote, Icon, age, useClockText, visible, visibleLine } from '../../ui/index.ts';
import { Askers, useTicks } from './askers.tsx';

type Kept = OutputOf<'denial/read'>;

/** What lies aside, to be read before it is let in. */
function Contents({ denial }: { denial: Denial }) {
  const [kept, setKept] = useState<Kept | null>(null);
  const [error, setError] = useState<AppError | null>(null);
  useEffect(() => {
    let gone = false;
    rpc()
      .call('denial/read', { denialId: denial.id })
      .then(
        (found) => {
          if (!gone) setKept(found);
        },
        (thrown: unknown) => {
          if (!gone) setError(toAppError(thrown));
        },
      );
    return () => {
      gone = true;
    };
  }, [denial.id]);
  if (error) return <ErrorNote error={error} />;
  return (
    <section aria-label="What was set aside" className="stack-8">
      {kept?.files.map(({ path, text, truncated }) => (
        <div key={path}>
          <p className="xs faint">
            <code>{visibleLine(path)}</code>
            {truncated && ' · the beginning'}
          </p>
          <pre className="cmd kept" tabIndex={0} aria-label={visibleLine(path)}>
            {visible(text) || ' '}
          </pre>
        </div>
      ))}
      {kept !== null && kept.more > 0 && <p className="faint xs">and {kept.more} more files</p>}
      {kept?.files.length === 0 && <p className="faint sm">It is too large to be shown here.</p>}
    </section>
  );
}

const KEYS: Record<Scope, string> = { once: 'a', task: 't', project: 'p', machine: 'm' };

interface Answering {
  answer: (decision: 'allow' | 'dismiss', scope?: Scope) => void;
  any: boolean;
}

function useDenialKeys(scopes: readonly Scope[], now: Answering): void {
  const latest = useRef(now);
  latest.current = now;
  const { any } = now;
  const key = scopes.join(' ');
  useActions(
    useMemo((): readonly Action[] => {
      const common = { group: 'Inbox', scope: 'inbox', when: () => any } as const;
      return [
        ...key.split(' ').map((scope): Action => ({
          ...common,
          id: `inbox.allow.${scope}`,
          title: ALLOW[scope as Scope],
          keys: [KEYS[scope as Scope]],
          footer: scope === 'once',
          run: () => latest.current.answer('allow', scope as Scope),
        })),
        { ...common, id: 'inbox.dismiss', title: 'Dismiss', keys: ['d'], footer: true, run: () => latest.current.answer('dismiss') },
      ];
    }, [key, any]),
  );
}

/** The same thing kept out of one or several tasks, with the answers docked below. Nothing waits for them. */
export function DenialDetail({ denials }: { denials: readonly Denial[] }) {
  const first = denials[0]!;
  const { off, toggle, all } = useTicks(denials);
  const [error, setError] = useState<AppError | null>(null);
  const chosen = denials.filter(({ id }) => !off.has(id));
  const task = useCore(({ board }) => board!.tasks[first.taskId]);
  const waiting = useClockText((at) => age(at - first.at));
  const answer: Answering['answer'] = (decision, scope) => {
    setError(null);
    settleDenials(chosen, decision, scope).catch((thrown: unknown) => setError(toAppError(thrown)));
  };
  useDenialKeys(first.scopes, { answer, any: chosen.length > 0 });
  const none = chosen.length === 0;
  return (
    <section className="detail" aria-labelledby="denied-title">
      <div className="body">
        <header className="stack-4">
          <span className="status">
            <Icon name="block" className="warn" />
            Kept out by the sandbox
          </span>
          <h2 id="denied-title">
            {DENIED[first.kind]}: {visibleLine(first.subject)}
          </h2>
          <p className="xs faint">{waiting} ago; nothing waits for an answer</p>
        </header>
        <dl className="kv">
          {denials.length === 1 && (
            <>
              <dt>Task</dt>
              <dd>{task?.title}</dd>
            </>
          )}
          <dt>Why</dt>
          <dd>{visible(first.detail)}</dd>
          {first.command && (
            <>
              <dt>By</dt>
              <dd className="row">
                <code className="cut">{visibleLine(first.command)}</code>
                <CopyButton text={() => first.command} />
              </dd>
            </>
          )}
        </dl>
        {first.kind === 'file' && <Contents key={first.id} denial={first} />}
        {denials.length > 1 && <Askers asks={denials} off={off} toggle={toggle} all={all} since="since" />}
        {error && <ErrorNote error={error} />}
      </div>
      <footer className="answer" role="group" aria-label="Answer">
        {first.scopes.map((scope, at) => (
          <Button key={scope} look={at === 0 ? 'fill' : 'edge'} keys={KEYS[scope]} disabled={none} onClick={() => answer('allow', scope)}>
            {ALLOW[scope]}
          </Button>
        ))}
        <span className="row answer-end">
          <Button keys="d" disabled={none} onClick={() => answer('dismiss')}>
            Dismiss
          </Button>
        </span>
      </footer>
    </section>
  );
}
