import { useEffect, useState } from 'react';
import { toAppError, type AppError, type SpendRow } from '../../../agent-core/contract/index.ts';
import { onEvents, rpc } from '../../state/store.ts';
import { daysBefore } from './sums.ts';

const AGAIN_MS = 1000;

export interface Spending {
  rows: readonly SpendRow[];
  today: string;
}

/** The accounts of the last days, read again while tasks spend. */
export function useSpend(days: number): { spending: Spending | null; error: AppError | null } {
  const [spending, setSpending] = useState<Spending | null>(null);
  const [error, setError] = useState<AppError | null>(null);
  useEffect(() => {
    let gone = false;
    let timer: ReturnType<typeof setTimeout> | null = null;
    const read = async () => {
      timer = null;
      try {
        const { rows, today } = await rpc().call('usage/read', {});
        if (gone) return;
        const from = daysBefore(today, days - 1);
        setSpending({ rows: rows.filter(({ day }) => day >= from && day <= today), today });
        setError(null);
      } catch (thrown) {
        if (!gone) setError(toAppError(thrown));
      }
    };
    void read();
    const off = onEvents((events) => {
      if (events.some(({ event }) => event.type === 'turn.spent' || event.type === 'task.purged'))
        timer ??= setTimeout(() => void read(), AGAIN_MS);
    });
    return () => {
      gone = true;
      off();
      if (timer) clearTimeout(timer);
    };
  }, [days]);
  return { spending, error };
}
