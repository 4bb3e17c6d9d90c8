import type { ReactNode } from 'react';
import type { Project } from '../../../agent-core/contract/index.ts';

/** What was allowed for the whole project, with the way to take it back. */
export function Rules(_props: { project: Project }): ReactNode {
  return null;
}
