import { lazy, Suspense, useState } from 'react';
import { Tooltip } from '@base-ui/react/tooltip';
import { useCore, useUi } from '../state/hooks.ts';
import { core } from '../state/store.ts';
import type { Route } from '../state/ui.ts';
import { ErrorNote, Skeleton } from '../ui/index.ts';
import { BoardPage } from '../features/board/board-page.tsx';
import { InboxPage } from '../features/inbox/inbox-page.tsx';
import { LandingPage } from '../features/landing/landing-page.tsx';
import { ServersPage } from '../features/mcp/servers-page.tsx';
import { Onboarding } from '../features/onboarding/onboarding.tsx';
import { ProjectPage } from '../features/project/project-page.tsx';
import { SettingsPage } from '../features/settings/settings-page.tsx';
import { Sidebar } from '../features/sidebar/sidebar.tsx';
import { TrashPage } from '../features/sidebar/trash-page.tsx';
import { UsagePage } from '../features/usage/usage-page.tsx';
import { Banner } from './banner.tsx';
import { Layers } from './layers.tsx';
import { LiveRegion, Toasts } from './toasts.tsx';
import { SideGrip } from './side-grip.tsx';

const TaskPage = lazy(async () => ({ default: (await import('./task-page.tsx')).TaskPage }));

function Place({ route }: { route: Route }) {
  switch (route.place) {
    case 'board':
      return <BoardPage route={route} />;
    case 'inbox':
      return <InboxPage />;
    case 'landing':
      return <LandingPage />;
    case 'trash':
      return <TrashPage />;
    case 'servers':
      return <ServersPage />;
    case 'usage':
      return <UsagePage />;
    case 'settings':
      return <SettingsPage />;
    case 'project':
      return <ProjectPage key={route.projectId} projectId={route.projectId} />;
    case 'task':
      return (
        <Suspense
          fallback={
            <main className="main" data-scope="task">
              <div className="page-in">
                <Skeleton lines={6} />
              </div>
            </main>
          }
        >
          <TaskPage key={route.taskId} taskId={route.taskId} />
        </Suspense>
      );
  }
}

function Room() {
  const route = useUi((state) => state.route);
  const sidebar = useUi((state) => state.sidebar);
  const width = useUi((state) => state.sidebarWidth);
  // Decided once: who opens a folder of their own on the first run is not led away from it.
  const [fresh] = useState(() => Object.values(core.getState().board?.projects ?? {}).every((project) => project.sample));
  const none = useCore((state) => state.board !== null && Object.keys(state.board.tasks).length === 0);
  if (fresh && none && route.place === 'board' && !route.project && !route.filter)
    return (
      <div className="start">
        <Banner />
        <Onboarding />
      </div>
    );
  return (
    <div className={`room${sidebar ? '' : ' no-side'}`} style={{ '--side': `${width}px` } as React.CSSProperties}>
      {sidebar && <Sidebar grip={<SideGrip />} />}
      <div className="main">
        <Banner />
        <Place route={route} />
      </div>
    </div>
  );
}

/** The whole window: what the core says is shown; while it can't be reached, the last of it stays. */
export function App() {
  const ready = useCore((state) => state.board !== null);
  const connection = useCore((state) => state.connection);
  return (
    <Tooltip.Provider delay={500}>
      {ready ? (
        <Room />
      ) : (
        <main className="start">
          <div className="page-in" style={{ margin: 'auto', width: '100%' }}>
            {connection.state === 'refused' ? (
              <ErrorNote error={connection.error} />
            ) : connection.state === 'lost' ? (
              <Banner />
            ) : (
              <Skeleton lines={5} label="Connecting to the core" />
            )}
          </div>
        </main>
      )}
      <Layers />
      <Toasts />
      <LiveRegion />
    </Tooltip.Provider>
  );
}
