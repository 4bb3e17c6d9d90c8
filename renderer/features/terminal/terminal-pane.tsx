import { useEffect, useEffectEvent, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import '@xterm/xterm/css/xterm.css';
import { workspaceOf, type TaskId, type TerminalInfo } from '../../../agent-core/contract/index.ts';
import { useActions } from '../../actions/hooks.ts';
import { actionId } from '../../actions/recipe.ts';
import { runAction, type Action } from '../../actions/registry.ts';
import { useCore, useUi } from '../../state/hooks.ts';
import { closeLayer } from '../../state/ui.ts';
import { Button, ConfirmDialog, Empty, ErrorNote, Icon, IconButton, plural } from '../../ui/index.ts';
import { visible, visibleLine } from '../../ui/safe-text.ts';
import { shownTheme, useShownTheme } from '../../ui/use-theme.ts';
import { Screen } from './screen.ts';
import { useTerminals, type Terminals } from './use-terminals.ts';
import './terminal.css';

interface Paste {
  text: string;
  go: () => void;
}

function Find({ screen, onClose }: { screen: Screen | null; onClose: () => void }) {
  const keys = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key === 'Escape') {
      event.stopPropagation();
      onClose();
    }
    if (event.key === 'Enter') {
      event.preventDefault();
      if (event.shiftKey) screen?.search.findPrevious(event.currentTarget.value);
      else screen?.search.findNext(event.currentTarget.value);
    }
  };
  return (
    <input
      className="input term-find"
      autoFocus
      aria-label="Find in the terminal"
      placeholder="Find"
      onKeyDown={keys}
      onChange={(event) => screen?.search.findNext(event.target.value, { incremental: true })}
    />
  );
}

/** One terminal's screen. Mounted anew for each terminal. */
function ScreenBox({
  info,
  terminals,
  onScreen,
  autoFocus,
}: {
  info: TerminalInfo;
  terminals: Terminals;
  onScreen: (screen: Screen | null) => void;
  autoFocus: boolean;
}) {
  const element = useRef<HTMLDivElement>(null);
  const screen = useRef<Screen | null>(null);
  const theme = useShownTheme();
  const [paste, setPaste] = useState<Paste | null>(null);
  const { update, fail } = terminals;
  const { id } = info;
  const exited = useEffectEvent((exitCode: number | null) => update({ ...info, running: false, exitCode }));
  const wantsFocus = useEffectEvent(() => autoFocus);
  useEffect(() => {
    if (!element.current) return undefined;
    const made = new Screen(id, element.current, shownTheme(), {
      info: update,
      failed: fail,
      paste: (text, go) => setPaste({ text, go }),
      exited: (exitCode) => exited(exitCode),
    });
    screen.current = made;
    onScreen(made);
    if (wantsFocus()) made.terminal.focus();
    return () => {
      made.dispose();
      screen.current = null;
      onScreen(null);
    };
  }, [id, update, fail, onScreen]);
  useEffect(() => {
    screen.current?.theme(theme);
  }, [theme]);
  const lines = paste ? paste.text.replace(/[\r\n]+$/, '').split(/\r\n|\r|\n/).length : 0;
  return (
    <>
      <div className="term-screen" role="group" aria-label="Terminal" data-terminal ref={element} />
      <ConfirmDialog
        open={paste !== null}
        title={`Paste ${plural(lines, 'line')} into the terminal?`}
        action={`Paste ${plural(lines, 'line')}`}
        onClose={() => setPaste(null)}
        onConfirm={() => paste?.go()}
      >
        <p className="muted">A shell runs each line as it arrives.</p>
        <pre className="cmd term-paste" tabIndex={0} aria-label="What would be pasted">
          {visible(paste?.text ?? '').slice(0, 4000)}
        </pre>
      </ConfirmDialog>
    </>
  );
}

function TabRow({ terminals }: { terminals: Terminals }) {
  const { list, active, pick, close } = terminals;
  const move = (event: KeyboardEvent<HTMLDivElement>) => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    const at = list?.findIndex((info) => info.id === active) ?? -1;
    const next = list?.[(at + step + list.length) % list.length];
    if (event.key === 'Delete' && active) close(active);
    if (!step || !next) return;
    event.preventDefault();
    pick(next.id);
    document.getElementById(`term-tab-${next.id}`)?.focus();
  };
  return (
    <div className="tabs" role="tablist" aria-label="Terminals" onKeyDown={move}>
      {(list ?? []).map((info, index) => (
        <button
          key={info.id}
          type="button"
          className={`tab${info.outside ? ' tab-outside' : ''}`}
          role="tab"
          id={`term-tab-${info.id}`}
          aria-selected={info.id === active}
          tabIndex={info.id === active ? 0 : -1}
          onClick={() => pick(info.id)}
        >
          {info.outside && <Icon small name="unlock" />}
          {visibleLine(info.title || `Terminal ${index + 1}`)}
          {!info.running && <span className="faint xs">ended</span>}
        </button>
      ))}
    </div>
  );
}

interface HeadProps {
  taskId: TaskId;
  terminals: Terminals;
  info: TerminalInfo | undefined;
  ready: boolean;
  full: boolean;
  screen: Screen | null;
  finding: boolean;
  onFind: (finding: boolean) => void;
  onClose: (() => void) | undefined;
}

