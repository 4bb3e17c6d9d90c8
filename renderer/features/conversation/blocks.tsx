import { memo } from 'react';
import type { ErrorCode, Item, ItemOf, Turn } from '../../../agent-core/contract/index.ts';
import { runAction } from '../../actions/registry.ts';
import { Button, ErrorNote, Icon, Money, Working, duration, tokens } from '../../ui/index.ts';
import { visible } from '../../ui/safe-text.ts';
import { Attached } from './attached.tsx';
import { DenialBlock } from './denial.tsx';
import { ApprovalBlock, QuestionBlock } from './gate.tsx';
import { TurnMenu } from './turn-menu.tsx';
import { AgentText } from './markdown.tsx';

const viaWords = { prompt: '', steer: 'Sent while it worked', queue: 'Waited in the queue' } as const;

function Said({ item }: { item: ItemOf<'userMessage'> }) {
  return (
    <article className="say" aria-label="You" id={`item-${item.id}`}>
      {item.via !== 'steer' && <TurnMenu turnId={item.turnId} label="Actions for this message" />}
      <p className="said">{visible(item.text)}</p>
      <Attached text={item.text} />
      {viaWords[item.via] && <p className="xs faint">{viaWords[item.via]}</p>}
    </article>
  );
}

const stepWords = { pending: 'Open', in_progress: 'In progress', completed: 'Done' } as const;

function Plan({ item }: { item: ItemOf<'plan'> }) {
  const done = item.steps.filter((step) => step.status === 'completed').length;
  return (
    <section aria-label={`Plan, ${done} of ${item.steps.length} done`} id={`item-${item.id}`}>
      {item.explanation && <p className="sm muted">{visible(item.explanation)}</p>}
      <ol className="plan">
        {item.steps.map((step, index) => (
          <li key={index} data-status={step.status}>
            {step.status === 'completed' ? <Icon name="check" /> : step.status === 'in_progress' ? <Working /> : <Icon name="queued" />}
            <span className="vh">{stepWords[step.status]}: </span>
            <span>{visible(step.step)}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}

function Notice({ item }: { item: ItemOf<'notice'> }) {
  if (item.error)
    return (
      <div id={`item-${item.id}`}>
        <ErrorNote error={{ ...item.error, message: item.text || item.error.message }} />
      </div>
    );
  const tone = item.level === 'error' ? 'bad' : item.level === 'warn' ? 'warn' : 'faint';
  return (
    <p className="notice" id={`item-${item.id}`}>
      <Icon name={item.level === 'info' ? 'info' : 'block'} className={tone} />
      <span className="muted">{visible(item.text)}</span>
    </p>
  );
}

/** One item that isn't a tool call. Drawn again only when the item itself changed. */
export const ItemBlock = memo(function ItemBlock({ item }: { item: Item }) {
  switch (item.type) {
    case 'userMessage':
      return <Said item={item} />;
    case 'agentMessage':
      return (
        <article aria-label="Agent" id={`item-${item.id}`}>
          <AgentText text={item.text} evidence={item.evidence} />
        </article>
      );
    case 'plan':
      return <Plan item={item} />;
    case 'approval':
      return <ApprovalBlock item={item} />;
    case 'question':
      return <QuestionBlock item={item} />;
    case 'denial':
      return <DenialBlock item={item} />;
    case 'notice':
      return <Notice item={item} />;
    case 'proposal':
    case 'command':
    case 'fileChange':
    case 'toolCall':
    case 'reasoning':
      return null;
  }
});

/** What is mended in Settings. */
const inSettings: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['no-model', 'model-unauthorized', 'model-unknown', 'model-unreachable']);

/** The end of a turn: which it was, how long, what it cost, and why when it didn't end well. */
export const TurnEnd = memo(function TurnEnd({ turn, last, onRetry }: { turn: Turn; last: boolean; onRetry: () => void }) {
  const took = turn.endedAt === null ? '' : duration(turn.endedAt - turn.startedAt);
  const crashed = turn.status === 'interrupted' && turn.interruptedBy === 'crash';
  return (
    <div className="turn-end">
      {turn.status === 'failed' && (
        <ErrorNote
          error={turn.error ?? { code: 'internal', message: 'The turn failed without a reason.' }}
          actions={
            last && (
              <>
                <Button small icon="undo" onClick={onRetry}>
                  Retry
                </Button>
                {turn.error && inSettings.has(turn.error.code) && (
                  <Button small icon="gear" onClick={() => void runAction('go.settings')}>
                    Open settings
                  </Button>
                )}
              </>
            )
          }
        />
      )}
      {crashed && (
        <div className="notice">
          <Icon name="block" className="warn" />
          <span className="muted grow">Signalbox ended while this turn ran. What was done is kept.</span>
          {last && (
            <Button small icon="play" onClick={onRetry}>
              Resume
            </Button>
          )}
        </div>
      )}
      {turn.status === 'interrupted' && !crashed && (
        <p className="notice">
          <Icon name="stop" className="faint" />
          <span className="muted">Stopped by you.</span>
        </p>
      )}
      <p className="turn-facts">
        <span>Turn {turn.number}</span>
        <span>{took}</span>
        {turn.model && (
          <span>
            {visible(turn.model)}
            {turn.effort && `, ${turn.effort}`}
          </span>
        )}
        {turn.usage.inputTokens > 0 && (
          <span title={`${turn.usage.reasoningTokens.toLocaleString('en')} of the tokens out were reasoning`}>
            {tokens(turn.usage.inputTokens)} in ({Math.round((turn.usage.cachedTokens / turn.usage.inputTokens) * 100)} % cached),{' '}
            {tokens(turn.usage.outputTokens)} out
          </span>
        )}
        <Money dollars={turn.usage.cost} />
        <TurnMenu end turnId={turn.id} label={`Actions for turn ${turn.number}`} />
      </p>
    </div>
  );
});
