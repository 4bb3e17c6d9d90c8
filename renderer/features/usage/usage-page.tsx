import { useState } from 'react';
import type { SpendRow } from '../../../agent-core/contract/index.ts';
import { KeyFoot } from '../../actions/key-foot.tsx';
import { PageBar } from '../../actions/page-bar.tsx';
import { runAction } from '../../actions/registry.ts';
import { Button, Empty, ErrorNote, Segments, Skeleton, money, tokens } from '../../ui/index.ts';
import { byDay, csv, sumBy, total, type Sum } from './sums.ts';
import { useSpend, type Spending } from './use-spend.ts';
import './usage.css';

const SPANS = [
  { id: '7', label: '7 days' },
  { id: '30', label: '30 days' },
  { id: '90', label: '90 days' },
] as const;

/** Money, with a plus where some of it has no known price. */
const costOf = ({ cost, unpriced }: Sum): string => (unpriced && !cost ? 'no price' : `${money(cost)}${unpriced ? ' +' : ''}`);
const shareCached = ({ inputTokens, cachedTokens }: Sum): string =>
  inputTokens ? `${Math.round((cachedTokens / inputTokens) * 100)} %` : '—';

function Totals({ sum }: { sum: Sum }) {
  const facts = [
    ['Cost', costOf(sum)],
    ['Tokens in', tokens(sum.inputTokens)],
    ['of them cached', shareCached(sum)],
    ['Tokens out', tokens(sum.outputTokens)],
    ['of them reasoning', tokens(sum.reasoningTokens)],
    ['Requests', sum.requests.toLocaleString('en')],
  ] as const;
  return (
    <dl className="totals">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A bar a day: by cost, or by tokens where nothing has a price. */
function Bars({ days }: { days: readonly Sum[] }) {
  const byCost = days.some(({ cost }) => cost > 0);
  const size = (sum: Sum) => (byCost ? sum.cost : sum.inputTokens + sum.outputTokens);
  const most = Math.max(...days.map(size));
  const words = (sum: Sum) =>
    `${sum.label}: ${sum.requests ? `${costOf(sum)}, ${tokens(sum.inputTokens + sum.outputTokens)} tokens` : 'nothing'}`;
  return (
    <section aria-labelledby="usage-days">
      <h2 id="usage-days">{byCost ? 'Cost by day' : 'Tokens by day'}</h2>
      <ul className="bars">
        {days.map((sum) => (
          <li key={sum.key} title={words(sum)}>
            <span className="vh">{words(sum)}</span>
            <i className={size(sum) ? 'some' : undefined} style={{ height: `${most ? (size(sum) / most) * 100 : 0}%` }} />
          </li>
        ))}
      </ul>
      <p className="bar-days" aria-hidden="true">
        <span>{days[0]?.label}</span>
        <span>{byCost ? money(most) : tokens(most)} on the highest day</span>
        <span>Today</span>
      </p>
    </section>
  );
}

function Sums({ title, sums }: { title: string; sums: readonly Sum[] }) {
  const all = sums.reduce((sum, { cost }) => sum + cost, 0);
  const id = `usage-${title.replaceAll(' ', '-').toLowerCase()}`;
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      <div className="sums" tabIndex={0} role="region" aria-label={`${title}, table`}>
        <table>
          <thead>
            <tr>
              <th scope="col">{title.replace('By ', '').replace(/^./, (letter) => letter.toUpperCase())}</th>
              {['Cost', 'Share', 'Tokens in', 'Cached', 'Tokens out', 'Reasoning', 'Requests'].map((name) => (
                <th key={name} scope="col" className="num">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {sums.map((sum) => (
              <tr key={sum.key}>
                <td title={sum.label}>{sum.label}</td>
                <td className="num">{costOf(sum)}</td>
                <td className="num">
                  <span className="share" role="img" aria-label={`${all ? Math.round((sum.cost / all) * 100) : 0} percent`}>
                    <i style={{ width: `${all ? (sum.cost / all) * 100 : 0}%` }} />
                  </span>
                </td>
                <td className="num">{tokens(sum.inputTokens)}</td>
                <td className="num">{shareCached(sum)}</td>
                <td className="num">{tokens(sum.outputTokens)}</td>
                <td className="num">{tokens(sum.reasoningTokens)}</td>
                <td className="num">{sum.requests.toLocaleString('en')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function save(rows: readonly SpendRow[], name: string): void {
  const url = URL.createObjectURL(new Blob([csv(rows)], { type: 'text/csv' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

const LONGEST = 20;

function Accounts({ spending: { rows, today }, days }: { spending: Spending; days: number }) {
  const sum = total(rows);
  const tasks = sumBy(rows, ({ taskId, title }) => ({ key: title === null ? 'gone' : taskId, label: title ?? 'Deleted tasks' }));
  return (
    <>
      <Totals sum={sum} />
      {sum.unpriced > 0 && (
        <p className="sm muted">
          {tokens(sum.unpriced)} tokens are of models without a known price and not in the cost. Give a model its price in Settings; it
          counts from then on.
        </p>
      )}
      <Bars days={byDay(rows, today, days)} />
      <Sums title="By project" sums={sumBy(rows, ({ projectId, project }) => ({ key: projectId, label: project || 'A closed project' }))} />
      <Sums title="By model" sums={sumBy(rows, ({ model }) => ({ key: model, label: model }))} />
      <Sums title="By task" sums={tasks.slice(0, LONGEST)} />
      {tasks.length > LONGEST && (
        <p className="xs faint">
          The {LONGEST} dearest of {tasks.length}; the CSV has them all.
        </p>
      )}
    </>
  );
}

/** What the agents spent: by day, project, model and task. */
export function UsagePage() {
  const [span, setSpan] = useState<(typeof SPANS)[number]['id']>('30');
  const { spending, error } = useSpend(Number(span));
  const none = spending?.rows.length === 0;
  return (
    <main className="main" data-scope="usage">
      <PageBar title="Usage" />
      {none ? (
        <Empty
          title={`Nothing was spent in the last ${span} days`}
          action={
            <Button look="fill" icon="plus" keys="mod+n" onClick={() => void runAction('task.new')}>
              New task
            </Button>
          }
        >
          Here you will see what your agents used, by day, project, model and task: tokens, and money where the price is known.
        </Empty>
      ) : (
        <div className="page">
          <div className="usage">
            <div className="row">
              <Segments label="Span" options={SPANS} value={span} onChange={setSpan} />
              <span className="grow" />
              <Button
                icon="land"
                disabled={!spending}
                onClick={() => spending && save(spending.rows, `signalbox-usage-${spending.today}.csv`)}
              >
                Export CSV
              </Button>
            </div>
            {error ? (
              <ErrorNote error={error} />
            ) : spending ? (
              <Accounts spending={spending} days={Number(span)} />
            ) : (
              <Skeleton lines={8} label="Reading the accounts" />
            )}
          </div>
        </div>
      )}
      <KeyFoot scopes={['usage']} extra={[['escape', 'Back to the board']]} />
    </main>
  );
}