function Head({ taskId, terminals, info, ready, full, screen, finding, onFind, onClose }: HeadProps) {
  const several = (terminals.list?.length ?? 0) > 1;
  const leave = () => {
    onFind(false);
    screen?.terminal.focus();
  };
  return (
    <div className="term-head">
      {(terminals.list?.length ?? 0) > 0 && <TabRow terminals={terminals} />}
      {several && info && (
        <IconButton icon="trash" small label={`Close ${visibleLine(info.title)}`} onClick={() => terminals.close(info.id)} />
      )}
      <IconButton icon="plus" small label="New terminal" disabled={!ready} onClick={terminals.open} />
      <IconButton
        icon="unlock"
        small
        label="Open a terminal outside the sandbox"
        disabled={!ready}
        onClick={() => void runAction('task.terminal.outside', taskId)}
      />
      <span className="grow" />
      {finding && <Find screen={screen} onClose={leave} />}
      <IconButton icon="search" small label="Find in the terminal" keys="mod+shift+f" onClick={() => onFind(true)} />
      {info?.outside ? (
        <span className="xs bad b">Outside the sandbox</span>
      ) : full ? (
        <span className="xs bad">Full access, no sandbox</span>
      ) : (
        <span className="xs faint">Inside the sandbox</span>
      )}
      {onClose && <IconButton icon="x" small label="Hide the terminal" keys="mod+j" onClick={onClose} />}
    </div>
  );
}

function useTerminalActions(ready: boolean, open: () => void, find: (finding: boolean) => void): void {
  const actions = useMemo(
    (): Action[] => [
      { id: 'terminal.new', title: 'New terminal', group: 'Terminal', icon: 'plus', when: () => ready, run: open },
      {
        id: 'terminal.find',
        title: 'Find in the terminal',
        group: 'Terminal',
        icon: 'search',
        keys: ['mod+shift+f'],
        scope: 'terminal',
        inTerminal: true,
        run: () => find(true),
      },
    ],
    [ready, open, find],
  );
  useActions(actions);
}

function Ended({ info, terminals }: { info: TerminalInfo; terminals: Terminals }) {
  const again = () => {
    if (info.action) {
      void runAction(actionId(info.action), info.taskId);
      return;
    }
    terminals.close(info.id);
    if (info.outside) void runAction('task.terminal.outside', info.taskId);
    else terminals.open();
  };
  return (
    <div className="term-ended" role="status">
      <span>
        {info.action ? visibleLine(info.title) : 'The shell'} ended{info.exitCode === null ? '' : ` with code ${info.exitCode}`}.
      </span>
      <Button small onClick={again}>
        {info.action ? 'Start again' : 'Reopen'}
      </Button>
    </div>
  );
}

/** Asked for each terminal anew: nothing remembers the answer. */
function AskOutside({ taskId, onConfirm }: { taskId: TaskId; onConfirm: () => void }) {
  const layer = useUi((state) => state.layer);
  return (
    <ConfirmDialog
      open={layer?.kind === 'terminal-outside' && layer.taskId === taskId}
      danger
      title="Open a terminal outside the sandbox?"
      action="Open outside terminal"
      onClose={closeLayer}
      onConfirm={onConfirm}
    >
      <p>It is for your own ssh, gh or push. The shell runs as you, in the task’s worktree: with your files, your keys and your network.</p>
      <p className="muted">
        The agent wrote what lies in that folder. Programs, scripts and hooks that you start from there run as you too. No agent can read or
        type in this terminal.
      </p>
    </ConfirmDialog>
  );
}

/**
 * The terminals of a task's workspace, in its sandbox. `onClose` is given where the pane is a dock that can be put away.
 */
export function TerminalPane({ taskId, onClose, autoFocus = false }: { taskId: TaskId; onClose?: () => void; autoFocus?: boolean }) {
  const workspace = useCore((state) => {
    const task = state.board?.tasks[taskId];
    return state.board && task ? workspaceOf(state.board, task) : undefined;
  });
  const full = useCore((state) => state.board?.tasks[taskId]?.mode === 'full');
  const ready = workspace?.phase === 'ready';
  const terminals = useTerminals(taskId, ready);
  const [screen, setScreen] = useState<Screen | null>(null);
  const [finding, setFinding] = useState(false);
  const info = terminals.list?.find((known) => known.id === terminals.active);
  const { open, error, list } = terminals;
  useTerminalActions(ready, open, setFinding);
  const another = (title: string) => (
    <Button icon="terminal" onClick={open}>
      {title}
    </Button>
  );
  return (
    <div className={`term-pane${info?.outside ? ' term-outside' : ''}`} data-scope="terminal">
      <Head {...{ taskId, terminals, info, ready, full, screen, finding, onFind: setFinding, onClose }} />
      {error && (
        <div className="term-error">
          <ErrorNote error={error} actions={another('Open a terminal')} />
        </div>
      )}
      {!ready && <Empty title="No terminal yet">A terminal opens in the task’s worktree as soon as the worktree is there.</Empty>}
      {ready && list?.length === 0 && !error && <Empty title="No terminal is open" action={another('Open another')} />}
      {info?.outside && (
        <p className="term-warning" role="note">
          <Icon name="unlock" />
          <span>
            <span className="b">Outside the sandbox.</span> This shell is yours: it runs with your files, keys and network. What you start
            here from the worktree may have been written by the agent. No agent reads or types here.
          </span>
        </p>
      )}
      <AskOutside taskId={taskId} onConfirm={terminals.openOutside} />
      {info && <ScreenBox key={info.id} info={info} terminals={terminals} onScreen={setScreen} autoFocus={autoFocus} />}
      {info && !info.running && <Ended info={info} terminals={terminals} />}
    </div>
  );
}
