import { useEffect, useRef, useState, type KeyboardEvent, type RefObject } from 'react';
import { toAppError, type AppError, type Thread, type ThreadId, type TurnKind } from '../../../agent-core/contract/index.ts';
import { slashReview } from '../../state/reviews.ts';
import { useCore } from '../../state/hooks.ts';
import { rpc } from '../../state/store.ts';
import { attachFiles } from '../../state/attach.ts';
import { suggestFor } from '../../state/suggest.ts';
import { Button, ErrorNote, IconButton, Kbd, isMac, CompletingArea } from '../../ui/index.ts';
import { QueueList } from './queue-list.tsx';
import { KindMenu, useKind } from './kind-menu.tsx';
import { ModelPicker, turnModel } from './model-picker.tsx';

type How = 'send' | 'queue';
const placeholders: Record<TurnKind, string> = {
  work: 'Reply to the agent',
  plan: 'Say what to plan, or what to change in the plan',
  ask: 'Ask about the code',
};
const drafts = new Map<string, string>();

function ComposerActs({
  running,
  idle,
  kind,
  onKind,
  onSend,
}: {
  running: boolean;
  idle: boolean;
  kind: TurnKind;
  onKind: (kind: TurnKind) => void;
  onSend: (how: How) => void;
}) {
  return (
    <div className="composer-acts">
      <KindMenu kind={kind} onKind={onKind} />
      {running && (
        <Button look="quiet" small keys="mod+shift+enter" showKeys={false} disabled={idle} onClick={() => onSend('queue')}>
          Queue
        </Button>
      )}
      {running && (
        <Button look="quiet" small keys="mod+enter" disabled={idle} onClick={() => onSend('send')}>
          Steer
        </Button>
      )}
      {!running && <Kbd keys="mod+enter" />}
      {!running && <IconButton icon="send" label="Send" keys="mod+enter" small disabled={idle} onClick={() => onSend('send')} />}
    </div>
  );
}

/** `/compact` with what to keep is no message. */
async function say(thread: Thread, text: string, how: How, running: boolean, kind: TurnKind): Promise<void> {
  const { id: threadId, turn } = thread;
  const compact = /^\/compact(?:\s+([^]*))?$/.exec(text.trim());
  const review = slashReview(text);
  if (review) await rpc().call('review/start', { taskId: thread.taskId, target: review });
  else if (compact) await rpc().call('thread/compact', { threadId, hint: compact[1] ?? '' });
  else if (how === 'queue') await rpc().call('queue/add', { threadId, text, kind, ...turnModel(thread) });
  else if (running && turn) await rpc().call('turn/steer', { threadId, turnId: turn.id, text });
  else await rpc().call('turn/start', { threadId, text, kind, ...turnModel(thread) });
}

/** What is typed stays when the page is left. */
function useDraft(threadId: ThreadId): [string, (text: string) => void] {
  const [text, setText] = useState(drafts.get(threadId) ?? '');
  useEffect(() => {
    drafts.set(threadId, text);
  }, [threadId, text]);
  return [text, setText];
}

/** The field is as high as its text, up to a dozen lines. */
function useGrowing(field: RefObject<HTMLTextAreaElement | null>, text: string): void {
  useEffect(() => {
    const area = field.current;
    if (!area) return;
    area.style.height = 'auto';
    area.style.height = `${Math.min(area.scrollHeight, 240)}px`;
  }, [field, text]);
}

/**
 * Where a person answers the agent. Idle: ⌘↵ sends. While a turn runs: ⌘↵ steers it at its next step, and Queue keeps
 * the message for the next turn. What is typed stays when the page is left.
 */
export function Composer({
  thread,
  first,
  running,
  disabledWhy,
}: {
  thread: Thread;
  /** What the task's first turn is for. */
  first: TurnKind;
  running: boolean;
  disabledWhy: string | null;
}) {
  const { kind, choose, reset, onTab } = useKind(thread, first);
  const [text, setText] = useDraft(thread.id);
  const [error, setError] = useState<AppError | null>(null);
  const [busy, setBusy] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  useGrowing(field, text);
  const send = async (how: How): Promise<void> => {
    const words = text;
    if (!words.trim() || busy || disabledWhy) return;
    const sentFrom = document.activeElement;
    setBusy(true);
    setError(null);
    try {
      await say(thread, words, how, running, kind);
      setText('');
      reset();
    } catch (thrown) {
      setError(toAppError(thrown));
    } finally {
      setBusy(false);
      // Whoever has gone elsewhere meanwhile, to the palette say, stays there.
      if (document.activeElement === sentFrom || document.activeElement === document.body) field.current?.focus();
    }
  };
  const projectId = useCore(({ board }) => board?.tasks[thread.taskId]?.projectId ?? null);
  const attach = (files: readonly File[]) =>
    attachFiles(files).catch((thrown: unknown) => {
      setError(toAppError(thrown));
      return '';
    });
  const keys = (event: KeyboardEvent) => {
    if (onTab(event)) return;
    if (event.nativeEvent.isComposing || event.key !== 'Enter' || !(isMac ? event.metaKey : event.ctrlKey)) return;
    event.preventDefault();
    void send(event.shiftKey && running ? 'queue' : 'send');
  };
  return (
    <div className="compose-box">
      <QueueList thread={thread} running={running} onError={setError} />
      {error && <ErrorNote error={error} onDismiss={() => setError(null)} />}
      <div className="composer">
        <CompletingArea
          field={field}
          rows={1}
          aria-label="Message to the agent"
          placeholder={disabledWhy ?? (running ? 'Steer this turn' : placeholders[kind])}
          text={text}
          setText={setText}
          disabled={disabledWhy !== null}
          suggest={(asking) => suggestFor({ projectId, taskId: thread.taskId }, asking)}
          attach={attach}
          onKeyDown={keys}
        />
        <ComposerActs
          kind={kind}
          onKind={choose}
          running={running}
          idle={!text.trim() || busy || disabledWhy !== null}
          onSend={(how) => void send(how)}
        />
      </div>
      <ModelPicker thread={thread} />
    </div>
  );
}
