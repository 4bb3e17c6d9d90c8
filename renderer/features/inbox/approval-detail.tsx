import { useMemo, useRef, useState } from 'react';
import { type Approval, type AppError, type Scope, toAppError } from '../../../agent-core/contract/index.ts';
import { useActions } from '../../actions/hooks.ts';
import type { Action } from '../../actions/registry.ts';
import { decide } from '../../actions/task.ts';
import { useCore } from '../../state/hooks.ts';
import { Askers, useTicks } from './askers.tsx';
import {
  Button,
  CopyButton,
  ErrorNote,
  IconButton,
  Menu,
  StatusGlyph,
  age,
  plural,
  useClockText,
  visible,
  type MenuEntry,
} from '../../ui/index.ts';

const verbs: Record<Approval['kind'], string> = {
  escalate: 'Run outside the sandbox',
  command: 'Run',
  patch: 'Apply changes',
  setup: 'Let setup reach',
  mcp: 'Call',
  budget: 'Go on over the budget',
};

function title([first, ...more]: readonly Approval[]): string {
  if (first!.kind === 'budget') return verbs.budget;
  if (first!.kind === 'setup') return 'Setup asks for the network';
  const command = first!.kind === 'patch' ? '' : ` ${visible(first!.prefix?.join(' ') ?? first!.subject.split('\n')[0]!.slice(0, 60))}`;
  const verb = first!.kind === 'escalate' ? 'Run' : verbs[first!.kind];
  return `${verb}${command}${first!.kind === 'escalate' ? ' outside the sandbox' : ''}${more.length ? `, in ${more.length + 1} tasks` : ''}`;
}

function Facts({ approvals }: { approvals: readonly Approval[] }) {
  const [first] = approvals;
  const task = useCore(({ board }) => board!.tasks[first!.taskId]);
  const project = useCore(({ board }) => (task ? board!.projects[task.projectId]?.name : undefined));
  const reasons = [...new Set(approvals.map(({ reason }) => reason).filter(Boolean))];
  return (
    <dl className="kv">
      {approvals.length === 1 && (
        <>
          <dt>Task</dt>
          <dd>{task?.title}</dd>
        </>
      )}
      <dt>Reason</dt>
      <dd>
        {first!.kind === 'budget' ? (
          'The turn waits before its next step.'
        ) : reasons.length ? (
          reasons.map((reason) => <p key={reason}>“{visible(reason)}”</p>)
        ) : (
          <span className="muted">The agent gave none.</span>
        )}
      </dd>
      <dt>Working folder</dt>
      <dd>
        <code>{visible(first!.cwd)}</code>
        {approvals.length > 1 && `, and ${plural(approvals.length - 1, 'other')} like it`}
      </dd>
      <dt>Effect</dt>
      <dd>{first!.effect || 'Only what the command says.'}</dd>
      <dt>For the project</dt>
      <dd className="muted">
        {first!.prefix ? (
          <>
            Would let any command that begins with <code style={{ color: 'var(--text)' }}>{visible(first!.prefix.join(' '))}</code> run
            outside the sandbox in {project}.
          </>
        ) : first!.kind === 'setup' ? (
          'The answer holds for the project. It can be changed in its settings.'
        ) : first!.kind === 'budget' ? (
          'Its budget stays as it is; it can be changed in its settings.'
        ) : (
          'No rule can be saved for this: it is too open. Answer it each time.'
        )}
      </dd>
    </dl>
  );
}

interface Answering {
  note: string;
  noting: boolean;
  setNoting: (on: boolean) => void;
  answer: (decision: 'approve' | 'decline', scope?: Scope) => void;
  chosen: readonly Approval[];
  rules: boolean;
}

function useAnswering(approvals: readonly Approval[], off: ReadonlySet<string>) {
  const [note, setNote] = useState('');
  const [noting, setNoting] = useState(false);
  const [error, setError] = useState<AppError | null>(null);
  const chosen = approvals.filter(({ id }) => !off.has(id));
  const rules = chosen.length > 0 && chosen.every(({ prefix }) => prefix !== null);
  const answer = (decision: 'approve' | 'decline', scope: Scope = 'once') => {
    setError(null);
    decide(chosen, decision, scope, note).catch((thrown: unknown) => setError(toAppError(thrown)));
  };
  return { note, setNote, noting, setNoting, error, chosen, rules, answer };
}

