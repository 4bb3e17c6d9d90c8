import { useEffect, useId, useRef, useState, type KeyboardEvent } from 'react';
import { threadOf, toAppError, type AppError, type Hit, type TaskId, type ThreadId } from '../../../agent-core/contract/index.ts';
import { useCore } from '../../state/hooks.ts';
import { reveal } from '../../state/reveal.ts';
import { openTask } from '../../state/route.ts';
import { rpc } from '../../state/store.ts';
import { closeLayer, ui } from '../../state/ui.ts';
import { Button, Dialog, Empty, ErrorNote, moment } from '../../ui/index.ts';
import { visibleLine } from '../../ui/safe-text.ts';
import './search.css';

/** A pause in typing before the core is asked. */
const PAUSE_MS = 120;
const words: Record<string, string> = {
  userMessage: 'You',
  agentMessage: 'Agent',
  reasoning: 'Reasoning',
  command: 'Command',
  fileChange: 'Changes',
  plan: 'Plan',
  proposal: 'Plan',
  toolCall: 'Tool',
  approval: 'Approval',
  question: 'Question',
  notice: 'Notice',
};

/** The newest places for the words typed; null until there is an answer. */
function useHits(query: string, threadId: ThreadId | undefined): { hits: readonly Hit[] | null; error: AppError | null } {
  const [found, setFound] = useState<{ hits: readonly Hit[] | null; error: AppError | null }>({ hits: null, error: null });
  useEffect(() => {
    let over = false;
    const timer = setTimeout(() => {
      if (!query.trim()) return setFound({ hits: null, error: null });
      rpc()
        .call('search/items', { query, ...(threadId ? { threadId } : {}) })
        .then(
          ({ hits }) => over || setFound({ hits, error: null }),
          (thrown: unknown) => over || setFound({ hits: null, error: toAppError(thrown) }),
        );
    }, PAUSE_MS);
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [query, threadId]);
  return found;
}

function show({ taskId, threadId, itemId }: Hit): void {
  closeLayer();
  openTask(taskId);
  ui.setState(({ tabs }) => (tabs.includes('conversation') ? {} : { tabs: ['conversation'] }));
  reveal.setState({ at: { threadId, itemId } });
}

function Line({ hit, id, current, everywhere }: { hit: Hit; id: string; current: boolean; everywhere: boolean }) {
  const title = useCore(({ board }) => board?.tasks[hit.taskId]?.title ?? '');
  const row = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (current) row.current?.scrollIntoView({ block: 'nearest' });
  }, [current]);
  return (
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events -- the keys are the field's
    <li ref={row} id={id} role="option" aria-selected={current} className="hit" onClick={() => show(hit)}>
      <span className="hit-line cut">
        {visibleLine(hit.before)}
        <mark>{visibleLine(hit.match)}</mark>
        {visibleLine(hit.after)}
      </span>
      <span className="xs faint cut">
        {words[hit.type] ?? hit.type}
        {everywhere && ` in ${visibleLine(title)}`} · {moment(hit.at, Date.now())}
      </span>
    </li>
  );
}

/** Looks through one conversation or through all, while one types. Arrow keys choose, Enter goes there. */
export function SearchDialog({ taskId }: { taskId?: TaskId | undefined }) {
  const threadId = useCore(({ board }) => (board && taskId && board.tasks[taskId] ? threadOf(board, board.tasks[taskId])?.id : undefined));
  const [everywhere, setEverywhere] = useState(taskId === undefined);
  const [query, setQuery] = useState('');
  const [at, setAt] = useState(0);
  const { hits, error } = useHits(query, everywhere ? undefined : threadId);
  const list = useId();
  const keys = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing || !hits?.length) return;
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step) setAt((now) => Math.max(0, Math.min(hits.length - 1, now + step)));
    else if (event.key === 'Enter') show(hits[Math.min(at, hits.length - 1)]!);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog open wide onClose={closeLayer} title={everywhere ? 'Search all conversations' : 'Search this conversation'}>
      <div className="search-field">
        <input
          className="input"
          type="search"
          role="combobox"
          aria-label="Words to look for"
          aria-expanded={!!hits?.length}
          aria-controls={list}
          aria-activedescendant={hits?.length ? `${list}-${Math.min(at, hits.length - 1)}` : undefined}
          maxLength={200}
          value={query}
          onChange={(event) => {
            setQuery(event.target.value);
            setAt(0);
          }}
          onKeyDown={keys}
        />
        {threadId && (
          <Button aria-pressed={everywhere} onClick={() => setEverywhere(!everywhere)}>
            All conversations
          </Button>
        )}
      </div>
      {error && <ErrorNote error={error} />}
      <ul className="hits" role="listbox" aria-label="Found" id={list} tabIndex={hits?.length ? 0 : -1} hidden={!hits?.length}>
        {hits?.map((hit, index) => (
          <Line
            key={hit.itemId}
            id={`${list}-${index}`}
            hit={hit}
            current={index === Math.min(at, hits.length - 1)}
            everywhere={everywhere}
          />
        ))}
      </ul>
      {hits?.length === 0 && <Empty title="Nothing found">All the words must be in one message, command or change.</Empty>}
      <p className="vh" role="status">
        {hits ? `${hits.length} found` : ''}
      </p>
    </Dialog>
  );
}
