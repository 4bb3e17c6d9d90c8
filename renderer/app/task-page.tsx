import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import type { Item, TaskId } from '../../agent-core/contract/index.ts';
import { useActions } from '../actions/hooks.ts';
import { KeyFoot } from '../actions/key-foot.tsx';
import type { Action } from '../actions/registry.ts';
import { useTask, useUi } from '../state/hooks.ts';
import { go } from '../state/route.ts';
import { tabsAfter } from '../state/task-tabs.ts';
import { ui, type TaskTab } from '../state/ui.ts';
import { Button, Empty, Icon, Tabs, visibleTitle } from './task-kit.ts';
import { ConversationPane } from '../features/conversation/conversation-pane.tsx';
import { FindingsPanel } from '../features/findings/findings-panel.tsx';
import { ProposalBlock } from '../features/plan/proposal-block.tsx';
import { NetworkPane } from '../features/network/network-pane.tsx';
import { ReviewPane } from '../features/review/review-pane.tsx';
import { ChecksPane } from '../features/task/checks-pane.tsx';
import { TaskFacts, TaskHeader } from '../features/task/task-header.tsx';
import { WorkspaceNote } from '../features/task/workspace-note.tsx';
import { TerminalPane } from '../features/terminal/terminal-pane.tsx';
import { PaneGrip } from './pane-grip.tsx';
import '../features/task/task.css';

const wideQuery = '(min-width: 1100px)';
const LEFT = 480;
const DOCK = 200;

function useWide(): boolean {
  return useSyncExternalStore(
    (listener) => {
      const query = matchMedia(wideQuery);
      query.addEventListener('change', listener);
      return () => query.removeEventListener('change', listener);
    },
    () => matchMedia(wideQuery).matches,
  );
}

const show = (tab: TaskTab, wide: boolean) => ui.setState(({ tabs }) => (tabs.includes(tab) ? {} : { tabs: tabsAfter(tabs, tab, wide) }));

function useTaskPageActions(terminalTab: boolean): void {
  const actions = useMemo(
    (): Action[] => [
      {
        id: 'task.dock',
        title: ({ ui: { terminalDock } }) => (terminalDock ? 'Hide the terminal' : 'Open terminal'),
        group: 'Terminal',
        icon: 'terminal',
        keys: ['mod+j'],
        scope: 'task',
        inTerminal: true,
        whileTyping: true,
        footer: true,
        run: ({ ui: state }) =>
          ui.setState(terminalTab ? { tabs: ['conversation'], terminalDock: false } : { terminalDock: !state.terminalDock }),
      },
      {
        id: 'task.network',
        title: 'Show ports and connections',
        group: 'Task',
        icon: 'external',
        scope: 'task',
        run: () => ui.setState({ tabs: ['network'] }),
      },
    ],
    [terminalTab],
  );
  useActions(actions);
}

/** Items that a feature of their own draws. */
const renderItem = (item: Item, taskId: TaskId) => (item.type === 'proposal' ? <ProposalBlock item={item} taskId={taskId} /> : undefined);

interface PanelProps {
  tab: TaskTab;
  taskId: TaskId;
  children: React.ReactNode;
}
const Panel = ({ tab, children }: PanelProps) => (
  <div className="task-panel" role="tabpanel" id={`task-panel-${tab}`} aria-labelledby={`task-tab-${tab}`}>
    {children}
  </div>
);

function Panels({ taskId, shown, wide }: { taskId: TaskId; shown: readonly TaskTab[]; wide: boolean }) {
  const left = useUi((state) => state.panes['task-left'] ?? LEFT);
  const [focus, setFocus] = useState<{ itemId: string } | null>(null);
  const [reveal, setReveal] = useState<{ path: string; line?: number | undefined } | null>(null);
  const box = useRef<HTMLDivElement>(null);
  const openItem = useCallback(
    (itemId: string) => {
      setFocus({ itemId });
      show('conversation', wide);
    },
    [wide],
  );
  const openFile = useCallback(
    (path: string, line?: number) => {
      setReveal({ path, line });
      show('changes', wide);
    },
    [wide],
  );
  const both = shown.length === 2;
  return (
    <div className="task-panels" data-count={shown.length} ref={box} style={{ '--left': `${left}px` } as React.CSSProperties}>
      {shown.includes('conversation') && (
        <Panel tab="conversation" taskId={taskId}>
          <ConversationPane
            taskId={taskId}
            focus={focus}
            onOpenFile={openFile}
            renderItem={renderItem}
            above={<WorkspaceNote taskId={taskId} />}
          />
        </Panel>
      )}
      {both && (
        <PaneGrip
          name="task-left"
          label="Width of the conversation"
          value={left}
          min={320}
          max={900}
          fallback={LEFT}
          measure={(event) => event.clientX - (box.current?.getBoundingClientRect().left ?? 0)}
        />
      )}
      {shown.includes('changes') && (
        <Panel tab="changes" taskId={taskId}>
          <ReviewPane taskId={taskId} reveal={reveal} above={<FindingsPanel taskId={taskId} onOpen={openFile} />} />
        </Panel>
      )}
      {shown.includes('terminal') && (
        <Panel tab="terminal" taskId={taskId}>
          <TerminalPane taskId={taskId} autoFocus />
        </Panel>
      )}
      {shown.includes('checks') && (
        <Panel tab="checks" taskId={taskId}>
          <ChecksPane taskId={taskId} onOpenItem={openItem} />
        </Panel>
      )}
      {shown.includes('network') && (
        <Panel tab="network" taskId={taskId}>
          <NetworkPane taskId={taskId} />
        </Panel>
      )}
    </div>
  );
}