/** The keys of the docked answers; they act on what is ticked. */
function useAnswerKeys(now: Answering, toggleFirst: () => void, several: boolean) {
  const latest = useRef({ now, toggleFirst });
  latest.current = { now, toggleFirst };
  const any = now.chosen.length > 0;
  const { rules } = now;
  useActions(
    useMemo((): readonly Action[] => {
      const say = (decision: 'approve' | 'decline', scope?: Scope) => () => latest.current.now.answer(decision, scope);
      const common = { group: 'Inbox', scope: 'inbox', when: () => any } as const;
      return [
        { ...common, id: 'inbox.once', title: several ? 'Allow once' : 'Approve', keys: ['a'], footer: true, run: say('approve') },
        { ...common, id: 'inbox.task', title: 'Allow for this task', keys: ['t'], when: () => any && rules, run: say('approve', 'task') },
        {
          ...common,
          id: 'inbox.project',
          title: 'Allow for the project',
          keys: ['p'],
          when: () => any && rules,
          run: say('approve', 'project'),
        },
        { ...common, id: 'inbox.decline', title: 'Decline', keys: ['d'], footer: true, run: say('decline') },
        { ...common, id: 'inbox.note', title: 'Add a note', keys: ['n'], run: () => latest.current.now.setNoting(true) },
        {
          ...common,
          id: 'inbox.select',
          title: 'Select',
          keys: ['x'],
          footer: true,
          when: () => several,
          run: () => latest.current.toggleFirst(),
        },
      ];
    }, [any, rules, several]),
  );
}

/** The answers that stand for longer: everywhere, and never. */
function Longer({ now, project }: { now: Answering; project: string }) {
  const refusable = now.chosen.length > 0 && now.chosen.every(({ kind, argv }) => kind === 'escalate' && argv !== null);
  const command = visible(now.chosen[0]?.prefix?.join(' ') ?? now.chosen[0]?.argv?.[0] ?? '');
  const entries: MenuEntry[] = [
    ...(now.rules ? [{ id: 'machine', title: `Allow “${command} …” in every project`, run: () => now.answer('approve', 'machine') }] : []),
    ...(refusable
      ? [
          { id: 'never.task', title: `Never in this task`, rule: now.rules, run: () => now.answer('decline', 'task') },
          { id: 'never.project', title: `Never in ${project}`, run: () => now.answer('decline', 'project') },
          { id: 'never.machine', title: 'Never on this computer', run: () => now.answer('decline', 'machine') },
        ]
      : []),
  ];
  if (!entries.length) return null;
  return <Menu label="For longer" trigger={<IconButton icon="more" label="More answers: everywhere, never" />} entries={entries} />;
}

/** One thing that is asked, by one or several tasks, with its answers docked below. */
export function ApprovalDetail({ approvals }: { approvals: readonly Approval[] }) {
  const { off, toggle, all } = useTicks(approvals);
  const now = useAnswering(approvals, off);
  useAnswerKeys(now, all, approvals.length > 1);
  const first = approvals[0]!;
  const project = useCore(({ board }) => {
    const task = board!.tasks[first.taskId];
    return task ? (board!.projects[task.projectId]?.name ?? 'the project') : 'the project';
  });
  const waiting = useClockText((at) => age(at - first.at));
  const many = now.chosen.length > 1;
  const none = now.chosen.length === 0;
  return (
    <section className="detail" aria-labelledby="ask-title">
      <div className="body">
        <header className="stack-4">
          <StatusGlyph status="needs-approval" />
          <h2 id="ask-title">{title(approvals)}</h2>
          <p className="xs faint">
            {approvals.length > 1 ? 'oldest' : 'waiting'} {waiting}
          </p>
        </header>
        <div className="cmd cmd-l">
          <span className="grow">{visible(first.subject)}</span>
          <CopyButton text={() => first.subject} />
        </div>
        <Facts approvals={approvals} />
        {approvals.length > 1 && <Askers asks={approvals} off={off} toggle={toggle} all={all} />}
        {now.error && <ErrorNote error={now.error} />}
      </div>
      <footer className="answer" role="group" aria-label="Answer">
        {now.noting && (
          <input
            className="input"
            style={{ flexBasis: '100%' }}
            autoFocus
            aria-label="Note to the agent"
            placeholder="A note to the agent, sent with the answer"
            value={now.note}
            onChange={(event) => now.setNote(event.target.value)}
            onKeyDown={(event) => {
              if (event.key === 'Escape') {
                event.stopPropagation();
                now.setNoting(false);
              }
            }}
          />
        )}
        <Button look="fill" keys="a" disabled={none} onClick={() => now.answer('approve')}>
          {approvals.length > 1 ? `Allow once in these ${now.chosen.length}` : first.kind === 'budget' ? 'Raise the budget' : 'Approve'}
        </Button>
        {now.rules && (
          <Button keys="t" onClick={() => now.answer('approve', 'task')}>
            {many ? 'Allow for these tasks' : 'Allow for this task'}
          </Button>
        )}
        {now.rules && (
          <Button keys="p" onClick={() => now.answer('approve', 'project')}>
            Allow in {project}
          </Button>
        )}
        <Longer now={now} project={project} />
        <span className="row answer-end">
          {!now.noting && (
            <Button look="quiet" keys="n" onClick={() => now.setNoting(true)}>
              Add a note
            </Button>
          )}
          <Button keys="d" disabled={none} onClick={() => now.answer('decline')}>
            {first.kind === 'budget' ? 'Stop' : 'Decline'}
          </Button>
        </span>
      </footer>
    </section>
  );
}
