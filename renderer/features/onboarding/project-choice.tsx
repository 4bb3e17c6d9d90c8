import { useEffect, useState } from 'react';
import { toAppError, type AppError, type Project, type ProjectId } from '../../../agent-core/contract/index.ts';
import { runAction } from '../../actions/registry.ts';
import { useCore, useCoreShallow } from '../../state/hooks.ts';
import { rpc } from '../../state/store.ts';
import { ErrorNote, Icon, Kbd, plural } from '../../ui/index.ts';

export interface Choice {
  projects: readonly Project[];
  projectId: ProjectId | null;
  name: string;
  choose: (id: ProjectId) => void;
  sample: () => void;
  error: AppError | null;
  busy: boolean;
}

/** Which project the first task is for: the newest one opened unless the person chose another. */
export function useProjectChoice(): Choice {
  const projects = useCoreShallow(({ board }) =>
    Object.values(board!.projects).sort((a, b) => Number(a.sample) - Number(b.sample) || b.openedAt - a.openedAt),
  );
  const [picked, setPicked] = useState<ProjectId | null>(null);
  const [error, setError] = useState<AppError | null>(null);
  const [busy, setBusy] = useState(false);
  const chosen = projects.find(({ id }) => id === picked) ?? projects[0];
  const sample = () => {
    setBusy(true);
    setError(null);
    rpc()
      .call('project/sample', {})
      .then(
        ({ id }) => {
          setPicked(id);
          setBusy(false);
        },
        (thrown: unknown) => {
          setError(toAppError(thrown));
          setBusy(false);
        },
      );
  };
  return { projects, projectId: chosen?.id ?? null, name: chosen?.name ?? '', choose: setPicked, sample, error, busy };
}

/** "main, 1,284 files": read once for each project shown. */
function Facts({ project }: { project: Project }) {
  const [facts, setFacts] = useState('');
  useEffect(() => {
    let live = true;
    rpc()
      .call('project/branches', { projectId: project.id })
      .then(
        ({ branch, files }) => {
          if (live) setFacts(`${branch ?? 'no branch'}, ${plural(files, 'file')}`);
        },
        (thrown: unknown) => {
          if (live) setFacts(toAppError(thrown).message);
        },
      );
    return () => {
      live = false;
    };
  }, [project.id]);
  return <span className="xs faint cut">{facts}</span>;
}

const short = (path: string, home: string | undefined) => (home && path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path);

/** The projects to choose from, the sample, and another folder. */
export function ProjectChoice({ choice: { projects, projectId, choose, sample, error, busy } }: { choice: Choice }) {
  const host = useCore((state) => state.host);
  const person = host?.home.replace(/\/(\.local\/share|Library\/Application Support)\/[^/]+$/, '');
  return (
    <section aria-labelledby="start-project">
      <div className="block-h">
        <h2 id="start-project">Project</h2>
      </div>
      <div className="rows" role="radiogroup" aria-labelledby="start-project">
        {projects.map((project) => (
          <button
            key={project.id}
            type="button"
            className="opt"
            role="radio"
            aria-checked={project.id === projectId}
            onClick={() => choose(project.id)}
          >
            <span className="radio" />
            <Icon name="folder" />
            <span className="grow cut">{project.sample ? 'Sample project' : short(project.root, person)}</span>
            <Facts project={project} />
          </button>
        ))}
        {!projects.some((project) => project.sample) && (
          <button type="button" className="opt" role="radio" aria-checked="false" disabled={busy} onClick={sample}>
            <span className="radio" />
            <Icon name="folder" />
            <span className="grow cut">Sample project</span>
            <span className="xs faint">{busy ? 'making it…' : 'a small Node project'}</span>
          </button>
        )}
        <button type="button" className="opt muted" onClick={() => void runAction('project.open')}>
          <span className="opt-plus">
            <Icon name="plus" />
          </span>
          <span className="grow">Pick another folder</span>
          <span aria-hidden="true">
            <Kbd keys="mod+o" />
          </span>
        </button>
      </div>
      {error && <ErrorNote error={error} />}
    </section>
  );
}
