import { useEffect, useState } from 'react';
import type { OutputOf, ProjectId } from '../../../agent-core/contract/index.ts';
import { rpc } from '../../state/store.ts';

export type Suggestion = OutputOf<'project/suggestions'>['suggestions'][number];

/** First tasks the core offers for a project; none when it has none or can't tell. */
export function useSuggestions(projectId: ProjectId | null): readonly Suggestion[] {
  const [found, setFound] = useState<readonly Suggestion[]>([]);
  useEffect(() => {
    if (!projectId) return undefined;
    let live = true;
    rpc()
      .call('project/suggestions', { projectId })
      .then(
        ({ suggestions }) => {
          if (live) setFound(suggestions);
        },
        () => undefined,
      );
    return () => {
      live = false;
    };
  }, [projectId]);
  return found;
}
