import { useCallback, useEffect, useRef, useState } from 'react';
import { toAppError, type AppError, type TaskId, type TerminalId, type TerminalInfo } from '../../../agent-core/contract/index.ts';
import { useCore } from '../../state/hooks.ts';
import { rpc } from '../../state/store.ts';

export interface Terminals {
  list: readonly TerminalInfo[] | null;
  active: TerminalId | null;
  error: AppError | null;
  pick: (id: TerminalId) => void;
  open: () => void;
  /** Outside the sandbox: only after the person confirmed this very terminal. */
  openOutside: () => void;
  close: (id: TerminalId) => void;
  update: (info: TerminalInfo) => void;
  fail: (thrown: unknown) => void;
}

const SIZE = { cols: 100, rows: 24 };

/** The terminals of a task. With none there, one is opened as soon as `ready`. */
export function useTerminals(taskId: TaskId, ready: boolean): Terminals {
  const [list, setList] = useState<readonly TerminalInfo[] | null>(null);
  const [active, setActive] = useState<TerminalId | null>(null);
  const [error, setError] = useState<AppError | null>(null);
  const fail = useCallback((thrown: unknown) => setError(toAppError(thrown)), []);
  const start = useCallback(
    (outside: boolean) => {
      rpc()
        .call('terminal/open', { taskId, ...SIZE, ...(outside ? { outside } : {}) })
        .then((info) => {
          setList((before) => [...(before ?? []).filter((known) => known.id !== info.id), info]);
          setActive(info.id);
          setError(null);
        }, fail);
    },
    [taskId, fail],
  );
  const open = useCallback(() => start(false), [start]);
  const openOutside = useCallback(() => start(true), [start]);
  useEffect(() => {
    if (!ready) return undefined;
    let gone = false;
    rpc()
      .call('terminal/list', { taskId })
      .then(
        ({ terminals }) => {
          if (gone) return;
          setList(terminals);
          setActive(terminals.find((info) => info.running)?.id ?? terminals[0]?.id ?? null);
          if (terminals.length === 0) open();
        },
        (thrown: unknown) => {
          if (!gone) fail(thrown);
        },
      );
    return () => {
      gone = true;
    };
  }, [taskId, ready, open, fail]);
  // An action that was started, from here or elsewhere, has a tab of its own: it comes to the front.
  const running = useCore((state) => state.board?.tasks[taskId]?.running);
  const seen = useRef(running);
  useEffect(() => {
    const before = seen.current;
    seen.current = running;
    if (!ready || before === running) return;
    const news = running?.findLast(({ terminalId }) => !before?.some((known) => known.terminalId === terminalId));
    rpc()
      .call('terminal/list', { taskId })
      .then(({ terminals }) => {
        setList(terminals);
        if (news) setActive(news.terminalId);
      }, fail);
  }, [running, ready, taskId, fail]);
  const close = useCallback((id: TerminalId) => {
    rpc()
      .call('terminal/close', { terminalId: id })
      .catch(() => undefined);
    setList((before) => {
      const left = (before ?? []).filter((info) => info.id !== id);
      setActive((now) => (now === id ? (left.at(-1)?.id ?? null) : now));
      return left;
    });
  }, []);
  const update = useCallback(
    (info: TerminalInfo) => setList((before) => (before ?? []).map((known) => (known.id === info.id ? info : known))),
    [],
  );
  return { list, active, error, pick: setActive, open, openOutside, close, update, fail };
}
