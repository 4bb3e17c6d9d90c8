import { Fragment, useEffect, useMemo, useRef, useState } from 'react';
import type { Denial } from '../../../agent-core/contract/index.ts';
import { settleDenials } from '../../actions/denials.ts';
import { useActions } from '../../actions/hooks.ts';
import { KeyFoot } from '../../actions/key-foot.tsx';
import { PageBar } from '../../actions/page-bar.tsx';
import { attempt, type Action } from '../../actions/registry.ts';
import { decide } from '../../actions/task.ts';
import { DENIED } from '../../state/denials.ts';
import { useCore } from '../../state/hooks.ts';
import { go, openTask } from '../../state/route.ts';
import { Age, Button, Empty, Icon, StatusGlyph, visibleLine } from '../../ui/index.ts';
import { ApprovalDetail } from './approval-detail.tsx';
import { DenialDetail } from './denial-detail.tsx';
import { asksOf, taskIdsOf, type Ask } from './groups.ts';
import { QuestionDetail } from './question-detail.tsx';

function RowText({ ask }: { ask: Ask }) {
  const board = useCore((state) => state.board!);
  const task = board.tasks[taskIdsOf(ask)[0]!];
  const project = task ? board.projects[task.projectId]?.name : '';
  if (ask.kind === 'question')
    return (
      <>
        <div className="q">{ask.question.questions[0]?.question}</div>
        <div className="from cut">
          {task?.title} · {project}
        </div>
      </>
    );
  if (ask.kind === 'denial') {
    const [denial] = ask.denials;
    return (
      <>
        <div className="q cut">
          <span className="muted">{DENIED[denial!.kind]}</span> <code>{visibleLine(denial!.subject)}</code>
        </div>
        <div className="from cut">
          {ask.denials.length > 1 ? `${ask.denials.length} tasks` : task?.title} · {project}
        </div>
      </>
    );
  }
  const [first] = ask.approvals;
  const many = ask.approvals.length > 1;
  return (
    <>
      <div className="q cut">
        <code>{visibleLine(first!.subject.split('\n')[0] ?? '')}</code>
        {many && <span className="muted"> asked by {ask.approvals.length} tasks</span>}
      </div>
      <div className="from cut">{many ? `${project}${first!.effect ? ` · ${first!.effect}` : ''}` : `${task?.title} · ${project}`}</div>
    </>
  );
}

function AskRow({ ask, current, onChoose }: { ask: Ask; current: boolean; onChoose: () => void }) {
  const title = useCore(({ board }) => board?.tasks[taskIdsOf(ask)[0]!]?.title);
  const [first] = ask.kind === 'approval' ? ask.approvals : [];
  const answer = (decision: 'approve' | 'decline') =>
    void attempt(() => decide(ask.kind === 'approval' ? ask.approvals : [], decision), taskIdsOf(ask)[0] ?? null);
  return (
    <li>
      <article
        className="ask"
        tabIndex={current ? 0 : -1}
        aria-current={current || undefined}
        data-ask={ask.key}
        aria-label={
          ask.kind === 'approval' && ask.approvals.length > 1 ? `${first!.subject}, asked by ${ask.approvals.length} tasks` : title
        }
        onFocus={onChoose}
        onClick={onChoose}
      >
        {ask.kind === 'denial' ? (
          <span className="status">
            <Icon name="block" className="warn" />
            Kept out
          </span>
        ) : (
          <StatusGlyph status={ask.kind === 'approval' ? 'needs-approval' : 'has-question'} />
        )}
        <Age since={ask.at} />
        <RowText ask={ask} />
        {!current && ask.kind === 'approval' && ask.approvals.length === 1 && (
          <div className="acts" style={{ gridColumn: '1 / -1', marginTop: 4 }}>
            <Button
              small
              tabIndex={-1}
              onClick={(event) => {
                event.stopPropagation();
                answer('approve');
              }}
            >
              Approve
            </Button>
            <Button
              small
              look="quiet"
              tabIndex={-1}
              onClick={(event) => {
                event.stopPropagation();
                answer('decline');
              }}
            >
              Decline
            </Button>
          </div>
        )}
      </article>
    </li>
  );
}

