import { createContext, useContext, useState } from 'react';
import { useStore } from 'zustand/react';
import type { Task, Thread, Turn } from '../../../agent-core/contract/index.ts';
import { useCore } from '../../state/hooks.ts';
import { core } from '../../state/store.ts';
import { Button, ConfirmDialog, Dialog, Field, Icon, Menu, Select, isMac, plural } from '../../ui/index.ts';
import { ask, asked, bringBack, broughtBack, compact, editTo, forkFrom, restingWhy, runAgain, turnsFrom, undoTo } from './turn-control.ts';

/** The conversation that a menu stands in. */
export const TurnScope = createContext<{ task: Task; thread: Thread; turns: readonly Turn[] } | null>(null);

/** What can be done with one turn: on its end, and on the message that opened it. */
export function TurnMenu({ turnId, label, end }: { turnId: string; label: string; end?: boolean }) {
  const scope = useContext(TurnScope);
  const turn = scope?.turns.find(({ id }) => id === turnId);
  if (!scope || !turn) return null;
  const { task, thread } = scope;
  const next = scope.turns.find(({ number }) => number > turn.number);
  const disabled = restingWhy(task, thread);
  const runs = turn.status === 'running' ? 'This turn is still running' : undefined;
  return (
    <Menu
      label={label}
      trigger={
        <button type="button" className="btn btn-quiet btn-icon btn-24 turn-menu" aria-label={label}>
          <Icon name="more" />
        </button>
      }
      entries={[
        ...(end && next
          ? [{ id: 'undo-to', title: 'Undo to here', icon: 'undo' as const, disabled, run: () => ask('undo', thread, next) }]
          : []),
        { id: 'undo', title: end ? 'Undo this turn' : 'Undo to here', icon: 'undo', disabled, run: () => ask('undo', thread, turn) },
        { id: 'edit', title: 'Edit the message', icon: 'pencil', disabled, run: () => ask('edit', thread, turn) },
        { id: 'retry', title: 'Run again with…', icon: 'play', disabled, run: () => ask('retry', thread, turn) },
        { id: 'fork', title: 'Fork from its end', icon: 'fork', disabled: runs, run: () => void forkFrom(thread, turn) },
      ]}
    />
  );
}

/** Undone turns stand at the end until they are brought back. */
export function UndoneLine() {
  const scope = useContext(TurnScope);
  const undone = scope && broughtBack(scope.thread, scope.turns);
  if (!scope || !undone) return null;
  const last = undone.number + undone.turns - 1;
  return (
    <div className="notice undone" role="note">
      <Icon name="undo" className="faint" />
      <span className="muted grow">
        {undone.turns === 1
          ? `Turn ${undone.number} was undone`
          : `Turns ${undone.number} ${undone.turns === 2 ? 'and' : 'to'} ${last} were undone`}
        , with their files.
      </span>
      <Button
        look="quiet"
        small
        icon="redo"
        disabled={restingWhy(scope.task, scope.thread) !== undefined}
        onClick={() => void bringBack(scope.thread, undone)}
      >
        Bring back
      </Button>
    </div>
  );
}

const KEPT = 'What is there now is kept and can be brought back. Ignored files, commits on the branch and terminals stay as they are.';
const close = () => asked.setState({ asked: null });
const later = (count: number) => (count > 1 ? ` and ${plural(count - 1, 'later turn')}` : '');

function Undo({ thread, turn }: { thread: Thread; turn: Turn }) {
  const count = turnsFrom(thread, turn);
  return (
    <ConfirmDialog
      open
      title={count === 1 ? `Undo turn ${turn.number}?` : `Undo ${count} turns?`}
      action={count === 1 ? `Undo turn ${turn.number}` : `Undo ${count} turns`}
      onClose={close}
      onConfirm={() => void undoTo(thread, turn)}
    >
      <p>
        Turn {turn.number}
        {later(count)} {count === 1 ? 'leaves' : 'leave'} the conversation, and the files go back to how they were before.
      </p>
      <p className="muted">{KEPT}</p>
    </ConfirmDialog>
  );
}