function Dock({ taskId }: { taskId: TaskId }) {
  const height = useUi((state) => state.panes['task-dock'] ?? DOCK);
  const before = useRef<Element | null>(document.activeElement);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const opener = before.current;
    return () => {
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
    };
  }, []);
  return (
    <div className="task-dock" ref={box} style={{ '--dock': `${height}px` } as React.CSSProperties}>
      <PaneGrip
        rows
        name="task-dock"
        label="Height of the terminal"
        value={height}
        min={96}
        max={900}
        fallback={DOCK}
        measure={(event) => (box.current?.getBoundingClientRect().bottom ?? 0) - event.clientY}
      />
      <TerminalPane taskId={taskId} autoFocus onClose={() => ui.setState({ terminalDock: false })} />
    </div>
  );
}

function TaskTabs({ taskId, shown, wide }: { taskId: TaskId; shown: readonly TaskTab[]; wide: boolean }) {
  const task = useTask(taskId);
  if (!task) return null;
  const files = task.diff?.files ?? 0;
  const check = task.check;
  return (
    <Tabs
      idPrefix="task"
      label="Task views"
      selected={shown}
      onSelect={(id) => ui.setState(({ tabs }) => ({ tabs: tabsAfter(wide ? tabs : tabs.slice(0, 1), id as TaskTab, wide) }))}
      tabs={[
        { id: 'conversation', label: 'Conversation' },
        { id: 'changes', label: 'Changes', extra: files > 0 && <span className="tab-count" data-count={files} /> },
        { id: 'terminal', label: 'Terminal' },
        {
          id: 'checks',
          label: 'Checks',
          extra: check && (
            <Icon small name={check.passed ? 'check' : 'failed'} className={check.stale ? 'faint' : check.passed ? 'ok' : 'bad'} />
          ),
        },
        { id: 'network', label: 'Network' },
      ]}
    />
  );
}

/** One task: its conversation, changes, terminal, checks and network. Composed here, because features don't know each other. */
export function TaskPage({ taskId }: { taskId: TaskId }) {
  const task = useTask(taskId);
  const wide = useWide();
  const tabs = useUi((state) => state.tabs);
  const dock = useUi((state) => state.terminalDock);
  const shown = wide ? tabs : tabs.slice(0, 1);
  const main = useRef<HTMLElement>(null);
  useTaskPageActions(shown.includes('terminal'));
  useEffect(() => {
    if (document.activeElement === document.body) main.current?.focus();
  }, []);
  if (!task) {
    return (
      <main className="main" data-scope="task">
        <Empty
          title="This task is gone"
          action={<Button onClick={() => go({ place: 'board', project: null, filter: null })}>Back to the board</Button>}
        >
          It was deleted for good, or it belongs to another home.
        </Empty>
      </main>
    );
  }
  const scopes = ['task', ...(shown.includes('changes') ? ['review'] : [])];
  return (
    <div className="task-frame" data-scope="task">
      <main className="main task-page" data-scope={scopes.at(-1)} aria-label={visibleTitle(task.title)} tabIndex={-1} ref={main}>
        <TaskHeader task={task} />
        <div className="bar-2">
          <TaskTabs taskId={taskId} shown={shown} wide={wide} />
          <TaskFacts taskId={taskId} />
        </div>
        <div className="task-body">
          <Panels taskId={taskId} shown={shown} wide={wide} />
          {dock && !shown.includes('terminal') && <Dock taskId={taskId} />}
        </div>
      </main>
      <KeyFoot scopes={scopes} />
    </div>
  );
}
