import { useCallback, useEffect, useState } from 'react';
import { toAppError, type AppError } from '../../../agent-core/contract/index.ts';

export interface Asked<T> {
  value: T | null;
  error: AppError | null;
  busy: boolean;
  again: () => void;
}

/** Asks the core when `ask` changes (keep it stable with `useCallback`) and whenever `again` is called. */
export function useAsked<T>(ask: () => Promise<T>): Asked<T> {
  const [state, setState] = useState<{ value: T | null; error: AppError | null }>({ value: null, error: null });
  const [busy, setBusy] = useState(true);
  const [round, setRound] = useState(0);
  useEffect(() => {
    let gone = false;
    setBusy(true);
    ask()
      .then(
        (value) => {
          if (!gone) setState({ value, error: null });
        },
        (thrown: unknown) => {
          if (!gone) setState((before) => ({ ...before, error: toAppError(thrown) }));
        },
      )
      .finally(() => {
        if (!gone) setBusy(false);
      });
    return () => {
      gone = true;
    };
  }, [ask, round]);
  return { ...state, busy, again: useCallback(() => setRound((now) => now + 1), []) };
}
