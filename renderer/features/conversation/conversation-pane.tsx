import { useCallback, useEffect, useMemo, useState, type ReactNode } from 'react';
import { threadOf, toAppError, type AppError, type Item, type TaskId, type Thread, type Turn } from '../../../agent-core/contract/index.ts';
import { useActions } from '../../actions/hooks.ts';
import { runAction } from '../../actions/registry.ts';
import { useCore, useThread } from '../../state/hooks.ts';
import { readOlder, reloadThread } from '../../state/store.ts';
import type { ThreadState } from '../../state/threads.ts';
import { Button, Empty, ErrorNote, Skeleton } from '../../ui/index.ts';
import { ItemBlock, TurnEnd } from './blocks.tsx';
import { Composer } from './composer.tsx';
import { OpenerContext } from './evidence.tsx';
import { useFollowEnd } from './follow-end.ts';
import { LiveLine } from './live-line.tsx';
import { useRevealed, useShown, useTrim } from './places.ts';
import { rowsOf, waitingCalls, type Row } from './rows.ts';
import { ToolLine } from './tool-line.tsx';
import { turnActions } from './turn-control.ts';
import { TurnDialogs, TurnScope, UndoneLine } from './turn-menu.tsx';
import './conversation.css';

export interface ConversationProps {
  taskId: TaskId;
  /** An item to open and bring into view; a new object asks again. */
  focus?: { itemId: string } | null;
  onOpenFile?: (path: string, line?: number) => void;
  /** Draws items that other features know; give a stable function. */
  renderItem?: (item: Item, taskId: TaskId) => ReactNode;
  /** Stands above the first message: the state of the workspace. */
  above?: ReactNode;
}

/** A script that prepares the worktree is watched while it runs: nothing else happens then. */
const opensItself = (item: Item): boolean => item.type === 'command' && item.script !== undefined && item.status === 'running';

function Rows({
  rows,
  waiting,
  taskId,
  opened,
  toggle,
  onOpenFile,
  renderItem,
}: {
  rows: readonly Row[];
  waiting: ReadonlySet<string>;
  taskId: TaskId;
  opened: ReadonlySet<string>;
  toggle: (id: string) => void;
  onOpenFile: ((path: string) => void) | undefined;
  renderItem: ConversationProps['renderItem'];
}) {
  const retry = useCallback(() => {
    void runAction('task.retry', taskId);
  }, [taskId]);
  const lastEnd = rows.findLast((row) => row.kind === 'turn-end')?.key;
  return rows.map((row) => {
    if (row.kind === 'item')
      return (
        <div key={row.key} className="row-box">
          {renderItem?.(row.item, taskId) ?? <ItemBlock item={row.item} />}
        </div>
      );
    if (row.kind === 'turn-end') return <TurnEnd key={row.key} turn={row.turn} last={row.key === lastEnd} onRetry={retry} />;
    return (
      <div key={row.key} className="tools row-box">
        {row.items.map((item) => (
          <ToolLine
            key={item.id}
            item={item}
            open={opened.has(item.id) !== opensItself(item)}
            waiting={waiting.has(item.id)}
            onToggle={toggle}
            onOpenFile={onOpenFile}
          />
        ))}
      </div>
    );
  });
}

function Older({ threadId }: { threadId: Thread['id'] }) {
  const [error, setError] = useState<AppError | null>(null);
  const [busy, setBusy] = useState(false);
  const read = () => {
    setBusy(true);
    readOlder(threadId)
      .then(
        () => setError(null),
        (thrown: unknown) => setError(toAppError(thrown)),
      )
      .finally(() => setBusy(false));
  };
  return (
    <div className="older">
      {error && <ErrorNote error={error} />}
      <Button look="quiet" small disabled={busy} onClick={read}>
        Show earlier messages
      </Button>
    </div>
  );
}

