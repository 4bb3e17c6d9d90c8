import { useState } from 'react';
import { BUDGET_KINDS, limitWords, type Budget, type BudgetKind, type Budgets } from '../../agent-core/contract/index.ts';
import { Field } from './field.tsx';

const names: Record<BudgetKind, string> = { tokens: 'Tokens', money: 'US dollars', minutes: 'Minutes of work', commands: 'Commands' };

const text = (value: number | null | undefined): string => (value === undefined ? '' : value === null ? '0' : String(value));

/** A limit as typed: nothing where the field is empty, null for 0, which is no limit; 'wrong' where it is no number. */
function read(kind: BudgetKind, typed: string): number | null | undefined | 'wrong' {
  const bare = typed.replaceAll(/[\s,_$]/g, '');
  if (!bare) return undefined;
  const value = Number(bare);
  if (!Number.isFinite(value) || value < 0) return 'wrong';
  if (value === 0) return null;
  return kind === 'tokens' || kind === 'commands' ? Math.max(1, Math.round(value)) : value;
}

function Limit({
  kind,
  value,
  wider,
  onChange,
}: {
  kind: BudgetKind;
  value: number | null | undefined;
  wider: number | null | undefined;
  onChange: (value: number | null | undefined) => void;
}) {
  const [typed, setTyped] = useState<string | null>(null);
  const wrong = typed !== null && read(kind, typed) === 'wrong';
  return (
    <Field label={names[kind]} error={wrong ? 'A number, or 0 for no limit.' : undefined}>
      {(props) => (
        <input
          {...props}
          className="input"
          inputMode="decimal"
          placeholder={wider ? limitWords(kind, wider) : 'No limit'}
          value={typed ?? text(value)}
          onChange={(event) => setTyped(event.target.value)}
          onBlur={() => {
            const next = typed === null ? value : read(kind, typed);
            if (next === 'wrong') return;
            setTyped(null);
            if (next !== value) onChange(next);
          }}
        />
      )}
    </Field>
  );
}

function Scope({ title, value, wider, onChange }: { title: string; value: Budget; wider: Budget; onChange: (budget: Budget) => void }) {
  return (
    <fieldset className="budget">
      <legend className="sm muted">{title}</legend>
      <div className="fields">
        {BUDGET_KINDS.map((kind) => (
          <Limit
            key={kind}
            kind={kind}
            value={value[kind]}
            wider={wider[kind]}
            onChange={(limit) => {
              const { [kind]: _old, ...rest } = value;
              onChange(limit === undefined ? rest : { ...rest, [kind]: limit });
            }}
          />
        ))}
      </div>
    </fieldset>
  );
}

/** What may be spent before a person is asked; empty fields show what the wider scope says. Told as soon as a field is left. */
export function BudgetFields({ value, wider, onChange }: { value: Budgets; wider: Budgets; onChange: (budgets: Budgets) => void }) {
  return (
    <>
      <Scope title="Each turn" value={value.turn ?? {}} wider={wider.turn ?? {}} onChange={(turn) => onChange({ ...value, turn })} />
      <Scope title="A whole task" value={value.task ?? {}} wider={wider.task ?? {}} onChange={(task) => onChange({ ...value, task })} />
      <p className="hint">When a budget is spent the work stops before its next step and asks. 0 is no limit.</p>
    </>
  );
}
