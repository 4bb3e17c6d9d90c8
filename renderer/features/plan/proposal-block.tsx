import { useMemo, useRef, useState } from 'react';
import type { ItemOf, ProposalStep, TaskId } from '../../../agent-core/contract/index.ts';
import { useActions } from '../../actions/hooks.ts';
import type { Action } from '../../actions/registry.ts';
import { Button, ErrorNote, Icon, Menu, plural } from '../../ui/index.ts';
import { visible } from '../../ui/safe-text.ts';
import { StepRow } from './step-row.tsx';
import { useProposal, type Plan } from './use-proposal.ts';
import './plan.css';

type Item = ItemOf<'proposal'>;
const stateWords: Record<Item['state'], string> = {
  open: '',
  started: 'Started',
  split: 'Split into tasks',
  replaced: 'A newer plan took its place',
};

function Steps({
  plan,
  fixed,
  chosen,
  onChoose,
}: {
  plan: Plan;
  fixed: boolean;
  chosen: ReadonlySet<string>;
  onChoose: (id: string) => void;
}) {
  const { steps } = plan;
  const [fresh, setFresh] = useState<string | null>(null);
  const list = useRef<HTMLOListElement>(null);
  const focus = (id: string | undefined) =>
    requestAnimationFrame(() => list.current?.querySelector<HTMLElement>(`[data-step="${CSS.escape(id ?? '')}"]`)?.focus());
  const add = (at: number) => {
    const step: ProposalStep = { id: `n${crypto.randomUUID().slice(0, 8)}`, text: '', detail: '', after: [], taskId: null };
    setFresh(step.id);
    setDraft({ step, at });
  };
  const [draft, setDraft] = useState<{ step: ProposalStep; at: number } | null>(null);
  const shown = draft ? steps.toSpliced(draft.at, 0, draft.step) : steps;
  const acts = (step: ProposalStep, index: number) => ({
    change: (next: ProposalStep) => {
      if (draft?.step.id === step.id) {
        setDraft(null);
        plan.edit(steps.toSpliced(draft.at, 0, next), 'Step added');
      } else plan.edit(steps.map((known) => (known.id === next.id ? next : known)));
    },
    move: (by: -1 | 1) => {
      const to = index + by;
      if (to < 0 || to >= steps.length) return;
      plan.edit(steps.toSpliced(index, 1).toSpliced(to, 0, step), `Step ${to + 1} of ${steps.length}`);
      focus(step.id);
    },
    add: () => add(index + 1),
    remove: () => {
      if (draft?.step.id === step.id) return setDraft(null);
      const rest = steps.filter(({ id }) => id !== step.id);
      plan.edit(
        rest.map((known) => ({ ...known, after: known.after.filter((id) => id !== step.id) })),
        'Step removed',
      );
      focus(rest[Math.min(index, rest.length - 1)]?.id);
    },
  });
  return (
    <>
      <ol className="steps" ref={list}>
        {shown.map((step, index) => (
          <StepRow
            key={step.id}
            step={step}
            index={index}
            steps={shown}
            fixed={fixed}
            chosen={chosen.has(step.id)}
            startsOpen={fresh === step.id && step.text === ''}
            onChoose={() => onChoose(step.id)}
            acts={acts(step, index)}
          />
        ))}
      </ol>
      {!fixed && (
        <Button look="quiet" small icon="plus" className="step-add" disabled={draft !== null} onClick={() => add(steps.length)}>
          Add a step
        </Button>
      )}
    </>
  );
}

function usePlanActions(plan: Plan, open: boolean, meant: readonly string[]): void {
  const now = useRef({ plan, meant });
  now.current = { plan, meant };
  const can = plan.steps.length > 0;
  const actions = useMemo(
    (): Action[] =>
      open
        ? [
            {
              id: 'plan.start',
              title: 'Start the plan',
              group: 'Task',
              icon: 'play',
              when: () => can,
              run: () => now.current.plan.start(),
            },
            {
              id: 'plan.split',
              title: 'Split the plan into tasks',
              group: 'Task',
              icon: 'split',
              when: () => can,
              run: () => now.current.plan.split(now.current.meant, 'marked'),
            },
          ]
        : [],
    [open, can],
  );
  useActions(actions);
}

function Foot({ plan, started, meant }: { plan: Plan; started: boolean; meant: readonly string[] }) {
  const many = plural(meant.length, 'task');
  return (
    <div className="acts">
      {!started && (
        <Button look="fill" icon="play" disabled={plan.busy || plan.steps.length === 0} onClick={plan.start}>
          Start
        </Button>
      )}
      <Menu
        align="start"
        label="Split"
        trigger={
          <Button icon="split" disabled={plan.busy || meant.length === 0}>
            Split into {many}
          </Button>
        }
        entries={[
          { id: 'marked', title: 'Each waits only for the steps it needs', run: () => plan.split(meant, 'marked') },
          { id: 'sequence', title: 'Each waits for the one before it', run: () => plan.split(meant, 'sequence') },
        ]}
      />
    </div>
  );
}

/** A plan as an editable checklist: its steps are changed in place, started here, or made tasks of. */
export function ProposalBlock({ item }: { item: Item; taskId: TaskId }) {
  const plan = useProposal(item);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const replaced = item.state === 'replaced';
  const fixed = replaced || item.state === 'started';
  const free = plan.steps.filter(({ taskId }) => !taskId);
  const picked = free.filter(({ id }) => chosen.has(id));
  const meant = (picked.length ? picked : free).map(({ id }) => id);
  usePlanActions(plan, !fixed, meant);
  const choose = (id: string) =>
    setChosen((before) => {
      const next = new Set(before);
      if (!next.delete(id)) next.add(id);
      return next;
    });
  const state = stateWords[item.state];
  return (
    <section className="proposal" data-state={item.state} aria-label={`Plan, ${plural(plan.steps.length, 'step')}`} id={`item-${item.id}`}>
      <header className="row">
        <Icon name="queued" className="accent" />
        <h2>{visible(item.title) || 'Plan'}</h2>
        {state && <span className="xs faint">{state}</span>}
      </header>
      {item.text && <p className="proposal-text">{visible(item.text)}</p>}
      <Steps plan={plan} fixed={fixed} chosen={chosen} onChoose={choose} />
      {plan.error && <ErrorNote error={plan.error} onDismiss={plan.clear} />}
      {!fixed && <Foot plan={plan} started={false} meant={meant} />}
    </section>
  );
}