/** Which row is looked at: it stays when others come and go; when it was answered, the next one takes its place. */
function useChosen(asks: readonly Ask[]) {
  const [key, setKey] = useState<string | null>(null);
  const place = useRef(0);
  const found = asks.findIndex((ask) => ask.key === key);
  const at = found >= 0 ? found : Math.min(place.current, asks.length - 1);
  useEffect(() => {
    place.current = Math.max(0, at);
  }, [at]);
  return { at, chosen: asks[at], choose: (index: number) => setKey(asks[index]?.key ?? null) };
}

const focusRow = (key: string | undefined) => {
  if (key)
    requestAnimationFrame(() =>
      [...document.querySelectorAll<HTMLElement>('[data-ask]')].find((row) => row.dataset['ask'] === key)?.focus(),
    );
};

/** J and K through the rows, Enter into the task. */
function useListKeys(asks: readonly Ask[], at: number, choose: (index: number) => void): void {
  const move = useRef<(by: number) => void>(() => undefined);
  useEffect(() => {
    move.current = (by) => {
      const next = Math.min(asks.length - 1, Math.max(0, at + by));
      choose(next);
      focusRow(asks[next]?.key);
    };
  });
  const chosen = asks[at];
  const task = chosen && taskIdsOf(chosen)[0];
  useActions(
    useMemo((): readonly Action[] => {
      const common = { group: 'Inbox', scope: 'inbox' } as const;
      return [
        { ...common, id: 'inbox.next', title: 'Next', keys: ['j', 'arrowdown'], hidden: true, run: () => move.current(1) },
        { ...common, id: 'inbox.previous', title: 'Previous', keys: ['k', 'arrowup'], hidden: true, run: () => move.current(-1) },
        {
          ...common,
          id: 'inbox.open',
          title: 'Open task',
          keys: ['enter'],
          footer: true,
          when: () => task !== undefined,
          run: () => task && openTask(task),
        },
      ];
    }, [task]),
  );
}

/** Above what was kept out: one answer for all of it. */
function DeniedHead({ denials }: { denials: readonly Denial[] }) {
  return (
    <li className="list-head">
      <h2>Kept out by the sandbox</h2>
      {denials.length > 1 && (
        <Button small look="quiet" onClick={() => void attempt(() => settleDenials(denials, 'dismiss'), null)}>
          Dismiss all {denials.length}
        </Button>
      )}
    </li>
  );
}

/** Every approval and question of every task, oldest first, answered here: several at once where they ask the same. */
export function InboxPage() {
  const asks = useCore((state) => asksOf(state.board!));
  const { at, chosen, choose } = useChosen(asks);
  useListKeys(asks, at, choose);
  const firstDenied = asks.findIndex(({ kind }) => kind === 'denial');
  const denied = asks.flatMap((ask) => (ask.kind === 'denial' ? ask.denials : []));
  // after an answer the focus goes to the row that took its place, unless the person is elsewhere
  useEffect(() => {
    if (document.activeElement === document.body) focusRow(chosen?.key);
  }, [chosen?.key]);
  return (
    <main className="main" data-scope="inbox">
      <PageBar title="Inbox" />
      {!chosen ? (
        <Empty
          title="Nothing needs you"
          action={
            <Button onClick={() => go({ place: 'board', project: null, filter: null })} keys="escape">
              Go to the board
            </Button>
          }
        >
          Approvals and questions of all tasks come here, the oldest first, and below them what the sandbox kept out. Answer them without
          opening the task.
        </Empty>
      ) : (
        <div className="inbox">
          <ol className="list" aria-label="Approvals and questions, oldest first, then what was kept out">
            {asks.map((ask, index) => (
              <Fragment key={ask.key}>
                {index === firstDenied && <DeniedHead denials={denied} />}
                <AskRow ask={ask} current={index === at} onChoose={() => choose(index)} />
              </Fragment>
            ))}
          </ol>
          {chosen.kind === 'approval' ? (
            <ApprovalDetail key={chosen.key} approvals={chosen.approvals} />
          ) : chosen.kind === 'denial' ? (
            <DenialDetail key={chosen.key} denials={chosen.denials} />
          ) : (
            <QuestionDetail key={chosen.key} question={chosen.question} />
          )}
        </div>
      )}
      <KeyFoot
        scopes={['inbox']}
        extra={
          asks.length > 1
            ? [
                ['j', 'Next'],
                ['k', 'Previous'],
              ]
            : []
        }
      />
    </main>
  );
}