function Body({
  taskId,
  thread,
  state,
  focus,
  onOpenFile,
  renderItem,
  above,
}: ConversationProps & { thread: Thread; state: ThreadState | undefined }) {
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const { rows, waiting } = useMemo(() => {
    const items = state ? state.order.flatMap((id) => state.items[id] ?? []) : [];
    return { rows: rowsOf(items, state?.turns ?? []), waiting: waitingCalls(items) };
  }, [state]);
  const { box, inner, away, toEnd } = useFollowEnd(state?.order[0]);
  const toggle = useCallback(
    (id: string) =>
      setOpened((before) => {
        const next = new Set(before);
        if (!next.delete(id)) next.add(id);
        return next;
      }),
    [],
  );
  useShown(focus, setOpened);
  useShown(useRevealed(thread.id, state?.status === 'ready'), setOpened);
  const ready = state?.status === 'ready';
  useTrim(thread.id, state?.order.length ?? 0, away);
  return (
    <div className="flow-box">
      <div className="flow" role="log" aria-label="Conversation" aria-live="off" tabIndex={0} ref={box}>
        <div className="flow-inner" ref={inner}>
          {above}
          {ready && state.more && <Older threadId={thread.id} />}
          {!ready && state?.status !== 'failed' && <Skeleton lines={6} label="Reading the conversation" />}
          {state?.status === 'failed' && state.error && (
            <ErrorNote
              error={state.error}
              actions={
                <Button small onClick={() => reloadThread(thread.id)}>
                  Try again
                </Button>
              }
            />
          )}
          {ready && <Rows {...{ rows, waiting, taskId, opened, toggle, onOpenFile, renderItem }} />}
          {ready && <UndoneLine />}
          {ready && thread.turn?.status === 'running' && <LiveLine taskId={taskId} />}
        </div>
      </div>
      {away && (
        <Button className="jump" small icon="down" onClick={toEnd}>
          Jump to latest
        </Button>
      )}
    </div>
  );
}

const NONE: readonly Turn[] = [];

/** Opens what a message cites: a command here, a file where the page shows files. */
function useOpener({ focus: asked, onOpenFile }: ConversationProps) {
  const [focus, setFocus] = useState(asked ?? null);
  useEffect(() => setFocus(asked ?? null), [asked]);
  const opener = useMemo(
    () => ({ openItem: (itemId: string) => setFocus({ itemId }), openFile: (path: string, line?: number) => onOpenFile?.(path, line) }),
    [onOpenFile],
  );
  return { focus, opener };
}

/** A task's conversation with its composer. */
export function ConversationPane(props: ConversationProps) {
  const { taskId, above } = props;
  const task = useCore((state) => state.board?.tasks[taskId]);
  const thread = useCore((state) => {
    const known = state.board?.tasks[taskId];
    return state.board && known ? threadOf(state.board, known) : undefined;
  });
  const state = useThread(thread?.id);
  const turns = state?.turns ?? NONE;
  const scope = useMemo(() => (task && thread ? { task, thread, turns } : null), [task, thread, turns]);
  const { focus, opener } = useOpener(props);
  useActions(turnActions);
  if (!task) return null;
  if (!thread) {
    return (
      <div className="convo-empty" data-scope="conversation">
        {above}
        <article className="say" aria-label="You">
          <p className="said">{task.prompt}</p>
        </article>
        <Empty title="Not started yet">The conversation begins when the task starts.</Empty>
      </div>
    );
  }
  const closed = task.phase === 'trashed' ? 'The task is in the trash' : null;
  return (
    <div className="convo-pane" data-scope="conversation">
      <TurnScope value={scope}>
        <OpenerContext value={opener}>
          <Body {...props} focus={focus} thread={thread} state={state} />
        </OpenerContext>
      </TurnScope>
      <TurnDialogs threadId={thread.id} />
      <Composer
        key={thread.id}
        thread={thread}
        first={task.kind ?? 'work'}
        running={thread.turn?.status === 'running'}
        disabledWhy={closed}
      />
    </div>
  );
}
