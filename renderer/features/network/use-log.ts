import { useCallback, useEffect, useRef, useState } from 'react';
import { toAppError, type AppError, type Connection, type TaskId } from '../../../agent-core/contract/index.ts';
import { onNetwork, rpc } from '../../state/store.ts';

const PAGE = 100;

export interface Log {
  /** Newest first; null until they were read. */
  entries: readonly Connection[] | null;
  more: boolean;
  error: AppError | null;
  older: () => void;
}

/** A task's connections, read in pages and followed as long as they are shown. */
export function useLog(taskId: TaskId): Log {
  const [entries, setEntries] = useState<readonly Connection[] | null>(null);
  const [more, setMore] = useState(false);
  const [error, setError] = useState<AppError | null>(null);
  const last = useRef<number | undefined>(undefined);
  const fail = (thrown: unknown) => setError(toAppError(thrown));
  useEffect(() => {
    let gone = false;
    setEntries(null);
    const read = (first: boolean) => {
      rpc()
        .call('network/log', { taskId, limit: PAGE })
        .then((page) => {
          if (gone) return;
          setError(null);
          // What came by meanwhile is put on top; where it is more than a page, the list begins anew.
          setEntries((known) => {
            const oldest = page.entries.at(-1)?.number ?? 0;
            const joins = known?.some(({ number }) => number >= oldest - 1) ?? false;
            return joins ? [...page.entries, ...known!.filter(({ number }) => number < oldest)] : page.entries;
          });
          if (first) setMore(page.more);
        }, fail);
    };
    read(true);
    const stop = onNetwork((id) => {
      if (id === taskId) read(false);
    });
    return () => {
      gone = true;
      stop();
    };
  }, [taskId]);
  last.current = entries?.at(-1)?.number;
  const older = useCallback(() => {
    const before = last.current;
    if (before === undefined) return;
    rpc()
      .call('network/log', { taskId, before, limit: PAGE })
      .then((page) => {
        setEntries((known) => [...(known ?? []), ...page.entries.filter(({ number }) => !known?.some((one) => one.number === number))]);
        setMore(page.more);
      }, fail);
  }, [taskId]);
  return { entries, more, error, older };
}
