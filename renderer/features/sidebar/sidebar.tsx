import type { ReactNode } from 'react';
import type { ProjectId } from '../../../agent-core/contract/index.ts';
import { attempt, runAction } from '../../actions/registry.ts';
import { FILTERS, boardView, passes, type FilterId } from '../../state/board-view.ts';
import { useCore, useCoreShallow, useUi } from '../../state/hooks.ts';
import { go, printRoute } from '../../state/route.ts';
import { rpc } from '../../state/store.ts';
import type { Route } from '../../state/ui.ts';
import { Icon, IconButton, Kbd, Menu, clockNow, plural, useClockText, type IconName } from '../../ui/index.ts';

/** A place: a link with an address of its own, so that it can be opened in another window too. */
function Nav({
  to,
  icon,
  current,
  count,
  hot,
  children,
  after,
}: {
  to: Route;
  icon: IconName;
  current: boolean;
  count?: number | undefined;
  hot?: boolean;
  children: string;
  after?: ReactNode;
}) {
  return (
    <a
      className="nav"
      href={printRoute(to)}
      aria-current={current ? 'page' : undefined}
      onClick={(event) => {
        if (!event.metaKey && !event.ctrlKey && !event.shiftKey) {
          event.preventDefault();
          go(to);
        }
      }}
    >
      <Icon name={icon} />
      <span className="grow cut">{children}</span>
      {count !== undefined && count > 0 && <span className={`count${hot ? ' count-hot' : ''}`}>{count}</span>}
      {after}
    </a>
  );
}

const all = { project: null, filter: null } as const;

function Places() {
  const route = useUi((state) => state.route);
  const { asks, review, trash } = useCoreShallow(({ board }) => {
    const view = boardView(board!);
    return { asks: view.approvals.length + view.questions.length, review: view.columns.review.length, trash: view.trash.length };
  });
  return (
    <nav aria-label="Places">
      <Nav
        to={{ place: 'board', ...all }}
        icon="board"
        current={(route.place === 'board' && !route.project && !route.filter) || route.place === 'task'}
      >
        Board
      </Nav>
      <Nav to={{ place: 'inbox' }} icon="inbox" current={route.place === 'inbox'} count={asks} hot>
        Inbox
      </Nav>
      <Nav to={{ place: 'landing' }} icon="land" current={route.place === 'landing'} count={review}>
        Landing
      </Nav>
      <Nav to={{ place: 'servers' }} icon="plug" current={route.place === 'servers'}>
        MCP servers
      </Nav>
      <Nav to={{ place: 'usage' }} icon="chart" current={route.place === 'usage'}>
        Usage
      </Nav>
      {(trash > 0 || route.place === 'trash') && (
        <Nav to={{ place: 'trash' }} icon="trash" current={route.place === 'trash'} count={trash}>
          Trash
        </Nav>
      )}
    </nav>
  );
}

function Filters() {
  const route = useUi((state) => state.route);
  useClockText((now) => String(Math.floor(now / 10_000)));
  const counts = useCoreShallow(({ board }) =>
    Object.fromEntries(FILTERS.map(({ id }) => [id, count(board!, { project: null, filter: id })])),
  );
  return (
    <nav aria-labelledby="side-filters">
      <h2 id="side-filters">Filters</h2>
      {FILTERS.map(({ id, title }) => (
        <Nav
          key={id}
          to={{ place: 'board', project: null, filter: id }}
          icon="filter"
          current={route.place === 'board' && route.filter === id}
          count={counts[id]}
        >
          {title}
        </Nav>
      ))}
    </nav>
  );
}

const count = (board: Parameters<typeof passes>[0], by: { project: ProjectId | null; filter: FilterId | null }) =>
  Object.keys(boardView(board).status).filter(
    (id) => (by.filter === null ? boardView(board).status[id] !== 'done' : true) && passes(board, board.tasks[id]!, by, clockNow()),
  ).length;

function Projects() {
  const route = useUi((state) => state.route);
  const projects = useCoreShallow(({ board }) => Object.values(board!.projects).sort((a, b) => b.openedAt - a.openedAt));
  const counts = useCoreShallow(({ board }) =>
    Object.fromEntries(Object.values(board!.projects).map(({ id }) => [id, count(board!, { project: id, filter: null })])),
  );
  return (
    <nav aria-labelledby="side-projects">
      <h2 id="side-projects">Projects</h2>
      {projects.map(({ id, name, root }) => (
        <div key={id} className="nav-row" title={root}>
          <Nav
            to={{ place: 'board', project: id, filter: null }}
            icon="folder"
            current={(route.place === 'board' && route.project === id) || (route.place === 'project' && route.projectId === id)}
            count={counts[id]}
          >
            {name}
          </Nav>
          <Menu
            label={`Actions for ${name}`}
            trigger={
              <button type="button" className="btn btn-quiet btn-icon btn-24" aria-label={`Actions for ${name}`}>
                <Icon name="more" />
              </button>
            }
            entries={[
              { id: 'settings', title: 'Project settings', icon: 'gear', run: () => go({ place: 'project', projectId: id }) },
              {
                id: 'close',
                title: 'Close project',
                icon: 'x',
                run: () => void attempt(() => rpc().call('project/close', { projectId: id }), null),
              },
            ]}
          />
        </div>
      ))}
      <button type="button" className="nav" onClick={() => void runAction('project.open')}>
        <Icon name="plus" />
        <span className="grow cut">Open a folder</span>
      </button>
    </nav>
  );
}

function SandboxLine() {
  const sandbox = useCore((state) => state.sandbox);
  const failed = sandbox?.probes.filter(({ ok, kind }) => !ok && kind !== 'has').length ?? 0;
  const bad = sandbox?.state === 'unavailable';
  const text =
    !sandbox || sandbox.state === 'checking'
      ? 'Sandbox: checking…'
      : bad
        ? 'Sandbox can’t confine'
        : failed
          ? `Sandbox on, ${plural(failed, 'probe')} failed`
          : 'Sandbox on, self-test passed';
  return (
    <button type="button" className="nav" onClick={() => go({ place: 'settings' })}>
      <span className={bad || failed ? 'bad' : undefined}>
        <Icon name={bad || failed ? 'fencebad' : 'fenceok'} />
      </span>
      <span className={`grow cut${bad ? ' bad' : ''}`}>{text}</span>
    </button>
  );
}

/** Places, filters and projects; what the sandbox says of itself; settings. */
export function Sidebar({ grip }: { grip?: ReactNode }) {
  const route = useUi((state) => state.route);
  return (
    <aside className="side" aria-label="Sidebar">
      <div className="side-head">
        <span className="mark">
          <Icon name="mark" />
        </span>
        <span className="b grow">Signalbox</span>
        <IconButton icon="split" label="Hide sidebar" keys="mod+b" onClick={() => void runAction('view.sidebar')} />
      </div>
      <div className="side-body">
        <Places />
        <Filters />
        <Projects />
      </div>
      <div className="side-foot">
        <SandboxLine />
        <Nav
          to={{ place: 'settings' }}
          icon="gear"
          current={route.place === 'settings'}
          after={
            <span aria-hidden="true">
              <Kbd keys="mod+," />
            </span>
          }
        >
          Settings
        </Nav>
      </div>
      {grip}
    </aside>
  );
}
