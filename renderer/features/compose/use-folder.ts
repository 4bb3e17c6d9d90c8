import { useEffect, useState } from 'react';
import { toAppError, type AppError, type Folder, type ProjectId } from '../../../agent-core/contract/index.ts';
import { rpc } from '../../state/store.ts';

/** A project's branches and warnings, read afresh each time it is chosen. */
export function useFolder(projectId: ProjectId | null): { folder: Folder | null; error: AppError | null } {
  const [read, setRead] = useState<{ id: ProjectId; folder: Folder | null; error: AppError | null } | null>(null);
  useEffect(() => {
    if (!projectId) return undefined;
    let live = true;
    rpc()
      .call('project/branches', { projectId })
      .then(
        (folder) => {
          if (live) setRead({ id: projectId, folder, error: null });
        },
        (thrown: unknown) => {
          if (live) setRead({ id: projectId, folder: null, error: toAppError(thrown) });
        },
      );
    return () => {
      live = false;
    };
  }, [projectId]);
  return read?.id === projectId ? read : { folder: null, error: null };
}

/** The base branches to choose from: the branch checked out first, then local ones, then remote ones. */
export function baseOptions(folder: Folder | null): { id: string; label: string; group?: string }[] {
  if (!folder) return [];
  const locals = [...new Set([...(folder.branch ? [folder.branch] : []), ...folder.branches])];
  return [
    ...locals.map((name) => ({ id: `local:${name}`, label: name === folder.branch ? `${name} (checked out)` : name })),
    ...folder.remoteBranches.map((name) => ({ id: `remote:${name}`, label: name, group: 'Remote, fetched first' })),
  ];
}

export function parseBase(choice: string): { ref: string; kind: 'local' | 'remote' } | undefined {
  const [kind, ...ref] = choice.split(':');
  return kind === 'local' || kind === 'remote' ? { kind, ref: ref.join(':') } : undefined;
}
