import { useEffect, useRef, useState, type KeyboardEvent, type RefObject } from 'react';
import type { ProposalStep } from '../../../agent-core/contract/index.ts';
import { useCore } from '../../state/hooks.ts';
import { openTask } from '../../state/route.ts';
import { Button, Icon, IconButton, Menu, isMac } from '../../ui/index.ts';
import { visible } from '../../ui/safe-text.ts';

export interface StepActs {
  change: (step: ProposalStep) => void;
  move: (by: -1 | 1) => void;
  add: () => void;
  remove: () => void;
}

/** A step being written: its line, and under it what else is to be known. Esc leaves it as it was. */
function StepEditor({ step, onSave, onCancel }: { step: ProposalStep; onSave: (step: ProposalStep) => void; onCancel: () => void }) {
  const [text, setText] = useState(step.text);
  const [detail, setDetail] = useState(step.detail);
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);
  const save = () => (text.trim() ? onSave({ ...step, text: text.trim(), detail: detail.trim() }) : onCancel());
  const keys = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    const ends = event.key === 'Enter' && (event.target instanceof HTMLInputElement || (isMac ? event.metaKey : event.ctrlKey));
    if (!ends && event.key !== 'Escape') return;
    event.preventDefault();
    event.stopPropagation();
    if (ends) save();
    else onCancel();
  };
  return (
    <div className="step-edit" role="group" aria-label="Edit step" onKeyDown={keys}>
      <input ref={first} className="input" aria-label="Step" value={text} onChange={(event) => setText(event.target.value)} />
      <textarea
        className="area"
        aria-label="Details"
        rows={2}
        placeholder="What else is to be known for it"
        value={detail}
        onChange={(event) => setDetail(event.target.value)}
      />
      <div className="acts">
        <Button small look="fill" onClick={save}>
          Save
        </Button>
        <Button small look="quiet" keys="escape" showKeys={false} onClick={onCancel}>
          Cancel
        </Button>
      </div>
    </div>
  );
}

function needsWords(step: ProposalStep, steps: readonly ProposalStep[]): string {
  const numbers = step.after.map((id) => steps.findIndex((known) => known.id === id) + 1).filter((number) => number > 0);
  return numbers.length ? `after ${numbers.join(', ')}` : '';
}

function StepMenu({
  step,
  index,
  steps,
  acts,
  onEdit,
}: {
  step: ProposalStep;
  index: number;
  steps: readonly ProposalStep[];
  acts: StepActs;
  onEdit: () => void;
}) {
  const others = steps.slice(0, index).filter(({ id }) => id !== step.id);
  const toggle = (id: string) =>
    acts.change({ ...step, after: step.after.includes(id) ? step.after.filter((known) => known !== id) : [...step.after, id] });
  return (
    <Menu
      label={`Step ${index + 1}`}
      trigger={<IconButton icon="more" small label={`More for step ${index + 1}`} />}
      entries={[
        { id: 'edit', title: 'Edit', icon: 'pencil', keys: 'enter', run: onEdit },
        {
          id: 'up',
          title: 'Move up',
          keys: 'alt+arrowup',
          disabled: index === 0 ? 'It is the first step' : undefined,
          run: () => acts.move(-1),
        },
        {
          id: 'down',
          title: 'Move down',
          keys: 'alt+arrowdown',
          disabled: index === steps.length - 1 ? 'It is the last step' : undefined,
          run: () => acts.move(1),
        },
        { id: 'add', title: 'Add a step below', icon: 'plus', run: acts.add },
        ...others.map((other, at) => ({
          id: `after-${other.id}`,
          title: `Needs step ${steps.indexOf(other) + 1}`,
          checked: step.after.includes(other.id),
          rule: at === 0,
          run: () => toggle(other.id),
        })),
        { id: 'remove', title: 'Remove', icon: 'trash', keys: 'delete', rule: true, run: acts.remove },
      ]}
    />
  );
}

/** What a step says: its line, which opens to be edited, what else is to be known, and its task where it has one. */
function StepBody({
  step,
  index,
  steps,
  fixed,
  words,
  onKeyDown,
  onEdit,
}: RowParts & { words: RefObject<HTMLButtonElement | null>; onKeyDown: (event: KeyboardEvent) => void; onEdit: () => void }) {
  const made = useCore((state) => (step.taskId ? state.board?.tasks[step.taskId] : undefined));
  const needs = needsWords(step, steps);
  return (
    <div className="step-body">
      {fixed ? (
        <p>{visible(step.text)}</p>
      ) : (
        <button
          ref={words}
          type="button"
          className="step-text"
          data-step={step.id}
          aria-label={`Step ${index + 1}: ${visible(step.text)}`}
          onKeyDown={onKeyDown}
          onClick={onEdit}
        >
          {visible(step.text)}
        </button>
      )}
      {step.detail && <p className="step-detail">{visible(step.detail)}</p>}
      {(needs || made) && (
        <p className="xs faint row">
          {needs}
          {made && (
            <button type="button" className="link" onClick={() => openTask(made.id)}>
              Open task
            </button>
          )}
        </p>
      )}
    </div>
  );
}

function StepMark({
  index,
  made,
  fixed,
  chosen,
  onChoose,
}: {
  index: number;
  made: boolean;
  fixed: boolean;
  chosen: boolean;
  onChoose: () => void;
}) {
  return (
    <>
      {made ? (
        <Icon name="mark" className="step-made" />
      ) : (
        !fixed && (
          <button
            type="button"
            role="checkbox"
            className="check"
            aria-checked={chosen}
            aria-label={`Choose step ${index + 1}`}
            onClick={onChoose}
          >
            {chosen && <Icon name="check" />}
          </button>
        )
      )}
      <span className="step-number">{index + 1}</span>
    </>
  );
}

interface RowParts {
  step: ProposalStep;
  index: number;
  steps: readonly ProposalStep[];
  /** Shown, not to be changed any more. */
  fixed: boolean;
}

/** One step of a plan: chosen by its box, changed by its menu or its keys. */
export function StepRow({
  chosen,
  startsOpen,
  onChoose,
  acts,
  ...parts
}: RowParts & { chosen: boolean; startsOpen: boolean; onChoose: () => void; acts: StepActs }) {
  const { step, index, steps, fixed } = parts;
  const [editing, setEditing] = useState(startsOpen);
  const words = useRef<HTMLButtonElement>(null);
  const leave = () => {
    setEditing(false);
    requestAnimationFrame(() => words.current?.focus());
  };
  const keys = (event: KeyboardEvent) => {
    const by = event.altKey && event.key === 'ArrowUp' ? -1 : event.altKey && event.key === 'ArrowDown' ? 1 : 0;
    if (by) acts.move(by);
    else if (event.key === 'Delete' || event.key === 'Backspace') acts.remove();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const save = (next: ProposalStep) => {
    acts.change(next);
    leave();
  };
  if (editing)
    return (
      <li className="step">
        <StepEditor step={step} onCancel={() => (step.text ? leave() : acts.remove())} onSave={save} />
      </li>
    );
  return (
    <li className="step">
      <StepMark index={index} made={step.taskId !== null} fixed={fixed} chosen={chosen} onChoose={onChoose} />
      <StepBody {...parts} words={words} onKeyDown={keys} onEdit={() => setEditing(true)} />
      {!fixed && <StepMenu step={step} index={index} steps={steps} acts={acts} onEdit={() => setEditing(true)} />}
    </li>
  );
}
