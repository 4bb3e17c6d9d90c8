import { useId, type ComponentProps, type ReactNode } from 'react';

/** A labelled field: the error stands under it and is told with it; else the hint. */
export function Field({
  label,
  error,
  hint,
  children,
}: {
  label: string;
  error?: string | undefined;
  hint?: ReactNode;
  children: (props: { id: string; 'aria-describedby'?: string; 'aria-invalid'?: true }) => ReactNode;
}) {
  const id = useId();
  const note = `${id}-note`;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({ id, ...(error || hint ? { 'aria-describedby': note } : {}), ...(error ? { 'aria-invalid': true as const } : {}) })}
      {error ? (
        <p className="wrong" id={note} role="alert">
          {error}
        </p>
      ) : (
        hint && (
          <p className="hint" id={note}>
            {hint}
          </p>
        )
      )}
    </div>
  );
}

/** A native list: keyboard, type-ahead and screen readers as the person knows them. */
export function Select<T extends string>({
  options,
  value,
  onChange,
  ...rest
}: {
  options: readonly { id: T; label: string; group?: string }[];
  value: T;
  onChange: (value: T) => void;
} & Omit<ComponentProps<'select'>, 'value' | 'onChange'>) {
  const groups = [...new Set(options.map((option) => option.group ?? ''))];
  const draw = (group: string) =>
    options
      .filter((option) => (option.group ?? '') === group)
      .map(({ id, label }) => (
        <option key={id} value={id}>
          {label}
        </option>
      ));
  return (
    <select className="select" value={value} onChange={(event) => onChange(event.target.value as T)} {...rest}>
      {groups.map((group) =>
        group ? (
          <optgroup key={group} label={group}>
            {draw(group)}
          </optgroup>
        ) : (
          draw(group)
        ),
      )}
    </select>
  );
}