/** What opened a turn, as far as this page has read it. */
function said(threadId: string, turnId: string): string {
  const state = core.getState().threads[threadId];
  const items = state?.order.flatMap((id) => state.items[id] ?? []) ?? [];
  return items
    .flatMap((item) => (item.turnId === turnId && item.type === 'userMessage' && item.via !== 'steer' ? [item.text] : []))
    .join('\n\n');
}

function Edit({ thread, turn }: { thread: Thread; turn: Turn }) {
  const [text, setText] = useState(() => said(thread.id, turn.id));
  const count = turnsFrom(thread, turn);
  const action = count === 1 ? `Replace turn ${turn.number}` : `Replace ${count} turns`;
  const send = () => {
    if (!text.trim()) return;
    close();
    void editTo(thread, turn, text);
  };
  return (
    <Dialog
      open
      wide
      onClose={close}
      title={`Edit the message of turn ${turn.number}`}
      onKeyDown={(event) => {
        if (event.key === 'Enter' && !event.nativeEvent.isComposing && (isMac ? event.metaKey : event.ctrlKey)) send();
      }}
      foot={
        <>
          <Button onClick={close}>Cancel</Button>
          <Button look="fill" keys="mod+enter" disabled={!text.trim()} onClick={send}>
            {action}
          </Button>
        </>
      }
    >
      <Field
        label="Message"
        hint={`Turn ${turn.number}${later(count)} ${count === 1 ? 'is' : 'are'} undone first, with the files. ${KEPT}`}
      >
        {(props) => <textarea {...props} className="input" rows={6} value={text} onChange={(event) => setText(event.target.value)} />}
      </Field>
    </Dialog>
  );
}

function Retry({ thread, turn }: { thread: Thread; turn: Turn }) {
  const models = useCore((state) => state.board?.settings.models ?? []);
  const now = useCore((state) => state.board?.tasks[thread.taskId]?.model ?? '');
  const [model, setModel] = useState(now);
  const options = models.some(({ id }) => id === now) ? models : [{ id: now, label: now }, ...models];
  const count = turnsFrom(thread, turn);
  return (
    <Dialog
      open
      onClose={close}
      title={`Run turn ${turn.number} again`}
      foot={
        <>
          <Button onClick={close}>Cancel</Button>
          <Button
            look="fill"
            onClick={() => {
              close();
              void runAgain(thread, turn, model);
            }}
          >
            {count === 1 ? `Run turn ${turn.number} again` : `Replace ${count} turns`}
          </Button>
        </>
      }
    >
      <Field label="Model" hint={`Turn ${turn.number}${later(count)} ${count === 1 ? 'is' : 'are'} undone first, with the files. ${KEPT}`}>
        {(props) => <Select {...props} options={options.map(({ id, label }) => ({ id, label }))} value={model} onChange={setModel} />}
      </Field>
    </Dialog>
  );
}

function Compact({ thread }: { thread: Thread }) {
  const [hint, setHint] = useState('');
  const run = () => {
    close();
    void compact(thread, hint);
  };
  return (
    <Dialog
      open
      onClose={close}
      title="Summarize the conversation"
      foot={
        <>
          <Button onClick={close}>Cancel</Button>
          <Button look="fill" onClick={run}>
            Summarize
          </Button>
        </>
      }
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          run();
        }}
      >
        <Field
          label="What to keep above all"
          hint="The model goes on with a summary, your newest messages, the plan and the changed files. Here everything stays readable, and the turn can be undone. Typing /compact does the same."
        >
          {(props) => (
            <input {...props} className="input" value={hint} maxLength={4000} onChange={(event) => setHint(event.target.value)} />
          )}
        </Field>
      </form>
    </Dialog>
  );
}

/** The question that is open about a turn of this thread, if there is one. */
export function TurnDialogs({ threadId }: { threadId: string }) {
  const about = useStore(asked, (state) => state.asked);
  if (!about || about.thread.id !== threadId) return null;
  const Body = { undo: Undo, edit: Edit, retry: Retry, compact: Compact }[about.what];
  return <Body thread={about.thread} turn={about.turn} />;
}
