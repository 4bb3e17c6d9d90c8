import type { ProjectId } from '../../../agent-core/contract/index.ts';
import { runAction } from '../../actions/registry.ts';
import { KeyFoot } from '../../actions/key-foot.tsx';
import { PageBar } from '../../actions/page-bar.tsx';
import { useCore } from '../../state/hooks.ts';
import { Button, Empty } from '../../ui/index.ts';
import { BudgetSection } from './budget.tsx';
import { Environment } from './environment.tsx';
import { Hooks } from './hooks.tsx';
import { Network } from './network.tsx';
import { Reviewing } from './reviewing.tsx';
import { Rules } from './rules.tsx';
import { SearchSection } from './search.tsx';
import './project.css';

/** What holds for all tasks of one project: a section a topic, each in a file of its own. */
export function ProjectPage({ projectId }: { projectId: ProjectId }) {
  const project = useCore(({ board }) => board?.projects[projectId]);
  return (
    <main className="main" data-scope="project">
      <PageBar
        title={project ? project.name : 'Project settings'}
        after={
          <p className="fleet">
            <span className="cut">{project ? 'Project settings' : ''}</span>
          </p>
        }
      />
      {project ? (
        <div className="page">
          <div className="page-in">
            <Environment project={project} />
            <Network project={project} />
            <Rules project={project} />
            <Reviewing project={project} />
            <SearchSection project={project} />
            <BudgetSection project={project} />
            <Hooks project={project} />
            <p className="xs faint">
              Folder: <code>{project.root}</code>
            </p>
          </div>
        </div>
      ) : (
        <Empty
          title="This project is closed"
          action={
            <Button icon="folder" keys="mod+o" onClick={() => void runAction('project.open')}>
              Open a folder
            </Button>
          }
        >
          Its settings are shown here while it is open.
        </Empty>
      )}
      <KeyFoot scopes={['project']} extra={[['escape', 'Back to the board']]} />
    </main>
  );
}
